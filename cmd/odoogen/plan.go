package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"odoogen/internal/push"
)

func newPlan() *cobra.Command {
	var o pushOptions
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "plan [HOST...]",
		Short: "Show what a push would do",
		Long: `Ask the hosts what they are, and show what a push would make of them: packages, files, and every unit that would
start, stop, restart or reload. Nothing is changed. Exit code 2 says that there is something to do.`,
		Example: "  odoogen plan\n  odoogen plan tests --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			p, _, err := o.start(cmd, args)
			if err != nil {
				return err
			}
			defer p.Close()
			plans, err := p.Plan(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				err = printJSON(cmd.OutOrStdout(), plans)
			} else {
				printPlans(cmd.OutOrStdout(), plans)
			}
			if err == nil && !empty(plans) {
				return errDifferent
			}
			return err
		},
	}
	o.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func empty(plans []*push.Plan) bool {
	for _, p := range plans {
		if !p.Empty() {
			return false
		}
	}
	return true
}

// printPlans prints them for a reader who decides whether to go on.
func printPlans(w io.Writer, plans []*push.Plan) {
	for _, p := range plans {
		from := "bare"
		if p.From != "" {
			from = shown(p.From)
		}
		if p.Empty() {
			fmt.Fprintf(w, "%s: %s, nothing to do\n", p.Host, from)
			printLeft(w, p)
			continue
		}
		becomes := fmt.Sprintf("%.4s", p.Digest)
		if p.Digest == "" {
			becomes = shown("0")
		}
		fmt.Fprintf(w, "%s: %s, becomes %s\n", p.Host, from, becomes)
		list := func(what string, all []string) {
			if len(all) > 0 {
				fmt.Fprintf(w, "  %s: %s\n", what, strings.Join(all, ", "))
			}
		}
		printLeft(w, p)
		list("changed by hand", p.Drift)
		list("secrets missing", p.Missing)
		list("secrets", names(p.Secrets))
		list("install", p.Packages)
		for _, c := range p.Clusters {
			fmt.Fprintf(w, "  make PostgreSQL cluster %d/%s\n", c.Version, c.Name)
		}
		list("doors", p.Doors)
		list("set aside in generation 0", p.Aside)
		list("closed doors", p.Closed)
		list("comes back", p.Back)
		if p.From == "" || p.From == "0" || p.Digest == "" {
			fmt.Fprintf(w, "  %d files\n", len(p.Files))
		} else {
			for _, c := range p.Files {
				fmt.Fprintf(w, "  %s\n", c)
			}
		}
		for _, a := range p.Actions {
			fmt.Fprintf(w, "  then %s\n", a)
		}
		if p.Digest == "" {
			fmt.Fprintln(w, "  packages, clusters, databases, users, releases and secrets stay; what was running before the first push runs on")
		}
		if len(p.Packages)+len(p.Clusters) > 0 {
			fmt.Fprintln(w, "  a rollback undoes neither packages nor clusters, users or data")
		}
	}
}

// printLeft prints what was done on the host and stays.
func printLeft(w io.Writer, p *push.Plan) {
	if p.Frozen != "" {
		fmt.Fprintf(w, "  frozen since %s\n", p.Frozen)
	}
	for _, h := range p.Hands {
		fmt.Fprintf(w, "  by hand, and stays: %s\n", h)
	}
}

// names are those of secrets, with what becomes of each.
func names(changes []push.SecretChange) []string {
	var all []string
	for _, c := range changes {
		all = append(all, c.String())
	}
	return all
}

// shown is a generation as people name it: "42-3f9ab2..." is #42 3f9a.
func shown(generation string) string {
	switch generation {
	case "0":
		return "as found (#0)"
	case "ejected":
		return generation
	}
	n, digest, _ := strings.Cut(generation, "-")
	return fmt.Sprintf("#%s %.4s", n, digest)
}

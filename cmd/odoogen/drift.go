package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"odoogen/internal/provenance"
	"odoogen/internal/push"
)

func newDrift() *cobra.Command {
	o := pushOptions{again: true}
	var asJSON, adopt bool
	cmd := &cobra.Command{
		Use:   "drift [HOST...]",
		Short: "Show what was changed by hand on the hosts",
		Long: `Compare every file of the generation that a host runs with what was pushed, the ways that lead to it, and what lies
beside it and counts more: overrides of systemctl edit and set-property, masks, stopped units, settings of ALTER SYSTEM, of
postgresql.conf and of sshd_config; and the firewall's rules with what was loaded. Exit code 2 says that something is otherwise.
It reads every file again, also those that have not changed since a push read them. A push takes back what is in odoogen's own
files only with --overwrite-drift; what lies beside them is the administrator's, and stays.

--adopt prints the CUE that would keep it. Each line was tried: the spec takes it, and its trees then have what the host has.
What no CUE keeps is a comment that says why, or how it is undone.`,
		Example:           "  odoogen drift\n  odoogen drift tests --json\n  odoogen drift tests --adopt",
		ValidArgsFunction: completeHosts,
		RunE: func(cmd *cobra.Command, args []string) error {
			if adopt && o.built != "" {
				return errors.New("--adopt reads the spec, and --built leaves it out")
			}
			o.reviewed = !adopt
			p, _, err := o.start(cmd, args)
			if err != nil {
				return err
			}
			defer p.Close()
			plans, unanswered := p.Plan(cmd.Context())
			found := false
			for _, plan := range plans {
				found = found || len(plan.Drift)+len(plan.Hands) > 0
			}
			switch {
			case adopt:
				err = adoption(cmd, p, plans)
			case asJSON:
				err = printJSON(cmd.OutOrStdout(), driftReports(plans))
			default:
				printDrift(cmd.OutOrStdout(), plans)
			}
			if err = errors.Join(err, unanswered); err == nil && found {
				return errDifferent
			}
			return err
		},
	}
	o.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&adopt, "adopt", false, "print the CUE that would keep it")
	cmd.MarkFlagsMutuallyExclusive("adopt", "json")
	return cmd
}

// driftReport is what was done by hand on a host.
type driftReport struct {
	Host       string      `json:"host"`
	Generation string      `json:"generation,omitempty"` // as status has it: empty on a bare host, 0 as it was found
	Changed    []string    `json:"changed"`              // in odoogen's own files; a push can take it back
	Beside     []push.Hand `json:"beside"`               // and what stays
}

func driftReports(plans []*push.Plan) []driftReport {
	all := []driftReport{}
	for _, plan := range plans {
		all = append(all, driftReport{plan.Host, plan.From, append([]string{}, plan.Drift...), append([]push.Hand{}, plan.Hands...)})
	}
	return all
}

func printDrift(w io.Writer, plans []*push.Plan) {
	for _, r := range driftReports(plans) {
		switch {
		case len(r.Changed)+len(r.Beside) > 0:
		case r.Generation == "" || r.Generation == "0":
			fmt.Fprintf(w, "%s: as it was found: no push stands there\n", r.Host)
		default:
			fmt.Fprintf(w, "%s: as it was pushed\n", r.Host)
		}
		for _, f := range r.Changed {
			fmt.Fprintf(w, "%s: %s\n", r.Host, f)
		}
		for _, h := range r.Beside {
			fmt.Fprintf(w, "%s: %s (stays)\n", r.Host, h)
		}
	}
}

// adoption reads what was edited on the hosts, and prints what the spec would say.
func adoption(cmd *cobra.Command, p *push.Push, plans []*push.Plan) error {
	edited, err := p.Edited(cmd.Context())
	if err != nil {
		return err
	}
	b, err := compile(io.Discard) // with the origins of every line, which a push does not keep
	if err != nil {
		return err
	}
	printAdoption(cmd.OutOrStdout(), b, plans, edited)
	return nil
}

// printAdoption prints the CUE that would keep what was done by hand, and a comment for each thing that none keeps.
func printAdoption(w io.Writer, b *provenance.Build, plans []*push.Plan, edited []push.Edited) {
	type place struct{ host, path string }
	read := map[place]bool{}
	var edits []provenance.Edit
	for _, e := range edited {
		read[place{e.Host, e.Path}] = true
		if e.Old {
			fmt.Fprintf(w, "// %s: %s: the spec has changed since it was pushed\n", e.Host, e.Path)
			continue
		}
		edits = append(edits, provenance.Edit{Host: e.Host, File: e.Path, Data: e.Data, Gone: e.Gone})
	}
	for _, p := range b.Adopt(edits) {
		fmt.Fprintf(w, "// %s\n", p)
		if p.CUE != "" {
			fmt.Fprintln(w, p.CUE)
		}
	}
	for _, r := range driftReports(plans) {
		for _, entry := range r.Changed {
			if !read[place{r.Host, entry}] {
				fmt.Fprintf(w, "// %s: %s: %s\n", r.Host, entry, undoing(entry))
			}
		}
		for _, h := range r.Beside {
			if !read[place{r.Host, h.What}] {
				fmt.Fprintf(w, "// %s: %s: %s\n", r.Host, h, undoing(h.String()))
			}
		}
	}
}

// undoing says of what the spec has no word for how it is undone, or kept after all.
func undoing(entry string) string {
	kind, what, _ := strings.Cut(entry, " ")
	const noWord, overwrite = "the spec has no word for it; ", "a push with --overwrite-drift "
	switch {
	case kind == "masked":
		return noWord + "systemctl unmask " + what + "; systemctl start " + what
	case kind == "stopped":
		return noWord + "systemctl start " + what + ", or " + overwrite + "starts it"
	case kind == "enabled":
		return noWord + "systemctl disable " + what
	case kind == "disabled":
		return noWord + "systemctl enable " + what
	case kind == "firewall":
		return noWord + overwrite + "loads its rules; what opens ports is open of the host, and 22 access.whitelist"
	case kind == "override":
		return noWord + "it is no file that can be read"
	case strings.HasPrefix(entry, "secrets/"):
		return "a spec has no values of secrets; " + overwrite + "brings the one that odoogen secrets edit has"
	case strings.HasPrefix(entry, "/"):
		return noWord + overwrite + "makes it odoogen's way into the generation again"
	}
	return noWord + overwrite + "takes it back"
}

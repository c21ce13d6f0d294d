package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"odoogen/generators"
	"odoogen/internal/native"
	"odoogen/internal/topology"
)

func newVet() *cobra.Command {
	v := &vet{}
	cmd := &cobra.Command{
		Use:   "vet",
		Short: "Check the spec: its shape, and every rule between its parts",
		Long: `Check the spec: its shape, and every rule between its parts.

What is right today and will not be for long is a warning: Odoo, Debian, PostgreSQL and Java versions whose makers stop
within half a year, or have stopped, and waivers (accept) that end within a month. A waiver that has ended waives
nothing. That depends on the day, which no other command looks at.

With --native, every file of every host is also read by the program that reads it on the host (nginx, sshd, systemd,
PostgreSQL ...), in a throw-away root over this Debian system or over another one. That needs root.`,
		Example: "  odoogen vet\n  odoogen -C environments vet\n  odoogen vet --today 2028-01-01 --strict\n" +
			"  sudo odoogen vet --native\n  sudo odoogen vet --native --root /srv/bookworm",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return v.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&v.today, "today", "", "warn as if it were this day (YYYY-MM-DD; default: the clock's)")
	cmd.Flags().BoolVar(&v.strict, "strict", false, "fail on warnings too")
	cmd.Flags().BoolVar(&v.native, "native", false, "have every file read by its own program")
	cmd.Flags().StringVar(&v.root, "root", "/", "the Debian system whose programs do it")
	cmd.Flags().BoolVar(&v.json, "json", false, "print the result as JSON")
	return cmd
}

// vet is the command with its flags.
type vet struct {
	today, root          string
	strict, native, json bool
}

func (v *vet) run(ctx context.Context, stdout, stderr io.Writer) error {
	today := topology.DateOf(time.Now())
	if v.today != "" {
		var err error
		if today, err = topology.ParseDate(v.today); err != nil {
			return fmt.Errorf("--today: %w", err)
		}
	}
	startStale()(stderr)
	t, origins, err := topology.Load(".")
	var mistakes topology.Problems
	if errors.As(err, &mistakes) && v.json {
		return errors.Join(printJSON(stdout, verdict{Mistakes: found(mistakes), Warnings: []finding{}}), err)
	}
	if err != nil {
		return err
	}
	if mistakes = t.Ended(today); len(mistakes) > 0 {
		if v.json {
			err = printJSON(stdout, verdict{Mistakes: found(mistakes), Warnings: []finding{}})
		}
		return errors.Join(err, mistakes)
	}
	noteWaivers(stderr, t)
	warnings := topology.Warnings(t, origins, today)
	for _, w := range warnings {
		fmt.Fprintln(stderr, w)
	}
	switch {
	case v.native:
		err = v.runNative(ctx, t, stdout)
	case v.json:
		err = printJSON(stdout, verdict{Hosts: len(t.Hosts), Clusters: len(t.Clusters), Instances: len(t.Instances),
			Mistakes: []finding{}, Warnings: found(warnings)})
	default:
		fmt.Fprintf(stdout, "ok: %s, %s, %s\n",
			count(len(t.Hosts), "host"), count(len(t.Clusters), "cluster"), count(len(t.Instances), "instance"))
	}
	if err == nil && v.strict && len(warnings) > 0 {
		err = fmt.Errorf("%s", count(len(warnings), "warning"))
	}
	return err
}

// runNative compiles the topology and has the trees read by the programs of the system at root.
func (v *vet) runNative(ctx context.Context, t *topology.Topology, stdout io.Writer) error {
	trees, err := generators.Build(t)
	if err != nil {
		return err
	}
	report, err := native.NewVetter(v.root).Vet(ctx, trees)
	if err != nil {
		return err
	}
	if v.json {
		err = printJSON(stdout, report)
	} else {
		report.Text(stdout, "out")
	}
	if err == nil && !report.Accepted() {
		err = fmt.Errorf("the native checkers found %s", count(report.Problems(), "problem"))
	}
	return err
}

// verdict is what vet --json prints.
type verdict struct {
	Hosts     int       `json:"hosts"`
	Clusters  int       `json:"clusters"`
	Instances int       `json:"instances"`
	Mistakes  []finding `json:"mistakes"`
	Warnings  []finding `json:"warnings"`
}

// finding is a mistake or a warning, with its place.
type finding struct {
	File    string    `json:"file"`
	Line    int       `json:"line,omitempty"`
	Column  int       `json:"column,omitempty"`
	Path    string    `json:"path,omitempty"`
	Message string    `json:"message"`
	Rule    string    `json:"rule,omitempty"`
	Hint    string    `json:"hint,omitempty"`
	Also    []finding `json:"also,omitempty"`
}

func found(problems topology.Problems) []finding {
	all := make([]finding, len(problems))
	for n, p := range problems {
		all[n] = finding{File: p.Place.File, Line: p.Place.Line, Column: p.Place.Col, Path: p.Path, Message: p.Message, Rule: p.Rule, Hint: p.Hint}
		for _, a := range p.Also {
			all[n].Also = append(all[n].Also, finding{File: a.Place.File, Line: a.Place.Line, Column: a.Place.Col, Message: a.Message})
		}
	}
	return all
}

// count is a number of things: "1 host", "2 hosts".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"odoogen/internal/native"
	"odoogen/internal/topology"
)

func newVet() *cobra.Command {
	var run, asJSON bool
	var root string
	cmd := &cobra.Command{
		Use:   "vet",
		Short: "Check the spec: its shape, and every rule between its parts",
		Long: `Check the spec: its shape, and every rule between its parts.

With --native, every file of every host is also read by the program that reads it on the host (nginx, sshd, systemd,
PostgreSQL ...), in a throw-away root over this Debian system or over another one. That needs root.`,
		Example: "  odoogen vet\n  odoogen -C environments vet\n  sudo odoogen vet --native\n  sudo odoogen vet --native --root /srv/bookworm",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if run {
				return vetNative(cmd.Context(), root, asJSON, cmd.OutOrStdout(), cmd.ErrOrStderr())
			}
			noteStale(cmd.ErrOrStderr())
			t, _, err := topology.Load(".")
			if err != nil {
				return err
			}
			noteWaivers(cmd.ErrOrStderr(), t)
			fmt.Fprintf(cmd.OutOrStdout(), "ok: %s, %s, %s\n",
				count(len(t.Hosts), "host"), count(len(t.Clusters), "cluster"), count(len(t.Instances), "instance"))
			return nil
		},
	}
	cmd.Flags().BoolVar(&run, "native", false, "have every file read by its own program")
	cmd.Flags().StringVar(&root, "root", "/", "the Debian system whose programs do it")
	cmd.Flags().BoolVar(&asJSON, "json", false, "with --native: print the report as JSON")
	return cmd
}

// vetNative compiles the spec and has the trees read by the programs of the system at root.
func vetNative(ctx context.Context, root string, asJSON bool, stdout, stderr io.Writer) error {
	b, err := compile(stderr)
	if err != nil {
		return err
	}
	report, err := native.Vet(ctx, b.Trees, root)
	if err != nil {
		return err
	}
	if asJSON {
		err = printJSON(stdout, report)
	} else {
		report.Text(stdout, "out")
	}
	if err == nil && !report.Accepted() {
		err = fmt.Errorf("the native checkers found %s", count(report.Problems(), "problem"))
	}
	return err
}

// count is a number of things: "1 host", "2 hosts".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"odoogen/generators"
	"odoogen/internal/artifact"
	"odoogen/internal/topology"
)

func newBuild() *cobra.Command {
	var out string
	var check bool
	cmd := &cobra.Command{
		Use:   "build",
		Short: "Compile the spec into every host's files",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			t, _, err := topology.Load(".")
			if err != nil {
				return err
			}
			trees, err := generators.Build(t)
			if err != nil {
				return err
			}
			write := artifact.Write
			if check {
				write = artifact.Compare
			}
			changes, err := write(out, trees)
			if err != nil {
				return err
			}
			for _, c := range changes {
				fmt.Fprintln(cmd.OutOrStdout(), c)
			}
			for _, tree := range trees {
				fmt.Fprintf(cmd.OutOrStdout(), "%s: %d files, %d bytes, %.12s\n", tree.Host, len(tree.Files), tree.Bytes(), tree.Digest())
			}
			if check && len(changes) > 0 {
				return errDifferent
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "out", "where the trees go")
	cmd.Flags().BoolVar(&check, "check", false, "write nothing; exit 2 where the output differs")
	return cmd
}

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"odoogen/internal/artifact"
	"odoogen/internal/picture"
	"odoogen/internal/topology"
)

func newPicture() *cobra.Command {
	var out string
	var check bool
	cmd := &cobra.Command{
		Use:   "picture",
		Short: "Draw the topology as SVG: hosts, clusters, instances, networks, backups",
		Example: `  odoogen picture                 # writes topology.svg
  odoogen picture -o docs/it.svg
  odoogen picture --check         # write nothing; exit 2 where topology.svg is not what the spec gives`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			startStale()(cmd.ErrOrStderr())
			t, _, err := topology.Load(".")
			if err != nil {
				return err
			}
			drawn := picture.Draw(t)
			if !check {
				return artifact.WriteFile(out, drawn, 0o644)
			}
			have, err := os.ReadFile(out)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			if !bytes.Equal(have, drawn) {
				fmt.Fprintf(cmd.OutOrStdout(), "M %s\n", out)
				return errDifferent
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "topology.svg", "where the picture goes")
	cmd.Flags().BoolVar(&check, "check", false, "write nothing; exit 2 where the file differs")
	return cmd
}

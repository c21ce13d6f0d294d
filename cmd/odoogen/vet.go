package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"odoogen/internal/topology"
)

func newVet() *cobra.Command {
	return &cobra.Command{
		Use:     "vet",
		Short:   "Check the spec: its shape, and every rule between its parts",
		Example: "  odoogen vet\n  odoogen -C environments vet",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			t, _, err := topology.Load(".")
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "ok: %d hosts, %d clusters, %d instances\n", len(t.Hosts), len(t.Clusters), len(t.Instances))
			return nil
		},
	}
}

package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newDrift() *cobra.Command {
	var o pushOptions
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "drift [HOST...]",
		Short: "Show what was changed by hand on the hosts",
		Long: `Compare every file of the generation that a host runs with what was pushed, and the ways that lead to it. Exit code 2
says that something is otherwise; odoogen push --overwrite-drift takes it back.`,
		Example: "  odoogen drift\n  odoogen drift tests --json",
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
			type driftReport struct {
				Host  string   `json:"host"`
				Files []string `json:"files"`
				Doors []string `json:"doors"`
			}
			all, found := []driftReport{}, false
			for _, plan := range plans {
				r := driftReport{plan.Host, append([]string{}, plan.Drift...), append([]string{}, plan.Doors...)}
				all, found = append(all, r), found || len(r.Files)+len(r.Doors) > 0
			}
			if asJSON {
				err = printJSON(cmd.OutOrStdout(), all)
			} else {
				for _, r := range all {
					if len(r.Files)+len(r.Doors) == 0 {
						fmt.Fprintf(cmd.OutOrStdout(), "%s: as it was pushed\n", r.Host)
					}
					for _, f := range append(r.Files, r.Doors...) {
						fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", r.Host, f)
					}
				}
			}
			if err == nil && found {
				return errDifferent
			}
			return err
		},
	}
	o.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

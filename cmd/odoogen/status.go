package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"odoogen/internal/review"
)

func newStatus() *cobra.Command {
	var o pushOptions
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status [HOST...]",
		Short: "Show what the hosts are, and whether all that they shall run is up",
		Long: `Ask every host for its generation and for each of its probes: units, pages, certificates, ports. Exit code 1 says that
something is not as it should be.`,
		Example: "  odoogen status\n  odoogen status tests --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			p, _, err := o.start(cmd, args)
			if err != nil {
				return err
			}
			defer p.Close()
			all := p.Status(cmd.Context())
			bad := 0
			for _, s := range all {
				if len(s.Wrong) > 0 {
					bad++
				}
			}
			if asJSON {
				err = printJSON(cmd.OutOrStdout(), all)
			} else {
				for _, s := range all {
					verdict := fmt.Sprintf("all %d probes pass", s.Probes)
					if len(s.Wrong) > 0 {
						verdict = "not as it should be"
					}
					fmt.Fprintf(cmd.OutOrStdout(), "%s: %s, %s\n", s.Host, review.Generation(s.Generation), verdict)
					for _, w := range s.Wrong {
						fmt.Fprintf(cmd.OutOrStdout(), "  %s\n", w)
					}
				}
			}
			if err == nil && bad > 0 {
				return fmt.Errorf("%d of %d hosts are not as they should be", bad, len(all))
			}
			return err
		},
	}
	o.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"odoogen/internal/review"
)

func newStatus() *cobra.Command {
	o := pushOptions{reviewed: true}
	var asJSON bool
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "status [HOST...]",
		Short: "Show what the hosts are, and whether all that they shall run is up",
		Long: `Ask every host for its generation and for each of its probes: units, pages, certificates, ports. Exit code 1 says that
something is not as it should be. A page that cannot be there yet, since its instance has no release, is told and is
no fault; with --wait it is waited for like everything else, and its absence is one in the end.`,
		Example:           "  odoogen status\n  odoogen status tests --json\n  odoogen status --wait 10m",
		ValidArgsFunction: completeHosts,
		RunE: func(cmd *cobra.Command, args []string) error {
			p, _, err := o.start(cmd, args)
			if err != nil {
				return err
			}
			defer p.Close()
			all := p.Await(cmd.Context(), wait)
			bad := 0
			for _, s := range all {
				if len(s.Wrong) > 0 || wait > 0 && len(s.Skipped) > 0 {
					bad++
				}
			}
			if asJSON {
				err = printJSON(cmd.OutOrStdout(), all)
			} else {
				for _, s := range all {
					verdict := fmt.Sprintf("%s, all %d probes pass", review.Generation(s.Generation), s.Probes)
					switch {
					case s.Silent:
						verdict = "does not answer"
					case len(s.Wrong) > 0:
						verdict = review.Generation(s.Generation) + ", not as it should be"
					case len(s.Skipped) > 0:
						verdict = fmt.Sprintf("%s, %d probes pass, %d are left out", review.Generation(s.Generation), s.Probes-len(s.Skipped), len(s.Skipped))
					}
					fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", s.Host, verdict)
					for _, w := range s.Wrong {
						fmt.Fprintf(cmd.OutOrStdout(), "  %s\n", w)
					}
					for _, o := range review.Orphans(s.Orphans) {
						fmt.Fprintf(cmd.OutOrStdout(), "  %s\n", o)
					}
					for _, w := range s.Skipped {
						fmt.Fprintf(cmd.OutOrStdout(), "  left out: %s\n", w)
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
	cmd.Flags().DurationVar(&wait, "wait", 0, "ask again for this long, until nothing is wrong and nothing is left out")
	return cmd
}

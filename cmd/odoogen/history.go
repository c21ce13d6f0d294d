package main

import (
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"odoogen/internal/push"
	"odoogen/internal/review"
)

func newHistory() *cobra.Command {
	o := pushOptions{reviewed: true}
	var asJSON bool
	cmd := &cobra.Command{
		Use:               "history [HOST...]",
		Short:             "Show what was pushed to the hosts, by whom, and what became of it",
		Example:           "  odoogen history\n  odoogen history tests --json",
		ValidArgsFunction: completeHosts,
		RunE: func(cmd *cobra.Command, args []string) error {
			p, _, err := o.start(cmd, args)
			if err != nil {
				return err
			}
			defer p.Close()
			events, err := p.History(cmd.Context()) // of the hosts that answer
			if asJSON {
				return errors.Join(printJSON(cmd.OutOrStdout(), append([]push.Event{}, events...)), err)
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, e := range events {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", e.Time, e.Host, review.Generation(e.Generation), e.Verdict, e.Text)
			}
			return errors.Join(w.Flush(), err)
		},
	}
	o.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

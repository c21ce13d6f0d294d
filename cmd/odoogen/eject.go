package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"odoogen/internal/review"
)

func newEject() *cobra.Command {
	o := pushOptions{reviewed: true}
	var yes bool
	cmd := &cobra.Command{
		Use:   "eject HOST",
		Short: "Leave a host running without odoogen",
		Long: `Make a host's configuration plain files, and odoogen no longer part of it: /etc/odoogen/current becomes a directory of
its own, doors become directories and files, and what would turn the host goes. Nothing is started, stopped or restarted,
and everything starts with the host as before. The ledger, the secrets and the generation as it was pushed stay to be read;
odoogen-host stays on the host. A later push adopts the host again.`,
		Example:           "  odoogen eject tests",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeHost,
		RunE: func(cmd *cobra.Command, args []string) error {
			p, _, err := o.start(cmd, args)
			if err != nil {
				return err
			}
			defer p.Close()
			from, drift, err := p.ReadyToEject(cmd.Context())
			if err != nil {
				return err
			}
			if from == "ejected" {
				fmt.Fprintf(cmd.OutOrStdout(), "%s: ejected, nothing to do\n", args[0])
				return nil
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %s becomes plain files; nothing restarts\n", args[0], review.Generation(from))
			for _, path := range drift {
				fmt.Fprintf(cmd.OutOrStdout(), "  stays as it was changed by hand: %s\n", path)
			}
			if !yes && !asked(cmd, "eject") {
				return errors.New("not ejected")
			}
			defer o.progress.close()
			return p.Eject(cmd.Context())
		},
	}
	o.flags(cmd)
	o.waits(cmd)
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

func newPurge() *cobra.Command {
	o := pushOptions{reviewed: true}
	var yes bool
	cmd := &cobra.Command{
		Use:   "purge HOST [ORPHAN...]",
		Short: "Remove from a host what pushes made and the spec no longer has",
		Long: `Name the orphans of a host, and remove them: clusters, databases, roles, users, data directories, folders of releases and
certificates that pushes made and that neither its generation nor the spec has any more. What was there before odoogen, or
lies beside it, is never among them, nor is any secret: one that a push brought goes with the push that takes it out, and one
that somebody put on the host is his. With names, those alone: an orphan's, or an instance's for all that was its own. It asks
first.

What is purged is gone: no rollback brings it back, only a backup does.`,
		Example:           "  odoogen purge tests\n  odoogen purge tests qa16 --yes",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeHost,
		RunE: func(cmd *cobra.Command, args []string) error {
			p, _, err := o.start(cmd, args[:1])
			if err != nil {
				return err
			}
			defer p.Close()
			all, err := p.Purgeable(cmd.Context(), args[1:])
			if err != nil {
				return err
			}
			if len(all) == 0 {
				fmt.Fprintf(cmd.OutOrStdout(), "%s: no orphans\n", args[0])
				return nil
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: removes for good\n", args[0])
			for _, t := range all {
				with := ""
				if t.Kind == "cluster" {
					with = ", with all its databases"
				}
				fmt.Fprintf(cmd.OutOrStdout(), "  %s%s\n", t, with)
			}
			if !yes && !asked(cmd, "purge") {
				return errors.New("not purged")
			}
			defer o.progress.close()
			return p.Purge(cmd.Context(), all)
		},
	}
	o.flags(cmd)
	o.waits(cmd)
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

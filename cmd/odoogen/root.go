package main

import (
	"os"

	"github.com/spf13/cobra"
)

func newRoot() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:           "odoogen",
		Short:         "One CUE source for Odoo test environments on your own Debian servers",
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			return os.Chdir(dir)
		},
	}
	cmd.PersistentFlags().StringVarP(&dir, "directory", "C", ".", "run as if started in this directory")
	cmd.AddCommand(newBuild(), newLab())
	return cmd
}

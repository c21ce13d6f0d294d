package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"odoogen/internal/secrets"
)

func newSecretsRekey() *cobra.Command {
	var key identity
	cmd := &cobra.Command{
		Use:   "rekey",
		Short: "Encrypt all secrets anew, to those who administer the hosts now",
		Long: `Encrypt every secret anew: to the administrators of the spec (access.admins) and whom secrets/recipients lists, and to
nobody else. All of them change, or none does. Values stay what they are, so the next push restarts nothing.

Who has left can still read what git remembers: change such values where they are made, and with odoogen secrets edit.`,
		Example:           "  odoogen secrets rekey\n  odoogen secrets rekey --identity /media/usb/backup-key",
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v, err := openVault()
			if err != nil {
				return err
			}
			changed, err := v.store.Rekey(key.keys(cmd), v.to)
			if err != nil {
				return fmt.Errorf("%w\nnothing was encrypted anew", err)
			}
			for _, name := range changed {
				fmt.Fprintf(cmd.OutOrStdout(), "%s: encrypted anew\n", v.store.File(name))
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "secrets are for %s\n", strings.Join(secrets.Who(v.to), ", "))
			return nil
		},
	}
	key.flag(cmd)
	return cmd
}

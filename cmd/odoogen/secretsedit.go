package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"odoogen/internal/secrets"
)

func newSecretsEdit() *cobra.Command {
	var key identity
	var fromStdin bool
	cmd := &cobra.Command{
		Use:   "edit NAME",
		Short: "Write a secret's value, in your editor or from stdin",
		Long: `Write the value of a secret that the spec names: in $VISUAL or $EDITOR, or from stdin where something is piped in. The
editor works on a file in memory ($XDG_RUNTIME_DIR or /dev/shm) that only you can read, and that goes when it ends.

Newlines at the end of a value go; one with several lines, an SSH key, ends in exactly one.`,
		Example: `  odoogen secrets edit grafana-token
  ssh-keygen -q -t ed25519 -N '' -C storage -f /dev/shm/storage && odoogen secrets edit storage-key </dev/shm/storage
  openssl rand -base64 33 | odoogen secrets edit restic-password`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeSecrets,
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := openVault()
			if err != nil {
				return err
			}
			if _, err := v.spec.Secret(args[0]); err != nil {
				return err
			}
			var value []byte
			if fromStdin || piped() {
				value, err = io.ReadAll(io.LimitReader(os.Stdin, secrets.MaxSize+1))
			} else {
				value, err = edited(v.store, args[0], key.keys(cmd))
			}
			if err != nil {
				return err
			}
			if value == nil {
				fmt.Fprintf(cmd.OutOrStdout(), "%s: unchanged\n", v.store.File(args[0]))
				return nil
			}
			if err := v.store.Write(args[0], secrets.Clean(value), v.to); err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: written, for %s\n", v.store.File(args[0]), strings.Join(secrets.Who(v.to), ", "))
			return nil
		},
	}
	key.flag(cmd)
	cmd.Flags().BoolVar(&fromStdin, "stdin", false, "take the value from stdin, also from a terminal")
	return cmd
}

// edited is what the user makes of a value in his editor; nil where he leaves it as it is.
func edited(store secrets.Store, name string, keys *secrets.Keys) ([]byte, error) {
	var before []byte
	if store.Has(name) {
		var err error
		if before, err = store.Open(name, keys); err != nil {
			return nil, err
		}
	}
	after, err := secrets.Edit(secrets.Editor(), name, append(bytes.TrimSuffix(before, []byte("\n")), '\n'))
	if err != nil || store.Has(name) && bytes.Equal(secrets.Clean(after), before) {
		return nil, err
	}
	return append([]byte{}, after...), nil
}

// piped tells whether stdin is a pipe or a file.
func piped() bool {
	info, err := os.Stdin.Stat()
	return err == nil && (info.Mode().IsRegular() || info.Mode()&os.ModeNamedPipe != 0)
}

package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"odoogen/internal/secrets"
)

func newSecretsCheck() *cobra.Command {
	var key identity
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Hold the secrets against the spec",
		Long: `Say of every secret that the spec names whether its value is there, and of every value whether the spec names it and
for whom it is encrypted. That needs no key: a file shows the ssh keys that it is for, and of age recipients how many there are.
With --identity or ODOOGEN_IDENTITY each is opened too.

Exit codes: 0 all is well, 1 a value is missing, damaged, in clear, or cannot be opened, 2 one is left over or for others than
it should be.`,
		Example:           "  odoogen secrets check\n  odoogen secrets check --identity ~/.ssh/id_ed25519 --json",
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v, err := openVault()
			if err != nil {
				return err
			}
			var keys *secrets.Keys
			if key.named() != "" {
				keys = key.keys(cmd)
			}
			var wanted []secrets.Wanted
			for _, s := range v.spec.Secrets() {
				wanted = append(wanted, secrets.Wanted{Name: s.Name, Path: s.Path})
			}
			r := checkReport{For: secrets.Who(v.to), Without: v.without}
			if r.Secrets, err = v.store.Check(wanted, v.to, keys); err != nil {
				return err
			}
			if asJSON {
				err = printJSON(cmd.OutOrStdout(), r)
			} else {
				r.print(cmd)
			}
			if err != nil {
				return err
			}
			return r.verdict()
		},
	}
	key.flag(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// checkReport is what secrets check finds.
type checkReport struct {
	For     []string        `json:"for"`               // whom all are to be encrypted to
	Without []string        `json:"without,omitempty"` // administrators without a key that age can use
	Secrets []secrets.State `json:"secrets"`
}

func (r checkReport) print(cmd *cobra.Command) {
	for _, s := range r.Secrets {
		switch {
		case s.Wrong != "" && s.Path != "":
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %s (%s)\n", s.Name, s.Wrong, s.Path)
		case s.Wrong != "" || s.Differs != "":
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", s.Name, cmp.Or(s.Wrong, s.Differs))
		case s.Opened:
			fmt.Fprintf(cmd.OutOrStdout(), "%s: opens\n", s.Name)
		default:
			fmt.Fprintf(cmd.OutOrStdout(), "%s: there\n", s.Name)
		}
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "secrets are for %s\n", strings.Join(r.For, ", "))
	for _, name := range r.Without {
		fmt.Fprintf(cmd.ErrOrStderr(), "note: access.admins.%s has no ssh-ed25519 or ssh-rsa key and so cannot open them: an age recipient in secrets/recipients can stand in\n", name)
	}
}

// verdict is the exit code's error.
func (r checkReport) verdict() error {
	var wrong, differs []string
	for _, s := range r.Secrets {
		switch {
		case s.Wrong != "":
			wrong = append(wrong, s.Name)
		case s.Differs != "":
			differs = append(differs, s.Name)
		}
	}
	switch {
	case len(wrong) > 0:
		return fmt.Errorf("%d of %d secrets are not as they should be\nhint: odoogen secrets edit %s", len(wrong), len(r.Secrets), wrong[0])
	case len(differs) > 0:
		return errDifferent
	}
	return nil
}

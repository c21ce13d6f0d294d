package main

import (
	"cmp"
	"os"

	"github.com/spf13/cobra"

	"odoogen/internal/secrets"
	"odoogen/internal/topology"
)

func newSecrets() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "secrets",
		Short: "Write, check and re-encrypt the values that no tree holds",
		Long: `The spec names secrets; their values lie beside it, in secrets/NAME.age, encrypted by age to the ssh keys of the
administrators (access.admins) and to whom secrets/recipients lists. They are committed with the spec, and a push decrypts on this
machine what a host has not been given yet. See docs/secrets.md.`,
		Example: "  odoogen secrets edit restic-password\n  odoogen secrets check\n  odoogen secrets rekey",
	}
	cmd.AddCommand(newSecretsEdit(), newSecretsCheck(), newSecretsRekey())
	return cmd
}

// vault is what these commands work on.
type vault struct {
	spec    *topology.Topology
	store   secrets.Store
	to      []secrets.Recipient // whom the values are to be encrypted to
	without []string            // administrators who cannot be among them
}

func openVault() (*vault, error) {
	var err error
	v := &vault{store: secretStore()}
	if l := around(); l != nil {
		v.spec, _, err = labSpec(l)
	} else {
		v.spec, _, err = topology.Load(".")
	}
	if err != nil {
		return nil, err
	}
	v.to, v.without, err = v.store.Recipients(adminKeys(v.spec))
	return v, err
}

// secretStore is where the values lie, encrypted: beside the spec; inside a lab, with the lab.
func secretStore() secrets.Store {
	if l := around(); l != nil {
		return secrets.Store{Dir: l.Secrets()}
	}
	return secrets.Store{Dir: "secrets"}
}

func adminKeys(t *topology.Topology) []secrets.AdminKeys {
	var all []secrets.AdminKeys
	for _, a := range t.Access.Admins {
		all = append(all, secrets.AdminKeys{Name: a.Name, Keys: a.Keys})
	}
	return all
}

// identity is the flag that names a key.
type identity struct{ file string }

func (i *identity) flag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&i.file, "identity", "", "open secrets with this ssh private key or age identity (default: $ODOOGEN_IDENTITY, ~/.ssh/id_ed25519, ~/.ssh/id_rsa)")
	cobra.CheckErr(cmd.MarkFlagFilename("identity"))
}

// named is the key that the user named, or empty. Inside a lab it is the lab's, unless the flag names another.
func (i *identity) named() string {
	if l := around(); l != nil {
		return cmp.Or(i.file, l.Key())
	}
	return cmp.Or(i.file, os.Getenv("ODOOGEN_IDENTITY"))
}

// keys are the one that the user named, or else those of ssh.
func (i *identity) keys(cmd *cobra.Command) *secrets.Keys {
	keys := &secrets.Keys{Files: secrets.DefaultKeys(), Ask: func(file string) ([]byte, error) { return askPassphrase(cmd.Context(), file) }}
	if file := i.named(); file != "" {
		keys.Files = []string{file}
	}
	return keys
}

// completeSecrets completes a name of the spec's.
func completeSecrets(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	t, _, err := topology.Load(".")
	if len(args) > 0 || err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, s := range t.Secrets() {
		names = append(names, s.Name+"\t"+s.Path)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

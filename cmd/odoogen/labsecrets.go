package main

import (
	"os"

	"github.com/spf13/cobra"

	"odoogen/internal/lab"
	"odoogen/internal/secrets"
	"odoogen/internal/topology"
)

// around is the lab that this command runs in (odoogen lab exec), or nil.
func around() *lab.Lab {
	dir := os.Getenv(lab.Variable)
	if dir == "" {
		return nil
	}
	l, err := lab.Of(dir)
	cobra.CheckErr(err) // of a directory that odoogen lab exec named
	return l
}

// throwAway gives values to those secrets that have none in the lab, encrypted as all are: words of chance, and keys that
// open nothing. The spec's own values never come into a lab.
func throwAway(l *lab.Lab, t *topology.Topology) error {
	store := secrets.Store{Dir: l.Secrets()}
	to, _, err := store.Recipients(adminKeys(t))
	if err != nil {
		return err
	}
	for _, s := range t.Secrets() {
		if store.Has(s.Name) {
			continue
		}
		value := secrets.Word()
		if s.SSHKey {
			if value, err = secrets.SSHKey(s.Name); err != nil {
				return err
			}
		}
		if err := store.Write(s.Name, value, to); err != nil {
			return err
		}
	}
	return nil
}

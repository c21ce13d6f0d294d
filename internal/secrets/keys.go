package secrets

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"golang.org/x/crypto/ssh"
)

// Keys are an operator's private keys. They are read when the first secret is opened: who changes none needs none.
type Keys struct {
	Files []string                          // ssh private keys, or age's identities
	Ask   func(file string) ([]byte, error) // for a passphrase

	loaded []age.Identity
}

// DefaultKeys are the files that ssh uses by default, of those that age can use.
func DefaultKeys() []string {
	home, err := os.UserHomeDir()
	if err != nil {
		return nil
	}
	var files []string
	for _, name := range []string{"id_ed25519", "id_rsa"} {
		file := filepath.Join(home, ".ssh", name)
		if _, err := os.Stat(file); err == nil {
			files = append(files, file)
		}
	}
	return files
}

// String names them, for messages.
func (k *Keys) String() string { return strings.Join(k.Files, " or ") }

func (k *Keys) load() ([]age.Identity, error) {
	if k.loaded != nil {
		return k.loaded, nil
	}
	if len(k.Files) == 0 {
		return nil, errors.New("no key to open secrets with: neither ~/.ssh/id_ed25519 nor ~/.ssh/id_rsa is there\nhint: --identity FILE or ODOOGEN_IDENTITY names an ssh private key or an age identity")
	}
	for _, file := range k.Files {
		identities, err := k.read(file)
		if err != nil {
			return nil, err
		}
		k.loaded = append(k.loaded, identities...)
	}
	return k.loaded, nil
}

// read reads a file of keys. A passphrase is asked for when a secret is encrypted to that very key.
func (k *Keys) read(file string) ([]age.Identity, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: there is no such key", file)
	}
	if err != nil {
		return nil, err
	}
	if !bytes.Contains(data, []byte("PRIVATE KEY-----")) {
		identities, err := age.ParseIdentities(bytes.NewReader(data))
		if err != nil {
			return nil, fmt.Errorf("%s: neither an ssh private key nor age's identities: %w", file, err)
		}
		return identities, nil
	}
	identity, err := agessh.ParseIdentity(data)
	var locked *ssh.PassphraseMissingError
	if errors.As(err, &locked) {
		identity, err = k.locked(file, data, locked.PublicKey)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return []age.Identity{identity}, nil
}

// locked is a key with a passphrase. One in the old PEM format does not say which key it is; the file beside it does.
func (k *Keys) locked(file string, data []byte, public ssh.PublicKey) (age.Identity, error) {
	if public == nil {
		line, err := os.ReadFile(file + ".pub")
		if err != nil {
			return nil, fmt.Errorf("a key in the old PEM format needs its public key beside it: %w", err)
		}
		if public, _, _, _, err = ssh.ParseAuthorizedKey(line); err != nil {
			return nil, fmt.Errorf("%s.pub: %w", file, err)
		}
	}
	return agessh.NewEncryptedSSHIdentity(public, data, func() ([]byte, error) { return k.Ask(file) })
}

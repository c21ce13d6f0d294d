// Package secrets keeps the values that units of the hosts read: each in a file of its own beside the spec, encrypted by
// age to the persons who may push. Such files are committed with the spec; a value is nowhere in clear but in the memory
// of whoever has a key.
package secrets

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"

	"odoogen/internal/artifact"
)

// Store is a directory of encrypted files, NAME.age for the secret of that name. It need not exist.
type Store struct{ Dir string }

const extension = ".age"

// MaxSize is how long a value may be, in bytes: systemd hands a unit no more than that in all.
const MaxSize = 1 << 20

// File is where a secret's encrypted file is.
func (s Store) File(name string) string { return filepath.Join(s.Dir, name+extension) }

// Names are those of all secrets in the store, sorted.
func (s Store) Names() ([]string, error) {
	entries, err := os.ReadDir(s.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var names []string
	for _, e := range entries {
		if name, is := strings.CutSuffix(e.Name(), extension); is && !strings.HasPrefix(name, ".") {
			names = append(names, name)
		}
	}
	return names, err
}

// Has tells whether the store has a secret.
func (s Store) Has(name string) bool {
	_, err := os.Stat(s.File(name))
	return err == nil
}

// Digests are the SHA-256 of the encrypted files by name, in hexadecimal. They say that a value was written anew, and
// nothing of the value.
func (s Store) Digests() (map[string]string, error) {
	names, err := s.Names()
	if err != nil {
		return nil, err
	}
	digests := map[string]string{}
	for _, name := range names {
		data, err := os.ReadFile(s.File(name))
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(data)
		digests[name] = hex.EncodeToString(sum[:])
	}
	return digests, nil
}

// Open decrypts a secret with the keys.
func (s Store) Open(name string, keys *Keys) ([]byte, error) {
	data, err := os.ReadFile(s.File(name))
	if err != nil {
		return nil, err
	}
	identities, err := keys.load()
	if err != nil {
		return nil, err
	}
	value, err := age.Decrypt(armor.NewReader(bytes.NewReader(data)), identities...)
	var none *age.NoIdentityMatchError
	switch {
	case errors.As(err, &none):
		return nil, fmt.Errorf("%s: %s cannot open it\nhint: --identity FILE or ODOOGEN_IDENTITY names another key; who has one of those that it is encrypted to can let you in: odoogen secrets rekey",
			s.File(name), keys)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", s.File(name), err)
	}
	clear, err := io.ReadAll(value)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.File(name), err)
	}
	return clear, nil
}

// Write encrypts a value and puts it into the store in one step.
func (s Store) Write(name string, value []byte, to []Recipient) error {
	switch {
	case len(value) == 0:
		return errors.New("an empty value is none: nothing was written")
	case len(value) > MaxSize:
		return fmt.Errorf("a value of %d bytes: systemd hands units no more than %d", len(value), MaxSize)
	}
	data, err := seal(value, to)
	if err != nil {
		return err
	}
	return artifact.WriteFile(s.File(name), data, 0o644)
}

// Rekey encrypts every secret of the store anew, to these recipients and no others, and says which. The whole store
// changes in one step, or nothing of it does. A file that is encrypted to them already, which can be told where all have
// ssh keys, stays as it is.
func (s Store) Rekey(keys *Keys, to []Recipient) ([]string, error) {
	names, err := s.Names()
	if err != nil {
		return nil, err
	}
	fresh := map[string][]byte{}
	var changed []string
	var all []error
	for _, name := range names {
		seal, err := s.rekeyed(name, keys, to)
		if err != nil {
			all = append(all, err)
		} else if seal != nil {
			fresh[name+extension] = seal
			changed = append(changed, name)
		}
	}
	if len(all) > 0 || len(changed) == 0 {
		return nil, errors.Join(all...)
	}
	return changed, s.replace(fresh)
}

// rekeyed is a secret's file for other recipients; nil where it is for them already.
func (s Store) rekeyed(name string, keys *Keys, to []Recipient) ([]byte, error) {
	has, err := s.sealedTo(name)
	if err != nil {
		return nil, err
	}
	if has.certainly(to) {
		return nil, nil
	}
	value, err := s.Open(name, keys)
	if err != nil {
		return nil, err
	}
	return seal(value, to)
}

// replace puts files into the store, all in one step: a directory that has them and all else takes the store's place.
func (s Store) replace(files map[string][]byte) error {
	dir, err := filepath.EvalSymlinks(s.Dir)
	if err != nil {
		return err
	}
	staging, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+".*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(staging)
	if err := os.CopyFS(staging, os.DirFS(dir)); err != nil {
		return err
	}
	for name, data := range files {
		if err := artifact.WriteFile(filepath.Join(staging, name), data, 0o644); err != nil {
			return err
		}
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if err := os.Chmod(staging, info.Mode().Perm()); err != nil {
		return err
	}
	return artifact.Exchange(staging, dir)
}

// seal encrypts a value.
func seal(value []byte, to []Recipient) ([]byte, error) {
	if len(to) == 0 {
		return nil, errors.New("there is nobody to encrypt to\nhint: access.admins with an ssh-ed25519 or ssh-rsa key, or a line in secrets/recipients")
	}
	recipients := make([]age.Recipient, len(to))
	for i, r := range to {
		recipients[i] = r.key
	}
	var out bytes.Buffer
	text := armor.NewWriter(&out)
	w, err := age.Encrypt(text, recipients...)
	if err == nil {
		_, err = w.Write(value)
	}
	if err == nil {
		err = w.Close()
	}
	if err == nil {
		err = text.Close()
	}
	return out.Bytes(), err
}

// Clean is a value as it is kept. Newlines at its end go, for an editor or echo adds one and a password has none; a value
// that still has several lines gets one back, for an SSH key needs it.
func Clean(value []byte) []byte {
	value = bytes.TrimRight(value, "\r\n")
	if bytes.ContainsRune(value, '\n') {
		return append(slices.Clone(value), '\n')
	}
	return value
}

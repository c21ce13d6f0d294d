package secrets

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// newKey makes an ssh key with a passphrase, or without one, and returns its file and public half.
func newKey(t *testing.T, passphrase string) (file, public string) {
	t.Helper()
	half, whole, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var block *pem.Block
	if passphrase == "" {
		block, err = ssh.MarshalPrivateKey(whole, "")
	} else {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(whole, "", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(half)
	if err != nil {
		t.Fatal(err)
	}
	return file, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
}

func recipientsOf(t *testing.T, s Store, public string) []Recipient {
	t.Helper()
	to, _, err := s.Recipients([]AdminKeys{{"anna", []string{public}}})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

func TestAPassphraseIsAskedForOnceAndOnlyForAKeyThatFits(t *testing.T) {
	s := Store{filepath.Join(t.TempDir(), "secrets")}
	fits, public := newKey(t, "correct horse")
	other, _ := newKey(t, "battery staple")
	for _, name := range []string{"one", "two"} {
		if err := s.Write(name, []byte(name), recipientsOf(t, s, public)); err != nil {
			t.Fatal(err)
		}
	}
	var asked []string
	keys := &Keys{Files: []string{other, fits}, Ask: func(file string) ([]byte, error) {
		asked = append(asked, file)
		return []byte("correct horse"), nil
	}}
	for _, name := range []string{"one", "two"} {
		if got, err := s.Open(name, keys); err != nil || string(got) != name {
			t.Errorf("%s opens as %q, %v", name, got, err)
		}
	}
	if len(asked) != 1 || asked[0] != fits {
		t.Errorf("asked for the passphrases of %v, want once of %s", asked, fits)
	}
	wrong := &Keys{Files: []string{fits}, Ask: func(string) ([]byte, error) { return []byte("horse"), nil }}
	if _, err := s.Open("one", wrong); err == nil || !strings.Contains(err.Error(), "failed to decrypt SSH key file") {
		t.Errorf("a wrong passphrase: %v", err)
	}
}

func TestTheSameValueIsNeverEncryptedTheSame(t *testing.T) {
	s := Store{filepath.Join(t.TempDir(), "secrets")}
	_, public := newKey(t, "")
	var seen []string
	for range 2 {
		if err := s.Write("one", []byte("same"), recipientsOf(t, s, public)); err != nil {
			t.Fatal(err)
		}
		d, err := s.Digests()
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, d["one"])
	}
	if seen[0] == seen[1] || len(seen[0]) != 64 {
		t.Errorf("a digest of what is encrypted tells values apart: %v", seen)
	}
}

func TestClean(t *testing.T) {
	for value, want := range map[string]string{
		"word\n": "word", "word\r\n": "word", "word": "word", "word\n\n": "word", "": "", "\n": "",
		"-----BEGIN\nkey\n-----END": "-----BEGIN\nkey\n-----END\n", "a\nb\n\n": "a\nb\n", " a b ": " a b ",
	} {
		if got := string(Clean([]byte(value))); got != want {
			t.Errorf("%q is kept as %q, want %q", value, got, want)
		}
	}
}

func TestWhatIsNoValueIsRefused(t *testing.T) {
	s := Store{filepath.Join(t.TempDir(), "secrets")}
	_, public := newKey(t, "")
	to := recipientsOf(t, s, public)
	for _, value := range [][]byte{nil, {}, bytes.Repeat([]byte("x"), MaxSize+1)} {
		if err := s.Write("one", value, to); err == nil {
			t.Errorf("%d bytes are taken", len(value))
		}
	}
	if err := s.Write("one", []byte("x"), nil); err == nil {
		t.Error("a value is encrypted to nobody")
	}
	if s.Has("one") {
		t.Error("something was written")
	}
}

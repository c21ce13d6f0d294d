package secrets

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"

	"golang.org/x/crypto/ssh"
)

// Word is a value of chance, for a rehearsal.
func Word() []byte { return []byte(rand.Text()) }

// SSHKey is a private key of chance, for a rehearsal: it opens nothing.
func SSHKey(comment string) ([]byte, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	block, err := ssh.MarshalPrivateKey(key, comment)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(block), nil
}

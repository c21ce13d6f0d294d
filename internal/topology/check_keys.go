package topology

import (
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"
)

// leastRSABits is RequiredRSASize of sshd_config(5): sshd takes no smaller key.
const leastRSABits = 1024

// checkKeys reads every public key as ssh does. sshd says nothing of a line of authorized_keys that it cannot read, nor
// ssh of one of known_hosts: whose key was cut off by a copy is locked out, and whose host's, reaches none.
func checkKeys(c *checker) {
	t := c.t
	for _, h := range t.Hosts {
		c.keys(h.Path+".hostKeys", h.HostKeys)
	}
	for _, a := range t.Access.Admins {
		c.keys(a.Path+".keys", a.Keys)
	}
	c.keys("access.deploy.keys", t.Access.Deploy.Keys)
	for _, k := range t.Sources.KnownHosts {
		c.keys(k.Path, k.Keys)
	}
	if t.Backup.Storage != nil {
		c.key("backup.storage.hostKey", t.Backup.Storage.HostKey)
	}
	if t.CI != nil {
		c.key("ci.agents.key", t.CI.Agents.Key)
	}
}

func (c *checker) keys(path string, keys []string) {
	for i, key := range keys {
		c.key(fmt.Sprintf("%s[%d]", path, i), key)
	}
}

const wholeLine = "copy the whole line of the .pub file"

// key refuses a public key that ssh would not read, or not take.
func (c *checker) key(path, line string) {
	kind, rest, _ := strings.Cut(line, " ")
	encoded, _, _ := strings.Cut(rest, " ")
	blob, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		c.refuse(path, wholeLine, nil, "is no whole public key: its base64 does not end as it should")
		return
	}
	key, err := ssh.ParsePublicKey(blob)
	if err != nil {
		c.refuse(path, wholeLine, nil, "is no whole public key: ssh would not read it")
		return
	}
	if key.Type() != kind {
		c.refuse(path, wholeLine, nil, "is a key of kind %s, and says %s", key.Type(), kind)
		return
	}
	if public, ok := key.(ssh.CryptoPublicKey); ok {
		if r, ok := public.CryptoPublicKey().(*rsa.PublicKey); ok && r.N.BitLen() < leastRSABits {
			c.refuse(path, "ssh-keygen -t ed25519", nil, "is an RSA key of %d bits, and sshd takes none below %d", r.N.BitLen(), leastRSABits)
		}
	}
}

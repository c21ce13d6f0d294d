package conf

import (
	"fmt"
	"regexp"
	"strings"
)

// SSHConfig is a configuration of OpenSSH's client (ssh_config(5)).
type SSHConfig struct{ Text }

// NewSSHConfig begins a client configuration of the thing at owner.
func NewSSHConfig(owner, what string) *SSHConfig {
	c := &SSHConfig{Of(owner)}
	c.Header(what)
	return c
}

// Set appends one keyword and its value, which must be one plain word; ssh's own tokens are no such words.
func (c *SSHConfig) Set(keyword, value string, from ...string) {
	if !word.MatchString(value) || value[0] == '-' || strings.Contains(value, "%") {
		c.Refuse("%s %q: one plain word is wanted", keyword, value)
		return
	}
	c.Line(keyword+" "+value, from...)
}

// KnownHosts is a list of the keys that hosts must prove to hold (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).
type KnownHosts struct{ Text }

// NewKnownHosts begins a list of the thing at owner.
func NewKnownHosts(owner, what string) *KnownHosts {
	k := &KnownHosts{Of(owner)}
	k.Header(what)
	return k
}

// Host appends one key of a host at a port; ssh looks for another port than 22 in the form [host]:port.
func (k *KnownHosts) Host(host string, port int, key string, from ...string) {
	if !hostName.MatchString(host) || !publicKey.MatchString(key) {
		k.Refuse("%q %q: a host name and a public key are wanted", host, key)
		return
	}
	if port != 22 {
		host = fmt.Sprintf("[%s]:%d", host, port)
	}
	k.Line(host+" "+key, from...)
}

var hostName = regexp.MustCompile(`^[A-Za-z0-9.:_-]+$`)

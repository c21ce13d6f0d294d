package conf

import (
	"regexp"
	"strings"
)

// loginName is a user name that sshd, sudo and a path all take as it is: no pattern, alias, group or option
// (useradd(8), CAVEATS).
var loginName = regexp.MustCompile(`^[a-z_][a-z0-9_-]*$`)

// login is the name, or the file fails.
func (t *Text) login(name string) string {
	if len(name) > 32 || !loginName.MatchString(name) {
		t.Refuse("%q is no login name: lower case letters, digits, \"_\" and \"-\"", name)
	}
	return name
}

// SSHD is a file of sshd's settings (sshd_config(5)). The first value of a setting wins, over all files.
type SSHD struct{ Text }

// NewSSHD begins a settings file of the thing at owner.
func NewSSHD(owner, what string) *SSHD {
	s := &SSHD{Of(owner)}
	s.Header(what)
	return s
}

// Match begins the settings of one user. They end with the file.
func (s *SSHD) Match(user string, from ...string) { s.Line("Match User "+s.login(user), from...) }

// Set appends a setting. Its words are plain: sshd has patterns, quotes and tokens, and nothing that a spec says
// needs one.
func (s *SSHD) Set(name, words string, from ...string) {
	if !plainWords.MatchString(words) {
		s.Refuse("%s %q: not plain words", name, words)
	}
	s.Line(name+" "+words, from...)
}

var plainWords = regexp.MustCompile(`^[A-Za-z0-9_./:-]+( [A-Za-z0-9_./:-]+)*$`)

// AuthorizedKeys is a file of public keys (sshd(8), AUTHORIZED_KEYS FILE FORMAT).
type AuthorizedKeys struct{ Text }

// NewAuthorizedKeys begins the keys of one user.
func NewAuthorizedKeys(owner, what string) *AuthorizedKeys {
	k := &AuthorizedKeys{Of(owner)}
	k.Header(what)
	return k
}

// publicKey is a key without options before it: those decide what a key may do, and are the generator's.
var publicKey = regexp.MustCompile(`^(sk-)?(ssh-|ecdsa-)[a-z0-9@.-]+ [A-Za-z0-9+/]+=*( [ -~]*)?$`)

// Add appends a key; options, such as "restrict", may be empty.
func (k *AuthorizedKeys) Add(options, key string, from ...string) {
	if !publicKey.MatchString(key) {
		k.Refuse("%q is no public key", key)
	}
	k.Line(strings.TrimSpace(options+" "+key), from...)
}

// Sudoers is a file of rules for sudo (sudoers(5)).
type Sudoers struct{ Text }

// NewSudoers begins the rules of the thing at owner.
func NewSudoers(owner, what string) *Sudoers {
	s := &Sudoers{Of(owner)}
	s.Header(what)
	return s
}

// Allow lets a user run a command as another user without a password. A command without arguments is allowed with
// any: it must judge its arguments itself.
func (s *Sudoers) Allow(user, as, command string, from ...string) {
	if command != "ALL" && !plainPath.MatchString(command) {
		s.Refuse("%q is no plain path", command)
	}
	s.Line(s.login(user)+" ALL=("+as+") NOPASSWD: "+command, from...)
}

var plainPath = regexp.MustCompile(`^(/[A-Za-z0-9._-]+)+$`)

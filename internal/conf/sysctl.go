package conf

import (
	"regexp"
	"strings"
)

// Sysctl is a file of kernel settings (sysctl.d(5)).
type Sysctl struct{ Text }

// NewSysctl begins a file of the thing at owner.
func NewSysctl(owner, what string) *Sysctl {
	s := &Sysctl{Of(owner)}
	s.Header(what)
	s.Blank()
	return s
}

// sysctlKey is a plain key: no pattern, and no "-" before it, which would hide a key that there is not.
var sysctlKey = regexp.MustCompile(`^[a-z0-9_][A-Za-z0-9_.:@/-]*$`)

// Set appends a setting. What stands after the first "=" is the value, to the end of the line.
func (s *Sysctl) Set(key, value string, from ...string) {
	switch {
	case !sysctlKey.MatchString(key):
		s.Refuse("%q is no kernel setting", key)
	case !plain(value) || value == "" || value != strings.TrimSpace(value):
		s.Refuse("%s = %q: want one line of text without white space at its ends", key, value)
	default:
		s.Line(key+" = "+value, from...)
	}
}

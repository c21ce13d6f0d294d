package conf

import "strings"

// Stanzas is a file in Debian's control format: stanzas of fields (deb822(5)).
type Stanzas struct{ Text }

// NewStanzas begins a file of the thing at owner.
func NewStanzas(owner, what string) *Stanzas {
	s := &Stanzas{Of(owner)}
	s.Header(what)
	return s
}

// Stanza begins the next stanza.
func (s *Stanzas) Stanza() { s.Blank() }

// Field appends a field of one line. A field without a value is refused: apt reads it in its own way.
func (s *Stanzas) Field(name, value string, from ...string) {
	if value == "" || !plain(value) || value != strings.TrimSpace(value) || strings.Contains(value, "$(") {
		s.Refuse("%s: %q: a field carries one line of text", name, value)
	}
	s.Line(name+": "+value, from...)
}

// AptConf is a file of apt's settings (apt.conf(5)).
type AptConf struct{ Text }

// NewAptConf begins a settings file of the thing at owner.
func NewAptConf(owner, what string) *AptConf {
	a := &AptConf{Of(owner)}
	a.Header(what)
	return a
}

// Set appends a setting. A name that ends in "::" appends to a list.
func (a *AptConf) Set(name, value string, from ...string) {
	if !plain(value) || strings.Contains(value, `"`) {
		a.Refuse("%s %q: apt.conf cannot carry quotes or control characters", name, value)
	}
	a.Line(name+` "`+value+`";`, from...)
}

// Clear empties a list: lists of several files are joined otherwise.
func (a *AptConf) Clear(name string, from ...string) { a.Line("#clear "+name+";", from...) }

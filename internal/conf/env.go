package conf

import (
	"regexp"
	"strings"
)

// Env is a file of KEY=value lines that bash sources and that systemd reads as an EnvironmentFile: both read each
// value as it was given.
type Env struct{ Text }

// NewEnv begins a file of the thing at owner.
func NewEnv(owner, what string) *Env {
	e := &Env{Of(owner)}
	e.Header(what)
	return e
}

var (
	envKey   = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)
	bareWord = regexp.MustCompile(`^[A-Za-z0-9_./:@%+,=-]+$`)
)

// Set appends a variable.
func (e *Env) Set(key, value string, from ...string) {
	if !envKey.MatchString(key) || !plain(value) {
		e.Refuse("%s=%q: a variable carries one line of text", key, value)
	}
	if !bareWord.MatchString(value) {
		value = "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
	}
	e.Line(key+"="+value, from...)
}

// Words is a table that scripts read with `read`: words with a blank between them, one entry a line.
type Words struct{ Text }

// NewWords begins a table of the thing at owner.
func NewWords(owner, what string) *Words {
	w := &Words{Of(owner)}
	w.Header(what)
	return w
}

// Add appends an entry.
func (w *Words) Add(words []string, from ...string) {
	for _, word := range words {
		if !bareWord.MatchString(word) {
			w.Refuse("%q is not one plain word", word)
		}
	}
	w.Line(strings.Join(words, " "), from...)
}

package conf

import "strings"

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
	for _, s := range words {
		if !word.MatchString(s) {
			w.Refuse("%q is not one plain word", s)
		}
	}
	w.Line(strings.Join(words, " "), from...)
}

package conf

import "strings"

// Table is a list for a script: one row a line, its words apart by one space, comments behind "#". It carries what a
// KEY=value file cannot: as many rows as there are, each with its own origin.
type Table struct{ Text }

// NewTable begins a table of the thing at owner.
func NewTable(owner, what string) *Table {
	t := &Table{Of(owner)}
	t.Header(what)
	return t
}

// Row appends one row. Each word must be plain and not empty: no blank, quote or pattern in it.
func (t *Table) Row(words []string, from ...string) {
	for _, w := range words {
		if !word.MatchString(w) {
			t.Refuse("%q is not one plain word", w)
			return
		}
	}
	t.Line(strings.Join(words, " "), from...)
}

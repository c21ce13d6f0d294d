package conf

import "strings"

// Fields is a file of lines of words: sysusers.d(5) and tmpfiles.d(5).
type Fields struct{ Text }

// NewFields begins a file of the thing at owner.
func NewFields(owner, what string) *Fields {
	f := &Fields{Of(owner)}
	f.Header(what)
	f.Blank()
	return f
}

// Add appends one line. Each word reaches the reader as it is, specifiers unexpanded; an empty one is "-", which
// stands for the default of its column.
func (f *Fields) Add(words []string, from ...string) {
	quoted := make([]string, len(words))
	for i, w := range words {
		switch {
		case !plain(w):
			f.Refuse("%q: a line of words cannot carry control characters", w)
			return
		case w == "":
			quoted[i] = "-"
		default:
			quoted[i] = quoteWord(w)
		}
	}
	f.Line(strings.Join(quoted, " "), from...)
}

package conf

import (
	"regexp"
	"strings"
)

// Env is a file of KEY=value lines that bash (`. FILE`) and systemd (EnvironmentFile=) read alike.
type Env struct {
	Text
	keys map[string]bool
}

// NewEnv begins an environment file of the thing at owner.
func NewEnv(owner, what string) *Env {
	e := &Env{Text: Of(owner), keys: map[string]bool{}}
	e.Header(what)
	return e
}

// Set appends key=value. The value reaches both readers as it is: every text of one line can be written. A key is
// written once.
func (e *Env) Set(key, value string, from ...string) {
	switch {
	case !envKey.MatchString(key):
		e.Refuse("%q is no name of a variable", key)
	case e.keys[key]:
		e.Refuse("%s is set twice", key)
	case !plain(value):
		e.Refuse("%s=%q: one line of text is wanted, without control characters", key, value)
	default:
		e.keys[key] = true
		e.Line(key+"="+quoteEnv(value), from...)
	}
}

// List appends key and a list, which the reader parts at the spaces. An item that would be more than one word, or a
// pattern of file names to a careless reader, is refused.
func (e *Env) List(key string, items []string, from ...string) {
	for _, item := range items {
		if !word.MatchString(item) {
			e.Refuse("%s: %q is not one plain word", key, item)
			return
		}
	}
	e.Set(key, strings.Join(items, " "), from...)
}

// Words is a table for a script, which reads it line by line: words apart by one space, comments behind "#". It
// carries what a KEY=value file cannot: as many entries as there are, each with its own origin.
type Words struct{ Text }

// NewWords begins a table of the thing at owner.
func NewWords(owner, what string) *Words {
	w := &Words{Of(owner)}
	w.Header(what)
	return w
}

// Add appends one entry. Each word must be plain and not empty: no blank, quote or pattern in it.
func (w *Words) Add(words []string, from ...string) {
	for _, one := range words {
		if !word.MatchString(one) {
			w.Refuse("%q is not one plain word", one)
			return
		}
	}
	w.Line(strings.Join(words, " "), from...)
}

var (
	envKey = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)
	// What no reader takes for anything but itself: no quote, blank, pattern, "~" or comment.
	word = regexp.MustCompile(`^[A-Za-z0-9_./:@%+,=-]+$`)

	envEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "`", "\\`")
)

// quoteEnv quotes a value where it needs it. Double quotes are the form in which bash and systemd agree: within them
// both take a backslash off before ", \, $ and `, and before nothing else (bash(1), QUOTING; systemd.exec(5),
// EnvironmentFile=). In single quotes they differ: systemd does not join quoted pieces.
func quoteEnv(value string) string {
	if value == "" || word.MatchString(value) {
		return value
	}
	return `"` + envEscapes.Replace(value) + `"`
}

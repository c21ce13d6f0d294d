package conf

import (
	"regexp"
	"strconv"
	"strings"
)

// Alloy is a configuration of Grafana Alloy: blocks of attributes. Its strings are quoted as Go's are
// (grafana/alloy, syntax/scanner).
type Alloy struct {
	Text
	depth int
}

// Ref is an expression that names another component's export: prometheus.remote_write.grafana.receiver.
type Ref string

// NewAlloy begins a configuration of the thing at owner.
func NewAlloy(owner, what string) *Alloy {
	a := &Alloy{Text: Of(owner)}
	a.Comment(a.notice(what))
	return a
}

// Comment appends a comment, a "// " before each of its lines.
func (a *Alloy) Comment(text string, from ...string) {
	for line := range strings.SplitSeq(text, "\n") {
		a.Line(a.indent()+"// "+printable(line), from...)
	}
}

// Open begins a block: its name, and its label where it has one.
func (a *Alloy) Open(block, label string, from ...string) {
	if label != "" {
		if !alloyName.MatchString(label) {
			a.Refuse("%s %q: no label of a block", block, label)
		}
		label = " " + strconv.Quote(label)
	}
	a.Line(a.indent()+block+label+" {", from...)
	a.depth++
}

// Close ends the innermost block.
func (a *Alloy) Close(from ...string) {
	a.depth--
	a.Line(a.indent()+"}", from...)
}

// Set appends an attribute: a string, int, bool or Ref, an Object or Array of such, or a slice of strings or Refs.
func (a *Alloy) Set(name string, value any, from ...string) {
	a.Line(a.indent()+name+" = "+a.value(name, value), from...)
}

func (a *Alloy) value(name string, value any) string {
	switch v := value.(type) {
	case Ref:
		if !alloyRef.MatchString(string(v)) {
			a.Refuse("%s = %s: no name of an export", name, v)
		}
		return string(v)
	case []Ref:
		words := make([]string, len(v))
		for i, r := range v {
			words[i] = a.value(name, r)
		}
		return "[" + strings.Join(words, ", ") + "]"
	}
	n := node(value)
	if err := n.failure(); err != nil {
		a.Refuse("%s: %w", name, err)
	}
	words := make([]string, len(n.entries))
	for i, e := range n.entries {
		if words[i] = a.value(name, e.value); n.kind == object {
			words[i] = strconv.Quote(e.key) + " = " + words[i]
		}
	}
	switch n.kind {
	case object:
		return "{" + strings.Join(words, ", ") + "}"
	case array:
		return "[" + strings.Join(words, ", ") + "]"
	case text:
		return strconv.Quote(n.scalar)
	}
	return n.scalar
}

func (a *Alloy) indent() string { return strings.Repeat("  ", a.depth) }

var (
	alloyName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
	alloyRef  = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*(\.[a-zA-Z_][a-zA-Z0-9_]*)*$`)
)

package topology

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// comparePlaces orders places as a reader meets them.
func comparePlaces(a, b Place) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
}

// Problem is one mistake of a spec.
type Problem struct {
	Place   Place  // where the user wrote it
	Path    string // its CUE path, or empty
	Rule    string // the id of the rule that it breaks, or empty for the schema
	Message string // what is wrong: lower case, no full stop
	Also    []Also // other places that have to do with it
	Hint    string // how to mend it, or empty
	Warning bool   // the spec is good, and what it says will not be for ever
}

// Also is another place of a problem: the other side of a disagreement.
type Also struct {
	Place   Place
	Message string

	path string // the CUE path there, or empty
}

// String is the problem as it is printed: a line for each place, and one for the hint.
func (p Problem) String() string {
	var b strings.Builder
	if p.Place.Line > 0 {
		fmt.Fprintf(&b, "%s: ", p.Place)
	} else if p.Place.File != "" {
		fmt.Fprintf(&b, "%s: ", p.Place.File)
	}
	if p.Warning {
		b.WriteString("warning: ")
	}
	if p.Path != "" {
		fmt.Fprintf(&b, "%s: ", p.Path)
	}
	b.WriteString(p.Message)
	if p.Rule != "" {
		fmt.Fprintf(&b, " (rule %s)", p.Rule)
	}
	for _, a := range p.Also {
		fmt.Fprintf(&b, "\n%s: %s", a.Place, a.Message)
	}
	if p.Hint != "" {
		fmt.Fprintf(&b, "\nhint: %s", p.Hint)
	}
	return b.String()
}

// Problems are all the mistakes of a spec.
type Problems []Problem

func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

func (ps *Problems) add(o *Origins, path, message, hint string, also ...Also) {
	place, _ := o.Of(path)
	*ps = append(*ps, Problem{Place: place, Path: path, Message: message, Hint: hint, Also: also})
}

// sorted puts the problems in the order in which the user reads them, each once.
func (ps Problems) sorted() Problems {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(
			comparePlaces(a.Place, b.Place),
			cmp.Compare(a.Path, b.Path),
			cmp.Compare(a.Message, b.Message))
	})
	// What a template got wrong comes once for each use of it, under another path: one is enough.
	seen := map[[3]string]bool{}
	return slices.DeleteFunc(ps, func(p Problem) bool {
		key := [3]string{p.Place.String(), p.Path, p.Message}
		if p.Message != missing {
			key[1] = p.Path[len(parent(p.Path)):]
		}
		again := seen[key]
		seen[key] = true
		return again
	})
}

// missing is the message for a field that must be there.
const missing = "required, but missing"

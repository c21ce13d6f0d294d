package topology

import (
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/token"
)

// Text is the text, number or truth at a path as a file would have it.
func (o *Origins) Text(valuePath string) (string, bool) {
	p := cue.ParsePath(valuePath)
	if p.Err() != nil {
		return "", false
	}
	v := o.root.LookupPath(p)
	if s, err := v.String(); err == nil {
		return s, true
	}
	data, err := v.MarshalJSON()
	text := string(data)
	if err != nil || strings.ContainsAny(text, `{["`) {
		return "", false
	}
	return text, true
}

// Has tells whether the spec has a value at a path.
func (o *Origins) Has(valuePath string) bool { return o.has(valuePath) }

// Written is the place at which the user has written the value of a path itself, if he has.
func (o *Origins) Written(valuePath string) (Place, bool) {
	all := o.writtenAt(valuePath)
	if len(all) == 0 {
		return Place{}, false
	}
	return all[0], true
}

// writtenAt are all places of the user's at which the value of a path is written.
func (o *Origins) writtenAt(valuePath string) []Place {
	v := o.root.LookupPath(cue.ParsePath(valuePath))
	if !v.Exists() {
		return nil
	}
	user, _ := o.positions(v)
	var all []Place
	for _, p := range user {
		all = append(all, o.place(p))
	}
	return all
}

// Assign is the CUE that gives a path a value, in one line: instances: qa17: CPUQuota: "200%". The value is a text where
// the one at like is one, or where it is spelled otherwise than CUE spells a number or a truth.
func (o *Origins) Assign(valuePath, like, text string) Assignment {
	value := ast.NewString(text)
	if _, err := o.root.LookupPath(cue.ParsePath(like)).String(); err != nil || like == "" {
		switch f, err := strconv.ParseFloat(text, 64); {
		case err == nil && strings.Trim(text, "0123456789.-") == "" && strconv.FormatFloat(f, 'f', -1, 64) == text:
			value = &ast.BasicLit{Kind: token.FLOAT, Value: text}
		case slices.Contains([]string{"true", "false", "True", "False"}, text):
			value = &ast.BasicLit{Kind: token.STRING, Value: strings.ToLower(text)}
		}
	}
	return assign(valuePath, value)
}

// AssignList is Assign of a list of texts.
func (o *Origins) AssignList(valuePath string, texts []string) Assignment {
	list := &ast.ListLit{}
	for _, text := range texts {
		list.Elts = append(list.Elts, ast.NewString(text))
	}
	return assign(valuePath, list)
}

func assign(valuePath string, value ast.Expr) Assignment {
	var b strings.Builder
	for _, s := range cue.ParsePath(valuePath).Selectors() {
		b.WriteString(s.String() + ": ")
	}
	out, err := format.Node(value)
	if err != nil {
		panic(err) // a literal has a text
	}
	return Assignment{valuePath, b.String() + string(out)}
}

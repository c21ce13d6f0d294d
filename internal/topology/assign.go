package topology

import (
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/literal"
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

// Has tells whether the schema or the spec has something at a path.
func (o *Origins) Has(valuePath string) bool { return o.has(valuePath) }

// Written is the place at which the user has written the value of a path itself, if he has.
func (o *Origins) Written(valuePath string) (Place, bool) {
	v := o.root.LookupPath(cue.ParsePath(valuePath))
	if !v.Exists() {
		return Place{}, false
	}
	user, _ := o.positions(v)
	if len(user) == 0 {
		return Place{}, false
	}
	return o.place(user[0]), true
}

// Assign is the CUE that gives a path a value, in one line: instances: qa17: CPUQuota: "200%". The value is a text where
// the one at like is one, or where it reads as neither number nor truth. A last element of "[]" adds it to a list.
func (o *Origins) Assign(valuePath, like, text string) string {
	list := strings.HasSuffix(valuePath, "[]")
	value := ast.NewString(text)
	if _, err := o.root.LookupPath(cue.ParsePath(like)).String(); err != nil || like == "" {
		var n literal.NumInfo
		switch {
		case literal.ParseNum(text, &n) == nil && strings.Trim(text, "0123456789.-") == "":
			value = &ast.BasicLit{Kind: token.FLOAT, Value: text}
		case text == "true", text == "false":
			value = &ast.BasicLit{Kind: token.STRING, Value: text}
		}
	}
	var e ast.Expr = value
	if list {
		e = ast.NewList(value)
	}
	selectors := cue.ParsePath(strings.TrimSuffix(valuePath, "[]")).Selectors()
	var b strings.Builder
	for _, s := range selectors {
		b.WriteString(s.String() + ": ")
	}
	out, err := format.Node(e)
	if err != nil {
		return ""
	}
	return b.String() + string(out)
}

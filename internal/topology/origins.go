package topology

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/token"
)

// Place is a place in a file, as an editor opens it.
type Place struct {
	File string // as it is named from the working directory
	Line int    // from 1
	Col  int    // from 1; 0 where only the line is known
}

func (p Place) String() string {
	if p.Col == 0 {
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Origins finds the places that a value of the topology comes from. It keeps the evaluated spec alive.
type Origins struct {
	root cue.Value
	dir  string // the user's directory, as it is named from the working directory
	top  Place  // the beginning of the user's files
}

// Of is the place that decides the value at a path: what the user wrote, else the schema's default, else the
// nearest thing around it.
func (o *Origins) Of(valuePath string) (Place, bool) {
	for p := valuePath; p != ""; p = parent(p) {
		v := o.root.LookupPath(cue.ParsePath(p))
		if !v.Exists() {
			continue
		}
		user, schema := o.positions(v)
		switch {
		case len(user) > 0:
			return o.place(user[0]), true
		case len(schema) > 0:
			return o.place(schema[0]), true
		}
	}
	return Place{}, false
}

// has tells whether the spec has a value at a path.
func (o *Origins) has(valuePath string) bool {
	p := cue.ParsePath(valuePath)
	return p.Err() == nil && o.root.LookupPath(p).Exists()
}

// written is the place where the user decided the value at a path, or else what is around it; the top of the spec
// where nothing is.
func (o *Origins) written(valuePath string) Place {
	for p := valuePath; p != ""; p = parent(p) {
		if v := o.root.LookupPath(cue.ParsePath(p)); v.Exists() {
			if user, _ := o.positions(v); len(user) > 0 {
				return o.place(user[0])
			}
		}
	}
	return o.top
}

// ours tells whether a place is in the definitions.
func (o *Origins) ours(p Place) bool {
	return inSchema(strings.TrimPrefix(p.File, path.Clean(o.dir)+"/"))
}

// parent is the path of what holds the value at p.
func parent(p string) string {
	quoted, end := false, 0
	for i, c := range p {
		switch {
		case c == '"':
			quoted = !quoted
		case !quoted && (c == '.' || c == '['):
			end = i
		}
	}
	return p[:end]
}

// positions are those of all the conjuncts of v, the user's apart from the schema's. Value.Pos alone gives the
// schema's for a list, a struct, and a default that the user's own template sets.
func (o *Origins) positions(v cue.Value) (user, schema []token.Pos) {
	op, args := v.Expr()
	if op == cue.AndOp {
		for _, a := range args {
			u, s := o.positions(a)
			user, schema = append(user, u...), append(schema, s...)
		}
	}
	if pos := v.Pos(); pos.IsValid() {
		if inSchema(pos.Filename()) {
			schema = append(schema, pos)
		} else {
			user = append(user, pos)
		}
	}
	return user, schema
}

func (o *Origins) place(p token.Pos) Place {
	return Place{File: path.Join(o.dir, p.Filename()), Line: p.Line(), Col: p.Column()}
}

// Schema tells whether a place is one of the schema: a default that the user did not touch.
func (o *Origins) Schema(p Place) bool {
	name, err := filepath.Rel(o.dir, p.File)
	return err == nil && inSchema(name)
}

// inSchema tells whether a file name, from the user's directory, is one of the definitions or the binder.
func inSchema(name string) bool {
	return strings.HasPrefix(name, "schema/") || name == binderFile
}

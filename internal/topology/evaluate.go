package topology

import (
	"io/fs"
	"path"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/ast/astutil"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/token"
)

// evaluation is a spec as CUE evaluates it, with the mistakes of its shape.
//
// CUE's mistakes hide each other: a name that is not found is the only one reported, a conflict hides every missing
// field, and a wrong type hides an unknown field beside it. So a spec with mistakes is evaluated again with the
// wrong places taken out, as long as that brings further ones to light.
type evaluation struct {
	dir   string
	files fs.FS

	origins  *Origins
	problems Problems
	broken   pathSet // what no rule may be held against
	usable   bool    // there is something to decode
	partial  bool    // some statements could not be read: nothing can be said of what is missing

	said      map[[3]string]int // place, message and path of what is among the problems, and where
	mended    map[Place]mend
	suggested map[string]bool  // paths of fields that were meant by an unknown one
	literals  map[Place]string // source text of the user's numbers and strings
	names     map[string]Place // definitions and hidden fields that the user's files can name
	labels    map[Place]string // names of the user's fields, by the places of their values
	asked     map[string]Place // fields that the user only constrains, "monthly?: 130", by name
}

// mend is what is done to a wrong place before the next evaluation.
type mend int

const (
	unset mend = iota // the value is replaced by "_": any value
	drop              // the field is left out
	leave             // the value, or that of the field, is left to another place
)

// rounds bounds the evaluations: names not found, then conflicts, then what is missing, and one to spare.
const rounds = 6

func evaluate(dir string, files fs.FS, definitions <-chan []*ast.File, more *saying) *evaluation {
	e := &evaluation{dir: dir, files: files, origins: &Origins{dir: dir}, broken: pathSet{}, said: map[[3]string]int{}, mended: map[Place]mend{}, suggested: map[string]bool{}}
	instance := e.load(definitions)
	if instance.Err != nil {
		if !e.readable(instance.Err) {
			return e
		}
		if instance = e.load(parseDefinitions()); instance.Err != nil {
			return e
		}
	}
	if more != nil {
		e.mended = more.instead
		e.apply(instance)
	}
	for round := range rounds {
		if round > 0 {
			instance = e.load(parseDefinitions())
			e.apply(instance)
		}
		root, err := compiled(instance)
		if err != nil && round > 0 {
			break // what was found before holds
		}
		e.origins = &Origins{root: root, dir: dir, top: top(dir, instance)}
		if err == nil {
			err = root.Validate(cue.Concrete(true), cue.All())
		}
		if err == nil {
			break
		}
		if round == 0 {
			e.readSource(instance)
		}
		before := len(e.mended)
		e.report(err, round > 0)
		if len(e.problems) == 0 && !e.partial {
			e.whatever(err)
		}
		if len(e.mended) == before {
			break
		}
	}
	// The binder always brings the sections, unless the build as a whole failed.
	e.usable = !e.partial && e.origins.root.LookupPath(cue.ParsePath("budget")).Exists()
	return e
}

// whatever is the problem of an error that no other wording fits: CUE's own first one.
func (e *evaluation) whatever(err error) {
	p := e.unreadable(errors.Errors(err)[0])
	if p.Place.Line == 1 && p.Place.Col == 1 {
		p.Place = e.origins.top
	}
	e.problems = append(e.problems, p)
}

// compiled evaluates the files. A context keeps all that it ever built: one for each evaluation, dropped with it. CUE
// panics on some files that nobody would write; that is a mistake of theirs to the user, and none of odoogen's.
func compiled(instance *build.Instance) (root cue.Value, err error) {
	ctx := cuecontext.New()
	defer func() {
		if what := recover(); what != nil {
			root, err = ctx.CompileString("{}"), errors.Newf(token.NoPos, "CUE gives up on this spec: %v", what)
		}
	}()
	return ctx.BuildInstance(instance), nil
}

// top is the beginning of the first of the user's files.
func top(dir string, instance *build.Instance) Place {
	first := ""
	for _, file := range instance.Files {
		if name := file.Filename; !inSchema(name) && (first == "" || name < first) {
			first = name
		}
	}
	return Place{File: path.Join(dir, first), Line: 1, Col: 1}
}

// apply takes the known mistakes out of the user's files.
func (e *evaluation) apply(instance *build.Instance) {
	done := map[Place]bool{}
	for _, file := range instance.Files {
		if inSchema(file.Filename) {
			continue
		}
		// Children come first: of an expression and its first operand, which begin at one place, the operand is
		// meant.
		astutil.Apply(file, nil, func(c astutil.Cursor) bool {
			at := e.origins.place(c.Node().Pos())
			if f, ok := c.Node().(*ast.Field); ok && e.nameless(f) {
				c.Delete()
				return true
			}
			kind, known := e.mended[at]
			if !known || done[at] {
				return true
			}
			switch n := c.Node().(type) {
			case *ast.Field:
				switch kind {
				case drop:
					c.Delete()
					done[at] = true
				case leave:
					n.Value = &ast.Ident{NamePos: n.Value.Pos(), Name: "_"}
					done[at] = true
				}
			case ast.Expr:
				if around := selection(c); around != nil {
					e.mended[e.origins.place(around.Pos())] = unset // its turn comes next
					return true
				}
				any := stopgap(c)
				if any == nil {
					return true
				}
				if f, ok := c.Parent().Node().(*ast.Field); kind == drop || ok && f.Label == ast.Node(n) {
					return true
				}
				c.Replace(any)
				done[at] = true
			}
			return true
		})
	}
}

// nameless tells whether a known mistake lies in what a field's name is made of: nobody knows then which field it is.
func (e *evaluation) nameless(f *ast.Field) bool {
	found := false
	switch f.Label.(type) {
	case *ast.Interpolation, *ast.ParenExpr:
		ast.Walk(f.Label, func(n ast.Node) bool {
			_, known := e.mended[e.origins.place(n.Pos())]
			found = found || known
			return true
		}, nil)
	}
	return found
}

// selection is the expression that selects by a wrong part, or from one: of a.b.c with a wrong b, all of it is wrong.
func selection(c astutil.Cursor) ast.Expr {
	switch around := c.Parent().Node().(type) {
	case *ast.SelectorExpr:
		return around
	case *ast.IndexExpr:
		return around
	}
	return nil
}

// stopgap is what stands in the place of a wrong expression: any value; no values to go through; a condition that is
// not met. It is nil where no expression may stand: in the text between the parts of an interpolation, for a name.
func stopgap(c astutil.Cursor) ast.Expr {
	n := c.Node()
	_, text := n.(*ast.BasicLit)
	switch around := c.Parent().Node().(type) {
	case *ast.Interpolation:
		if text {
			return nil
		}
	case *ast.ImportSpec:
		return nil
	case *ast.LetClause:
		if n != ast.Node(around.Expr) {
			return nil
		}
	case *ast.ForClause:
		if n != ast.Node(around.Source) {
			return nil
		}
		return &ast.StructLit{Lbrace: n.Pos()}
	case *ast.IfClause:
		return &ast.BasicLit{ValuePos: n.Pos(), Kind: token.FALSE, Value: "false"}
	}
	return &ast.Ident{NamePos: n.Pos(), Name: "_"}
}

// readSource remembers what messages quote of the user's files.
func (e *evaluation) readSource(instance *build.Instance) {
	e.literals, e.labels = map[Place]string{}, map[Place]string{}
	e.names, e.asked = map[string]Place{}, map[string]Place{}
	for _, file := range instance.Files {
		ast.Walk(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				e.literals[e.origins.place(n.Pos())] = n.Value
			case *ast.Field:
				name, _, err := ast.LabelName(n.Label)
				if err == nil {
					e.labels[e.origins.place(n.Value.Pos())] = name
				}
				if err == nil && n.Constraint != token.ILLEGAL && !inSchema(file.Filename) {
					e.asked[name] = e.origins.place(n.Pos())
				}
			case *ast.UnaryExpr:
				if lit, ok := n.X.(*ast.BasicLit); ok {
					e.literals[e.origins.place(n.Pos())] = n.Op.String() + lit.Value
				}
			}
			return true
		}, nil)
		for _, d := range file.Decls {
			if f, ok := d.(*ast.Field); ok {
				if name, ident, err := ast.LabelName(f.Label); err == nil && ident && strings.ContainsAny(name[:1], "#_") {
					e.names[name] = e.origins.place(f.Pos())
				}
			}
		}
	}
}

// pathSet holds the paths of mistakes and of everything around them.
type pathSet map[string]bool

// add notes a mistake at a path.
func (s pathSet) add(path string) {
	for p := path; p != "" && !s[p]; p = parent(p) {
		s[p] = true
	}
	s["="+path] = true
}

// with is the set and the paths of further problems.
func (s pathSet) with(problems Problems) pathSet {
	for _, p := range problems {
		s.add(p.Path)
	}
	return s
}

// below tells whether a mistake lies at path or around it.
func (s pathSet) below(path string) bool {
	for p := path; p != ""; p = parent(p) {
		if s["="+p] {
			return true
		}
	}
	return false
}

// hit tells whether a mistake lies at path, below it, or around it.
func (s pathSet) hit(path string) bool {
	return s[path] || s.below(path)
}

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
	"cuelang.org/go/cue/load"
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

	said      map[[3]string]int // place, message and path of what is among the problems, and where
	mended    map[Place]mend
	suggested map[string]bool  // paths of fields that were meant by an unknown one
	literals  map[Place]string // source text of the user's numbers and strings
	names     map[string]bool  // definitions and hidden fields that the user's files can name
}

// mend is what is done to a wrong place before the next evaluation.
type mend int

const (
	unset mend = iota // the value is replaced by "_": any value
	drop              // the field is left out
)

// rounds bounds the evaluations: names not found, then conflicts, then what is missing, and one to spare.
const rounds = 4

func evaluate(dir string, files fs.FS) *evaluation {
	e := &evaluation{dir: dir, files: files, broken: pathSet{}, said: map[[3]string]int{}, mended: map[Place]mend{}, suggested: map[string]bool{}}
	for round := range rounds {
		instance := load.Instances([]string{".:" + packageName}, &load.Config{
			FS:         files,
			FromFSPath: func(p string) string { return strings.TrimPrefix(p, "/") },
			Env:        []string{"CUE_REGISTRY=none"},
		})[0]
		if instance.Err != nil {
			e.problems = e.loadProblems(instance.Err)
			return e
		}
		if round > 0 {
			e.apply(instance)
		}
		// A context keeps all that it ever built: one for each evaluation, dropped with it.
		root := cuecontext.New().BuildInstance(instance)
		e.origins = &Origins{root: root, dir: dir, top: top(dir, instance)}
		err := root.Validate(cue.Concrete(true), cue.All())
		if err == nil {
			break
		}
		if round == 0 {
			e.readSource(instance)
		}
		before := len(e.mended)
		e.report(err, round > 0)
		if len(e.mended) == before {
			break
		}
	}
	// The binder always brings the sections, unless the build as a whole failed.
	e.usable = e.origins.root.LookupPath(cue.ParsePath("budget")).Exists()
	return e
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
			kind, known := e.mended[at]
			if !known || done[at] {
				return true
			}
			switch n := c.Node().(type) {
			case *ast.Field:
				if kind == drop {
					c.Delete()
					done[at] = true
				}
			case ast.Expr:
				if f, ok := c.Parent().Node().(*ast.Field); kind == drop || ok && f.Label == ast.Node(n) {
					return true
				}
				c.Replace(&ast.Ident{NamePos: n.Pos(), Name: "_"})
				done[at] = true
			}
			return true
		})
	}
}

// readSource remembers what messages quote of the user's files.
func (e *evaluation) readSource(instance *build.Instance) {
	e.literals, e.names = map[Place]string{}, map[string]bool{}
	for _, file := range instance.Files {
		ast.Walk(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				e.literals[e.origins.place(n.Pos())] = n.Value
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
					e.names[name] = true
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

package topology

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing/fstest"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"

	"odoogen/schema"
)

const (
	binderFile = "odoogen.cue"
	moduleFile = "cue.mod/module.cue"
)

// specFS is what CUE may read: the user's files, and in place of the generated ones those of this odoogen, so
// that a stale or edited copy of the schema on disk changes nothing.
type specFS struct {
	user fs.FS
	own  fstest.MapFS // the binder, cue.mod and schema/
}

func newSpecFS(dir string) (*specFS, error) {
	if _, err := os.ReadDir(dir); err != nil {
		return nil, err
	}
	module := Module(dir)
	own := fstest.MapFS{
		binderFile: {Data: schema.Binder(module), Mode: 0o444},
		moduleFile: {Data: schema.ModuleFile(module), Mode: 0o444},
	}
	definitions, err := fs.Glob(schema.Files, "*.cue")
	if err != nil {
		return nil, err
	}
	for _, name := range definitions {
		data, err := schema.Files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		own["schema/"+name] = &fstest.MapFile{Data: data, Mode: 0o444}
	}
	return &specFS{user: os.DirFS(dir), own: own}, nil
}

// Open opens a file of odoogen's own, else of the user's.
func (f *specFS) Open(name string) (fs.File, error) {
	if ours(name) {
		return f.own.Open(name)
	}
	return f.user.Open(name)
}

// ReadDir lists a directory of odoogen's own, else of the user's; the top one is both.
func (f *specFS) ReadDir(name string) ([]fs.DirEntry, error) {
	if ours(name) {
		return fs.ReadDir(f.own, name)
	}
	entries, err := fs.ReadDir(f.user, name)
	if err != nil || name != "." {
		return entries, err
	}
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return ours(e.Name()) })
	own, err := fs.ReadDir(f.own, ".")
	if err != nil {
		return nil, err
	}
	entries = append(entries, own...)
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, nil
}

func ours(name string) bool {
	first, _, _ := strings.Cut(name, "/")
	return first == "schema" || first == "cue.mod" || name == binderFile || name == saidFile
}

// Module is the CUE module path of the user's directory: the one that its module.cue names, else odoogen's.
func Module(dir string) string {
	if data, err := os.ReadFile(filepath.Join(dir, moduleFile)); err == nil {
		if m, ok := moduleOf(data); ok {
			return m
		}
	}
	return schema.Module
}

// moduleOf is the module path that a module.cue names: a user may have a module path of his own.
func moduleOf(moduleCUE []byte) (string, bool) {
	file, err := parser.ParseFile(moduleFile, moduleCUE)
	if err != nil {
		return "", false
	}
	for _, decl := range file.Decls {
		f, ok := decl.(*ast.Field)
		if !ok {
			continue
		}
		if name, _, err := ast.LabelName(f.Label); err != nil || name != "module" {
			continue
		}
		if lit, ok := f.Value.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			return strings.Trim(lit.Value, `"`), true
		}
	}
	return "", false
}

// packageProblems refuses files that CUE would pass over without a word: those of another package, or of none.
func packageProblems(dir string, files fs.FS) Problems {
	var problems Problems
	names, _ := fs.Glob(files, "*.cue")
	if !slices.ContainsFunc(names, func(n string) bool { return n != binderFile }) {
		return Problems{{Place: Place{File: dir, Line: 0}, Message: "no *.cue file here",
			Hint: "odoogen init makes a directory with a commented envs.cue"}}
	}
	for _, name := range names {
		if name == binderFile {
			continue
		}
		data, err := fs.ReadFile(files, name)
		if err != nil {
			continue
		}
		file, err := parser.ParseFile(name, data, parser.PackageClauseOnly)
		if err != nil || file.PackageName() == packageName {
			continue
		}
		at := Place{File: path.Join(dir, name), Line: 1, Col: 1}
		if file.PackageName() == "" {
			problems = append(problems, Problem{Place: at, Message: "no package clause",
				Hint: "begin the file with: package " + packageName})
			continue
		}
		problems = append(problems, Problem{Place: at, Message: "package " + file.PackageName() + ", want package " + packageName})
	}
	return problems
}

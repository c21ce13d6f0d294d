package topology

import (
	"io/fs"
	"path"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/load"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"

	"odoogen/schema"
)

// load reads and parses the user's files, and what they import. The definitions are parsed meanwhile, on another core:
// where they are is known, and CUE need not search its modules for them. It evaluates module.cue only where something
// else is imported.
func (e *evaluation) load(definitions <-chan []*ast.File) *build.Instance {
	everything := load.Config{
		FS:         e.files,
		FromFSPath: func(p string) string { return strings.TrimPrefix(p, "/") },
		Env:        []string{"CUE_REGISTRY=none"},
	}
	imported := func(_ token.Pos, name string) *build.Instance {
		switch first, _, _ := strings.Cut(name, "/"); {
		case name == e.schemaPath():
			return schemaInstance(name, <-definitions)
		case !strings.Contains(first, "."):
			return nil // CUE's own
		}
		return load.Instances([]string{name}, &everything)[0]
	}
	users := everything
	users.FS = noModule{e.files}
	users.SkipImports = true
	users.ParseFile = func(name string, source any, config parser.Config) (*ast.File, error) {
		return parser.ParseFile(name, source, config.Apply(parser.Version(schema.Version)))
	}
	users.Context = build.NewContext(build.Loader(imported))
	return load.Instances([]string{".:" + packageName}, &users)[0]
}

// noModule is a file system without cue.mod.
type noModule struct{ fs.FS }

func (f noModule) Open(name string) (fs.File, error) {
	if name == path.Dir(moduleFile) || name == moduleFile {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return f.FS.Open(name)
}

func (f noModule) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(f.FS, name) }

// schemaPath is what the binder imports.
func (e *evaluation) schemaPath() string {
	data, _ := fs.ReadFile(e.files, moduleFile) // it is odoogen's own
	module, _ := moduleOf(data)
	module, _, _ = strings.Cut(module, "@")
	return module + "/schema"
}

func schemaInstance(name string, files []*ast.File) *build.Instance {
	instance := build.NewContext().NewInstance("schema", nil)
	instance.ImportPath = name
	for _, file := range files {
		instance.AddSyntax(file) // a mistake stays with the instance
	}
	instance.Complete()
	return instance
}

// parseDefinitions begins to parse them, for one evaluation: it changes what it is given.
func parseDefinitions() <-chan []*ast.File {
	parsed := make(chan []*ast.File, 1)
	go func() { parsed <- parseSchema() }()
	return parsed
}

// parseSchema parses the definitions. A test keeps them free of mistakes.
func parseSchema() []*ast.File {
	var files []*ast.File
	names, _ := fs.Glob(schema.Files, "*.cue")
	for _, name := range names {
		data, _ := schema.Files.ReadFile(name)
		file, err := parser.ParseFile(path.Join("schema", name), data, parser.ParseComments, parser.Version(schema.Version))
		if err != nil {
			panic(err)
		}
		files = append(files, file)
	}
	return files
}

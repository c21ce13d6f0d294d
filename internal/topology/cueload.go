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
// where they are is known, and CUE need not search its modules for them.
func (e *evaluation) load() *build.Instance {
	definitions := make(chan []*ast.File, 1)
	go func() { definitions <- parseSchema() }()

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
	users.SkipImports = true
	users.Context = build.NewContext(build.Loader(imported))
	return load.Instances([]string{".:" + packageName}, &users)[0]
}

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

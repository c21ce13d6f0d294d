package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Imports run one way. A package may import those that stand here and nothing else of the module; cmd may import
// all.
var arrows = map[string][]string{
	"schema":                  {},
	"internal/conf":           {},
	"internal/conf/alloytest": {}, // for tests
	"internal/artifact":       {},
	"internal/vocabulary":     {},
	"internal/topology":       {"schema", "internal/vocabulary"},
	"generators":              {"internal/topology", "internal/conf", "internal/artifact"},
	"internal/lab":            {"internal/artifact"},
	"internal/native":         {"internal/artifact", "internal/vocabulary"},
	"internal/evidence":       {}, // for tests
	"internal/pgtest":         {}, // for tests
	"internal/provenance":     {"internal/topology", "internal/artifact", "internal/vocabulary", "generators"},
	"internal/push":           {"internal/artifact"},
	"internal/picture":        {"internal/topology"},
	"internal/review":         {"internal/push", "internal/artifact"},
	"internal/secrets":        {"internal/artifact"},
	"internal/workspace":      {"schema", "internal/topology", "internal/artifact"},
	"cmd/odoogen":             nil,
}

// Each outside dependency has its home. Programs are run by the packages that are about them.
var homes = map[string][]string{
	"cuelang.org/go":                   {"internal/topology"},
	"github.com/spf13/cobra":           {"cmd/odoogen"},
	"github.com/google/renameio/v2":    {"internal/artifact"},
	"filippo.io/age":                   {"internal/secrets"},
	"golang.org/x/crypto":              {"internal/secrets", "internal/topology"},
	"golang.org/x/term":                {"cmd/odoogen"},
	"golang.org/x/sys":                 {"cmd/odoogen", "internal/artifact", "internal/lab", "internal/native"},
	"github.com/aymanbagabas/go-udiff": {"internal/review"},
	"golang.org/x/net":                 {"internal/lab"},
	"github.com/grafana/river":         {"internal/native"},
	"go.yaml.in/yaml/v3":               {"internal/conf", "internal/native"},
	"os/exec":                          {"internal/evidence", "internal/lab", "internal/native", "internal/pgtest", "internal/push", "internal/secrets"},
}

// What a generator must not see, in whatever it is made of: the clock, the machine, the network, chance.
var impure = []string{"os", "os/exec", "time", "net", "net/http", "math/rand", "math/rand/v2", "crypto/rand", "syscall"}

// source is a Go file that ships.
type source struct {
	path    string // in the repository
	imports []string
	tree    *ast.File
}

func (s source) pkg() string { return path.Dir(s.path) }

func TestLayering(t *testing.T) {
	programs := map[string][]string{} // package: its files that run programs
	for _, s := range sources(t) {
		allowed, known := arrows[s.pkg()]
		if !known {
			t.Errorf("%s: package %s is not in the table of arrows", s.path, s.pkg())
		}
		for _, imp := range s.imports {
			if own, is := strings.CutPrefix(imp, "odoogen/"); is && s.pkg() != "cmd/odoogen" && !slices.Contains(allowed, own) {
				t.Errorf("%s imports %s: no arrow leads there", s.path, own)
			}
			for dep, home := range homes {
				if (imp == dep || strings.HasPrefix(imp, dep+"/")) && !slices.Contains(home, s.pkg()) {
					t.Errorf("%s imports %s, whose home is %v", s.path, imp, home)
				}
			}
			if imp == "os/exec" {
				programs[s.pkg()] = append(programs[s.pkg()], s.path)
			}
		}
	}
	for pkg, files := range programs {
		if len(files) > 1 {
			t.Errorf("%s runs programs from %v, want one file", pkg, files)
		}
	}
}

func TestGeneratorsArePure(t *testing.T) {
	for _, s := range sources(t) {
		if s.pkg() != "generators" && s.pkg() != "internal/conf" {
			continue
		}
		for _, imp := range s.imports {
			if slices.Contains(impure, imp) {
				t.Errorf("%s imports %s", s.path, imp)
			}
		}
	}
}

// A spec means the same every day: what it is compiled by never asks for the time.
func TestBuildsSeeNoClock(t *testing.T) {
	for _, s := range sources(t) {
		switch s.pkg() {
		case "schema", "generators", "internal/topology", "internal/conf", "internal/artifact", "internal/provenance":
		default:
			continue
		}
		ast.Inspect(s.tree, func(n ast.Node) bool {
			call, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := call.X.(*ast.Ident); ok && x.Name == "time" && (call.Sel.Name == "Now" || call.Sel.Name == "Since" || call.Sel.Name == "Until") {
				t.Errorf("%s asks for the time", s.path)
			}
			return true
		})
	}
}

func TestHouseRules(t *testing.T) {
	for _, s := range sources(t) {
		switch s.tree.Name.Name {
		case "util", "utils", "common", "helpers", "misc":
			t.Errorf("%s: package %s says nothing", s.path, s.tree.Name.Name)
		}
		for _, d := range s.tree.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s: func init", s.path)
			}
		}
	}
}

// sources are all Go files of the repository that are no tests.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(repository, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") && file != repository {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(repository, file)
		if err != nil {
			return err
		}
		s := source{path: filepath.ToSlash(rel), tree: tree}
		for _, i := range tree.Imports {
			name, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			s.imports = append(s.imports, name)
		}
		all = append(all, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 30 {
		t.Fatalf("only %d Go files found", len(all))
	}
	return all
}

package schema

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"
)

var write = flag.Bool("write", false, "write docs/fields.md instead of comparing it")

const referenceFile = "../docs/fields.md"

// order is that in which a reader meets the definitions.
var order = []string{"topology", "host", "network", "postgres", "odoo", "packages", "compatibility", "backup", "ci", "observability", "operations", "types"}

// docs/fields.md says of every field what the schema's comments say.
func TestFieldReference(t *testing.T) {
	want := reference(t)
	if *write {
		if err := os.WriteFile(referenceFile, want, 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatalf("%v: run make docs", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("docs/fields.md is not what the schema says: run make docs")
	}
}

// A field without a comment is one that no editor explains. What a definition is made of may explain it.
func TestEveryFieldHasAComment(t *testing.T) {
	for _, f := range fields(t) {
		if f.doc == "" && f.path != "" || f.path == "" && f.definitionDoc == "" {
			t.Errorf("schema: %s has no comment", strings.TrimSuffix(f.definition+"."+f.path, "."))
		}
	}
}

// field is a field of a definition, as its line in the reference shows it.
type field struct {
	definition, definitionDoc string
	path, doc                 string
	takes, otherwise          string // what it may be, and its default
	required                  bool
}

func reference(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	b.WriteString(`# Every field

Written by ` + "`make docs`" + ` from the comments in schema/, which are also what an editor shows. A field in **bold** must be
given where what holds it is. "[name]" stands for a name of your choice.
`)
	last := ""
	for _, f := range fields(t) {
		if f.definition != last {
			last = f.definition
			fmt.Fprintf(&b, "\n## %s\n\n", f.definition)
			if f.definitionDoc != "" {
				b.WriteString(f.definitionDoc + "\n\n")
			}
			if f.path == "" {
				fmt.Fprintf(&b, "Takes %s.\n", f.takes)
				continue
			}
			b.WriteString("| field | what it says | takes | default |\n|---|---|---|---|\n")
		}
		name := "`" + f.path + "`"
		if f.required {
			name = "**" + name + "**"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", name, strings.ReplaceAll(cell(f.doc), "<", "&lt;"), cell(f.takes), cell(f.otherwise))
	}
	return b.Bytes()
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

// fields are those of all definitions, in the order of a reader.
func fields(t *testing.T) []field {
	t.Helper()
	var all []field
	for _, name := range order {
		data, err := Files.ReadFile(name + ".cue")
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(name+".cue", data, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.Field)
			if !ok || !strings.HasPrefix(label(f), "#") {
				continue
			}
			definition := field{definition: label(f), definitionDoc: doc(f)}
			if s := structOf(f.Value); s != nil {
				all = append(all, fieldsOf(s, definition, "")...)
				continue
			}
			definition.takes, _ = values(f.Value)
			all = append(all, definition)
		}
	}
	entries, err := Files.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != len(order) {
		t.Errorf("schema/ has %d files, the reference knows %d", len(entries), len(order))
	}
	explain(all)
	return all
}

// explain gives the fields that a definition only sets again, #Job's and #Limits' in a job, a class's in an
// instance, the words of where they are defined.
func explain(all []field) {
	docs := map[string]string{}
	for _, f := range all {
		switch f.definition {
		case "#Job", "#Limits", "#Class":
			docs[f.definition+f.path] = f.doc
		}
	}
	for i, f := range all {
		if f.doc != "" || f.path == "" {
			continue
		}
		last := f.path[strings.LastIndexByte(f.path, '.')+1:]
		switch {
		case f.definition == "#Instance":
			all[i].doc = docs["#Class"+f.path]
		case docs["#Job"+last] != "":
			all[i].doc = docs["#Job"+last]
		default:
			all[i].doc = docs["#Limits"+last]
		}
	}
}

func fieldsOf(s *ast.StructLit, in field, prefix string) []field {
	var all []field
	for _, d := range s.Elts {
		f, ok := d.(*ast.Field)
		if !ok {
			continue
		}
		one := field{definition: in.definition, definitionDoc: in.definitionDoc, path: prefix + label(f), doc: doc(f),
			required: f.Constraint == token.NOT}
		value := f.Value
		if pattern := patternOf(value); pattern != nil { // hosts: [string]: #Host
			one.path += ".[name]"
			value = pattern.Value
		}
		inner := structOf(value)
		if inner == nil {
			one.takes, one.otherwise = values(value)
			all = append(all, one)
			continue
		}
		if one.doc != "" {
			all = append(all, one)
		}
		all = append(all, fieldsOf(inner, in, one.path+".")...)
	}
	return all
}

// patternOf is the one pattern of a struct that holds nothing else.
func patternOf(e ast.Expr) *ast.Field {
	s, ok := e.(*ast.StructLit)
	if !ok || len(s.Elts) != 1 {
		return nil
	}
	f, ok := s.Elts[0].(*ast.Field)
	if !ok {
		return nil
	}
	if _, ok := f.Label.(*ast.ListLit); !ok {
		return nil
	}
	return f
}

// structOf is the struct that a value spells out, also behind a definition: #Limits & {...}.
func structOf(e ast.Expr) *ast.StructLit {
	switch e := e.(type) {
	case *ast.StructLit:
		return e
	case *ast.BinaryExpr:
		if e.Op == token.AND {
			return structOf(e.Y)
		}
	}
	return nil
}

// values says what an expression accepts, in words where the schema has them for its error, and its default.
func values(e ast.Expr) (takes, otherwise string) {
	var words []string
	said := ""
	for _, o := range alternatives(e) {
		switch o := o.(type) {
		case *ast.UnaryExpr:
			if o.Op == token.MUL {
				otherwise = source(o.X)
				words = append(words, source(o.X))
				continue
			}
		case *ast.ListLit:
			if e, ok := o.Elts[0].(*ast.Ellipsis); ok && len(alternatives(e.Type)) > 1 {
				takes, _ := values(e.Type)
				said = "a list: " + takes
				continue
			}
		case *ast.CallExpr:
			if lit, ok := o.Args[0].(*ast.BasicLit); ok && source(o.Fun) == "error" {
				said = strings.NewReplacer(`"want `, "", `\"`, `"`).Replace(lit.Value)
				said = strings.TrimSuffix(said, `"`)
				continue
			}
		}
		words = append(words, source(o))
	}
	switch {
	case said != "":
		takes = said
	case otherwise != "" && len(words) > 1 && !strings.HasPrefix(words[1], `"`):
		takes = "`" + strings.Join(words[1:], " | ") + "`"
	default:
		takes = "`" + strings.Join(words, " | ") + "`"
	}
	switch {
	case strings.Contains(otherwise, "_workloads"):
		otherwise = "by `workload`"
	case strings.HasPrefix(otherwise, "_"):
		otherwise = "`" + otherwise + "` in schema/"
	case otherwise != "":
		otherwise = "`" + otherwise + "`"
	}
	return takes, otherwise
}

func alternatives(e ast.Expr) []ast.Expr {
	if p, ok := e.(*ast.ParenExpr); ok {
		return alternatives(p.X)
	}
	if b, ok := e.(*ast.BinaryExpr); ok && b.Op == token.OR {
		return append(alternatives(b.X), alternatives(b.Y)...)
	}
	return []ast.Expr{e}
}

func source(e ast.Expr) string {
	text, err := format.Node(e, format.Simplify())
	if err != nil {
		return err.Error()
	}
	return strings.Join(strings.Fields(string(text)), " ")
}

func label(f *ast.Field) string {
	name, _, err := ast.LabelName(f.Label)
	if _, pattern := f.Label.(*ast.ListLit); pattern {
		return "[name]"
	}
	if err != nil {
		return source(f.Label.(ast.Expr))
	}
	return name
}

func doc(f *ast.Field) string {
	var lines []string
	for _, g := range f.Comments() {
		if g.Doc {
			lines = append(lines, strings.TrimSpace(g.Text()))
		}
	}
	return strings.Join(strings.Fields(strings.Join(lines, " ")), " ")
}

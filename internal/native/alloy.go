package native

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/grafana/river/ast"
	"github.com/grafana/river/diag"
	"github.com/grafana/river/parser"
	"github.com/grafana/river/token"
)

// alloy reads Alloy's configuration with River, the grammar that Grafana published for it, and checks every block and
// attribute against the component reference, and every reference against the components that are there.
func alloy(c *check) {
	for _, f := range c.files {
		file, err := parser.ParseFile(f.Path, f.Data)
		var all diag.Diagnostics
		if errors.As(err, &all) {
			for _, d := range all {
				c.fail(f.Path, d.StartPos.Line, "%s", d.Message)
			}
			continue
		}
		if err != nil {
			c.fail(f.Path, 0, "%s", err)
			continue
		}
		a := &alloyFile{check: c, path: f.Path, components: map[string]bool{}}
		for _, stmt := range file.Body {
			if b, ok := stmt.(*ast.BlockStmt); ok {
				a.components[strings.Join(b.Name, ".")+"."+b.Label] = true
			}
		}
		a.body("", token.NoPos, file.Body)
		ast.Walk(a, file)
	}
}

// alloyFile is one file at work.
type alloyFile struct {
	*check
	path       string
	components map[string]bool // "loki.write.grafana"
}

// body checks the statements of a block, "" for the file: what may stand there, once each, and what must.
func (a *alloyFile) body(block string, pos token.Pos, body ast.Body) {
	known, ok := alloyBlocks[block]
	if !ok {
		a.fail(a.path, pos.Position().Line, "Alloy has no block %s that odoogen knows", block)
		return
	}
	seen := map[string]bool{}
	for _, stmt := range body {
		switch s := stmt.(type) {
		case *ast.AttributeStmt:
			name := s.Name.Name
			if !slices.Contains(known.attributes, name) && !slices.Contains(known.required, name) || seen[name] {
				a.fail(a.path, s.Name.NamePos.Position().Line, "%s takes no attribute %s here", title(block), name)
			}
			seen[name] = true
			a.value(name, s)
		case *ast.BlockStmt:
			name := strings.Join(s.Name, ".")
			line := s.NamePos.Position().Line
			if !slices.Contains(known.blocks, name) {
				a.fail(a.path, line, "%s takes no block %s here", title(block), name)
				continue
			}
			if (block == "") != (s.Label != "") && !unlabelled[name] {
				a.fail(a.path, line, "%s: a component has a label, a block in one has none", name)
			}
			inner := name
			if block != "" && alloyBlocks[block+" > "+name] != nil {
				inner = block + " > " + name
			}
			a.body(inner, s.NamePos, s.Body)
		}
	}
	for _, name := range known.required {
		if !seen[name] {
			a.fail(a.path, pos.Position().Line, "%s lacks %s", title(block), name)
		}
	}
}

// value checks what a text means where that is known: a regular expression, or what a rule does.
func (a *alloyFile) value(name string, s *ast.AttributeStmt) {
	literal, ok := s.Value.(*ast.LiteralExpr)
	if !ok || literal.Kind != token.STRING {
		return
	}
	text, err := strconv.Unquote(literal.Value)
	switch {
	case err != nil:
	case name == "regex" || name == "expression":
		_, err = regexp.Compile(text)
	case name == "action" && !slices.Contains(relabelActions, text):
		err = fmt.Errorf("no action %s", text)
	}
	if err != nil {
		a.fail(a.path, s.Name.NamePos.Position().Line, "%s: %v", name, err)
	}
}

// Visit checks each reference: loki.write.grafana.receiver wants a component loki.write "grafana".
func (a *alloyFile) Visit(n ast.Node) ast.Visitor {
	access, ok := n.(*ast.AccessExpr)
	if !ok {
		return a
	}
	name, pos := chain(access)
	words := strings.Split(name, ".")
	for n := len(words) - 1; n >= 2; n-- {
		if alloyBlocks[strings.Join(words[:n-1], ".")] != nil {
			if !a.components[strings.Join(words[:n], ".")] {
				a.fail(a.path, pos.Position().Line, "there is no component %s", strings.Join(words[:n], "."))
			}
			return nil
		}
	}
	return nil
}

// chain is "a.b.c" of nested accesses.
func chain(e ast.Expr) (string, token.Pos) {
	switch e := e.(type) {
	case *ast.AccessExpr:
		name, pos := chain(e.Value)
		return name + "." + e.Name.Name, pos
	case *ast.IdentifierExpr:
		return e.Ident.Name, e.Ident.NamePos
	}
	return "", token.NoPos
}

func title(block string) string {
	if block == "" {
		return "the file"
	}
	return block
}

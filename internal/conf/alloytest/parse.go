// Package alloytest reads Grafana Alloy's configuration syntax, as far as odoogen writes it, for tests: no checker of
// Alloy's own can be had as a Debian package.
package alloytest

import (
	"fmt"
	"strconv"
	"strings"
	"text/scanner"
)

// Block is a block with its attributes and inner blocks.
type Block struct {
	Name       string
	Label      string
	Attributes map[string]any // string, int, bool, Ref, []any or map[string]any
	Blocks     []Block
}

// Ref names another component's export.
type Ref string

type parser struct {
	scanner.Scanner
	token rune
}

// Parse reads a whole configuration.
func Parse(text string) (blocks []Block, err error) {
	var p parser
	p.Init(strings.NewReader(text))
	p.Mode = scanner.ScanIdents | scanner.ScanInts | scanner.ScanStrings | scanner.ScanComments | scanner.SkipComments
	p.Error = func(*scanner.Scanner, string) {} // an unfinished string fails where it is read
	defer func() {
		if e, ok := recover().(syntaxError); ok {
			err = e
		}
	}()
	p.next()
	for p.token != scanner.EOF {
		blocks = append(blocks, p.block(p.path()))
	}
	return blocks, nil
}

type syntaxError struct{ error }

func (p *parser) fail(want string) {
	panic(syntaxError{fmt.Errorf("%s: got %q, want %s", p.Pos(), p.TokenText(), want)})
}

func (p *parser) next() { p.token = p.Scan() }

func (p *parser) expect(token rune, want string) string {
	if p.token != token {
		p.fail(want)
	}
	text := p.TokenText()
	p.next()
	return text
}

// path is names joined by dots.
func (p *parser) path() string {
	path := p.expect(scanner.Ident, "a name")
	for p.token == '.' {
		p.next()
		path += "." + p.expect(scanner.Ident, "a name")
	}
	return path
}

func (p *parser) block(name string) Block {
	b := Block{Name: name, Attributes: map[string]any{}}
	if p.token == scanner.String {
		b.Label = p.text()
	}
	p.expect('{', "{")
	for p.token != '}' {
		name := p.path()
		if p.token != '=' {
			b.Blocks = append(b.Blocks, p.block(name))
			continue
		}
		p.next()
		if _, twice := b.Attributes[name]; twice {
			p.fail("no second " + name)
		}
		b.Attributes[name] = p.value()
	}
	p.next()
	return b
}

func (p *parser) text() string {
	s, err := strconv.Unquote(p.expect(scanner.String, "a string"))
	if err != nil {
		p.fail("a string")
	}
	return s
}

func (p *parser) value() any {
	switch p.token {
	case scanner.String:
		return p.text()
	case '-', scanner.Int:
		sign := ""
		if p.token == '-' {
			sign = "-"
			p.next()
		}
		n, err := strconv.Atoi(sign + p.expect(scanner.Int, "a number"))
		if err != nil {
			p.fail("a number")
		}
		return n
	case '[':
		list := []any{}
		for p.next(); p.token != ']'; {
			list = append(list, p.value())
			p.comma(']')
		}
		p.next()
		return list
	case '{':
		object := map[string]any{}
		for p.next(); p.token != '}'; {
			key := p.text()
			p.expect('=', "=")
			object[key] = p.value()
			p.comma('}')
		}
		p.next()
		return object
	}
	switch path := p.path(); path {
	case "true", "false":
		return path == "true"
	default:
		return Ref(path)
	}
}

// comma is one between two values; before the end there need be none.
func (p *parser) comma(end rune) {
	if p.token != end {
		p.expect(',', "a comma")
	}
}

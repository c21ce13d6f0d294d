package conf

import (
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Groovy is a script of calls and blocks, as Jenkins' job-dsl and pipelines are written.
type Groovy struct {
	Text
	depth int
}

// NewGroovy begins a script of the thing at owner.
func NewGroovy(owner string) *Groovy { return &Groovy{Text: Of(owner)} }

// Call appends a call with plain arguments: strings, integers and truth values.
func (g *Groovy) Call(method string, args []any, from ...string) {
	g.Line(g.indent()+g.call(method, args), from...)
}

// Open begins the block of a call, with its arguments before it.
func (g *Groovy) Open(method string, args []any, from ...string) {
	if len(args) > 0 {
		method = g.call(method, args)
	}
	g.Line(g.indent()+method+" {", from...)
	g.depth++
}

// Close ends the innermost block.
func (g *Groovy) Close(from ...string) {
	g.depth--
	g.Line(g.indent()+"}", from...)
}

// Source is the script as text, to be an argument of another.
func (g *Groovy) Source() string { return string(g.data) }

func (g *Groovy) indent() string { return strings.Repeat("  ", g.depth) }

func (g *Groovy) call(method string, args []any) string {
	words := make([]string, len(args))
	for i, a := range args {
		switch a := a.(type) {
		case string:
			if words[i] = groovyString(a); !utf8.ValidString(a) {
				g.Refuse("%s(%q): not UTF-8", method, a)
			}
		case int, bool:
			words[i] = fmt.Sprint(a)
		default:
			g.Refuse("%s: %T is no argument", method, a)
		}
	}
	return method + "(" + strings.Join(words, ", ") + ")"
}

// groovyString quotes a string so that nothing in it means anything: not to Groovy, not to configuration as code,
// which looks for ${ in the whole script before Groovy sees it.
func groovyString(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\'' || r == '\\':
			b.WriteRune('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r': // as \u000d it would end the line: Groovy decodes those before it looks for strings
			b.WriteString(`\r`)
		case r == '$' || r < ' ' || r > '~':
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&b, `\u%04x`, unit)
			}
		default:
			b.WriteRune(r)
		}
	}
	return "'" + b.String() + "'"
}

// CasC is a text as Jenkins' configuration as code reads it: ${ would begin the name of a secret
// (SecretSourceResolver.encode).
func CasC(s string) string { return strings.ReplaceAll(s, "${", "^${") }

// CasCFile is replaced by the content of a file when Jenkins reads its configuration.
func CasCFile(path string) string { return "${readFile:" + path + "}" }

// CasCWord is replaced by the content of a file without the white space at its end.
func CasCWord(path string) string { return "${trim:" + CasCFile(path) + "}" }

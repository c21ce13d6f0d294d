package conf

import (
	"regexp"
	"strings"
)

// Nginx is a file of nginx configuration: directives and blocks of them.
type Nginx struct {
	Text
	depth int
}

// NewNginx begins a configuration file of the thing at owner.
func NewNginx(owner, what string) *Nginx {
	n := &Nginx{Text: Of(owner)}
	n.Header(what)
	return n
}

// Set appends a directive. Each argument reaches nginx as it is; what only a variable could be, a dollar sign, is
// refused, since nginx has no way to write one in most directives.
func (n *Nginx) Set(name string, args []string, from ...string) {
	if words, ok := n.words(name, args); ok {
		n.indented(words+";", from)
	}
}

// Block appends a block; body fills it.
func (n *Nginx) Block(name string, args []string, body func(), from ...string) {
	words, ok := n.words(name, args)
	if !ok {
		return
	}
	n.indented(words+" {", from)
	n.depth++
	body()
	n.depth--
	n.indented("}", from)
}

// Directive appends a line as it stands: a whole directive in nginx's own words, which the caller has read as nginx
// does (vocabulary.NginxDirective).
func (n *Nginx) Directive(line string, from ...string) {
	if !plain(line) {
		n.Refuse("%q: nginx cannot carry control characters", line)
		return
	}
	n.indented(line, from)
}

func (n *Nginx) indented(line string, from []string) {
	n.Line(strings.Repeat("\t", n.depth)+line, from...)
}

func (n *Nginx) words(name string, args []string) (string, bool) {
	words := []string{name}
	for _, a := range args {
		if !plain(a) || strings.Contains(a, "$") {
			n.Refuse("%s %q: nginx cannot carry control characters or a dollar sign", name, a)
			return "", false
		}
		words = append(words, quoteNginx(a))
	}
	return strings.Join(words, " "), true
}

// bareNginx is what nginx reads as one word without quotes.
var bareNginx = regexp.MustCompile(`^[A-Za-z0-9_./:=@%+,*~^\[\]-]+$`)

// quoteNginx quotes one argument: inside double quotes only the quote and the backslash are special
// (nginx, src/core/ngx_conf_file.c, ngx_conf_read_token).
func quoteNginx(arg string) string {
	if bareNginx.MatchString(arg) {
		return arg
	}
	return `"` + doubleQuoted.Replace(arg) + `"`
}

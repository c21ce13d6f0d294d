package vocabulary

import (
	"errors"
	"strings"
)

// Directive is one of nginx's, with its block where it has one.
type Directive struct {
	Words []string // its name and arguments, in their quotes
	Opens bool     // it has a block, perhaps an empty one
	Block []Directive
	Line  int // from 0
}

// Head is the directive without its block.
func (d Directive) Head() string { return strings.Join(d.Words, " ") }

// String is the directive in one line.
func (d Directive) String() string {
	if !d.Opens {
		return d.Head() + ";"
	}
	parts := []string{d.Head(), "{"}
	for _, inner := range d.Block {
		parts = append(parts, inner.String())
	}
	return strings.Join(append(parts, "}"), " ")
}

// NginxDirective reads one line of nginx's configuration, and gives the name of the directive. It refuses what is not one
// whole directive, with its block where it has one: a line that ends early or late would change the meaning of those
// around it.
func NginxDirective(line string) (name string, err error) {
	r := nginxReader{text: line, rest: line, oneLine: true}
	all, err := r.block(false)
	if err == nil && len(all) == 0 {
		err = errors.New("says nothing")
	}
	if err != nil {
		return "", err
	}
	return all[0].Words[0], nil
}

// NginxDirectives reads a file of nginx's configuration.
func NginxDirectives(text string) ([]Directive, error) {
	r := nginxReader{text: text, rest: text}
	return r.block(false)
}

// nginxReader reads as nginx does (src/core/ngx_conf_file.c, ngx_conf_read_token).
type nginxReader struct {
	text, rest string
	oneLine    bool // of one directive, in which a comment has no end
}

// block reads to the end of the block that it is inside, or of the text.
func (r *nginxReader) block(inside bool) ([]Directive, error) {
	var all []Directive
	var d Directive
	for {
		r.rest = strings.TrimLeft(r.rest, nginxSpace)
		begins := len(d.Words) == 0
		if begins {
			d.Line = strings.Count(r.text[:len(r.text)-len(r.rest)], "\n")
		}
		next := byte(0)
		if r.rest != "" {
			next = r.rest[0]
		}
		switch {
		case next == 0 && inside:
			return nil, errors.New("does not close its {")
		case next == 0 && !begins:
			return nil, errors.New("has no ; at its end")
		case next == 0:
			return all, nil
		case r.oneLine && !inside && len(all) > 0:
			return nil, errors.New("goes on after its end")
		case next == '}' && inside && begins:
			r.rest = r.rest[1:]
			return all, nil
		case next == '}':
			return nil, errors.New("has a } that closes nothing")
		case (next == ';' || next == '{') && begins:
			return nil, errors.New("has " + string(next) + " where a directive begins")
		case next == '{':
			var err error
			r.rest, d.Opens = r.rest[1:], true
			if d.Block, err = r.block(true); err != nil {
				return nil, err
			}
			all, d = append(all, d), Directive{}
		case next == ';':
			r.rest = r.rest[1:]
			all, d = append(all, d), Directive{}
		case next == '#' && r.oneLine:
			return nil, errors.New("has a comment, which would take the rest of the line")
		case next == '#':
			_, r.rest, _ = strings.Cut(r.rest, "\n")
		default:
			word, rest, err := nginxWord(r.rest)
			if err != nil {
				return nil, err
			}
			d.Words, r.rest = append(d.Words, word), rest
		}
	}
}

// nginxSpace is what stands between words.
const nginxSpace = " \t\r\n"

// nginxWord splits the first word off a text that begins with one.
func nginxWord(text string) (word, rest string, err error) {
	quote := text[0]
	quoted := quote == '"' || quote == '\''
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++
		case quoted && i > 0 && c == quote:
			rest = text[i+1:]
			if rest == "" || !strings.ContainsRune(nginxSpace+";{)", rune(rest[0])) {
				return "", "", errors.New("has no space after a closing quote")
			}
			return text[:i+1], rest, nil
		case quoted:
		case c == '$' && strings.HasPrefix(text[i+1:], "{"):
			i++ // a variable, ${name}
		case strings.IndexByte(nginxSpace+";{", c) >= 0:
			return text[:i], text[i:], nil
		}
	}
	if quoted {
		return "", "", errors.New("does not close a quote")
	}
	return text, "", nil
}

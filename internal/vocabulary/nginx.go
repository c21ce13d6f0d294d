package vocabulary

import (
	"errors"
	"strings"
)

// NginxDirective reads one line of nginx's configuration as nginx does (src/core/ngx_conf_file.c, ngx_conf_read_token),
// and gives the name of the directive. It refuses what is not one whole directive, with its block where it has one: a
// line that ends early or late would change the meaning of those around it.
func NginxDirective(line string) (name string, err error) {
	depth, words, done := 0, 0, false
	for rest := strings.TrimLeft(line, " "); rest != ""; rest = strings.TrimLeft(rest, " ") {
		switch c := rest[0]; {
		case done:
			return "", errors.New("goes on after its end")
		case c == ';' && words == 0, c == '{' && words == 0:
			return "", errors.New("has " + string(c) + " where a directive begins")
		case c == '}' && (words > 0 || depth == 0):
			return "", errors.New("has a } that closes nothing")
		case c == ';':
			words, done, rest = 0, depth == 0, rest[1:]
		case c == '{':
			words, depth, rest = 0, depth+1, rest[1:]
		case c == '}':
			depth, rest = depth-1, rest[1:]
			done = depth == 0
		case c == '#':
			return "", errors.New("has a comment, which would take the rest of the line")
		default:
			word, after, err := nginxWord(rest)
			if err != nil {
				return "", err
			}
			if name == "" {
				name = word
			}
			words, rest = words+1, after
		}
	}
	switch {
	case name == "":
		return "", errors.New("says nothing")
	case depth > 0:
		return "", errors.New("does not close its {")
	case !done:
		return "", errors.New("has no ; at its end")
	}
	return name, nil
}

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
			if rest == "" || !strings.ContainsRune(" ;{)", rune(rest[0])) {
				return "", "", errors.New("has no space after a closing quote")
			}
			return text[:i+1], rest, nil
		case quoted:
		case c == '$' && strings.HasPrefix(text[i+1:], "{"):
			i++ // a variable, ${name}
		case strings.IndexByte(" ;{", c) >= 0:
			return text[:i], text[i:], nil
		}
	}
	if quoted {
		return "", "", errors.New("does not close a quote")
	}
	return text, "", nil
}

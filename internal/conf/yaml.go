package conf

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// YAML writes a tree as YAML, below the comment that says whose file it is: blocks indented by two spaces, each key and
// element on a line with its own origins. Every text is quoted, since a reader of YAML 1.1 (Jenkins) takes a bare yes,
// 1e3 or 12:30 for something else. A library's writer would not tell on which line a node has come to stand.
func YAML(owner, what string, root *Node) *Text {
	t := Of(owner)
	if err := root.failure(); err != nil {
		t.Refuse("%w", err)
		return &t
	}
	t.grow(root)
	t.Header(what)
	if root.holds() {
		t.yaml(0, root, nil)
	} else {
		t.yamlScalar(0, root, nil)
	}
	return &t
}

// yaml writes the entries of an object or array so deep inside others. The first stands where the line has come to: an
// element shares its line with the first of what it holds.
func (t *Text) yaml(depth int, n *Node, from []string) {
	for i, e := range n.entries {
		if i > 0 {
			t.indent(depth)
		}
		own := e.origins(from)
		if n.kind == array {
			t.data = append(t.data, "- "...)
		} else {
			t.yamlKey(e.key)
			if !e.value.holds() {
				t.data = append(t.data, ' ')
			} else {
				t.end(own)
				t.indent(depth + 1)
			}
		}
		if e.value.holds() {
			t.yaml(depth+1, e.value, own)
		} else {
			t.yamlScalar(depth+1, e.value, own)
		}
	}
}

// yamlScalar writes what holds nothing, to the end of its line; a script, on lines of its own.
func (t *Text) yamlScalar(depth int, n *Node, from []string) {
	switch n.kind {
	case text:
		t.data = appendYAML(t.data, n.scalar)
	case script:
		t.yamlScript(depth, n.block, from)
		return
	case object:
		t.data = append(t.data, "{}"...)
	case array:
		t.data = append(t.data, "[]"...)
	default:
		t.data = append(t.data, n.scalar...)
	}
	t.end(from)
}

// yamlScript writes a script as a literal block. Its lines have their own origins.
func (t *Text) yamlScript(depth int, s *Text, from []string) {
	code := string(s.data)
	t.data = append(t.data, '|')
	if code[0] == ' ' || code[0] == '\n' { // how deep it is cannot be seen
		t.data = append(t.data, '2')
	}
	if code == "\n" || strings.HasSuffix(code, "\n\n") { // empty lines at the end are part of it
		t.data = append(t.data, '+')
	}
	t.end(from)
	n := 0
	for line := range strings.Lines(code) {
		if line = strings.TrimSuffix(line, "\n"); line != "" {
			t.indent(depth)
		}
		if strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) && r != '\t' }) {
			t.Refuse("%q cannot stand in a script of YAML", line)
		}
		t.data = append(append(t.data, line...), '\n')
		t.from = append(t.from, s.from[n])
		n++
	}
}

// appendYAML quotes a string. What Go escapes in a string, YAML escapes in the same way; where nothing but quotes and
// backslashes would be, single quotes are easier to read.
func appendYAML(data []byte, s string) []byte {
	if !strings.ContainsAny(s, `"\`) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.AppendQuote(data, s)
	}
	data = append(data, '\'')
	data = append(data, strings.ReplaceAll(s, "'", "''")...)
	return append(data, '\'')
}

// longestYAMLKey is what a reader must take on one line; it need not go on searching for the colon after that.
const longestYAMLKey = 1000

// yamlKey writes a key, bare where no reader can take it for something else.
func (t *Text) yamlKey(key string) {
	if bareKey.MatchString(key) && !notBare[strings.ToLower(key)] {
		t.data = append(t.data, key...)
	} else {
		t.data = strconv.AppendQuote(t.data, key)
	}
	t.data = append(t.data, ':')
	if len(key) > longestYAMLKey {
		t.Refuse("%.20q... is too long for a key of YAML", key)
	}
}

var bareKey = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

// notBare are the words of YAML 1.1 that stand for a truth value or nothing.
var notBare = map[string]bool{"y": true, "n": true, "yes": true, "no": true, "on": true, "off": true, "true": true, "false": true, "null": true}

package conf

import (
	"bytes"
	"encoding/json"
)

// JSON writes a tree as JSON, indented by two spaces, each key and element on a line of its own, so that each has
// its own origins. The file has no comment: JSON knows none.
func JSON(owner string, root *Node) *Text {
	t := Of(owner)
	if err := root.failure(); err != nil {
		t.Refuse("%w", err)
		return &t
	}
	t.grow(root)
	t.json(0, root, "", nil)
	return &t
}

// json writes a node so deep inside others, and what stands after it on its last line. What stands before it on its
// first is written already.
func (t *Text) json(depth int, n *Node, after string, from []string) {
	open, end := "{", "}"
	if n.kind == array {
		open, end = "[", "]"
	}
	switch {
	case n.kind == text:
		t.data = appendJSON(t.data, n.scalar)
	case n.kind == script:
		t.data = appendJSON(t.data, string(n.block.data))
	case n.kind != object && n.kind != array:
		t.data = append(t.data, n.scalar...)
	case len(n.entries) == 0:
		t.data = append(append(t.data, open...), end...)
	default:
		t.data = append(t.data, open...)
		t.end(from)
		for i, e := range n.entries {
			t.indent(depth + 1)
			if n.kind == object {
				t.data = append(appendJSON(t.data, e.key), ": "...)
			}
			comma := ","
			if i == len(n.entries)-1 {
				comma = ""
			}
			t.json(depth+1, e.value, comma, e.origins(from))
		}
		t.indent(depth)
		t.data = append(t.data, end...)
	}
	t.data = append(t.data, after...)
	t.end(from)
}

// appendJSON quotes a string. It leaves <, > and & as they are, which only HTML needs escaped.
func appendJSON(data []byte, s string) []byte {
	if isASCII(s) { // as nearly all are: without the library's buffers
		data = append(data, '"')
		for i := range len(s) {
			if s[i] == '"' || s[i] == '\\' {
				data = append(data, '\\')
			}
			data = append(data, s[i])
		}
		return append(data, '"')
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err) // no string fails
	}
	return append(data, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}

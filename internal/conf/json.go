package conf

import (
	"bytes"
	"encoding/json"
	"strings"
)

// JSON writes a tree as JSON, indented by two spaces, each key and element on a line of its own, so that each has
// its own origins. The file has no comment: JSON knows none.
func JSON(owner string, root *Node) *Text {
	t := Of(owner)
	if err := root.failure(); err != nil {
		t.Refuse("%w", err)
		return &t
	}
	t.json("", "", "", root, nil)
	return &t
}

// json writes one node: what stands before it on its line, and what after it.
func (t *Text) json(indent, before, after string, n *Node, from []string) {
	open, end := "{", "}"
	switch {
	case n.kind == array:
		open, end = "[", "]"
	case n.kind == text:
		t.line(from, indent, before, jsonString(n.scalar), after)
		return
	case n.kind == script:
		t.line(from, indent, before, jsonString(string(n.block.data)), after)
		return
	case n.kind != object:
		t.line(from, indent, before, n.scalar, after)
		return
	}
	if len(n.entries) == 0 {
		t.line(from, indent, before, open, end, after)
		return
	}
	t.line(from, indent, before, open)
	for i, e := range n.entries {
		before, after := "", ","
		if n.kind == object {
			before = jsonString(e.key) + ": "
		}
		if i == len(n.entries)-1 {
			after = ""
		}
		own := e.from
		if len(own) == 0 {
			own = from
		}
		t.json(indent+"  ", before, after, e.value, own)
	}
	t.line(from, indent, end, after)
}

// jsonString quotes a string. It leaves <, > and & as they are, which only HTML needs escaped.
func jsonString(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }) {
		return `"` + s + `"` // as nearly all are: without the library's buffers
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err) // no string fails
	}
	return strings.TrimSuffix(b.String(), "\n")
}

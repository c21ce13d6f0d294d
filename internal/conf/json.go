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
		t.Line(indent+before+jsonString(n.scalar)+after, from...)
		return
	case n.kind == script:
		t.Line(indent+before+jsonString(string(n.block.data))+after, from...)
		return
	case n.kind != object:
		t.Line(indent+before+n.scalar+after, from...)
		return
	}
	if len(n.entries) == 0 {
		t.Line(indent+before+open+end+after, from...)
		return
	}
	t.Line(indent+before+open, from...)
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
	t.Line(indent+end+after, from...)
}

// jsonString quotes a string. It leaves <, > and & as they are, which only HTML needs escaped.
func jsonString(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err) // no string fails
	}
	return strings.TrimSuffix(b.String(), "\n")
}

package conf

import (
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"
)

// Node is a value of a file of data, JSON or YAML, as it is built: an object, an array or a scalar. Objects keep
// the order in which their keys were set. What a node cannot carry is refused when the file is written.
type Node struct {
	kind    kind
	scalar  string // of a text its value, of the others its only spelling in JSON and YAML alike
	entries []entry
	block   *Text // of a script
	err     error
}

type kind int

const (
	text kind = iota
	number
	boolean
	object
	array
	script
)

// entry is a value inside an object or array. Without origins it has those of what holds it.
type entry struct {
	key   string
	value *Node
	from  []string
}

// origins are those of the entry, in what has come from elsewhere.
func (e *entry) origins(from []string) []string {
	if len(e.from) == 0 {
		return from
	}
	return e.from
}

// Object is an object without keys yet.
func Object() *Node { return &Node{kind: object, entries: make([]entry, 0, 4)} }

// Array is an array of the values.
func Array(values ...any) *Node {
	n := &Node{kind: array, entries: make([]entry, 0, len(values))}
	for _, v := range values {
		n.Add(v)
	}
	return n
}

// Set appends a key and its value: a string, bool, int, int64, float64, *Node, slice of strings or ints, or the
// Text of a script, which YAML carries line by line. Every line of the value comes from the origins, unless
// something inside it has its own.
func (n *Node) Set(key string, value any, from ...string) *Node {
	for _, e := range n.entries {
		if e.key == key {
			n.refuse("%s: set twice", key)
		}
	}
	if n.kind != object {
		n.refuse("%s: a key of what is no object", key)
	}
	n.entries = append(n.entries, entry{key, node(value), from})
	return n
}

// Add appends a value to an array.
func (n *Node) Add(value any, from ...string) *Node {
	if n.kind != array {
		n.refuse("%v: an element of what is no array", value)
	}
	n.entries = append(n.entries, entry{"", node(value), from})
	return n
}

// Merge appends the keys of another object.
func (n *Node) Merge(other *Node) *Node {
	for _, e := range other.entries {
		n.Set(e.key, e.value, e.from...)
	}
	return n
}

// Len is how many keys or elements the node has.
func (n *Node) Len() int { return len(n.entries) }

// holds tells whether the node is an object or array that is not empty.
func (n *Node) holds() bool { return len(n.entries) > 0 }

// lines is how many lines the node takes, at most.
func (n *Node) lines() int {
	switch {
	case n.kind == script:
		return 1 + len(n.block.from)
	case !n.holds():
		return 1
	}
	all := 2
	for _, e := range n.entries {
		all += e.value.lines()
	}
	return all
}

// node is the value as a Node.
func node(value any) *Node {
	switch v := value.(type) {
	case *Node:
		return v
	case string:
		n := &Node{kind: text, scalar: v}
		if !utf8.ValidString(v) {
			n.refuse("%q is no UTF-8", v)
		}
		return n
	case bool:
		return &Node{kind: boolean, scalar: strconv.FormatBool(v)}
	case int:
		return &Node{kind: number, scalar: strconv.Itoa(v)}
	case int64:
		return &Node{kind: number, scalar: strconv.FormatInt(v, 10)}
	case float64:
		// Never with an exponent: YAML 1.1 reads 1e3 as text.
		n := &Node{kind: number, scalar: strconv.FormatFloat(v, 'f', -1, 64)}
		if math.IsNaN(v) || math.IsInf(v, 0) {
			n.refuse("%v is no number", v)
		}
		return n
	case []string:
		return slice(v)
	case []int:
		return slice(v)
	case *Text:
		n := &Node{kind: script, block: v}
		if n.err = v.err; len(v.data) == 0 {
			n.refuse("a script without lines")
		}
		return n
	}
	n := &Node{}
	n.refuse("%T is no value of a file of data", value)
	return n
}

func slice[T any](values []T) *Node {
	n := Array()
	for _, v := range values {
		n.Add(v)
	}
	return n
}

func (n *Node) refuse(format string, args ...any) {
	if n.err == nil {
		n.err = fmt.Errorf(format, args...)
	}
}

// failure is the first refusal in the tree.
func (n *Node) failure() error {
	if n.err != nil {
		return n.err
	}
	for _, e := range n.entries {
		if err := e.value.failure(); err != nil {
			return err
		}
	}
	return nil
}

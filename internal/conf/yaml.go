package conf

import (
	"bytes"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// YAML writes a tree as YAML, below the comment that says whose file it is. Syntax is the library's; every text is
// quoted, since a reader of YAML 1.1 (Jenkins) takes a bare yes, 1e3 or 12:30 for something else. Each line has the
// origins of what stands on it.
func YAML(owner, what string, root *Node) *Text {
	t := Of(owner)
	t.Header(what)
	if err := root.failure(); err != nil {
		t.Refuse("%w", err)
		return &t
	}
	var data bytes.Buffer
	encoder := yaml.NewEncoder(&data)
	encoder.SetIndent(2)
	if err := encoder.Encode(root.yaml()); err != nil {
		t.Refuse("%w", err)
		return &t
	}
	from := root.yamlLines(nil, nil)
	if n := bytes.Count(data.Bytes(), []byte("\n")); n != len(from) {
		t.Refuse("%d lines of YAML, origins of %d", n, len(from))
		return &t
	}
	n := 0
	for line := range strings.Lines(data.String()) {
		t.Line(strings.TrimSuffix(line, "\n"), from[n]...)
		n++
	}
	return &t
}

// yamlLines appends the origins of the lines that n takes: one for each key and element, where an element shares its
// line with the first of what it holds. What is inside comes later and wins.
func (n *Node) yamlLines(lines [][]string, from []string) [][]string {
	switch {
	case n.kind == script:
		lines = append(lines, from)
		_, own, _ := n.block.Result()
		for _, origin := range own {
			lines = append(lines, strings.Split(origin, " "))
		}
		return lines
	case n.kind != object && n.kind != array || len(n.entries) == 0:
		return append(lines, from)
	}
	for _, e := range n.entries {
		own := e.from
		if len(own) == 0 {
			own = from
		}
		if v := e.value; n.kind == object && (v.kind == object || v.kind == array) && len(v.entries) > 0 {
			lines = append(lines, own)
		}
		lines = e.value.yamlLines(lines, own)
	}
	return lines
}

// yaml is the node as the library has it.
func (n *Node) yaml() *yaml.Node {
	y := &yaml.Node{Kind: yaml.ScalarNode, Value: n.scalar}
	switch n.kind {
	case text:
		y.Tag, y.Style = "!!str", yaml.DoubleQuotedStyle
		if plain(n.scalar) && strings.ContainsAny(n.scalar, `"\`) {
			y.Style = yaml.SingleQuotedStyle // nothing but ' needs an escape
		}
	case script:
		y.Tag, y.Style, y.Value = "!!str", yaml.LiteralStyle, string(n.block.data)
	case object:
		y = &yaml.Node{Kind: yaml.MappingNode}
		for _, e := range n.entries {
			y.Content = append(y.Content, yamlKey(e.key), e.value.yaml())
		}
	case array:
		y = &yaml.Node{Kind: yaml.SequenceNode}
		for _, e := range n.entries {
			y.Content = append(y.Content, e.value.yaml())
		}
	}
	if len(y.Content) == 0 && y.Kind != yaml.ScalarNode {
		y.Style = yaml.FlowStyle // {} or []
	}
	return y
}

// yamlKey is a bare key where no reader can take it for something else.
func yamlKey(key string) *yaml.Node {
	y := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key}
	if !bareKey.MatchString(key) || notBare[strings.ToLower(key)] {
		y.Style = yaml.DoubleQuotedStyle
	}
	return y
}

var bareKey = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

// notBare are the words of YAML 1.1 that stand for a truth value or nothing.
var notBare = map[string]bool{"y": true, "n": true, "yes": true, "no": true, "on": true, "off": true, "true": true, "false": true, "null": true}

package conf

import (
	"strings"
	"testing"
)

// A reader of CommonMark takes a backslash before punctuation away, and sees nothing else of our texts' own.
func TestMarkdownTextMeansNothing(t *testing.T) {
	for _, s := range append(hostile, "# heading", "1. list", "2) list", "- item", "+ item", "===", "---", "~~~", "<script>", "[a](b)", "![a](b)",
		"a_b_c", "**b**", "&lt;", "a | b", "> quote", "`code`", "7d") {
		m := NewMarkdown("owner", "Title", "What it is.")
		m.Para(nil, "%s", s)
		data, _, err := m.Result()
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
		line := lines[len(lines)-1]
		if got, want := unescaped(line), strings.TrimLeft(printable(s), " "); strings.TrimLeft(got, " ") != want {
			t.Errorf("%q reads as %q", s, got)
		}
		if rest := withoutEscapes(line); strings.ContainsAny(rest, "`*[]<|~&\\") || strings.Contains(" "+rest, " _") || strings.ContainsAny(firstOf(rest), "#+-=") {
			t.Errorf("%q is written %q, which Markdown acts on", s, line)
		}
	}
}

func firstOf(s string) string {
	s = strings.TrimLeft(s, " ")
	return s[:min(1, len(s))]
}

const asciiPunctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"

func unescaped(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && strings.IndexByte(asciiPunctuation, s[i+1]) >= 0 {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// withoutEscapes puts an x where an escaped character stands.
func withoutEscapes(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && strings.IndexByte(asciiPunctuation, s[i+1]) >= 0 {
			b.WriteByte('x')
			i++
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func TestMarkdownCode(t *testing.T) {
	for in, want := range map[string]string{"a": "`a`", "a`b": "``a`b``", "`": "`` ` ``", "a``b`c": "```a``b`c```", "": "`  `"} {
		if got := codeSpan(in); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}

// Whatever a cell holds, a row has as many cells as the head.
func TestMarkdownTable(t *testing.T) {
	for _, s := range append(hostile, "a|b", `\|`, "|") {
		m := NewMarkdown("owner", "Title", "What it is.")
		m.Table("one", "two", "three")
		m.Row(nil, s, Code(s), 3)
		data, _, err := m.Result()
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
		row := lines[len(lines)-1]
		bars := 0
		for i := range len(row) {
			if row[i] == '|' && (i == 0 || row[i-1] != '\\') {
				bars++
			}
		}
		if bars != 4 {
			t.Errorf("%q: %d bars in %s", s, bars, row)
		}
	}
}

func TestMarkdownRefusesWhatEndsItsCommands(t *testing.T) {
	for _, line := range []string{"```", "  ```sh", "a\nb", "\x07"} {
		m := NewMarkdown("owner", "Title", "What it is.")
		m.Commands(nil, line)
		if data, _, err := m.Result(); err == nil {
			t.Errorf("carried %q:\n%s", line, data)
		}
	}
}

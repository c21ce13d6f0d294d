package conf

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
)

// Markdown is a text for a person, who reads it with less(1) at night or in a browser by day (CommonMark, with GitHub's
// tables). What is formatted into it is text: none of it can begin a heading, a link or a piece of HTML.
type Markdown struct{ Text }

// Code is an argument that is set as code: a command, a path, a name to be typed.
type Code string

// NewMarkdown begins a text of the thing at owner.
func NewMarkdown(owner, title, what string) *Markdown {
	m := &Markdown{Of(owner)}
	m.Line("# " + markdown(title))
	m.Blank()
	m.Line("<!-- " + strings.ReplaceAll(strings.ReplaceAll(m.notice(what), "--", "- -"), "\n", " ") + " -->")
	return m
}

// Heading begins a section.
func (m *Markdown) Heading(title string, from ...string) {
	m.Blank()
	m.Line("## "+markdown(title), from...)
}

// Para appends a paragraph. The format is Markdown; its arguments are text, or Code.
func (m *Markdown) Para(from []string, format string, args ...any) {
	m.Blank()
	m.Line(line(format, args), from...)
}

// Item appends an element of a list.
func (m *Markdown) Item(from []string, format string, args ...any) {
	if last := m.data[bytes.LastIndexByte(m.data[:len(m.data)-1], '\n')+1:]; !bytes.HasPrefix(last, []byte("- ")) {
		m.Blank()
	}
	m.Line("- "+line(format, args), from...)
}

// Table begins a table with its columns.
func (m *Markdown) Table(columns ...string) {
	m.Blank()
	m.Line("| " + strings.Join(columns, " | ") + " |")
	m.Line("|" + strings.Repeat(" --- |", len(columns)))
}

// Row appends a row: text, numbers, or Code.
func (m *Markdown) Row(from []string, cells ...any) {
	words := make([]string, len(cells))
	for i, c := range spans(cells) {
		words[i] = strings.ReplaceAll(strings.ReplaceAll(fmt.Sprint(c), `\|`, "|"), "|", `\|`)
	}
	m.Line("| "+strings.Join(words, " | ")+" |", from...)
}

// Commands appends lines to be typed, as they are.
func (m *Markdown) Commands(from []string, lines ...string) {
	m.Blank()
	m.Line("```sh")
	for _, line := range lines {
		if !plain(line) || strings.HasPrefix(strings.TrimSpace(line), "```") {
			m.Refuse("%q: no line of commands", line)
			return
		}
		m.Line(line, from...)
	}
	m.Line("```")
}

// spans are arguments as Markdown has them.
func spans(args []any) []any {
	out := make([]any, len(args))
	for i, a := range args {
		switch a := a.(type) {
		case Code:
			out[i] = codeSpan(printable(string(a)))
		case string:
			out[i] = markdown(a)
		case fmt.Stringer:
			out[i] = markdown(a.String())
		default:
			out[i] = a
		}
	}
	return out
}

// line is a format with its arguments. An argument that begins the line begins no list and no heading.
func line(format string, args []any) string {
	s := fmt.Sprintf(format, spans(args)...)
	if !strings.HasPrefix(format, "%") {
		return s
	}
	s = strings.TrimLeft(s, " ")
	end := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	switch {
	case end > 0 && (s[end] == '.' || s[end] == ')'):
		return s[:end] + `\` + s[end:]
	case s != "" && strings.IndexByte("#+-=", s[0]) >= 0:
		return `\` + s
	}
	return s
}

// markdown is a text in which nothing means anything to Markdown, on one line. An underscore inside a word is one
// (CommonMark 6.2).
func markdown(s string) string {
	runes := []rune(printable(s))
	word := func(i int) bool {
		return i >= 0 && i < len(runes) && (unicode.IsLetter(runes[i]) || unicode.IsDigit(runes[i]))
	}
	var b strings.Builder
	for i, r := range runes {
		if strings.ContainsRune("\\`*[]<>&|~", r) || r == '_' && !(word(i-1) && word(i+1)) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// codeSpan fences a code with more backticks than any run in it has (CommonMark 6.1).
func codeSpan(s string) string {
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") || strings.TrimSpace(s) == "" {
		s = " " + s + " "
	}
	return fence + s + fence
}

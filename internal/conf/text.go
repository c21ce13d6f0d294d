// Package conf writes the languages that hosts are configured in. A writer owns its language's syntax and escaping:
// what it is given reaches the file as that value and nothing else, or the file is refused. A writer also remembers
// of every line where it comes from. It knows nothing of the topology: origins are plain strings.
package conf

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text is a file as it grows, line by line. Every writer is built on it. The first refusal sticks, and Result
// returns it.
type Text struct {
	owner string // origin of lines that name none
	data  []byte
	from  []string
	err   error

	joined string // the last origin that was made of several
}

// Of begins a file that exists because of the thing at owner, a CUE path.
func Of(owner string) Text {
	return Text{owner: owner, data: make([]byte, 0, 512), from: make([]string, 0, 16)}
}

// Line appends one line as it stands. Its origins are CUE paths, the one that decides first; without any it is the
// file's owner.
func (t *Text) Line(line string, from ...string) {
	t.line(from, line)
}

// line is Line for one that comes in parts.
func (t *Text) line(from []string, parts ...string) {
	for _, part := range parts {
		if strings.ContainsAny(part, "\n\r\x00") {
			t.Refuse("%q is more than one line", strings.Join(parts, ""))
			return
		}
		t.data = append(t.data, part...)
	}
	t.end(from)
}

// end ends a line.
func (t *Text) end(from []string) {
	t.data = append(t.data, '\n')
	t.from = append(t.from, t.origin(from))
}

// indent begins a line inside so many others.
func (t *Text) indent(depth int) {
	for range depth {
		t.data = append(t.data, "  "...)
	}
}

// grow makes room for a file of data, as far as its size can be told beforehand.
func (t *Text) grow(root *Node) {
	lines := root.lines()
	t.data = slices.Grow(t.data, 24*lines)
	t.from = slices.Grow(t.from, lines)
}

// Blank appends an empty line.
func (t *Text) Blank() { t.Line("") }

// Comment appends a comment, a "# " before each of its lines.
func (t *Text) Comment(text string, from ...string) { t.comment("# ", text, from) }

func (t *Text) comment(mark, text string, from []string) {
	for line := range strings.SplitSeq(text, "\n") {
		t.Line(strings.TrimRight(mark+printable(line), " "), from...)
	}
}

// Header appends the comment that says whose file this is.
func (t *Text) Header(what string) { t.Comment(t.notice(what)) }

// notice is what a file says of itself: what it is, and which part of the spec decides it.
func (t *Text) notice(what string) string {
	return what + "\nFrom " + t.owner + ", by odoogen. A change here is lost: edit the spec, build, review, push."
}

// Refuse makes the file fail. Only the first refusal counts.
func (t *Text) Refuse(format string, args ...any) {
	if t.err == nil {
		t.err = fmt.Errorf("%s: "+format, append([]any{t.owner}, args...)...)
	}
}

// Result is the file: its bytes, the origin of each line, and the first refusal.
func (t *Text) Result() (data []byte, from []string, err error) { return t.data, t.from, t.err }

func (t *Text) origin(from []string) string {
	switch len(from) {
	case 0:
		return t.owner
	case 1:
		return from[0]
	}
	if !isJoined(t.joined, from) { // as a rule, the next line has the same
		t.joined = strings.Join(from, " ")
	}
	return t.joined
}

// isJoined tells whether s is the words with a space between them.
func isJoined(s string, words []string) bool {
	for i, w := range words {
		rest, ok := strings.CutPrefix(s, w)
		if i < len(words)-1 && ok {
			rest, ok = strings.CutPrefix(rest, " ")
		}
		if !ok {
			return false
		}
		s = rest
	}
	return s == ""
}

// printable drops what could end a comment or confuse its reader: control characters and invalid UTF-8.
func printable(s string) string {
	if isASCII(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}

// isASCII tells whether s is printable ASCII, as nearly every line is: nothing in it needs a closer look.
func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// plain tells whether s is one line of valid text without control characters: what most languages can carry.
func plain(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

package topology

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"cuelang.org/go/cue/errors"
)

// loadProblems are the mistakes that keep CUE from reading the files at all: their syntax, and imports. Only the
// first of each file counts, the others follow from it.
func (e *evaluation) loadProblems(err error) Problems {
	var problems Problems
	seen := map[string]bool{}
	for _, ce := range errors.Errors(err) {
		format, args := ce.Msg()
		p := Problem{Message: fmt.Sprintf(format, args...)}
		for _, pos := range errors.Positions(ce) {
			if !inSchema(pos.Filename()) {
				p.Place = Place{File: path.Join(e.dir, pos.Filename()), Line: pos.Line(), Col: pos.Column()}
				break
			}
		}
		if seen[p.Place.File] {
			continue
		}
		seen[p.Place.File] = true
		text, _ := fs.ReadFile(e.files, strings.TrimPrefix(p.Place.File, path.Clean(e.dir)+"/"))
		explainSyntax(&p, string(text))
		problems = append(problems, p)
	}
	return problems
}

var (
	bareDash    = regexp.MustCompile(`(?:^|[\s{,:])([A-Za-z_][A-Za-z0-9_]*(?:-[A-Za-z0-9_]+)+)\s*:`)
	foundString = regexp.MustCompile(`^expected label or ':', found '(\w+)' (.*)$`)
	importLine  = regexp.MustCompile(`^\s*(?:import\s+)?(?:\w+\s+)?("[^"]+")`)
)

// explainSyntax words a syntax error for somebody who sees CUE for the first time.
func explainSyntax(p *Problem, text string) {
	lines := strings.Split(text, "\n")
	line := ""
	if p.Place.Line > 0 && p.Place.Line <= len(lines) {
		line = lines[p.Place.Line-1]
	}
	found := foundString.FindStringSubmatch(p.Message)
	imported := importLine.FindStringSubmatch(line)
	switch dash := bareDash.FindStringSubmatch(line); {
	case dash != nil && strings.HasPrefix(p.Message, "missing ','"):
		p.Message = "a name with \"-\" needs quotes"
		p.Hint = fmt.Sprintf("%q: ...", dash[1])
	case strings.Contains(p.Message, "found 'EOF'"):
		p.Message = "the file ends inside braces: a } is missing"
		if at := unclosed(lines); at > 0 {
			p.Also = []Also{{Place: Place{File: p.Place.File, Line: at}, Message: "opened here, or below"}}
		}
	case strings.Contains(p.Message, "before newline in list literal"):
		p.Message = "the list does not end: a ] or a , is missing"
	case strings.HasPrefix(p.Message, "missing ',' in"):
		p.Message = "a , or a line break is missing before this"
	case p.Message == "string literal not terminated":
		p.Message = "the text does not end: a \" is missing"
	case p.Message == "unknown escape sequence":
		p.Message = `\ does not go with what follows it`
		p.Hint = `a backslash itself is written \\`
	case strings.HasPrefix(p.Message, "import failed") && imported != nil:
		p.Message = "cannot import " + imported[1]
		p.Hint = "only the spec's own folder is read, and no network"
	case found != nil:
		p.Message = fmt.Sprintf("a : is missing before %s", found[2])
		if strings.HasPrefix(found[2], `"github.`) || strings.HasPrefix(strings.TrimSpace(line), "import") {
			p.Message = "an import stands before everything else"
		}
	}
}

// unclosed is the line of the last top-level field that begins before another top-level field ends it, or zero: a
// forgotten brace is one of its.
func unclosed(lines []string) int {
	depth, opened := 0, 0
	for n, line := range lines {
		top := line != "" && line[0] != '\t' && line[0] != ' ' && line[0] != '}' && line[0] != '/' && line[0] != ']'
		if top {
			if depth > 0 {
				return opened
			}
			opened = n + 1
		}
		depth += braces(line)
	}
	if depth > 0 {
		return opened
	}
	return 0
}

// braces is how many more braces a line opens than it closes, outside of texts and comments.
func braces(line string) int {
	n, quoted := 0, false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '/' && strings.HasPrefix(line[i:], "//"):
			return n
		case c == '{':
			n++
		case c == '}':
			n--
		}
	}
	return n
}

package topology

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing/fstest"
	"unicode"

	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/parser"

	"odoogen/schema"
)

// readable takes out of the user's files what keeps CUE from reading them: statements with a mistake of syntax, and
// imports that lead nowhere. Each is a problem; what is left can be looked at for others. It tells whether it found
// anything.
func (e *evaluation) readable(err error) bool {
	texts := map[string][]byte{}
	names, _ := fs.Glob(e.files, "*.cue")
	for _, name := range names {
		if name != binderFile {
			e.leaveOutStatements(name, texts)
		}
	}
	if len(texts) == 0 {
		e.leaveOutImports(err, texts)
	}
	e.files = lessFS{e.files, texts}
	e.partial = true
	return len(texts) > 0
}

// mostStatements bounds the mistakes of syntax that are said of one file.
const mostStatements = 20

// leaveOutStatements blanks every statement of a file's top level that cannot be parsed. Of the mistakes of one
// statement the first counts: the others follow from it.
func (e *evaluation) leaveOutStatements(name string, texts map[string][]byte) {
	text, err := fs.ReadFile(e.files, name)
	if err != nil {
		return
	}
	for range mostStatements {
		_, err := parser.ParseFile(name, text, parser.Version(schema.Version))
		if err == nil {
			return
		}
		first := slices.MinFunc(errors.Errors(err), func(a, b errors.Error) int { return a.Position().Compare(b.Position()) })
		lines := strings.Split(string(text), "\n")
		p := e.unreadable(first)
		from, to := p.Place.Line, p.Place.Line
		if !strings.Contains(p.Message, "expected 'EOF'") {
			from, to = statement(lines, p.Place.Line)
		}
		if strings.Contains(p.Message, "found 'EOF'") && unclosed(lines) > 0 {
			from, to = statement(lines, unclosed(lines))
		}
		explainSyntax(&p, lines)
		e.problems = append(e.problems, p)
		texts[name] = blank(lines, from, to)
		if string(texts[name]) == string(text) || !packageClause().Match(texts[name]) {
			texts[name] = []byte("package " + packageName + "\n") // no statement, or the first: the rest says nothing
		}
		text = texts[name]
	}
}

var packageClause = lazily(`(?m)^\s*package `)

// leaveOutImports blanks the imports that cannot be followed.
func (e *evaluation) leaveOutImports(err error, texts map[string][]byte) {
	for _, ce := range errors.Errors(err) {
		p := e.unreadable(ce)
		name := strings.TrimPrefix(p.Place.File, path.Clean(e.dir)+"/")
		text, ok := texts[name]
		if !ok {
			if text, _ = fs.ReadFile(e.files, name); text == nil {
				continue
			}
		}
		lines := strings.Split(string(text), "\n")
		explainSyntax(&p, lines)
		e.problems = append(e.problems, p)
		texts[name] = blank(lines, p.Place.Line, p.Place.Line)
	}
}

// unreadable is a mistake that keeps CUE from reading, in CUE's words, at the user's place.
func (e *evaluation) unreadable(ce errors.Error) Problem {
	format, args := ce.Msg()
	p := Problem{Message: fmt.Sprintf(format, args...), Place: Place{File: path.Join(e.dir, "envs.cue"), Line: 1, Col: 1}}
	for _, pos := range errors.Positions(ce) {
		if !inSchema(pos.Filename()) {
			p.Place = Place{File: path.Join(e.dir, pos.Filename()), Line: pos.Line(), Col: pos.Column()}
			break
		}
	}
	return p
}

// lessFS is a file system without some statements of its files.
type lessFS struct {
	fs.FS
	texts map[string][]byte
}

func (f lessFS) Open(name string) (fs.File, error) {
	if text, ok := f.texts[name]; ok {
		return fstest.MapFS{name: {Data: text, Mode: 0o444}}.Open(name)
	}
	return f.FS.Open(name)
}

func (f lessFS) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(f.FS, name) }

// statement is the lines of the statement of the top level that line n belongs to, from 1.
func statement(lines []string, n int) (from, to int) {
	from = min(n, len(lines))
	for from > 1 && !atTop(lines[from-1]) {
		from--
	}
	to = from
	for to < len(lines) && !atTop(lines[to]) {
		to++
	}
	return from, max(to, n)
}

// atTop tells whether a line begins a statement of the top level, as far as one can see.
func atTop(line string) bool { return topLevel().MatchString(line) }

var topLevel = lazily(`^(?:(?:package|import|for|if|let)\b|[@{(\["]|#?[_A-Za-z][\w$-]*(?:\s*[:?!=&]|\s+[#_A-Za-z"{\[]))`)

// blank is the text with lines of spaces in the place of some, so that all else keeps its place.
func blank(lines []string, from, to int) []byte {
	out := slices.Clone(lines)
	for n := from; n <= min(to, len(out)); n++ {
		out[n-1] = strings.Repeat(" ", len(out[n-1]))
	}
	return []byte(strings.Join(out, "\n"))
}

var (
	bareDash     = lazily(`(?:^|[\s{,:])([A-Za-z_][A-Za-z0-9_]*(?:-[A-Za-z0-9_]+)+)\s*:`)
	foundString  = lazily(`^expected label or ':', found '([^']+)'(?: (.*))?$`)
	noOperand    = lazily(`^expected operand, found '?([^' ]+)'?`)
	illegal      = lazily(`^illegal character U\+([0-9A-F]+)`)
	importLine   = lazily(`^\s*(?:import\s+)?(?:\w+\s+)?("[^"]+")`)
	equalsSign   = lazily(`[\w"\]]\s*=\s*["\w\[{]`)
	lastName     = lazily(`([#_A-Za-z][\w#]*)\s*$`)
	lastNumber   = lazily(`[0-9][0-9.]*$`)
	firstLetters = lazily(`^[A-Za-z_]\w*`)
	bareQuota    = lazily(`[0-9]+$`)
	bareAddress  = lazily(`[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+(?:/[0-9]+)?|[0-9a-f]{1,4}:[0-9a-f:]+(?:/[0-9]+)?`)
	bareTime     = lazily(`(?:\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\s+)?[0-9][0-9A-Za-z:.-]*`)
)

// explainSyntax words a syntax error for somebody who sees CUE for the first time.
func explainSyntax(p *Problem, lines []string) {
	line := ""
	if p.Place.Line > 0 && p.Place.Line <= len(lines) {
		line = lines[p.Place.Line-1]
	}
	col := min(max(p.Place.Col-1, 0), len(line))
	before, after := line[:col], line[col:]
	comma := strings.HasPrefix(p.Message, "missing ','")
	switch dash := bareDash().FindStringSubmatch(line); {
	case strings.HasPrefix(strings.TrimSpace(line), "#") && !strings.HasPrefix(strings.TrimSpace(line)+":", firstLabel(line)+":"):
		p.Message = "a comment begins with //, not #"
	case dash != nil && comma:
		p.Message = "a name with \"-\" needs quotes"
		p.Hint = fmt.Sprintf("%q: ...", dash[1])
	case p.Message == "illegal character NUL":
		p.Message = "the file is no text"
	case illegal().MatchString(p.Message):
		explainCharacter(p, before, after)
	case strings.Contains(p.Message, "found 'EOF'"):
		p.Message = "the file ends inside braces: a } is missing"
		if at := unclosed(lines); at > 0 {
			p.Also = []Also{{Place: Place{File: p.Place.File, Line: at}, Message: "opened here, or below"}}
		}
	case strings.HasPrefix(p.Message, "expected 'EOF', found '"):
		p.Message = fmt.Sprintf("a %s too many", strings.Trim(strings.TrimPrefix(p.Message, "expected 'EOF', found "), "'"))
	case strings.HasPrefix(p.Message, "expected 'IDENT'"):
		p.Message = "a name is missing here"
		if strings.HasPrefix(strings.TrimSpace(line), "package") {
			p.Message = "the package has no name"
			p.Hint = "package " + packageName
		}
	case strings.Contains(p.Message, "before newline in list literal"):
		p.Message = "the list does not end: a ] or a , is missing"
	case strings.HasPrefix(p.Message, "import failed") && importLine().MatchString(line):
		p.Message = "cannot import " + importLine().FindStringSubmatch(line)[1]
		p.Hint = "only the spec's own folder is read, and no network"
	case strings.HasPrefix(p.Message, "illegal integer number"), strings.HasPrefix(p.Message, "illegal exponent"):
		explainNumber(p, line, col)
	case equalsSign().MatchString(line) && (comma || foundString().MatchString(p.Message) || strings.HasPrefix(p.Message, "expected")):
		at := equalsSign().FindStringIndex(line)
		p.Place.Col = at[0] + strings.Index(line[at[0]:], "=") + 1
		p.Message = "a field is set with :, not with ="
	case comma:
		explainComma(p, before, after)
	case p.Message == "string literal not terminated":
		p.Message = "the text does not end: a \" is missing"
	case p.Message == "unknown escape sequence":
		p.Message = `\ does not go with what follows it`
		p.Hint = `a backslash itself is written \\`
	case noOperand().MatchString(p.Message):
		p.Message = "a value is missing before " + noOperand().FindStringSubmatch(p.Message)[1]
	case foundString().MatchString(p.Message):
		found := foundString().FindStringSubmatch(p.Message)
		p.Message = fmt.Sprintf("a : is missing before %s", found[2])
		if found[2] == "_|_" {
			p.Message = "a : is missing before this"
		}
		if strings.HasPrefix(found[2], `"github.`) || strings.HasPrefix(strings.TrimSpace(line), "import") {
			p.Message = "an import stands before everything else"
		}
	}
}

// firstLabel is the definition that a line begins with, "#AX42U", or a text that no line begins with.
func firstLabel(line string) string {
	if m := regexp.MustCompile(`^\s*(#[A-Za-z_]\w*)\s*:`).FindStringSubmatch(line); m != nil {
		return m[1]
	}
	return "\x00"
}

// explainComma words the mistakes after which CUE's parser misses a comma.
func explainComma(p *Problem, before, after string) {
	name := lastName().FindStringSubmatch(before)
	address := bareAddress().FindString(before[strings.LastIndexAny(before, " \t:[,")+1:] + after)
	switch {
	case strings.HasPrefix(after, "]"), strings.HasPrefix(after, "}"), strings.HasPrefix(after, ")"):
		p.Message = fmt.Sprintf("a %s too many", after[:1])
	case strings.HasPrefix(after, ";"):
		p.Message = "fields are divided by a , or a line break, not by ;"
	case strings.HasPrefix(after, ":") && lastNumber().MatchString(before):
		p.Message = "a name that begins with a digit needs quotes"
		p.Hint = fmt.Sprintf("%q: ...", strings.TrimSpace(lastNumber().FindString(before)))
	case lastNumber().MatchString(before) && firstLetters().MatchString(after):
		p.Message = "a name that begins with a digit needs quotes"
		p.Hint = fmt.Sprintf("%q: ...", strings.TrimSpace(lastNumber().FindString(before))+firstLetters().FindString(after))
	case address != "" && lastNumber().MatchString(before):
		p.Message = "an address needs quotes"
		p.Hint = strconv.Quote(address)
	case name != nil && strings.HasPrefix(name[1], "#") && strings.HasPrefix(after, "{"):
		p.Message = fmt.Sprintf("a & is missing between %s and {", name[1])
	case name != nil && (strings.HasPrefix(after, "{") || strings.HasPrefix(after, "#")):
		p.Message = "a : is missing after " + name[1]
	default:
		p.Message = "a , or a line break is missing before this"
	}
}

// explainCharacter words a character that CUE has no use for.
func explainCharacter(p *Problem, before, after string) {
	code, _ := strconv.ParseInt(illegal().FindStringSubmatch(p.Message)[1], 16, 32)
	switch r := rune(code); {
	case r == '%' && bareQuota().MatchString(before):
		p.Message = "a value with % needs quotes"
		p.Hint = strconv.Quote(bareQuota().FindString(before) + "%")
	case r == ';':
		p.Message = "fields are divided by a , or a line break, not by ;"
	case strings.ContainsRune("\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb", r):
		p.Message = fmt.Sprintf("%c is no quotation mark of CUE", r)
		p.Hint = `text stands in straight quotes: "..."`
	case r == 0 || r == 0xFFFD:
		p.Message = "the file is no text"
	case !unicode.IsGraphic(r) || unicode.IsSpace(r):
		p.Message = fmt.Sprintf("an invisible character (%U)", r)
		p.Hint = "a plain space, or nothing"
	default:
		p.Message = fmt.Sprintf("%c has no meaning here", r)
		p.Hint = "text stands in quotes"
	}
}

// explainNumber words what begins like a number and is none.
func explainNumber(p *Problem, line string, col int) {
	for _, at := range bareTime().FindAllStringIndex(line, -1) {
		if at[0] <= col && col < at[1] {
			text := line[at[0]:at[1]]
			p.Message = text + " is no number"
			p.Hint = "as text, in quotes: " + strconv.Quote(text)
			if digits := strings.TrimLeft(text, "0"); digits != "" && strings.Trim(digits, "0123456789") == "" {
				p.Hint = "as a number, without the 0 before it: " + digits
			}
		}
	}
}

// unclosed is the line of the last top-level field that begins before another top-level field ends it, or zero: a
// forgotten brace is one of its.
func unclosed(lines []string) int {
	depth, opened := 0, 0
	for n, line := range lines {
		if atTop(line) {
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

// lazily is a pattern that is compiled when it is first used: most specs have no mistake.
func lazily(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

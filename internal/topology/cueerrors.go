package topology

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/token"
)

// fault is one of CUE's errors, taken apart.
type fault struct {
	path   string
	format string // as CUE words it, which tells the kinds apart
	args   []string
	user   []Place // where the user had a part in it, nearest first
	schema int     // position in the definitions, for an order
}

// CUE's wordings, by which its errors are told apart.
const (
	notAllowed    = "field not allowed"
	required      = "field is required but not present"
	conflict      = "conflicting values %s and %s"
	mismatch      = conflict + " (mismatched types %s and %s)"
	outOfBound    = "invalid value %v (out of bound %s)"
	notFound      = "reference %q not found"
	undefined     = "undefined field: %s"
	notImported   = "imported and not used: %s"
	noRange       = "cannot range over %s (found %s, want list or struct)"
	noPackage     = "builtin package %q undefined"
	notUsed       = "unreferenced alias or let clause %s"
	badCondition  = "cannot use %s (type %s) as type %s"
	interpolation = "invalid interpolation"
	fieldName     = "key value of dynamic field must be concrete, found %v"
	fieldNoName   = "key value of dynamic field not yet known"
	fieldNumber   = "integer fields not supported"
	structCycle   = "structural cycle"
	explicit      = "explicit error (_|_ literal) in source"
	incomplete    = "incomplete value %v"
	emptyOr       = "%d errors in empty disjunction:"
	wrongLength   = "incompatible list lengths (%d and %d)"
	schemaMessage = "%s" // error("...") in the schema
)

// report turns CUE's errors into problems: one for each mistake, at the user's place. Again, it only takes what
// the mended places do not explain.
func (e *evaluation) report(err error, again bool) {
	heads := map[string]bool{}   // paths at which no way of a disjunction fits
	unknown := map[string]bool{} // paths of fields that the schema does not know
	noneSuch := map[Place]bool{} // where packages are imported that there are not
	inText := map[string]bool{}  // paths of texts of which a part has no value
	var faults []fault
	for _, ce := range errors.Errors(err) {
		f := e.takeApart(ce)
		if f.format == emptyOr {
			heads[f.path] = true
			continue
		}
		if f.schema > 0 {
			e.ownFirst(&f)
		}
		switch f.format {
		case notAllowed:
			unknown[f.path] = !strings.HasSuffix(f.path, "]") // one way of a list that is too short
		case interpolation:
			inText[f.path] = true
		case noPackage:
			if len(f.user) > 0 {
				noneSuch[f.user[0]] = true
			}
		}
		faults = append(faults, f)
	}
	// What lies in an unknown field is unknown as well, and half a text is not of the right form.
	faults = slices.DeleteFunc(faults, func(f fault) bool {
		if f.format == notAllowed {
			for p := parent(f.path); p != ""; p = parent(p) {
				if unknown[p] {
					return true
				}
			}
		}
		if f.format == fieldName && strings.Contains(f.args[0], interpolation) {
			return true // said of the text
		}
		return f.format == schemaMessage && inText[f.path] || f.format == notImported && len(f.user) > 0 && noneSuch[f.user[0]]
	})
	ways := map[string][]fault{}
	var order []string
	for _, f := range faults {
		head := ""
		for p := f.path; p != ""; p = parent(p) {
			if heads[p] {
				head = p
			}
		}
		if head == "" {
			e.take(f.path, e.single(f), f, again)
			continue
		}
		if ways[head] == nil {
			order = append(order, head)
		}
		ways[head] = append(ways[head], f)
	}
	for _, head := range order {
		e.disjunction(head, ways[head], again)
	}
}

// take adds a problem and says how its place is mended. A template's mistake comes once for each use: it is
// printed once, but spoils all of them.
func (e *evaluation) take(path string, p Problem, f fault, again bool) {
	absence := f.format == required || strings.HasPrefix(f.format, "incomplete") || strings.HasPrefix(f.format, "non-concrete")
	if absence && e.exists(path) {
		return // it is said of a value that is meant to be another one
	}
	if e.partial && (absence || f.format == notFound) {
		e.broken.add(path) // what could not be read may have it
		if f.format == notFound && p.Place.Line > 0 {
			e.mended[p.Place] = unset
		}
		return
	}
	if again && f.format != notAllowed && (path != "" && e.broken["="+path] || slices.ContainsFunc(f.args, isStopgap)) {
		e.broken.add(path)
		if !absence && p.Place.Line > 0 {
			e.mended[p.Place] = unset
		}
		return // a consequence of what stands in the place of a mistake
	}
	if again {
		_, mended := e.mended[p.Place]
		if mended || absence && (f.format != required && len(f.user) == 0 || e.broken.below(path)) || strings.HasPrefix(f.format, "non-concrete") {
			e.broken.add(path) // it follows from a mistake that is known, and has no value either
			return
		}
	}
	if f.format == required && e.suggested[path] {
		e.broken.add(path)
		return
	}
	if p.Place.Line == 0 {
		if e.broken.below(path) {
			return // what it lies in is wrong, and has a place
		}
		p.Place = e.origins.written(path)
		if first, _, _ := strings.Cut(path, "."); p.Place == e.origins.top && e.names[first].Line > 0 {
			p.Place = e.names[first]
		}
	}
	e.broken.add(path)
	key := [3]string{p.Place.String(), p.Message}
	if absence {
		key[2] = p.Path
	}
	if i, known := e.said[key]; known {
		if e.problems[i].Hint == "" {
			e.problems[i].Hint = p.Hint
		}
		if strings.HasPrefix(p.Path, "#") {
			e.problems[i].Path = p.Path
		}
		return
	}
	e.said[key] = len(e.problems)
	e.problems = append(e.problems, p)
	switch {
	case absence || len(f.user) == 0:
	case f.format == notAllowed:
		e.mended[p.Place] = drop
	default:
		e.mended[p.Place] = unset
	}
}

// isStopgap tells whether a value is what has been put in the place of a wrong one, or made of it.
func isStopgap(value string) bool {
	return value == "_" || strings.HasPrefix(value, "_.") || strings.HasPrefix(value, "_[")
}

// ownFirst puts the place where a field is set before those where what it refers to is.
func (e *evaluation) ownFirst(f *fault) {
	name := strings.Trim(f.path[len(parent(f.path)):], `."`)
	slices.SortStableFunc(f.user, func(a, b Place) int {
		own := func(p Place) int {
			if e.labels[p] == name {
				return 0
			}
			return 1
		}
		return own(a) - own(b)
	})
}

// exists tells whether there is a value at a path, whatever was said of it.
func (e *evaluation) exists(path string) bool {
	p := cue.ParsePath(path)
	if p.Err() != nil {
		return false
	}
	v := e.origins.root.LookupPath(p)
	return v.Exists() && v.IsConcrete() && v.Err() == nil
}

func (e *evaluation) takeApart(ce errors.Error) fault {
	format, args := ce.Msg()
	f := fault{format: format, path: cuePath(ce.Path())}
	for _, a := range args {
		f.args = append(f.args, fmt.Sprint(a))
	}
	for _, pos := range append([]token.Pos{ce.Position()}, ce.InputPositions()...) {
		switch {
		case !pos.IsValid():
		case inSchema(pos.Filename()):
			if f.schema == 0 {
				f.schema = pos.Offset()
			}
		default:
			if at := e.origins.place(pos); !slices.Contains(f.user, at) {
				f.user = append(f.user, at)
			}
		}
	}
	return f
}

// cuePath joins the labels of an error's path; numbers are positions in a list.
func cuePath(labels []string) string {
	var b strings.Builder
	for _, l := range labels {
		if _, err := strconv.Atoi(l); err == nil {
			b.WriteString("[" + l + "]")
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(l)
	}
	return b.String()
}

// single is the problem of an error that stands for itself.
func (e *evaluation) single(f fault) Problem {
	p := Problem{Path: f.path}
	if strings.HasPrefix(f.path, "let[") {
		p.Path = ""
	}
	if len(f.user) > 0 {
		p.Place = f.user[0]
	}
	name := strings.TrimPrefix(f.path[len(parent(f.path)):], ".")
	switch f.format {
	case notAllowed:
		p.Message = "unknown field " + name
		p.Hint = e.similarField(f.path, name)
	case required:
		p.Message = missing
		p.Place = e.origins.written(parent(f.path))
		p.Hint = e.doc(f.path)
		if at, asked := e.asked[name]; asked {
			p.Place = at
			p.Hint = fmt.Sprintf("%s: sets it; with ? or ! it only says what the value may be", name)
		}
	case incomplete:
		p.Message = "has no value yet, want " + wanted(f.args[0])
		if strings.Contains(f.args[0], "=~") {
			p.Message, p.Hint = "has no value yet", e.doc(f.path)
		}
		if p.Place.Line == 0 {
			p.Place = e.origins.written(f.path)
		}
	case notFound:
		p.Message = "nothing is named " + f.args[0]
		p.Hint = e.unquoted(f.args[0])
	case undefined:
		p.Message = "there is no " + f.args[0] + " in what this refers to"
	case notImported:
		p.Message = "imported, but not used: " + f.args[0]
		p.Hint = "leave the import out"
	case noPackage:
		p.Message = fmt.Sprintf("cannot import %q", f.args[0])
		p.Hint = "CUE has no package of that name; there are strings, list, math, net, time, regexp and others"
	case notUsed:
		p.Message = f.args[0] + " is never used"
		p.Hint = "leave it out"
	case badCondition:
		p.Message = fmt.Sprintf("invalid value %s, want %s", f.args[0], wanted(f.args[2]))
	case interpolation:
		p.Message = `a part of the text, \(...), has no value`
	case fieldName, fieldNoName:
		p.Message = `the name of a field, "\(...)" or (...), has no value`
	case fieldNumber:
		p.Message = "the name of a field is a text, not a number"
	case noRange:
		p.Message = "for goes through a list or fields in braces, not through " + f.args[0]
	case structCycle:
		p.Message = "holds itself, without an end"
	case explicit:
		p.Message = "an error stands in the place of a value"
	case schemaMessage:
		p.Message = f.args[0]
		if v := strconv.Quote(e.literals[p.Place]); strings.Contains(p.Message, v) {
			p.Hint = "in quotes: " + v
		}
	case wrongLength:
		p.Message = fmt.Sprintf("set to lists of %s and of %s elements", f.args[0], f.args[1])
		p.Hint = "a list is set in one place, whole"
	case outOfBound:
		p.Message = fmt.Sprintf("invalid value %s, want %s", f.args[0], wanted(f.args[1]))
	case conflict, mismatch:
		if wrong, ok := e.otherKind(f); ok {
			return wrong
		}
		if len(f.user) > 1 && f.schema == 0 {
			return setTwice(p, f)
		}
		p.Message = e.unwanted(f, []string{e.want(f)})
		p.Hint = quotedNumber(e.value(f), e.want(f))
		if e.value(f) == "{...}" && e.want(f) == wanted("string") {
			p.Hint = "its name alone, in quotes"
		}
	default:
		f.format = strings.TrimPrefix(f.format, "failed arithmetic: ")
		p.Message = fmt.Sprintf(strings.ReplaceAll(strings.ReplaceAll(f.format, "%d", "%s"), "%q", "%s"), anys(f.args)...)
		if p.Place.Line == 0 {
			p.Place = e.origins.written(parent(f.path))
		}
	}
	return p
}

// setTwice is the problem of two places that both set a value: the later one, and the earlier beside it.
func setTwice(p Problem, f fault) Problem {
	a, b := f.args[0], f.args[1]
	first, second := f.user[1], f.user[0]
	if comparePlaces(first, second) > 0 {
		first, second = second, first
	} else {
		a, b = b, a
	}
	p.Place = second
	p.Message = fmt.Sprintf("set to %s, but it is %s already", outline(b), outline(a))
	p.Also = []Also{{Place: first, Message: "set here first"}}
	return p
}

// outline is a value as a message has room for it.
func outline(value string) string {
	switch {
	case strings.HasPrefix(value, "{"):
		return "{...}"
	case strings.HasPrefix(value, "["):
		return "[...]"
	}
	return shortened(value)
}

// otherKind is the problem of two places of the user of which one has fields or a list where the schema wants the
// other, or neither: that place alone is wrong.
func (e *evaluation) otherKind(f fault) (Problem, bool) {
	want := kindAt(f.path)
	if f.format != mismatch || f.schema > 0 || len(f.user) < 2 || want == "" {
		return Problem{}, false
	}
	for n, kind := range f.args[2:] {
		if kind != want && n < len(f.user) {
			return Problem{Path: f.path, Place: f.user[n],
				Message: fmt.Sprintf("invalid value %s, want %s", outline(f.args[n]), wanted(want))}, true
		}
	}
	return Problem{}, false
}

// kindAt is struct or list, as the model has it at a path; empty for any other.
func kindAt(path string) string {
	holder := modelType(parent(path))
	if modelType(path) != nil {
		return "struct"
	}
	if holder == nil {
		return ""
	}
	t, ok := fieldNamed(holder, strings.Trim(path[len(parent(path)):], `."`))
	switch {
	case !ok || t.Kind() != reflect.Slice:
		return ""
	case t.Elem().Kind() == reflect.Pointer:
		return "struct"
	}
	return "list"
}

// disjunction is the problem of a value that fits none of several ways. Every way has failed by itself; those that
// only say "not the default" are noise.
func (e *evaluation) disjunction(head string, ways []fault, again bool) {
	var at []fault
	below := false
	worded := map[string]bool{} // the schema has words for it: the element of a list's default beside is noise
	for _, f := range ways {
		worded[f.path] = worded[f.path] || f.format == schemaMessage
	}
	for _, f := range ways {
		listNoise := strings.HasSuffix(f.path, "]") && (f.format == notAllowed || worded[f.path] && f.format != schemaMessage)
		switch {
		case f.format == wrongLength || listNoise:
		case f.path != head:
			below = true
			e.take(f.path, e.single(f), f, again)
		default:
			at = append(at, f)
		}
	}
	if below || len(at) == 0 {
		e.broken.add(head)
		return
	}
	if kindAt(head) != "" { // two values of another kind disagree, and neither is right
		at = slices.DeleteFunc(at, func(f fault) bool { return f.format == conflict && f.schema == 0 })
	}
	if len(at) == 0 {
		return
	}
	slices.SortStableFunc(at, func(a, b fault) int { return cmp.Compare(a.schema, b.schema) })
	var wants []string
	for _, f := range at {
		if f.format == schemaMessage {
			e.take(head, e.single(f), f, again)
			return
		}
		if f.format == conflict && len(f.user) > 1 && f.schema == 0 && kindAt(head) == "" {
			e.take(head, setTwice(Problem{Path: head}, f), f, again)
			return
		}
		if w := e.want(f); !slices.Contains(wants, w) {
			wants = append(wants, w)
		}
	}
	// A default beside a type or a bound is one of many right values.
	literal := func(w string) bool { return !strings.Contains(w, " ") }
	if !slices.ContainsFunc(wants, func(w string) bool { return !literal(w) }) {
		e.take(head, e.enum(at[0], wants), at[0], again)
		return
	}
	wants = slices.DeleteFunc(wants, literal)
	p := e.enum(at[0], wants)
	p.Hint = quotedNumber(e.value(at[0]), strings.Join(wants, " "))
	e.take(head, p, at[0], again)
}

func (e *evaluation) enum(f fault, wants []string) Problem {
	p := Problem{Path: f.path, Message: e.unwanted(f, wants)}
	if len(f.user) > 0 {
		p.Place = f.user[0]
	}
	return p
}

func (e *evaluation) unwanted(f fault, wants []string) string {
	return fmt.Sprintf("invalid value %s, want %s", e.value(f), strings.Join(wants, " or "))
}

// value is what the user wrote.
func (e *evaluation) value(f fault) string {
	if len(f.user) > 0 {
		if v := e.literals[f.user[0]]; v != "" {
			return v
		}
	}
	if (f.format == conflict || f.format == mismatch) && isType(f.args[0]) && !isType(f.args[1]) {
		return outline(f.args[1])
	}
	return outline(f.args[0])
}

// isType tells whether CUE's text is a type or a bound, which no user writes for a value.
func isType(text string) bool {
	return wanted(text) != shortened(text) && !strings.HasPrefix(text, "-")
}

// want is what the schema would have had in its place.
func (e *evaluation) want(f fault) string {
	switch f.format {
	case outOfBound:
		return wanted(f.args[1])
	case mismatch:
		if v := e.value(f); v == f.args[1] || v == outline(f.args[1]) && v != outline(f.args[0]) {
			return wanted(cmp.Or(typeOnly(f.args[2]), f.args[0]))
		}
		return wanted(cmp.Or(typeOnly(f.args[3]), f.args[1]))
	case conflict:
		if e.value(f) == f.args[0] {
			return wanted(f.args[1])
		}
		return wanted(f.args[0])
	}
	return "something else"
}

// typeOnly is a kind of value that is better named than shown.
func typeOnly(kind string) string {
	if kind == "struct" || kind == "list" {
		return kind
	}
	return ""
}

// wanted words a type or a bound; a plain value stays as it is.
func wanted(w string) string {
	switch w {
	case "int":
		return "a whole number"
	case "number", "float":
		return "a number"
	case "string":
		return "a text in quotes"
	case "bool":
		return "true or false (without quotes)"
	case "list":
		return "a list: [...]"
	case "struct":
		return "fields in braces: {...}"
	}
	for _, b := range [][2]string{{">=", "at least "}, {"<=", "at most "}, {">", "more than "}, {"<", "less than "}, {"=~", "text like "}} {
		if rest, ok := strings.CutPrefix(w, b[0]); ok {
			return b[1] + rest
		}
	}
	if strings.Contains(w, "&") { // a range that was not decided: its type says enough
		first, _, _ := strings.Cut(w, " ")
		return wanted(first)
	}
	return shortened(w)
}

// quotedNumber is the hint for a number in quotes.
func quotedNumber(value, want string) string {
	inner := strings.Trim(value, `"`)
	if _, err := strconv.ParseFloat(inner, 64); err != nil || inner == value || !strings.Contains(want, "number") {
		return ""
	}
	return "without quotes: " + inner
}

// unquoted is the hint for a name that leads nowhere.
func (e *evaluation) unquoted(name string) string {
	if strings.HasPrefix(name, "#") || strings.HasPrefix(name, "_") {
		return nearest(name, e.names)
	}
	switch strings.ToLower(name) {
	case "true", "yes", "on":
		return "want true or false, in lower case"
	case "false", "no", "off":
		return "want true or false, in lower case"
	}
	if slices.Contains(packages, name) {
		return fmt.Sprintf("import %q, below the package clause", name)
	}
	return "a text needs quotes: " + strconv.Quote(name)
}

// packages are those of CUE that a spec has a use for.
var packages = []string{"list", "math", "net", "regexp", "strconv", "strings", "struct", "text", "time"}

// doc is the schema's comment on a field, the first sentence of it.
func (e *evaluation) doc(path string) string {
	p := cue.ParsePath(path)
	selectors := p.Selectors()
	last := len(selectors) - 1
	selectors[last] = selectors[last].Required()
	for _, group := range e.origins.root.LookupPath(cue.MakePath(selectors...)).Doc() {
		text := strings.Join(strings.Fields(group.Text()), " ")
		if sentence, _, ok := strings.Cut(text, ". "); ok {
			return sentence
		}
		return strings.TrimSuffix(text, ".")
	}
	return ""
}

func shortened(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:57]) + "..."
	}
	return s
}

func anys(ss []string) []any {
	out := make([]any, len(ss))
	for i, s := range ss {
		out[i] = shortened(s)
	}
	return out
}

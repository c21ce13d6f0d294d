package conf

import (
	"strings"
	"unicode"
)

// Unit is a systemd unit, a drop-in, or another file in systemd's ini dialect (systemd.syntax(7)).
type Unit struct{ Text }

// NewUnit begins a unit file of the thing at owner.
func NewUnit(owner, what string) *Unit {
	u := &Unit{Of(owner)}
	u.Header(what)
	return u
}

// Section begins a section.
func (u *Unit) Section(name string, from ...string) {
	if len(u.data) > 0 {
		u.Blank()
	}
	u.Line("["+name+"]", from...)
}

// Set appends key=value. A percent sign in value stands for itself.
func (u *Unit) Set(key, value string, from ...string) {
	if !noSpecifiers[key] {
		value = strings.ReplaceAll(value, "%", "%%")
	}
	u.SetSpecifiers(key, value, from...)
}

// SetSpecifiers appends key=value, where value may hold specifiers such as %i (systemd.unit(5)).
func (u *Unit) SetSpecifiers(key, value string, from ...string) {
	switch {
	case !plain(value):
		u.Refuse("%s=%q: a unit file cannot carry control characters", key, value)
	case strings.HasSuffix(value, `\`):
		u.Refuse("%s=%q: a backslash at the end would join the next line", key, value)
	case value != strings.TrimSpace(value):
		u.Refuse("%s=%q: systemd drops white space around a value", key, value)
	default:
		u.Line(key+"="+value, from...)
	}
}

// Exec appends a command line of plain arguments: each reaches the program as it is, specifiers and variables
// unexpanded (systemd.service(5), COMMAND LINES).
func (u *Unit) Exec(key string, argv []string, from ...string) { u.exec(key, argv, "", from) }

func (u *Unit) exec(key string, argv []string, rest string, from []string) {
	if len(argv) == 0 || !strings.HasPrefix(argv[0], "/") || strings.ContainsAny(argv[0], `$%"'\; `) {
		// What stands first is not unescaped as the arguments are.
		u.Refuse("%s=%q: want the plain path of a program first", key, argv)
		return
	}
	words := make([]string, len(argv))
	for i, arg := range argv {
		words[i] = QuoteExec(arg)
		if !plain(arg) {
			u.Refuse("%s=%q: a command line cannot carry control characters", key, arg)
			return
		}
	}
	u.SetSpecifiers(key, strings.Join(words, " ")+rest, from...)
}

// ExecWith appends a command line as Exec does, and after its arguments the words of a variable of the unit's environment,
// which may change without the command line (systemd.service(5), COMMAND LINES: "$FOO as a separate word").
func (u *Unit) ExecWith(key string, argv []string, variable string, from ...string) {
	u.exec(key, argv, " $"+variable, from)
}

// Environment appends one variable of the processes' environment, which everybody may read: never a secret
// (systemd.exec(5)).
func (u *Unit) Environment(name, value string, from ...string) {
	u.List("Environment", []string{name + "=" + value}, from...)
}

// List appends key= and items, each as it is and apart from the others: paths, variables.
func (u *Unit) List(key string, items []string, from ...string) {
	words := make([]string, len(items))
	for i, item := range items {
		words[i] = quoteWord(item)
		if !plain(item) {
			u.Refuse("%s=%q: a unit file cannot carry control characters", key, item)
			return
		}
	}
	u.SetSpecifiers(key, strings.Join(words, " "), from...)
}

// noSpecifiers are the settings in which a percent sign is a unit of measure.
var noSpecifiers = map[string]bool{
	"CPUQuota": true, "MemoryMax": true, "MemoryHigh": true, "MemoryLow": true, "MemoryMin": true,
	"MemorySwapMax": true, "TasksMax": true,
}

// QuoteExec quotes one argument of a command line.
func QuoteExec(arg string) string {
	return quoteWord(strings.ReplaceAll(arg, "$", "$$"))
}

// quoteWord quotes one word of a list of words, as most of systemd's files have them (systemd.syntax(7), QUOTING).
func quoteWord(word string) string {
	word = strings.ReplaceAll(word, "%", "%%")
	if word != "" && !strings.ContainsAny(word, `"'\;#`) && !strings.ContainsFunc(word, unicode.IsSpace) {
		return word
	}
	return `"` + doubleQuoted.Replace(word) + `"`
}

// doubleQuoted escapes what ends a double-quoted text of systemd's and nginx's, or begins an escape in it.
var doubleQuoted = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

package provenance

import (
	"bytes"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"odoogen/internal/vocabulary"
)

// setting is a line that sets something, as the program reads it.
type setting struct {
	section, key, value string
	as                  string // the key that stands there, where that sets several
	line                int    // from 0
	from                string // its origins, in a file of the tree
	unread              bool   // it is no setting, and stands in value as it is
}

func (s setting) id() string { return s.section + "\x00" + s.key }

func (s setting) text() string {
	if s.unread {
		return s.value
	}
	return strings.TrimSpace(s.written().key + " = " + s.value)
}

// written is the setting by the key that stands there.
func (s setting) written() setting {
	if s.as != "" {
		s.key = s.as
	}
	return s
}

// settingKey is what a setting of any of these programs may be called.
var settingKey = regexp.MustCompile(`^[A-Za-z0-9_.:@*/-]+$`)

// assigned is the setting of a line, "key = value"; one without name or value is unread.
func assigned(section, text, between string, line int) setting {
	at := strings.IndexAny(text, between)
	if at < 0 || !settingKey.MatchString(strings.TrimSpace(text[:at])) {
		return setting{section: section, key: "\x00" + text, value: text, line: line, unread: true}
	}
	return setting{section: section, key: strings.TrimSpace(text[:at]), value: strings.TrimSpace(text[at+1:]), line: line}
}

// comment tells whether a line says nothing to the program.
func comment(text, marks string) bool {
	return text == "" || strings.ContainsRune(marks, rune(text[0]))
}

// unitSettings reads a unit file: a line that ends in a backslash goes on in the next, with a space between, and the quotes
// of a value are its own (systemd.syntax(7)).
func unitSettings(data []byte) []setting {
	var all []setting
	section, joined, begins := "", "", 0
	n := -1
	for line := range bytes.Lines(data) {
		n++
		text := strings.TrimRight(string(line), "\r\n")
		if comment(strings.TrimSpace(text), "#;") && (joined == "" || strings.TrimSpace(text) != "") {
			continue
		}
		if joined == "" {
			begins = n
		}
		joined += text
		if backslashes := len(joined) - len(strings.TrimRight(joined, `\`)); backslashes%2 == 1 {
			joined = joined[:len(joined)-1] + " "
			continue
		}
		text, joined = strings.TrimSpace(joined), ""
		if text != "" && text[0] == '[' {
			section = strings.Trim(text, "[]")
		} else if text != "" {
			all = append(all, unitSetting(section, text, begins)...)
		}
	}
	if text := strings.TrimSpace(joined); text != "" {
		all = append(all, unitSetting(section, text, begins)...)
	}
	return all
}

// unitSetting is what a line of a unit sets: TimeoutSec= of a service two times at once (systemd.service(5)), of which one
// may be set anew below it.
func unitSetting(section, text string, line int) []setting {
	set := assigned(section, text, "=", line)
	if section != "Service" || set.key != "TimeoutSec" {
		return []setting{set}
	}
	start, stop := set, set
	start.key, start.as = "TimeoutStartSec", set.key
	stop.key, stop.as = "TimeoutStopSec", set.key
	return []setting{start, stop}
}

// odooSettings reads odoo.conf as Python's RawConfigParser does: a line that is indented goes on with the value above it.
func odooSettings(data []byte) []setting {
	var all []setting
	section, begun, n := "", false, -1
	for line := range bytes.Lines(data) {
		n++
		text := strings.TrimSpace(string(line))
		switch {
		case comment(text, "#;"):
		case strings.ContainsRune(" \t", rune(line[0])) && begun:
			all[len(all)-1].value += "\n" + text
		case text[0] == '[':
			section, begun = strings.Trim(text, "[]"), false
		default:
			begun = true
			set := assigned(section, text, "=:", n)
			set.key = strings.ToLower(set.key)
			all = append(all, set)
		}
	}
	return all
}

// envSettings reads variables as a script does: what is in quotes, or behind a backslash, may go on in the next line.
func envSettings(data []byte) []setting {
	var all []setting
	joined, begins := "", 0
	lines := strings.Split(string(data), "\n")
	for n, line := range lines {
		if joined == "" {
			if begins = n; comment(strings.TrimSpace(line), "#;") {
				continue
			}
		}
		joined += line
		if _, open := unquoted(joined); open && n < len(lines)-1 {
			joined += "\n"
			continue
		}
		set := assigned("", strings.TrimPrefix(strings.TrimSpace(joined), "export "), "=", begins)
		if !set.unread {
			set.value, _ = unquoted(set.value)
		}
		all, joined = append(all, set), ""
	}
	return all
}

// unquoted is a text as bash reads it, but for what it would replace, and whether it goes on in the next line.
func unquoted(text string) (value string, open bool) {
	var b strings.Builder
	quote := byte(0)
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && quote != '\'':
			i++
			switch {
			case i == len(text):
				return b.String(), true
			case text[i] == '\n':
			case quote == '"' && !strings.ContainsRune("\"\\$`", rune(text[i])):
				b.WriteString(text[i-1 : i+1])
			default:
				b.WriteByte(text[i])
			}
		case c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote == 0 && c == '#' && i > 0 && strings.ContainsRune(" \t", rune(text[i-1])):
			return strings.TrimSpace(b.String()), false
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), quote != 0
}

// sysctlSettings reads a file of sysctl.d(5).
func sysctlSettings(data []byte) []setting {
	var all []setting
	n := -1
	for line := range bytes.Lines(data) {
		n++
		if text := strings.TrimLeft(strings.TrimSpace(string(line)), "-"); !comment(text, "#;") {
			set := assigned("", text, "=", n)
			if at := strings.IndexAny(set.key, "./"); !set.unread && at >= 0 && set.key[at] == '/' {
				set.key = strings.NewReplacer("/", ".", ".", "/").Replace(set.key)
			}
			all = append(all, set)
		}
	}
	return all
}

// https://www.postgresql.org/docs/15/config-setting.html#CONFIG-SETTING-CONFIGURATION-FILE
var postgresSetting = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_.]*)\s*(?:=|\s)\s*('(?:[^'\\]|''|\\.)*'|[+-]?[.0-9][A-Za-z0-9.+-]*|[A-Za-z_][A-Za-z0-9_.:/-]*)\s*(?:#.*)?$`)

// postgresSettings reads settings of PostgreSQL: a name, perhaps "=", and a value, which may be quoted. What stands above an
// include_dir counts less than what that includes, and is left out.
func postgresSettings(data []byte) []setting {
	var all []setting
	n := -1
	for line := range bytes.Lines(data) {
		n++
		text := strings.TrimSpace(string(line))
		m := postgresSetting.FindStringSubmatch(text)
		switch {
		case comment(text, "#"):
		case m == nil, strings.EqualFold(m[1], "include"), strings.EqualFold(m[1], "include_if_exists"):
			all = append(all, setting{key: "\x00" + text, value: text, line: n, unread: true})
		case strings.EqualFold(m[1], "include_dir"):
			all = nil
		default:
			set := setting{key: vocabulary.PostgresName(m[1]), value: postgresValue(m[2]), line: n}
			if number, err := strconv.Atoi(set.value); err == nil && number > 0 {
				set.value += vocabulary.PostgresUnits[set.key]
			}
			if number, err := strconv.ParseFloat(set.value, 64); err == nil && slices.Contains(vocabulary.PostgresFractions, set.key) {
				set.value = strconv.FormatFloat(number, 'f', -1, 64)
			}
			all = append(all, set)
		}
	}
	return all
}

// postgresValue is a value without the quotes around it, where it has some (src/backend/utils/misc/guc-file.l,
// DeescapeQuotedString).
func postgresValue(text string) string {
	if text[0] != '\'' {
		return text
	}
	text = text[1 : len(text)-1]
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\'':
			i++ // two are one
			b.WriteByte(c)
		case c != '\\':
			b.WriteByte(c)
		default:
			i++
			octal := text[i:min(i+3, len(text))]
			octal = octal[:len(octal)-len(strings.TrimLeft(octal, "01234567"))]
			if n, err := strconv.ParseUint(octal, 8, 16); err == nil {
				b.WriteByte(byte(n))
				i += len(octal) - 1
			} else if at := strings.IndexByte("bfnrt", text[i]); at >= 0 {
				b.WriteByte("\b\f\n\r\t"[at])
			} else {
				b.WriteByte(text[i])
			}
		}
	}
	return b.String()
}

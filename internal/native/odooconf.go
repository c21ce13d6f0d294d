package native

import (
	"bufio"
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"odoogen/internal/artifact"
	"odoogen/internal/vocabulary"
)

// odooConf reads odoo.conf as Odoo does: Python's RawConfigParser, then Odoo's own types (odoo/tools/config.py). Odoo
// takes almost anything in silence, so what it would ignore, warn of or misread is refused here.
func odooConf(c *check) {
	for _, f := range c.files {
		lines, problems := parseINI(f.Data)
		series := odooSeries(f)
		if series == 0 {
			problems = append(problems, Problem{Message: "its first lines do not say which Odoo it is for"})
		}
		c.Problems = append(c.Problems, in(f, append(problems, optionProblems(lines, series)...))...)
	}
}

// in puts problems into a file.
func in(f *artifact.File, problems []Problem) []Problem {
	for i := range problems {
		problems[i].Path = f.Path
	}
	return problems
}

// setting is one key of an ini file.
type setting struct {
	section, key, value string
	line                int
}

// parseINI reads what RawConfigParser reads without misunderstanding. It knows no comment at the end of a line,
// joins an indented line to the one before, and refuses a key or section that comes twice.
func parseINI(data []byte) ([]setting, []Problem) {
	var all []setting
	var problems []Problem
	section, seen := "", map[string]bool{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		refuse := func(message string) { problems = append(problems, Problem{Line: n, Message: message}) }
		line := lines.Text()
		switch {
		case strings.TrimSpace(line) == "", line[0] == '#', line[0] == ';':
		case line[0] == ' ' || line[0] == '\t':
			refuse("an indented line is taken as part of the value before it")
		case line[0] == '[':
			name, ok := strings.CutSuffix(line[1:], "]")
			if !ok || name == "" || seen[line] {
				refuse("not a section, or one that was there before")
			}
			section, seen[line] = name, true
		default:
			i := strings.IndexAny(line, "=:")
			if i <= 0 || section == "" {
				refuse("not a key with a value, or one outside of a section")
				continue
			}
			s := setting{section, strings.ToLower(strings.TrimSpace(line[:i])), strings.TrimSpace(line[i+1:]), n}
			if id := "[" + section + "]" + s.key; seen[id] {
				refuse(s.key + " is there twice: Python's parser refuses the file")
			} else {
				seen[id] = true
			}
			if strings.Contains(s.value, " ;") || strings.Contains(s.value, " #") {
				refuse(s.key + ": a comment at the end of a line becomes part of the value")
			}
			all = append(all, s)
		}
	}
	return all, problems
}

// odooSeries is the Odoo version that the file says it is for, in its first lines; 0 if it does not.
func odooSeries(f *artifact.File) int {
	head, _, _ := bytes.Cut(f.Data, []byte("[options]"))
	if m := seriesLine().FindSubmatch(head); m != nil {
		n, _ := strconv.Atoi(string(m[1]))
		return n
	}
	return 0
}

var seriesLine = lazily(`Odoo (\d+)`)

// optionProblems checks the settings against the options of an Odoo series.
func optionProblems(all []setting, series int) []Problem {
	var problems []Problem
	values := map[string]string{}
	for _, s := range all {
		refuse := func(message string) {
			problems = append(problems, Problem{Line: s.line, Message: s.key + " = " + s.value + ": " + message})
		}
		if s.section != "options" {
			continue // for an addon that reads the file itself
		}
		values[s.key] = s.value
		if k := vocabulary.OdooOption(s.key, series); k == 0 {
			refuse(fmt.Sprintf("Odoo %d has no such option", series))
		} else if message := k.Complaint(s.value); message != "" {
			refuse(message)
		}
	}
	for _, rule := range []struct{ key, forbidden, why string }{
		{"admin_passwd", "", "unset, it is \"admin\""},
		{"admin_passwd", "admin", "the password that everyone knows"},
		{"list_db", "", "unset, it is True and shows the database manager"},
		{"list_db", "True", "it shows the database manager"},
		{"db_user", "postgres", "Odoo refuses to run as PostgreSQL's administrator"},
		{"db_name", "", "without it the cron workers serve every database of the role"},
		{"data_dir", "", "its default differs between versions"},
		{"http_interface", "", "unset, Odoo listens on every address"},
	} {
		if values[rule.key] == rule.forbidden {
			problems = append(problems, Problem{Message: rule.key + ": " + rule.why})
		}
	}
	if values["logfile"] != "" && values["syslog"] == "True" {
		problems = append(problems, Problem{Message: "logfile and syslog exclude each other"})
	}
	return problems
}

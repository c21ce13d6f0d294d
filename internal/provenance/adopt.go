package provenance

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"odoogen/internal/artifact"
)

// Edit is a file that somebody changed on a host.
type Edit struct {
	File string // a path of the tree; one that begins with / lies beside it, and counts more
	New  []byte
}

// Proposal is what would keep one setting of an edit.
type Proposal struct {
	Setting string // as the file has it
	CUE     string // for the spec; empty where it has no word for it
	Note    string // what else there is to say: what it takes the place of, or why there is no CUE
}

func (p Proposal) String() string {
	switch {
	case p.Setting == "":
		return p.Note
	case p.Note == "":
		return p.Setting
	}
	return p.Setting + ": " + p.Note
}

// spec is what adoption asks of the spec; topology.Origins answers.
type spec interface {
	Text(path string) (string, bool)
	Has(path string) bool
	Assign(path, like, text string) string
}

// Adopt says for every setting of the edits of a host what the spec would say to have it so. It is told by the origins of
// the lines that were changed; what has none is kept by a way out, where there is one.
func (b *Build) Adopt(host string, e Edit) ([]Proposal, error) {
	for _, t := range b.Trees {
		if t.Host != host {
			continue
		}
		all := adopt(b.Origins, t, e)
		for i := range all {
			if all[i].CUE == "" {
				continue
			}
			if at, ok := b.Origins.Written(pathOf(all[i].CUE)); ok && all[i].Note == "" {
				all[i].Note = "in the place of what " + at.String() + " says"
			}
		}
		return all, nil
	}
	return nil, fmt.Errorf("the spec has no host %q", host)
}

// pathOf is the path that a line of CUE assigns.
func pathOf(line string) string {
	parts := strings.Split(line, ": ")
	return strings.Join(parts[:len(parts)-1], ".")
}

// adopt is Adopt without places.
func adopt(s spec, t *artifact.Tree, e Edit) []Proposal {
	format := formatOf(t.Host, e.File)
	if format.settings == nil {
		return []Proposal{{Setting: "", Note: "the spec has no word for what this file says"}}
	}
	old := map[string]setting{} // what is set now, by section and name; the last counts
	own := map[string]bool{}    // of them, those of this very file
	for i := range t.Files {
		f := &t.Files[i]
		if !format.same(f.Path) {
			continue
		}
		for _, set := range format.settings(f.Data) {
			set.from = strings.Fields(f.From[set.line])
			old[set.id()] = set
			own[set.id()] = own[set.id()] || f.Path == e.File
		}
	}
	var all []Proposal
	kept := map[string]bool{}
	for _, set := range format.settings(e.New) {
		kept[set.id()] = true
		was, known := old[set.id()]
		if known && was.value == set.value || set.value == "" {
			continue
		}
		all = append(all, format.propose(s, set, was, known))
	}
	for id, was := range old {
		if own[id] && !kept[id] {
			all = append(all, Proposal{Setting: was.text(), Note: "was taken out; the spec cannot leave it unset"})
		}
	}
	slices.SortFunc(all, func(a, b Proposal) int { return strings.Compare(a.Setting, b.Setting) })
	if len(all) == 0 {
		all = []Proposal{{Note: "sets nothing otherwise than the spec"}}
	}
	return all
}

// setting is a line that sets something.
type setting struct {
	section, key, value string
	line                int // from 0
	from                []string
}

func (s setting) id() string { return s.section + "\x00" + s.key }

func (s setting) text() string {
	if s.key == s.value {
		return s.value
	}
	return s.key + " = " + s.value
}

// format is how settings stand in a file, and what else of a tree sets the same things.
type format struct {
	settings func(data []byte) []setting
	same     func(path string) bool
	wayOut   func(s setting) string // the CUE path of what the spec does not model
	needs    string                 // that must exist for it
	alike    bool                   // it says nothing of what odoogen sets itself
}

// formatOf is that of a file of a host, by its path in the tree or beside it.
func formatOf(host, file string) format {
	first, rest, _ := strings.Cut(file, "/")
	name := strings.TrimSuffix(path.Base(file), ".conf")
	switch unit := unitOf(file); {
	case unit != "":
		at := "systemd/system/" + unit
		return format{keyValues, func(p string) bool { return p == at || strings.HasPrefix(p, at+".d/") },
			func(s setting) string {
				return fmt.Sprintf("hosts.%s.units.%q.dropin.%s.%s", label(host), unit, s.section, label(s.key))
			},
			"hosts." + label(host) + ".units", false}
	case first == "odoo":
		instance := "instances." + label(name)
		return format{keyValues, func(p string) bool { return p == file },
			func(s setting) string { return instance + ".extra." + label(s.key) }, instance + ".extra", true}
	case first == "nginx" && !strings.Contains(rest, "/"):
		instance := "instances." + label(name)
		return format{directives, func(p string) bool { return p == file },
			func(setting) string { return instance + ".nginx[]" }, instance + ".nginx", false}
	case first == "sysctl.d":
		return format{keyValues, func(p string) bool { return path.Dir(p) == "sysctl.d" },
			func(s setting) string { return fmt.Sprintf("hosts.%s.sysctl.%q", label(host), s.key) }, "hosts." + label(host) + ".sysctl", true}
	}
	if cluster := clusterOf(file); cluster != "" {
		at := "postgresql/" + cluster + "/"
		return format{postgres, func(p string) bool { return p == at+"postmaster.conf" || p == at+"reload.conf" },
			func(s setting) string { return "clusters." + label(cluster) + ".extra." + label(s.key) }, "clusters." + label(cluster) + ".extra", true}
	}
	return format{}
}

// unitOf is the unit that a file is of, or a drop-in of.
func unitOf(file string) string {
	for _, dir := range []string{"systemd/system/", "/etc/systemd/system/", "/etc/systemd/system.control/", "/run/systemd/system/", "/run/systemd/system.control/"} {
		if rest, is := strings.CutPrefix(file, dir); is {
			unit, _, _ := strings.Cut(rest, "/")
			return strings.TrimSuffix(unit, ".d")
		}
	}
	return ""
}

// clusterOf is the cluster that a file sets something of.
func clusterOf(file string) string {
	parts := strings.Split(file, "/")
	switch {
	case len(parts) == 3 && parts[0] == "postgresql" && (parts[2] == "reload.conf" || parts[2] == "postmaster.conf"):
		return parts[1]
	case len(parts) == 7 && parts[2] == "postgresql" && parts[5] == "conf.d": // /etc/postgresql/15/main/conf.d/x.conf
		return parts[4]
	case len(parts) == 6 && parts[2] == "postgresql" && parts[5] == "postgresql.conf": // /etc/postgresql/15/main
		return parts[4]
	case len(parts) == 7 && parts[3] == "postgresql" && parts[6] == "postgresql.auto.conf": // /var/lib/postgresql/15/main
		return parts[5]
	}
	return ""
}

// label quotes a name that CUE does not take bare.
func label(name string) string {
	if strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == "" && name != "" && (name[0] < '0' || name[0] > '9') {
		return name
	}
	return fmt.Sprintf("%q", name)
}

// keyValues reads lines of a name and a value below headings in brackets, as unit files, odoo.conf and sysctl.d have them.
func keyValues(data []byte) []setting {
	var all []setting
	section, n := "", -1
	for line := range bytes.Lines(data) {
		n++
		text := strings.TrimSpace(string(line))
		if text == "" || text[0] == '#' || text[0] == ';' {
			continue
		}
		if text[0] == '[' {
			section = strings.Trim(text, "[]")
			continue
		}
		key, value, ok := strings.Cut(text, "=")
		if !ok {
			continue
		}
		all = append(all, setting{section: section, key: strings.TrimSpace(key), value: unquoted(strings.TrimSpace(value)), line: n})
	}
	return all
}

// postgres reads settings of PostgreSQL: a name, perhaps "=", and a value, which may be quoted. What stands above an include_dir
// counts less than what that includes, and is left out.
func postgres(data []byte) []setting {
	var all []setting
	n := -1
	for line := range bytes.Lines(data) {
		n++
		m := postgresSetting.FindSubmatch(line)
		if m == nil {
			continue
		}
		key, value := string(m[1]), string(m[2])
		if key == "include_dir" {
			all = nil
			continue
		}
		all = append(all, setting{key: key, value: unquoted(value), line: n})
	}
	return all
}

// unquoted is a value without the quotes around it, where it has some.
func unquoted(value string) string {
	if strings.HasPrefix(value, "'") && strings.HasSuffix(value, "'") && len(value) > 1 {
		return strings.ReplaceAll(value[1:len(value)-1], "''", "'")
	}
	return value
}

// https://www.postgresql.org/docs/15/config-setting.html#CONFIG-SETTING-CONFIGURATION-FILE
var postgresSetting = regexp.MustCompile(`^\s*([A-Za-z_][A-Za-z0-9_.]*)\s*(?:=|\s)\s*('(?:[^'\\]|''|\\.)*'|[^\s#']+)`)

// directives reads the simple directives of nginx, each a setting of itself: it has no names that stand once.
func directives(data []byte) []setting {
	var all []setting
	n := -1
	for line := range bytes.Lines(data) {
		n++
		text := strings.TrimSpace(string(line))
		if strings.HasSuffix(text, ";") && !strings.HasPrefix(text, "#") {
			all = append(all, setting{key: text, value: text, line: n})
		}
	}
	return all
}

const alike = "odoogen sets it itself, and the spec has no word for it"

// propose says what keeps a setting.
func (f format) propose(s spec, set, was setting, known bool) Proposal {
	p := Proposal{Setting: set.text()}
	if known && constant(was.from[0]) && f.alike {
		p.Note = alike
		return p
	}
	if known && !constant(was.from[0]) {
		at := was.from[0]
		text, ok := s.Text(at)
		if !ok {
			p.Note = alike
			return p
		}
		if text != was.value {
			p.Note = "is computed, from " + strings.Join(was.from, ", ")
			return p
		}
		p.CUE = s.Assign(narrowed(was.from), at, sized(was.value, set.value))
		return p
	}
	if !s.Has(f.needs) {
		p.Note = "the spec has no word for it"
		return p
	}
	p.CUE = s.Assign(f.wayOut(set), "", set.value)
	return p
}

// narrowed is the path that a value is set at: where an instance has it of its class, the instance's own.
func narrowed(from []string) string {
	rest, ofClass := strings.CutPrefix(from[0], "classes.")
	if !ofClass {
		return from[0]
	}
	for _, input := range from[1:] {
		if instance, is := strings.CutSuffix(input, ".class"); is && strings.HasPrefix(instance, "instances.") {
			_, field, _ := strings.Cut(rest, ".")
			return instance + "." + field
		}
	}
	return from[0]
}

// sized writes bytes as the spec writes sizes, where the value before was such a size: systemctl set-property leaves bytes.
func sized(was, now string) string {
	if strings.Trim(was, "0123456789") == "" || strings.Trim(now, "0123456789") != "" || now == "" {
		return now
	}
	var n uint64
	if _, err := fmt.Sscan(now, &n); err != nil || n == 0 || !strings.ContainsAny(was[len(was)-1:], "KMGT") {
		return now
	}
	unit := 0
	for n%1024 == 0 && unit < 3 {
		n, unit = n/1024, unit+1
	}
	return fmt.Sprintf("%d%s", n, []string{"", "K", "M", "G"}[unit])
}

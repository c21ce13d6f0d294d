package provenance

import (
	"bytes"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"odoogen/internal/artifact"
	"odoogen/internal/topology"
)

const (
	noWord = "the spec has no word for it"
	same   = "comes to the same as what the spec says"
)

// changes are what the edits of a host have otherwise than its tree.
func changes(o *topology.Origins, t *artifact.Tree, edits []Edit) []change {
	var all, readable = []change{}, []Edit{}
	for _, e := range edits {
		if note := unreadable(o, t, e); note != "" {
			all = append(all, change{Proposal: Proposal{Host: e.Host, File: e.File, Note: note}})
		} else {
			readable = append(readable, e)
		}
	}
	done := map[string]bool{}
	for _, e := range readable {
		if instance := vhostOf(o, e.File); instance != "" {
			if !done["nginx "+instance] {
				all = append(all, vhostChanges(o, t, instance, readable)...)
			}
			done["nginx "+instance] = true
			continue
		}
		f, _ := formatOf(t, e.File)
		if !done[f.of] {
			all = append(all, f.changes(o, t, readable)...)
		}
		done[f.of] = true
	}
	for _, e := range readable {
		if !slices.ContainsFunc(all, func(c change) bool { return c.File == e.File }) {
			all = append(all, change{Proposal: Proposal{Host: e.Host, File: e.File, Note: sameNote(t, e)}})
		}
	}
	return all
}

// unreadable is what there is to say of an edit as a whole, or nothing of one whose settings are read.
func unreadable(o *topology.Origins, t *artifact.Tree, e Edit) string {
	f := t.File(e.File)
	_, known := formatOf(t, e.File)
	switch {
	case e.Gone:
		return "was deleted: a push with --overwrite-drift brings it back"
	case leftBeside(t, e.File):
		return "is read by nothing: a push with --overwrite-drift leaves it behind"
	case f != nil && bytes.Equal(f.Data, e.Data):
		return "has another mode or owner: a push with --overwrite-drift gives it its own"
	case f != nil && strings.HasPrefix(e.File, "files/"):
		source, _ := o.Text(f.From[0])
		return "is carried from " + source + ": edit it there"
	case known && path.Base(e.File) == "postgresql.conf" && !includes.Match(e.Data):
		return "includes nothing, so that no setting of the spec counts: include_dir = 'conf.d' was in it"
	case f == nil && unitOf(e.File) != "" && unitRank(e.File) == "0":
		return "is a whole unit: " + noWord + "; what a drop-in of systemctl edit says can be kept"
	case !known && vhostOf(o, e.File) == "", f == nil && strings.HasPrefix(e.File, "odoo/"):
		return elsewhere(o, t, e.File)
	}
	return ""
}

// leftBeside tells of a file in a generation that it is what an editor, sed -i.bak or cp left beside another one, or has a name
// that the program does not read which reads its directory.
func leftBeside(t *artifact.Tree, file string) bool {
	if path.IsAbs(file) || t.File(file) != nil {
		return false
	}
	dir, name := path.Split(file)
	switch ext := path.Ext(name); {
	case strings.HasPrefix(name, "."), strings.HasPrefix(name, "#"):
		return true
	case dir == "sysctl.d/", strings.HasPrefix(dir, "systemd/system/") && strings.HasSuffix(dir, ".d/"):
		return ext != ".conf"
	case dir == "systemd/system/":
		return !slices.Contains(unitKinds, ext)
	case ext == ".conf":
		return false
	}
	return slices.ContainsFunc(t.Files, func(f artifact.File) bool {
		rest, is := strings.CutPrefix(file, f.Path)
		return is && strings.ContainsAny(rest[:1], ".~") && !strings.Contains(rest, "/")
	})
}

// unitKinds are how names of units end (systemd.unit(5)).
var unitKinds = []string{".service", ".socket", ".device", ".mount", ".automount", ".swap", ".target", ".path", ".timer", ".slice", ".scope"}

// elsewhere is where the spec says what a file has whose settings are not read.
func elsewhere(o *topology.Origins, t *artifact.Tree, file string) string {
	dir, name := path.Split(file)
	deploy, _ := o.Text("access.deploy.user")
	admin := "access.admins." + label(name)
	switch {
	case dir == "ssh/authorized_keys/" && name == deploy:
		return "the spec says keys in access.deploy.keys"
	case dir == "ssh/authorized_keys/" && t.File(file) != nil && !o.Has(admin):
		return "the spec says the key in ci.agents.key"
	case dir == "ssh/authorized_keys/":
		return "the spec says keys in " + admin + ".keys"
	case file == "nftables/odoogen.nft":
		return "the spec says open ports in hosts." + label(t.Host) + ".open, and from where port 22 is reached in access.whitelist"
	case strings.HasSuffix(dir, "systemd/timesyncd.conf.d/"): // another's is told where it sets what odoogen's does
		return "the spec says time servers in network.time.servers"
	case strings.Contains(file, "/postgresql/") && path.Ext(name) == ".conf":
		return "is of a cluster that the spec does not have on this host"
	}
	if f := t.File(file); f != nil {
		if paths := origins(f); len(paths) > 0 {
			return "the spec says it in " + strings.Join(paths, ", ")
		}
	}
	if name == "postgresql.auto.conf" {
		return "is of a cluster whose data is not where Debian has it: clusters.NAME.settings keeps such a setting"
	}
	return "the spec has no word for what this file says"
}

// origins are the paths in the spec that a file's lines come from, as far as one can read them: not one in which there is
// another, and no place in a list.
func origins(f *artifact.File) []string {
	var all []string
	for _, from := range f.From {
		for _, p := range strings.Fields(from) {
			if p, _, _ = strings.Cut(p, "["); !constant(p) && !slices.Contains(all, p) {
				all = append(all, p)
			}
		}
	}
	all = slices.DeleteFunc(slices.Clone(all), func(p string) bool {
		return slices.ContainsFunc(all, func(other string) bool { return strings.HasPrefix(other, p+".") })
	})
	if len(all) > 4 {
		all = append(all[:4], "and others")
	}
	return all
}

var includes = regexp.MustCompile(`(?mi)^\s*include_dir\b`)

// sameNote is said of an edit that changes no setting.
func sameNote(t *artifact.Tree, e Edit) string {
	said := func(data []byte) []string {
		var all []string
		for line := range strings.Lines(string(data)) {
			if text := strings.TrimSpace(line); !comment(text, "#;") {
				all = append(all, text)
			}
		}
		return all
	}
	var before []string
	if f := t.File(e.File); f != nil {
		before = said(f.Data)
	}
	if slices.Equal(before, said(e.Data)) {
		return "sets nothing otherwise than the spec"
	}
	return same
}

// changes are what the edits set otherwise in the files of one thing. A list has one in each file that adds to it, a setting
// of which the last line counts one in that line's.
func (f format) changes(o *topology.Origins, t *artifact.Tree, edits []Edit) []change {
	now, then := f.sources(t, nil), f.sources(t, edits)
	spec, hand := f.meaning(now), f.meaning(then)
	base := f.meaning(slices.DeleteFunc(slices.Clone(now), func(s source) bool { return path.Base(s.path) == path.Base((&topology.DropIn{}).File()) }))
	edited := slices.DeleteFunc(slices.Clone(then), func(s source) bool { return s.from != nil })
	var all []change
	told := map[string]bool{} // settings, by id
	for _, file := range edited {
		lines := map[string][]setting{}
		for _, set := range f.read(file.data) {
			lines[set.id()] = append(lines[set.id()], set)
		}
		for _, set := range f.read(file.data) {
			id := set.id()
			is, was, here := hand[id], spec[id], lines[id]
			delete(lines, id)
			emptied := slices.ContainsFunc(here, func(s setting) bool { return s.value == "" })
			alike := f.alike(set.key, is.values, was.values)
			if emptied && set.starts() {
				alike = slices.Equal(starts(hand), starts(spec)) // it empties others, too
			}
			if len(here) == 0 || alike || !f.list(set.key) && file.path != is.file {
				continue
			}
			told[id] = true
			c := change{Proposal: Proposal{Host: t.Host, File: file.path, Setting: is.last.text()}}
			c.kept = func(t *artifact.Tree) bool {
				return f.alike(set.key, f.meaning(f.sources(t, nil))[id].values, is.values)
			}
			switch fields := f.fields(set); {
			case set.unread || len(fields) == 0 && was.last.from == "":
				c.Note = noWord
			case f.list(set.key):
				c.Setting = texts(here)
				w := word{path: fields[0], list: true, texts: appended(base[id].values, is.values)}
				if len(w.texts) > 0 && w.texts[0] != "" { // what it is appended to may follow from another change
					c.kept = func(t *artifact.Tree) bool {
						values := f.meaning(f.sources(t, nil))[id].values
						return slices.Equal(values[max(0, len(values)-len(w.texts)):], w.texts)
					}
				}
				if slices.Contains(w.texts, "") && !emptied {
					w.note = "this is all of the list; what odoogen gives it later does not count"
				}
				c.words = []word{w}
				if set.starts() && f.starting(o, &c, set, base, spec, hand) {
					for id, s := range spec {
						told[id] = told[id] || s.last.starts()
					}
				}
			default:
				if c.words, c.Note = f.words(o, is.last, was.last); len(c.words) == 0 && c.Note == "" {
					c.Note = noWord
				}
			}
			all = append(all, c)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(spec)) {
		if was := spec[id]; !told[id] && !f.alike(was.last.key, hand[id].values, was.values) {
			c := f.takenOut(o, t.Host, was, edited)
			if !slices.ContainsFunc(all, func(other change) bool { return other.Proposal == c.Proposal }) { // a line may set several
				all = append(all, c)
			}
		}
	}
	return all
}

// takenOut is a line of the spec's that an edit does not have.
func (f format) takenOut(o *topology.Origins, host string, was said, edited []source) change {
	at := slices.IndexFunc(edited, func(s source) bool { return f.rank(s.path) == f.rank(was.file) })
	note := "was taken out; the spec cannot leave it unset"
	if from, _, _ := strings.Cut(was.last.from, " "); slices.Contains(f.fields(was.last.written()), from) {
		place, _ := o.Of(from)
		note = "was taken out; so take it out of " + place.String()
	}
	return change{Proposal: Proposal{Host: host, File: edited[max(at, 0)].path, Setting: was.last.text(), Note: note}}
}

// texts are the lines of a list.
func texts(all []setting) string {
	lines := make([]string, len(all))
	for i, set := range all {
		lines[i] = set.text()
	}
	return strings.Join(lines, "; ")
}

// appended is what is to follow a list for it to become another; an empty text empties it.
func appended(base, all []string) []string {
	switch {
	case len(all) >= len(base) && slices.Equal(all[:len(base)], base):
		return all[len(base):]
	case len(all) > 0 && all[0] == "":
		return all
	}
	return append([]string{""}, all...)
}

// words are those that may keep a setting: the field that the line of the tree comes from, or else a way out. Where the line
// has another value than the field, the note says what it is made of.
func (f format) words(o *topology.Origins, set, was setting) (words []word, note string) {
	asOne := was.as != "" && set.as == "" // the field would change both
	if from := strings.Fields(was.from); len(from) > 0 && !constant(from[0]) && !asOne {
		text, ok := o.Text(from[0])
		switch {
		case ok && plain(text) == plain(was.value):
			field := word{path: narrowed(from), like: from[0], texts: []string{spelled(text, set.value)}}
			words = append(words, field)
			if truth := truths[set.value]; truth != "" {
				field.texts = []string{truth} // where the spec has the program's own word for it
				words = append(words, field)
			}
		case ok:
			note = "is computed, from " + strings.Join(from, ", ")
		}
	}
	for _, field := range f.fields(set) {
		words = append(words, word{path: field, texts: []string{set.value}})
	}
	return words, note
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

// spelled writes a value as the spec does: a size as a size, a truth as a truth.
func spelled(was, now string) string {
	if is := truths[now]; is != "" && (was == "true" || was == "false") {
		return strconv.FormatBool(is == "on")
	}
	return sized(was, now)
}

// sized writes bytes as the spec writes sizes, where it has such a size now: systemctl set-property leaves bytes, systemd
// takes fractions, and nginx has small letters.
func sized(was, now string) string {
	n, err := strconv.ParseUint(plain(now), 10, 64)
	if err != nil || !specSize.MatchString(was) || n == 0 || n%1024 != 0 {
		return now
	}
	unit := 0
	for n /= 1024; n%1024 == 0 && unit < 3; unit++ {
		n /= 1024
	}
	return fmt.Sprint(n) + "KMGT"[unit:unit+1]
}

var specSize = regexp.MustCompile(`^[1-9][0-9]*[KMGT]$`)

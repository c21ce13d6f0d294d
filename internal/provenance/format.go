package provenance

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"odoogen/internal/artifact"
	"odoogen/internal/vocabulary"
)

// format is how settings stand in the files of one thing, a unit or a cluster, and where the spec says what it does not
// model of it.
type format struct {
	of     string // the thing; its files are read together
	read   func(data []byte) []setting
	own    func(path string) bool   // of a tree's files, the thing's
	rank   func(path string) string // in whose order they are read; of two with one rank the first counts, alone
	list   func(key string) bool    // is joined of all its lines
	fields func(s setting) []string // CUE paths that may have a setting which no line of the tree has, the likeliest first
	exact  bool                     // a size or a truth counts as it is spelled
}

// formatOf is that of a file of a tree's host, by its path in the tree or beside it.
func formatOf(t *artifact.Tree, file string) (format, bool) {
	host := t.Host
	first, _, _ := strings.Cut(file, "/")
	if dir := path.Dir(file); dir == "/etc/sysctl.d" || dir == "/run/sysctl.d" {
		first = path.Base(dir) // read in one order with the tree's, by names (sysctl.d(5))
	}
	name := strings.TrimSuffix(path.Base(file), ".conf")
	never := func(string) bool { return false }
	itself := func(p string) bool { return p == file }
	if unit := unitOf(file); unit != "" {
		template := unit
		if prefix, _, is := strings.Cut(unit, "@"); is {
			template = prefix + "@" + path.Ext(unit)
		}
		return format{unit, unitSettings,
			func(p string) bool { u := unitOf(p); return u == unit || u == template },
			unitRank, vocabulary.UnitList,
			func(s setting) []string {
				if s.section == "" {
					return nil
				}
				return []string{fmt.Sprintf("hosts.%s.units.%s.dropin.%s.%s", label(host), label(unit), label(s.section), label(s.key))}
			}, false}, true
	}
	if cluster := clusterOf(t, file); cluster != "" {
		own := []string{"postgresql/" + cluster + "/postmaster.conf", "postgresql/" + cluster + "/reload.conf"}
		return format{"postgresql/" + cluster, postgresSettings, func(p string) bool { return slices.Contains(own, p) }, postgresRank, never,
			func(s setting) []string { return []string{"clusters." + label(cluster) + ".extra." + label(s.key)} }, false}, true
	}
	if t.File(file) != nil && path.Ext(file) == ".env" {
		return format{of: file, read: envSettings, own: itself, rank: path.Base, list: never, fields: func(setting) []string { return nil }, exact: true}, true
	}
	switch instance := "instances." + label(name); first {
	case "odoo":
		return format{file, odooSettings, itself, path.Base, never, func(s setting) []string {
			if s.section != "options" {
				return nil
			}
			return []string{instance + ".extra." + label(s.key), instance + "." + label(s.key)}
		}, false}, true
	case "sysctl.d":
		return format{first, sysctlSettings, func(p string) bool { return path.Dir(p) == "sysctl.d" }, path.Base, never,
			func(s setting) []string {
				return []string{fmt.Sprintf("hosts.%s.sysctl.%s", label(host), label(s.key))}
			}, false}, true
	}
	return format{}, false
}

// unitRank puts drop-ins after the unit, by their names whatever directory they are in (systemd.unit(5)).
func unitRank(p string) string {
	if strings.HasSuffix(path.Dir(p), ".d") {
		return "1" + path.Base(p)
	}
	return "0"
}

// postgresRank puts postgresql.conf after what it includes, and what ALTER SYSTEM has set after that.
func postgresRank(p string) string {
	switch base := path.Base(p); {
	case base == "postgresql.auto.conf":
		return "3"
	case base == "postgresql.conf":
		return "2"
	case p[0] != '/':
		return "1odoogen.conf/" + base
	default:
		return "1" + base
	}
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

// clusterOf is the cluster of a tree that a file sets something of. One of the same name and another version is another.
func clusterOf(t *artifact.Tree, file string) string {
	parts := strings.Split(file, "/")
	var is []string // version and name
	switch {
	case len(parts) == 3 && parts[0] == "postgresql" && (parts[2] == "reload.conf" || parts[2] == "postmaster.conf"):
		return parts[1]
	case len(parts) == 7 && parts[2] == "postgresql" && parts[5] == "conf.d": // /etc/postgresql/15/main/conf.d/x.conf
		is = parts[3:5]
	case len(parts) == 6 && parts[2] == "postgresql" && parts[5] == "postgresql.conf": // /etc/postgresql/15/main
		is = parts[3:5]
	case len(parts) > 3 && path.Base(file) == "postgresql.auto.conf": // /var/lib/postgresql/15/main, or data elsewhere
		is = parts[len(parts)-3 : len(parts)-1]
	default:
		return ""
	}
	settings := t.File("postgresql/" + is[1] + "/postmaster.conf")
	if settings == nil || !slices.ContainsFunc(postgresSettings(settings.Data), func(s setting) bool {
		return s.key == "cluster_name" && s.value == strings.Join(is, "/")
	}) {
		return ""
	}
	return is[1]
}

// label quotes a name that CUE does not take bare.
func label(name string) string {
	if bareLabel.MatchString(name) {
		return name
	}
	return fmt.Sprintf("%q", name)
}

var bareLabel = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

// source is a file that a program reads.
type source struct {
	path string
	data []byte
	from []string // the origins of its lines
}

// sources are the files of the thing in the order in which they are read: those of the tree, and in their places and beside
// them those that somebody has edited.
func (f format) sources(t *artifact.Tree, edits []Edit) []source {
	var all []source
	edited := map[string]bool{}
	for _, e := range edits {
		if other, ok := formatOf(t, e.File); ok && other.of == f.of {
			all = append(all, source{path: e.File, data: e.Data})
			edited[e.File] = true
		}
	}
	for i := range t.Files {
		if file := &t.Files[i]; f.own(file.Path) && !edited[file.Path] {
			all = append(all, source{file.Path, file.Data, file.From})
		}
	}
	slices.SortStableFunc(all, func(a, b source) int { return strings.Compare(f.rank(a.path), f.rank(b.path)) })
	return slices.CompactFunc(all, func(a, b source) bool { return f.rank(a.path) == f.rank(b.path) })
}

// said is what a program has read of one setting.
type said struct {
	values []string // the last alone, but of a list
	last   setting
	file   string
}

// meaning is what all the files set, by the settings' ids. A list that was emptied says so first, where a file that is not
// among them may have filled it: that of a unit of the distribution.
func (f format) meaning(files []source) map[string]said {
	all := map[string]said{}
	whole := slices.ContainsFunc(files, func(s source) bool { return f.rank(s.path) == "0" })
	for _, file := range files {
		for _, set := range f.read(file.data) {
			if file.from != nil {
				set.from = file.from[set.line]
			}
			values := []string{set.value}
			switch list := f.list(set.key); {
			case list && set.value != "":
				values = append(slices.Clone(all[set.id()].values), set.value)
			case list && whole:
				values = nil
			}
			if set.starts() && set.value == "" {
				emptyStarts(all)
			}
			all[set.id()] = said{values, set, file.path}
		}
	}
	return all
}

// alike tells whether two readings of a setting come to the same.
func (f format) alike(key string, a, b []string) bool {
	if f.list(key) {
		return slices.Equal(a, b)
	}
	return len(a) == len(b) && (len(a) == 0 || a[0] == b[0] || !f.exact && plain(a[0]) == plain(b[0]))
}

var (
	quantity = regexp.MustCompile(`^([0-9]{1,13})(?:\.([0-9]{1,6}))?([kKMmGgTt])?B?$`)
	truths   = map[string]string{"yes": "on", "true": "on", "True": "on", "no": "off", "false": "off", "False": "off"}
)

// plain is a size in bytes, and a truth in one word of its several. A fraction of a unit is one where it is whole bytes.
func plain(value string) string {
	if truth := truths[value]; truth != "" {
		return truth
	}
	m := quantity.FindStringSubmatch(value)
	if m == nil || strings.HasPrefix(m[1], "0") && m[2] == "" || m[2] != "" && m[3] == "" {
		return value
	}
	shift := 10 * (1 + strings.Index("kmgt", strings.ToLower(m[3] + " ")[:1]))
	var n, part uint64
	fmt.Sscan(m[1], &n)
	whole := uint64(1)
	for _, digit := range m[2] {
		part, whole = 10*part+uint64(digit-'0'), 10*whole
	}
	if part<<shift%whole != 0 {
		return value
	}
	return fmt.Sprint(n<<shift + part<<shift/whole)
}

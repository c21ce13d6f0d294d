package generators_test

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"

	"cuelang.org/go/cue"

	"odoogen/internal/artifact"
	"odoogen/internal/topology"
)

// informational are the fields that no host's file speaks of, and why.
var informational = map[string]string{
	"hosts.*.uplink.mtu": "what the uplink has already: the rule mtu holds network.vswitch.mtu against it",
}

// context is what must stand beside the sample for a field to have a meaning, or another value, by path or shape.
var context = map[string]string{
	"hosts.*.uplink.networkFile": "hosts: tests: uplink: manager: \"networkd\"\nhosts: ci: uplink: manager: \"networkd\"\n",
	"hosts.ci.jump":              "hosts: ci: public: \"203.0.113.20\"\n",
	"clusters.*.version":         otherPostgres,
	"clusters.*.workload":        roomForConnections,
	"classes.*.cluster":          roomForConnections,
	"instances.*.class":          roomForConnections + portsOfTheirOwn,
	"instances.*.version":        portsOfTheirOwn,
}

const (
	otherPostgres = `packages: vendors: pgdg: {
	uri: "https://apt.postgresql.org/pub/repos/apt"
	suite: "bookworm-pgdg"
	components: ["main"]
	key: "https://www.postgresql.org/media/keys/ACCC4CF8.asc"
	fingerprint: "B97B0AFCAA1A47F044F244A07FCC7D46ACCC4CF8"
	packages: "postgresql-16": "16.*"
}
`
	roomForConnections = `clusters: main: settings: {max_connections: 600, work_mem: "4MB"}
clusters: staging: settings: {max_connections: 600, work_mem: "4MB"}
`
	portsOfTheirOwn = `instances: {
	qa17: http_port: 9010
	ba17: http_port: 9020
	staging17: http_port: 9030
	qa19: http_port: 9040
	ba19: http_port: 9050
	staging19: http_port: 9060
}
`
)

// bound are the fields that the rules leave one value in a topology such as the sample, and why.
var bound = map[string]string{
	"classes.*.backup":                       "an instance that is not backed up is refused, unless backup.none says that nothing is",
	"instances.*.backup":                     "an instance that is not backed up is refused, unless backup.none says that nothing is",
	"hosts.*.open":                           "what is open and what listens publicly must be the same",
	"hosts.*.open[]":                         "what is open and what listens publicly must be the same",
	"sources.repositories.odoo17.credential": "a deploy key opens ssh addresses, not https",
	"sources.repositories.odoo19.credential": "a deploy key opens ssh addresses, not https",
	"sources.repositories.web17.credential":  "a deploy key opens ssh addresses, not https",
	"sources.repositories.web19.credential":  "a deploy key opens ssh addresses, not https",
	"hosts.*.manage[]":                       "what runs on a host stands on its layers; testdata/script/accept/manage.txtar leaves each to somebody else",
	"hosts.tests.jump":                       "one host of a chain has a public address and no jump",
	"hosts.tests.debian":                     "Odoo 17.0 and PostgreSQL 15 want Debian 12",
	"clusters.*.host":                        "instances share no host with CI, and there are two hosts",
	"ci.host":                                "CI shares no host with instances, and there are two hosts",
}

// references are the fields that say which other thing decides. Where one leads elsewhere, whole files and stanzas
// move from host to host, and their lines name what they are about, not who pointed there. Such a field must change
// the output; what changes is not held against its path.
var references = map[string]bool{
	"classes.*.cluster":    true,
	"instances.*.class":    true,
	"ci.jobs.*.repository": true,

	"sources.versions.*.community":  true,
	"sources.versions.*.enterprise": true,
	"sources.versions.*.addons[]":   true,
}

// mutation is one change of the spec: another value at one place. A template's field is one place of many paths, and so
// is a list of the schema's, which can only be replaced.
type mutation struct {
	paths []string
	file  string // where the value stands; empty for one that is not in the user's file
	line  int
	col   int
	field specField
}

// TestEveryFieldMatters changes every field of the spec, one at a time, and demands that some byte of some host
// changes, and that every line that changes says that it comes from that field. Fields that a group of others leaves no
// doubt of are not tried alone as well.
func TestEveryFieldMatters(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // hundreds of small compilations
	base := sample(t)
	envs, err := os.ReadFile(filepath.Join(repository, "envs.cue"))
	if err != nil {
		t.Fatal(err)
	}
	all := mutations(t, base)
	var alone []*mutation
	for m, proven := range provenTogether(t, all, string(envs), base) {
		if !proven {
			alone = append(alone, m)
		}
	}
	reports := make([][]string, len(alone))
	onAllCores(t, len(alone), func(i int, dir string) { reports[i] = alone[i].try(dir, string(envs), base) })
	faults := slices.Concat(reports...)
	t.Logf("%d fields changed, %d of them alone", len(all), len(alone))
	if len(faults) > 0 {
		t.Errorf("%d faults:\n%s", len(faults), strings.Join(summary(faults), "\n"))
	}
}

// onAllCores calls do with each number below n and a directory of its own.
func onAllCores(t *testing.T, n int, do func(i int, dir string)) {
	dirs := make(chan string, runtime.GOMAXPROCS(0))
	for range cap(dirs) {
		dirs <- t.TempDir()
	}
	var wg sync.WaitGroup
	for i := range n {
		dir := <-dirs
		wg.Go(func() {
			defer func() { dirs <- dir }()
			do(i, dir)
		})
	}
	wg.Wait()
}

// mutations are the changes to try. Every field that has a place in envs.cue is changed there; every other is set
// by a file beside it.
func mutations(t *testing.T, base *compiled) []*mutation {
	t.Helper()
	spec := evaluated(t)
	places, lists := map[topology.Place]*mutation{}, map[string]*mutation{}
	var all []*mutation
	for _, f := range specFields(base.topology) {
		if strings.HasPrefix(f.path, "compatibility.") {
			continue // what is refused depends on the table of versions, and what vet warns of; no file does
		}
		m := &mutation{paths: []string{f.path}, field: f}
		if spec.LookupPath(cue.ParsePath(f.path)).Exists() && !f.list {
			place, ok := base.origins.Of(f.path)
			if !ok {
				t.Fatalf("%s has no place", f.path)
			}
			if !base.origins.Schema(place) {
				if same := places[place]; same != nil {
					same.paths = append(same.paths, f.path)
					continue
				}
				places[place] = m
				m.file, m.line, m.col = filepath.Base(place.File), place.Line, place.Col
			}
		}
		if list, _, is := strings.Cut(f.path, "["); is && m.file == "" && strings.HasSuffix(f.path, "]") { // such a list is replaced as a whole
			if same := lists[list]; same != nil {
				same.paths = append(same.paths, f.path)
				continue
			}
			lists[list] = m
		}
		all = append(all, m)
	}
	return all
}

// enough values of a field without an effect are believed: the field has none.
const enough = 2

// try changes the field to the first other value that the spec accepts and that changes the output, and reports
// what is wrong with what changed.
func (m *mutation) try(dir, envs string, base *compiled) []string {
	field := m.paths[0]
	around := about(context, field)
	if around != "" {
		if err := writeSpec(dir, envs, around); err != nil {
			return []string{err.Error()}
		}
		var err error
		if base, err = compile(dir); err != nil {
			return []string{fmt.Sprintf("%s: what is around it: %v", field, err)}
		}
	}
	accepted := 0
	var refusal error
	for _, value := range candidates(m.field, base.topology) {
		spec, more, err := m.apply(envs, value)
		if err != nil {
			return []string{field + ": " + err.Error()}
		}
		if err := writeSpec(dir, spec, around+more); err != nil {
			return []string{err.Error()}
		}
		now, err := compile(dir)
		if err != nil {
			refusal = cmp.Or(refusal, err)
			continue
		}
		changed := changedFields(base, now)
		if len(changed) == 0 {
			continue // it is what it was
		}
		accepted++
		if identical(base.trees, now.trees) {
			if accepted == enough {
				break
			}
			continue
		}
		if why := informational[shape(field)]; why != "" {
			return []string{field + ": listed as informational, but it changes the output"}
		}
		if references[shape(field)] {
			return nil
		}
		var faults []string
		for _, u := range unlisted(base.trees, now.trees, changed) {
			faults = append(faults, field+": changes, unsaid: "+u)
		}
		return faults
	}
	why := about(bound, field)
	switch {
	case why != "" && accepted > 0:
		return []string{fmt.Sprintf("%s: listed as bound (%s), but it may change", field, why)}
	case why != "":
		return nil
	case accepted == 0:
		return []string{fmt.Sprintf("%s: no other value is accepted: %v", field, refusal)}
	case informational[shape(field)] == "":
		return []string{field + ": changes no byte"}
	}
	return nil
}

// about looks a field up by its path, else by its shape.
func about(table map[string]string, path string) string {
	return cmp.Or(table[path], table[shape(path)])
}

// changedFields are the paths of all values that are not as they were: the field itself, and those that the schema
// computes from it.
func changedFields(before, after *compiled) map[string]bool {
	was := map[string]string{}
	for _, f := range specFields(before.topology) {
		was[f.path] = f.text()
	}
	changed := map[string]bool{}
	for _, f := range specFields(after.topology) {
		if old, ok := was[f.path]; !ok || old != f.text() {
			changed[f.path] = true
		}
		delete(was, f.path)
	}
	for path := range was {
		changed[path] = true
	}
	return changed
}

// apply is the sample with the field at another value: envs.cue, and what stands beside it.
func (m *mutation) apply(envs, value string) (spec, more string, err error) {
	if m.field.list {
		return envs, statement(m.paths[0], "["+value+"]"), nil
	}
	if m.file == "" {
		path := m.paths[0]
		if list, is := strings.CutSuffix(path, "[0]"); is {
			return envs, statement(list, "["+value+"]"), nil
		}
		if i := strings.LastIndexByte(path, '['); i > 0 {
			return envs, statement(path[:i], "["+value+"]"), nil
		}
		return envs, statement(path, value), nil
	}
	if m.file != "envs.cue" {
		return "", "", fmt.Errorf("stands in %s", m.file)
	}
	lines := strings.Split(envs, "\n")
	before, old := lines[m.line-1][:m.col-1], lines[m.line-1][m.col-1:]
	for label := literal(old); strings.HasPrefix(old[label:], ":"); label = literal(old) {
		end := label + 1 + len(old[label+1:]) - len(strings.TrimLeft(old[label+1:], " "))
		before, old = before+old[:end], old[end:]
	}
	lines[m.line-1] = before + value + old[literal(old):]
	return strings.Join(lines, "\n"), "", nil
}

// literal is the length of the CUE literal or label that text begins with. CUE's place of a field is its label's.
func literal(text string) int {
	if strings.HasPrefix(text, `"`) {
		return strings.Index(text[1:], `"`) + 2
	}
	if i := strings.IndexAny(text, " :,}]\t"); i >= 0 {
		return i
	}
	return len(text)
}

func identical(a, b []*artifact.Tree) bool {
	return slices.EqualFunc(a, b, func(x, y *artifact.Tree) bool {
		return x.Host == y.Host && string(x.Manifest()) == string(y.Manifest())
	})
}

// summary sorts the faults and gives one of each shape: the same generator says the same of every instance.
func summary(faults []string) []string {
	slices.Sort(faults)
	more := map[string]int{}
	var first, keys []string
	for _, f := range faults {
		path, rest, _ := strings.Cut(f, ": ")
		key := shape(path) + ": " + faultShape(rest)
		if more[key]++; more[key] == 1 {
			first, keys = append(first, f), append(keys, key)
		}
	}
	for i, k := range keys {
		if n := more[k] - 1; n > 0 {
			first[i] += fmt.Sprintf(" (and %d alike)", n)
		}
	}
	return first
}

// faultShape is a fault without the line's own text: file and origins say which generator is meant.
func faultShape(fault string) string {
	what, detail, is := strings.Cut(fault, "unsaid: ")
	if !is {
		return fault
	}
	file, rest, _ := strings.Cut(detail, ": ")
	from := rest[strings.LastIndex(rest, "(from ")+1:]
	words := strings.Fields(strings.TrimSuffix(from, ")"))
	for i := range words {
		words[i] = shape(words[i])
	}
	_, file, _ = strings.Cut(file, "/")
	dir, _, _ := strings.Cut(file, "/")
	return what + dir + " " + strings.Join(words, " ")
}

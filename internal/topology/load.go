package topology

import (
	"reflect"
	"slices"
	"strings"
	"sync"

	"cuelang.org/go/cue"
)

// packageName is the package of the user's files; a file of another is not read by CUE, and refused here.
const packageName = "envs"

// Load reads the spec in dir: every *.cue file of package envs, with the schema that this odoogen was built with.
// Nothing else is read but the files that the spec carries to hosts, and no network is touched. A spec with mistakes gives all of them, as Problems: those of
// its shape, which CUE finds, together with those between entities, as far as the former leave something to hold
// against the rules.
func Load(dir string) (*Topology, *Origins, error) { return read(dir, nil) }

// read is Load of a spec that says something more.
func read(dir string, more *saying) (*Topology, *Origins, error) {
	definitions := parseDefinitions()
	files, err := newSpecFS(dir)
	if err != nil {
		return nil, nil, err
	}
	if more != nil {
		files.own[saidFile] = more.file()
	}
	if problems := packageProblems(dir, files); len(problems) > 0 {
		return nil, nil, problems.sorted() // what CUE would not read is not worth a word about the rest
	}
	e := evaluate(dir, files, definitions, more)
	if !e.usable {
		return nil, nil, e.problems.sorted()
	}
	t := &Topology{set: map[string]bool{}}
	classes := sync.OnceValue(func() map[string]*Class { return index(t.Classes, func(c *Class) string { return c.Name }) })
	d := decoder{origins: e.origins, begin: func(entry any, v cue.Value) { inherit(classes, entry, v) }}
	d.decode(e.origins.root, reflect.ValueOf(t).Elem(), "")
	for _, path := range d.set {
		t.set[path] = true
	}
	t.inheritExtra(classes())
	t.nameWaivers(e.origins)
	if err := t.readFiles(dir); err != nil {
		return nil, nil, err
	}
	problems := append(e.problems, d.problems...)
	for _, p := range t.resolve(e.origins) {
		if !e.broken.hit(p.Path) { // a name that is wrong in itself leads nowhere, too
			problems = append(problems, p)
		}
	}
	problems = append(problems, check(t, e.origins, e.broken.with(problems))...)
	if len(problems) > 0 {
		return nil, nil, problems.sorted()
	}
	return t, e.origins, nil
}

// inherit begins an instance with a copy of its class's settings. Classes are decoded before instances. Further options
// are a map, and wait until the instance's own are there.
func inherit(classes func() map[string]*Class, entry any, v cue.Value) {
	i, ok := entry.(*Instance)
	if !ok {
		return
	}
	name, _ := v.LookupPath(cue.MakePath(cue.Str("class"))).String()
	if c := classes()[name]; c != nil {
		i.Settings = c.Settings
		i.Extra = nil
	}
}

// inheritExtra gives instances the further options of their classes.
func (t *Topology) inheritExtra(classes map[string]*Class) {
	for _, i := range t.Instances {
		if c := classes[i.ClassName]; c != nil {
			i.Extra = merged(c.Extra, i.Extra)
		}
	}
}

// merged are the settings of a class and of an instance by name; what both say is the instance's.
func merged(class, own []*Setting) []*Setting {
	all := slices.Clone(own)
	for _, s := range class {
		if !slices.ContainsFunc(own, func(o *Setting) bool { return o.Name == s.Name }) {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b *Setting) int { return strings.Compare(a.Name, b.Name) })
	return all
}

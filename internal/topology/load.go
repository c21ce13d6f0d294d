package topology

import (
	"reflect"

	"cuelang.org/go/cue"
)

// packageName is the package of the user's files; a file of another is not read by CUE, and refused here.
const packageName = "envs"

// Load reads the spec in dir: every *.cue file of package envs, with the schema that this odoogen was built with.
// Nothing else is read and no network is touched. A spec with mistakes gives all of them, as Problems: those of
// its shape, which CUE finds, together with those between entities, as far as the former leave something to hold
// against the rules.
func Load(dir string) (*Topology, *Origins, error) {
	files, err := newSpecFS(dir)
	if err != nil {
		return nil, nil, err
	}
	if problems := packageProblems(dir, files); len(problems) > 0 {
		return nil, nil, problems.sorted() // what CUE would not read is not worth a word about the rest
	}
	e := evaluate(dir, files)
	if !e.usable {
		return nil, nil, e.problems.sorted()
	}
	t := &Topology{set: map[string]bool{}}
	d := decoder{set: t.set, origins: e.origins, begin: t.inherit}
	d.decode(e.origins.root, reflect.ValueOf(t).Elem(), "")
	t.nameWaivers(e.origins)
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

// inherit begins an instance with a copy of its class's settings. Classes are decoded before instances.
func (t *Topology) inherit(entry any, v cue.Value) {
	i, ok := entry.(*Instance)
	if !ok {
		return
	}
	if t.classes == nil {
		t.classes = index(t.Classes, func(c *Class) string { return c.Name })
	}
	name, _ := v.LookupPath(cue.MakePath(cue.Str("class"))).String()
	if c := t.classes[name]; c != nil {
		i.Settings = c.Settings
	}
}

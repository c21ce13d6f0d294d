package topology

import (
	"reflect"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/load"
)

// packageName is the package of the user's files; a file of another is not read by CUE, and refused here.
const packageName = "envs"

// Load reads the spec in dir: every *.cue file of package envs, with the schema that this odoogen was built with.
// Nothing else is read and no network is touched. A spec with mistakes gives all of them, as Problems.
func Load(dir string) (*Topology, *Origins, error) {
	files, err := newSpecFS(dir)
	if err != nil {
		return nil, nil, err
	}
	instances := load.Instances([]string{".:" + packageName}, &load.Config{
		FS:         files,
		FromFSPath: func(p string) string { return strings.TrimPrefix(p, "/") },
		Env:        []string{"CUE_REGISTRY=none"},
	})
	// A context keeps all that it ever built: one for each load, dropped with it.
	root := cuecontext.New().BuildInstance(instances[0])
	origins := &Origins{root: root, dir: dir}
	problems := packageProblems(dir, files)
	problems = append(problems, cueProblems(origins, instances[0].Err, root)...)

	d := decoder{set: map[string]bool{}, origins: origins}
	t := &Topology{set: d.set}
	if instances[0].Err == nil {
		d.decode(root, reflect.ValueOf(t).Elem(), "")
		t.inherit(&d)
		problems = append(problems, d.problems...)
		problems = append(problems, t.resolve(origins)...)
		problems = append(problems, check(t, origins, problems)...)
	}
	if len(problems) > 0 {
		return nil, nil, problems.sorted()
	}
	return t, origins, nil
}

// inherit decodes the instances again, each over a copy of its class's settings.
func (t *Topology) inherit(d *decoder) {
	classes := map[string]*Class{}
	for _, c := range t.Classes {
		classes[c.Name] = c
	}
	for _, i := range t.Instances {
		if c := classes[i.ClassName]; c != nil {
			i.Settings = c.Settings
			d.decode(d.origins.root.LookupPath(cue.ParsePath(i.Path)), reflect.ValueOf(i), i.Path)
		}
	}
}

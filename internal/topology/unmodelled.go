package topology

import (
	"fmt"
	"maps"
	"slices"
)

// SysctlFile is the place of a host's own kernel settings in a tree: after odoogen's.
const SysctlFile = "sysctl.d/odoogen-extra.conf"

// Unmodelled is something that odoogen carries to a host without knowing what it does there.
type Unmodelled struct {
	Path  string   // where the spec says it
	Files []string // of the tree; none for a package
}

// UnmodelledOn is all that the host has of it, sorted by path.
func (t *Topology) UnmodelledOn(h *Host) []Unmodelled {
	files := map[string][]string{}
	add := func(path string, file ...string) { files[path] = append(files[path], file...) }
	for n := range t.Packages.Extra {
		add(fmt.Sprintf("packages.extra[%d]", n))
	}
	for n := range h.Packages {
		add(fmt.Sprintf("%s.packages[%d]", h.Path, n))
	}
	for _, s := range h.Sysctl {
		add(s.Path, SysctlFile)
	}
	for _, d := range h.Units {
		add(d.Path, d.File())
	}
	for _, f := range h.Files {
		add(f.Path, f.TreePath())
	}
	for _, c := range h.Clusters {
		for _, s := range c.Extra {
			add(s.Path, c.SettingsFile(s))
		}
	}
	for _, i := range h.Instances {
		for _, s := range i.Extra {
			add(s.Path, "odoo/"+i.Name+".conf")
		}
		for n := range i.Nginx {
			add(fmt.Sprintf("%s.nginx[%d]", i.Path, n), i.NginxFile())
		}
	}
	var all []Unmodelled
	for _, path := range slices.Sorted(maps.Keys(files)) {
		all = append(all, Unmodelled{path, files[path]})
	}
	return all
}

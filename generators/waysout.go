package generators

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"

	"odoogen/internal/artifact"
	"odoogen/internal/conf"
	"odoogen/internal/topology"
)

// WaysOut writes what the spec says of a host in systemd's and the kernel's own words: drop-ins of units and kernel
// settings. What it says in those of Odoo, PostgreSQL and nginx stands in their files.
func WaysOut(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	for _, d := range h.Units {
		effects := []artifact.Effect{artifact.DaemonReload}
		if d.Restarts() {
			effects = append(effects, artifact.Restart(d.Name))
		}
		out.add(d.File(), dropIn(d), effects...)
	}
	if len(h.Sysctl) > 0 {
		s := conf.NewSysctl(h.At("sysctl"), "Kernel settings of "+h.Name+".")
		s.Comment(unmodelled)
		for _, set := range h.Sysctl {
			s.Set(set.Name, string(set.Value), set.Path)
		}
		out.add(topology.SysctlFile, &s.Text, artifact.Restart("systemd-sysctl.service"))
	}
	for _, f := range h.Files {
		out.carried(f)
	}
	return out.result()
}

// carried puts a file of the spec's own into the tree as it is.
func (o *output) carried(f *topology.HostFile) {
	var effects []artifact.Effect
	if f.Effect != "none" {
		effects = []artifact.Effect{artifact.Effect(f.Effect)}
	}
	mode, err := strconv.ParseUint(f.Mode, 8, 32)
	if err != nil && o.err == nil {
		o.err = fmt.Errorf("%s: mode %q", f.Path, f.Mode)
	}
	from := slices.Repeat([]string{f.Path + ".source"}, bytes.Count(f.Data, []byte("\n")))
	o.files = append(o.files, artifact.File{Path: f.TreePath(), Mode: uint32(mode), Effects: effects, Data: f.Data, From: from})
}

func dropIn(d *topology.DropIn) *conf.Text {
	u := conf.NewUnit(d.Path, "What the spec adds to "+d.Name+".")
	u.Comment(unmodelled)
	for _, s := range d.Sections {
		u.Section(s.Name, s.Path)
		for _, set := range s.Settings {
			for _, v := range set.Values {
				u.SetSpecifiers(set.Name, v.Switch(), set.Path)
			}
		}
	}
	return &u.Text
}

package generators

import (
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
	return out.result()
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

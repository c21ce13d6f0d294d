package generators

import (
	"strings"

	"odoogen/internal/artifact"
	"odoogen/internal/conf"
	"odoogen/internal/topology"
)

// Target writes odoogen.target, which wants all that runs on the host, the drop-in by which a boot starts it, and
// the slices that hold more than one unit. Units carry no [Install]: what runs is what the target wants.
func Target(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	u := conf.NewUnit(h.Path, "All that odoogen runs on "+h.Name+".")
	u.Section("Unit")
	u.Set("Description", "All that odoogen runs on "+h.Name)
	for _, w := range t.Units(h) {
		u.Set("Wants", w.Unit, strings.Fields(w.Path)...)
	}
	out.add("systemd/system/"+topology.Target, &u.Text, artifact.DaemonReload)
	out.constant("systemd/system/multi-user.target.d/odoogen.conf", "systemd/multi-user.conf", readable, artifact.DaemonReload)

	slice := func(name string) {
		out.constant("systemd/system/"+name, "systemd/"+name, readable, artifact.DaemonReload)
	}
	slice(topology.JobsSlice)
	if h.RunsOdoo() {
		slice(topology.OdooSlice)
	}
	return out.result()
}

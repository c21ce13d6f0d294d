package generators

import (
	"fmt"

	"odoogen/internal/conf"
	"odoogen/internal/topology"
)

// hostDoors are the permanent ways from where daemons look into the generation: links to directories, and one constant
// anchor file for each daemon that reads a directory of files. A door does not change from one generation to the
// next, so a flip of `current` is one rename; a link per file would dangle on one side of it.
func hostDoors(h *topology.Host) *conf.Node {
	all := conf.Array()
	add := func(layer topology.Layer, door *conf.Node, from ...string) {
		if h.Manages(layer) {
			all.Add(door, from...)
		}
	}
	link := func(layer topology.Layer, path, target string, from ...string) {
		add(layer, conf.Object().Set("path", path).Set("link", topology.Current+"/"+target), from...)
	}
	anchor := func(layer topology.Layer, path, mode, text string, from ...string) {
		add(layer, conf.Object().Set("path", path).Set("mode", mode).Set("content", text), from...)
	}
	link(topology.EverywhereLayer, "/usr/local/lib/systemd/system", "systemd/system")
	link(topology.NetworkLayer, "/usr/local/lib/systemd/network", "systemd/network")
	link(topology.TimeLayer, "/usr/local/lib/systemd/timesyncd.conf.d", "systemd/timesyncd.conf.d")
	link(topology.JournalLayer, "/usr/local/lib/systemd/journald.conf.d", "systemd/journald.conf.d")
	link(topology.UsersLayer, "/usr/local/lib/sysusers.d", "sysusers.d")
	link(topology.UsersLayer, "/usr/local/lib/tmpfiles.d", "tmpfiles.d")
	link(topology.SysctlLayer, "/usr/local/lib/sysctl.d", "sysctl.d")
	link(topology.PackagesLayer, "/etc/apt/sources.list.d/odoogen.sources", "apt/odoogen.sources")
	link(topology.PackagesLayer, "/etc/apt/preferences.d/odoogen", "apt/preferences")
	link(topology.PackagesLayer, "/etc/needrestart/conf.d/odoogen.conf", "needrestart/odoogen.conf")
	link(topology.PackagesLayer, "/etc/postgresql-common/createcluster.d/odoogen.conf", "postgresql-common/createcluster.conf")
	anchor(topology.PackagesLayer, "/etc/apt/apt.conf.d/99odoogen", "0644", "#include \""+topology.Current+"/apt/apt.conf\";\n")
	anchor(topology.SSHLayer, "/etc/ssh/sshd_config.d/10-odoogen.conf", "0644", "Include "+topology.Current+"/ssh/*.conf\n")
	anchor(topology.SudoLayer, "/etc/sudoers.d/odoogen", "0440", "@includedir "+topology.Current+"/sudoers.d\n")
	if h.RunsOdoo() {
		anchor(topology.NginxLayer, "/etc/nginx/conf.d/odoogen.conf", "0644", "include "+topology.Current+"/nginx/*.conf;\n")
	}
	for _, f := range h.Files {
		link(topology.EverywhereLayer, f.Name, f.TreePath(), f.Path)
	}
	for _, c := range h.Clusters {
		anchor(topology.PostgresLayer, fmt.Sprintf("/etc/postgresql/%d/%s/conf.d/odoogen.conf", c.Version, c.Name), "0644",
			fmt.Sprintf("include '%[1]s/postgresql/%[2]s/postmaster.conf'\ninclude '%[1]s/postgresql/%[2]s/reload.conf'\n",
				topology.Current, c.Name), c.Path)
	}
	return all
}

// hostAbsent are files of the distribution that must go: nothing else of it is replaced or removed.
func hostAbsent(h *topology.Host) *conf.Node {
	all := conf.Array()
	if h.ServesWeb() {
		all.Add("/etc/nginx/sites-enabled/default")
	}
	return all
}

// hostDisabled are units of the distribution that must not run: a package starts them, the topology has its own.
func hostDisabled(t *topology.Topology, h *topology.Host) *conf.Node {
	all := conf.Array()
	if t.Observability != nil && len(h.Clusters) > 0 && h.Manages(topology.UnitsLayer) {
		// One unit for one cluster; each cluster here has an instance of odoogen-postgres-exporter@.
		all.Add("prometheus-postgres-exporter.service", "observability.exporters")
	}
	return all
}

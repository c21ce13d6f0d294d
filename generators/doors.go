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
	link := func(path, target string) {
		all.Add(conf.Object().Set("path", path).Set("link", topology.Current+"/"+target))
	}
	anchor := func(path string, mode string, text string, from ...string) {
		all.Add(conf.Object().Set("path", path).Set("mode", mode).Set("content", text), from...)
	}
	for _, d := range []string{"system", "network", "timesyncd.conf.d", "journald.conf.d"} {
		link("/usr/local/lib/systemd/"+d, "systemd/"+d)
	}
	for _, d := range []string{"sysusers.d", "tmpfiles.d", "sysctl.d"} {
		link("/usr/local/lib/"+d, d)
	}
	link("/etc/apt/sources.list.d/odoogen.sources", "apt/odoogen.sources")
	link("/etc/apt/preferences.d/odoogen", "apt/preferences")
	link("/etc/needrestart/conf.d/odoogen.conf", "needrestart/odoogen.conf")
	link("/etc/postgresql-common/createcluster.d/odoogen.conf", "postgresql-common/createcluster.conf")
	anchor("/etc/apt/apt.conf.d/99odoogen", "0644", "#include \""+topology.Current+"/apt/apt.conf\";\n")
	anchor("/etc/ssh/sshd_config.d/10-odoogen.conf", "0644", "Include "+topology.Current+"/ssh/*.conf\n")
	anchor("/etc/sudoers.d/odoogen", "0440", "@includedir "+topology.Current+"/sudoers.d\n")
	if h.RunsOdoo() {
		anchor("/etc/nginx/conf.d/odoogen.conf", "0644", "include "+topology.Current+"/nginx/*.conf;\n")
	}
	for _, f := range h.Files {
		all.Add(conf.Object().Set("path", f.Name).Set("link", topology.Current+"/"+f.TreePath()), f.Path)
	}
	for _, c := range h.Clusters {
		anchor(fmt.Sprintf("/etc/postgresql/%d/%s/conf.d/odoogen.conf", c.Version, c.Name), "0644",
			fmt.Sprintf("include '%[1]s/postgresql/%[2]s/postmaster.conf'\ninclude '%[1]s/postgresql/%[2]s/reload.conf'\n",
				topology.Current, c.Name), c.Path)
	}
	return all
}

// hostAbsent are files of the distribution that must go: nothing else of it is replaced or removed.
func hostAbsent(h *topology.Host) *conf.Node {
	all := conf.Array()
	if h.RunsOdoo() {
		all.Add("/etc/nginx/sites-enabled/default")
	}
	return all
}

// hostDisabled are units of the distribution that must not run: a package starts them, the topology has its own.
func hostDisabled(t *topology.Topology, h *topology.Host) *conf.Node {
	all := conf.Array()
	if t.Observability != nil && len(h.Clusters) > 0 {
		// One unit for one cluster; each cluster here has an instance of odoogen-postgres-exporter@.
		all.Add("prometheus-postgres-exporter.service", "observability.exporters")
	}
	return all
}

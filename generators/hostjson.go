package generators

import (
	"cmp"

	"odoogen/internal/artifact"
	"odoogen/internal/conf"
	"odoogen/internal/topology"
)

// HostJSON writes HOST.json: what push must know of the host beside its files. It is reviewed like any other file,
// and names no secret's value.
func HostJSON(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	root := conf.Object().
		Set("host", h.Name, h.Path).
		Set("fqdn", h.FQDN, h.At("fqdn")).
		Set("debian", h.Debian, h.At("debian")).
		Set("network", hostNetwork(t, h)).
		Set("routes", hostRoutes(t, h)).
		Set("hostKeys", list(h.HostKeys, func(int) string { return h.At("hostKeys") })).
		Set("timezone", t.Network.Time.Zone, "network.time.zone").
		Set("vendors", hostVendors(t)).
		Set("packages", hostPackages(t, h)).
		Set("downloads", hostDownloads(t, h)).
		Set("doors", hostDoors(h)).
		Set("absent", hostAbsent(h)).
		Set("disabled", hostDisabled(t, h)).
		Set("clusters", hostClusters(h)).
		Set("databases", hostDatabases(h)).
		Set("units", hostUnits(t, h)).
		Set("listeners", hostListeners(t, h)).
		Set("probes", hostProbes(t, h)).
		Set("secrets", hostSecrets(t, h)).
		Set("jobs", hostJobs(t, h)).
		Set("accepted", hostAccepted(t, h))
	unmodelled, from := hostUnmodelled(t, h)
	root.Set("unmodelled", unmodelled, from...)
	out.add("HOST.json", conf.JSON(h.Path, root))
	return out.result()
}

// hostNetwork is what the host's cards carry.
func hostNetwork(t *topology.Topology, h *topology.Host) *conf.Node {
	n := conf.Object().Set("uplink", h.Uplink.Name, h.At("uplink.name"))
	for _, field := range []struct{ name, address string }{{"public", h.Public}, {"public6", h.Public6}} {
		if field.address != "" {
			n.Set(field.name, field.address, h.At(field.name))
		}
	}
	if v := t.Network.VSwitch; v != nil && h.Private != "" {
		n.Set("interface", v.Interface, "network.vswitch.interface").
			Set("private", h.Private+"/"+v.PrefixLength(), h.At("private"), "network.vswitch.subnet").
			Set("vlan", v.VLAN, "network.vswitch.vlan").
			Set("mtu", v.MTU, "network.vswitch.mtu")
	}
	return n
}

// hostRoutes are the ways to the host, best first. A jump is another host's name.
func hostRoutes(t *topology.Topology, h *topology.Host) *conf.Node {
	routes := conf.Array()
	route := func(name, address, jump string, from ...string) {
		r := conf.Object().Set("name", name).Set("address", address)
		if jump != "" {
			r.Set("jump", jump, h.At("jump"))
		}
		routes.Add(r, from...)
	}
	if h.Private != "" {
		route("private", h.Private, h.Jump, h.At("private"))
	}
	if len(t.Access.Whitelist) > 0 && h.Jump == "" {
		for _, field := range []string{"public", "public6"} {
			if address := map[string]string{"public": h.Public, "public6": h.Public6}[field]; address != "" {
				route("public", address, "", h.At(field), "access.whitelist")
			}
		}
	}
	if h.Bootstrap != "" {
		route("bootstrap", h.Bootstrap, "", h.At("bootstrap"))
	}
	return routes
}

// hostVendors are the package sources, with the fingerprint that their key must have.
func hostVendors(t *topology.Topology) *conf.Node {
	all := conf.Array()
	for _, v := range t.Packages.Vendors {
		all.Add(conf.Object().
			Set("name", v.Name).
			Set("key", v.Key, v.Path+".key").
			Set("fingerprint", v.Fingerprint, v.Path+".fingerprint").
			Set("keyring", v.Keyring()), v.Path)
	}
	return all
}

func hostPackages(t *topology.Topology, h *topology.Host) *conf.Node {
	all := conf.Array()
	for _, p := range t.PackagesOf(h) {
		o := conf.Object().Set("name", p.Name)
		if p.Vendor != "" {
			o.Set("version", p.Version).Set("vendor", p.Vendor)
		}
		all.Add(o, p.Path)
	}
	return all
}

// hostDownloads are packages that no package source has: by address and hash.
func hostDownloads(t *topology.Topology, h *topology.Host) *conf.Node {
	all := conf.Array()
	if w := t.Sources.Wkhtmltopdf; w != nil && h.RunsOdoo() {
		const path = "sources.wkhtmltopdf"
		all.Add(conf.Object().
			Set("package", "wkhtmltox").
			Set("version", w.Version, path+".version").
			Set("url", w.URL, path+".url").
			Set("sha256", w.SHA256, path+".sha256"), path)
	}
	return all
}

// hostClusters are the PostgreSQL clusters, and how pg_createcluster makes them.
func hostClusters(h *topology.Host) *conf.Node {
	all := conf.Array()
	for _, c := range h.Clusters {
		all.Add(conf.Object().
			Set("name", c.Name).
			Set("version", c.Version, c.Path+".version").
			Set("port", c.Port, c.Path+".port").
			Set("unit", c.Unit(), c.Path+".version").
			Set("create", c.CreateArguments(), c.Path+".port", c.Path+".version"), c.Path)
	}
	return all
}

// hostDatabases are the databases and the roles that own them.
func hostDatabases(h *topology.Host) *conf.Node {
	all := conf.Array()
	for _, i := range h.Instances {
		all.Add(conf.Object().
			Set("instance", i.Name).
			Set("cluster", i.Cluster.Name, i.Class.Path+".cluster").
			Set("database", i.Database, i.At("database")).
			Set("role", i.User()), i.Path)
	}
	return all
}

// hostUnits are what odoogen.target wants, in the order in which they start.
func hostUnits(t *topology.Topology, h *topology.Host) *conf.Node {
	all := conf.Array()
	for _, w := range t.Units(h) {
		all.Add(w.Unit, w.Path)
	}
	return all
}

func hostListeners(t *topology.Topology, h *topology.Host) *conf.Node {
	all := conf.Array()
	for _, l := range t.Listeners(h) {
		all.Add(conf.Object().
			Set("port", l.Port).
			Set("reach", string(l.Reach)).
			Set("unit", l.Unit, cmp.Or(l.UnitPath, l.Path)).
			Set("what", l.What), l.Path)
	}
	return all
}

// hostSecrets are the names of what push must bring, where it goes, and what reads it.
func hostSecrets(t *topology.Topology, h *topology.Host) *conf.Node {
	all := conf.Array()
	for _, s := range t.SecretsOf(h) {
		all.Add(conf.Object().
			Set("name", s.Name).
			Set("file", topology.SecretFile(s.Name)).
			Set("consumers", s.Consumers), s.Path)
	}
	return all
}

// hostJobs are what starts by the calendar, and for how long at most.
func hostJobs(t *topology.Topology, h *topology.Host) *conf.Node {
	all := conf.Array()
	for _, j := range t.Jobs(h) {
		o := conf.Object().Set("name", j.Name)
		if j.Unit != "" {
			o.Set("timer", topology.Timer(j.Unit))
		}
		if j.At != "" {
			o.Set("at", string(j.At), j.Path+".at")
		} else {
			o.Set("every", j.Every.String(), j.Path+".every")
		}
		o.Set("maxSeconds", int64(j.Max), j.Path+".maxDuration")
		if j.Limits.CPUQuota > 0 {
			o.Set("CPUQuota", j.Limits.CPUQuota.String(), append([]string{j.LimitsPath + ".CPUQuota"}, j.LimitsInputs...)...)
			o.Set("MemoryMax", j.Limits.MemoryMax.String(), append([]string{j.LimitsPath + ".MemoryMax"}, j.LimitsInputs...)...)
		}
		if j.Reboots {
			o.Set("reboots", true, "patching.reboot")
		}
		all.Add(o, j.Path)
	}
	return all
}

// hostAccepted are the rules that the spec breaks knowingly on this host, and until when.
func hostAccepted(t *topology.Topology, h *topology.Host) *conf.Node {
	all := conf.Array()
	for _, w := range t.WaiversOf(h) {
		for _, p := range w.Problems {
			all.Add(conf.Object().
				Set("rule", w.Rule, w.Path+".rule").
				Set("at", p.Path).
				Set("until", w.Until, w.Path+".until").
				Set("reason", w.Reason, w.Path+".reason"), w.Path)
		}
	}
	return all
}

// hostUnmodelled is what the tree carries without knowing what it does, and whose it is: a reviewer has to know.
func hostUnmodelled(t *topology.Topology, h *topology.Host) (all *conf.Node, from []string) {
	all, from = conf.Array(), []string{h.Path}
	for _, u := range t.UnmodelledOn(h) {
		all.Add(conf.Object().Set("path", u.Path).Set("files", u.Files), u.Path)
		from = append(from, u.Path)
	}
	return all, from
}

// list is an array of strings, each with its origin.
func list(values []string, from func(n int) string) *conf.Node {
	all := conf.Array()
	for n, v := range values {
		all.Add(v, from(n))
	}
	return all
}

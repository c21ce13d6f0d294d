package topology

import "slices"

// Layer is a part of a host that odoogen owns, or leaves to somebody else.
type Layer string

// The layers, as the spec names them.
const (
	UnitsLayer      Layer = "units" // what runs: instances, jobs, exporters, Jenkins
	UsersLayer      Layer = "users"
	NginxLayer      Layer = "nginx" // certificates too
	PostgresLayer   Layer = "postgresql"
	FirewallLayer   Layer = "firewall"
	SSHLayer        Layer = "sshd"
	SudoLayer       Layer = "sudo"
	PackagesLayer   Layer = "packages"
	NetworkLayer    Layer = "network"
	SysctlLayer     Layer = "sysctl"
	TimeLayer       Layer = "time"
	JournalLayer    Layer = "journal"
	EverywhereLayer Layer = "" // of what is odoogen's on every host
)

// Layers is what each layer means where it is somebody else's, for the RUNBOOK.
var Layers = []struct {
	Layer Layer
	Left  string
}{
	{UnitsLayer, "nothing of odoogen runs here: no jobs, no backups, no exporters"},
	{UsersLayer, "the users and directories that the spec names are not made"},
	{NginxLayer, "no vhosts and no certificates: what serves the instances' domains is somebody else's"},
	{PostgresLayer, "no cluster is configured"},
	{FirewallLayer, "nothing is opened or closed: what the host's open says is not enforced"},
	{SSHLayer, "sshd's settings and everybody's keys are somebody else's, those that deploy too"},
	{SudoLayer, "who may become root is somebody else's to say"},
	{PackagesLayer, "nothing is installed, held or patched: what odoogen needs must be there"},
	{NetworkLayer, "the private network's interface is somebody else's"},
	{SysctlLayer, "no kernel setting is made"},
	{TimeLayer, "the time servers are somebody else's"},
	{JournalLayer, "the journal's size is somebody else's"},
}

// Manages tells whether a layer of the host is odoogen's.
func (h *Host) Manages(l Layer) bool {
	return l == EverywhereLayer || slices.Contains(h.Manage, string(l))
}

// ServesWeb tells whether odoogen's nginx runs here: before instances, where that layer is odoogen's.
func (h *Host) ServesWeb() bool { return h.RunsOdoo() && h.Manages(NginxLayer) }

// checkManage refuses to leave a layer to somebody else that something else on the host stands on.
func checkManage(c *checker) {
	for _, h := range c.t.Hosts {
		for n, l := range h.Manage {
			if slices.Index(h.Manage, l) < n {
				c.refuse(h.At("manage"), "", nil, "names %s twice", l)
			}
		}
		needs := func(what, path string, layers ...Layer) {
			for _, l := range layers {
				if !h.Manages(l) {
					c.refuse(h.At("manage"), "", c.also(path, "%s", what), "leaves %s to somebody else, and %s on host %s needs it", l, what, h.Name)
				}
			}
		}
		if h.RunsOdoo() {
			i := h.Instances[0]
			needs("instance "+i.Name, i.Path, UnitsLayer, UsersLayer)
			for _, i := range h.Instances {
				if len(i.Nginx) > 0 {
					needs("the vhost of "+i.Name, i.Path+".nginx", NginxLayer)
				}
			}
		}
		if len(h.Clusters) > 0 {
			needs("cluster "+h.Clusters[0].Name, h.Clusters[0].Path, PostgresLayer)
		}
		if h.CI != nil {
			needs("Jenkins", "ci.host", UnitsLayer, UsersLayer)
		}
		if h.Manages(UnitsLayer) {
			needs("what runs", h.At("manage"), UsersLayer)
		}
		if h.Manages(PackagesLayer) {
			needs("the patch window", h.At("manage"), UnitsLayer)
		}
		if len(h.Sysctl) > 0 {
			needs("a kernel setting", h.At("sysctl"), SysctlLayer)
		}
		if len(h.Packages) > 0 {
			needs("a package", h.At("packages"), PackagesLayer)
		}
	}
}

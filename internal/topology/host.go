package topology

import (
	"fmt"
	"slices"
	"strings"
)

// At is the path of one of the host's fields.
func (h *Host) At(field string) string { return h.Path + "." + field }

// RunsOdoo tells whether instances run here.
func (h *Host) RunsOdoo() bool { return len(h.Instances) > 0 }

// HostJob is work by the calendar on one host.
type HostJob struct {
	Name    string
	Unit    string // empty where Jenkins starts it
	Path    string // where the spec says it
	At      Calendar
	Every   Span // instead of At
	Max     Span
	Limits  Limits
	Reboots bool

	LimitsPath   string   // where the spec says Limits
	LimitsInputs []string // what else they are computed from
}

// Jobs are what starts by the calendar on the host, in the order in which a night runs.
func (t *Topology) Jobs(h *Host) []HostJob {
	var jobs []HostJob
	if b := &t.Backup; b.None == nil {
		jobs = append(jobs,
			jobOf("backup", BackupUnit, "backup.nightly", b.Nightly),
			jobOf("backup maintenance", BackupCare, "backup.maintenance", b.Maintenance))
		if h.RunsOdoo() {
			jobs = append(jobs, jobOf("restore drill", DrillUnit, "backup.drill", b.Drill))
		}
	}
	if h.CI != nil {
		m := &h.CI.Mirror
		jobs = append(jobs, HostJob{Name: "git mirror", Unit: MirrorUnit, Path: "ci.mirror", Every: m.Every, Max: m.MaxDuration,
			Limits: m.Limits, LimitsPath: "ci.mirror.limits"})
		for _, j := range h.CI.Jobs {
			agents := min(j.Agents, h.CI.Agents.Max)
			l := h.CI.Agents.Limits
			jobs = append(jobs, HostJob{Name: "pipeline " + j.Name, Path: j.Path, At: j.At, Max: j.MaxDuration,
				Limits:     Limits{CPUQuota: l.CPUQuota * Percent(agents), MemoryMax: l.MemoryMax * Size(agents), IOWeight: l.IOWeight},
				LimitsPath: "ci.agents.limits", LimitsInputs: []string{j.Path + ".agents"}})
		}
	}
	if w := h.Window; w != nil {
		jobs = append(jobs, HostJob{Name: "patch window", Unit: PatchUnit, Path: w.Path, At: w.At, Max: w.MaxDuration, Reboots: t.Patching.Reboot})
	}
	return jobs
}

func jobOf(name, unit, path string, j Job) HostJob {
	return HostJob{Name: name, Unit: unit, Path: path, At: j.At, Max: j.MaxDuration, Limits: j.Limits, LimitsPath: path + ".limits"}
}

// Reach says from where a listener can be reached.
type Reach string

// From nearest to farthest.
const (
	Loopback Reach = "loopback"
	Private  Reach = "private"
	Public   Reach = "public"
)

// Listener is a TCP port that something on the host holds.
type Listener struct {
	Port  int
	Reach Reach
	Unit  string // empty for a place that is only kept free
	What  string
	Path  string // where the spec says it

	UnitPath string // where it says the unit, if that is elsewhere
	Metrics  bool   // answers /metrics
}

// Listeners are all the TCP ports that are taken on the host, sorted by port. A rule refuses that two are one;
// the firewall opens exactly those that are not on loopback.
func (t *Topology) Listeners(h *Host) []Listener {
	ls := []Listener{{Port: 22, Reach: Private, Unit: SSHUnit, What: "ssh", Path: h.Path}}
	add := func(port int, reach Reach, unit, what, path string) {
		ls = append(ls, Listener{Port: port, Reach: reach, Unit: unit, What: what, Path: path})
	}
	exporter := func(port int, unit, what, path string) {
		ls = append(ls, Listener{Port: port, Reach: Loopback, Unit: unit, What: what, Path: path, Metrics: true})
	}
	for _, c := range h.Clusters {
		// On its socket alone; the port is part of the socket's name, and nobody else's.
		add(c.Port, Loopback, c.Unit(), "PostgreSQL "+c.Name, c.Path+".port")
		ls[len(ls)-1].UnitPath = c.Path + ".version"
		if t.Observability != nil {
			exporter(c.Exporter, c.ExporterUnit(), "exporter of PostgreSQL "+c.Name, c.Path+".exporter")
		}
	}
	for _, i := range h.Instances {
		add(i.HTTPPort, Loopback, i.Service(), "Odoo "+i.Name, i.At("http_port"))
		add(i.GeventPort, Loopback, i.Service(), "Odoo "+i.Name+" websocket", i.At("gevent_port"))
	}
	if h.RunsOdoo() {
		add(80, Public, NginxUnit, "nginx", h.Path)
		add(443, Public, NginxUnit, "nginx TLS", h.Path)
	}
	if o := t.Observability; o != nil {
		exporter(o.Exporters.Node, NodeExporter, "node exporter", "observability.exporters.node")
		if h.RunsOdoo() {
			exporter(o.Exporters.Nginx, NginxMetrics, "nginx exporter", "observability.exporters.nginx")
			add(o.Exporters.NginxStatus, Loopback, NginxUnit, "nginx status", "observability.exporters.nginxStatus")
		}
		if o.Grafana != nil {
			add(o.Grafana.Alloy, Loopback, AlloyUnit, "Alloy", "observability.grafana.alloy")
		}
	}
	if ci := h.CI; ci != nil {
		add(ci.Jenkins.Port, Private, JenkinsUnit, "Jenkins", "ci.jenkins.port")
		add(ci.Mirror.Port, Private, GitDaemon, "git mirror", "ci.mirror.port")
		if ci.Registry != nil {
			add(ci.Registry.Port, Loopback, "", "Docker registry (reserved)", "ci.registry.port")
		}
	}
	for n, port := range h.Reserve.Ports {
		add(port, h.reservedReach(port), "", "something else on the host (reserved)", fmt.Sprintf("%s.reserve.ports[%d]", h.Path, n))
	}
	slices.SortStableFunc(ls, func(a, b Listener) int { return a.Port - b.Port })
	return ls
}

// reservedReach is from where a port that something else holds can be reached: the world where the host opens it. To
// the private network the firewall opens only what the spec knows.
func (h *Host) reservedReach(port int) Reach {
	if slices.Contains(h.Open, port) {
		return Public
	}
	return Loopback
}

// Wanted is a unit that odoogen.target starts.
type Wanted struct {
	Unit string
	Path string // why it is there; several paths are apart by spaces
}

// Units are what odoogen.target wants on the host, in the order in which they are started.
func (t *Topology) Units(h *Host) []Wanted {
	var ws []Wanted
	add := func(unit, path string) { ws = append(ws, Wanted{unit, path}) }
	if h.VLANByUnit(t) {
		add(VSwitchUnit, "network.vswitch "+h.At("uplink.manager"))
	}
	add(Firewall, h.Path)
	for _, c := range h.Clusters {
		add(c.Unit(), c.Path)
	}
	for _, i := range h.Instances {
		add(i.Service(), i.Path)
	}
	if h.RunsOdoo() {
		add(NginxUnit, h.Path)
		add("certbot.timer", "network.acme")
		add(Timer(IssueUnit), "network.acme")
		add(Timer(FirstReleaseUnit), "sources.releases")
	}
	if h.CI != nil {
		add(JenkinsUnit, "ci.jenkins")
		add(GitDaemon, "ci.mirror")
	}
	if o := t.Observability; o != nil {
		add(NodeExporter, "observability.exporters.node")
		for _, c := range h.Clusters {
			add(c.ExporterUnit(), c.Path+".exporter")
		}
		if h.RunsOdoo() {
			add(NginxMetrics, "observability.exporters.nginx")
		}
		add(Timer(MetricsUnit), "observability")
		if o.Grafana != nil {
			add(AlloyUnit, "observability.grafana")
		}
	}
	for _, j := range t.Jobs(h) {
		if j.Unit != "" {
			add(Timer(j.Unit), j.Path)
		}
	}
	return ws
}

// VLANByUnit tells whether the VLAN is made by a unit of odoogen's: under ifupdown, whose own VLANs need names that
// may be too long, and which must not share a link with systemd-networkd.
func (h *Host) VLANByUnit(t *Topology) bool {
	return t.Network.VSwitch != nil && h.Private != "" && h.Uplink.Manager == "ifupdown"
}

// PrefixLength is that of the private network: 24 of 10.0.0.0/24.
func (v *VSwitch) PrefixLength() string {
	_, length, _ := strings.Cut(v.Subnet, "/")
	return length
}

// PrivateAddress is the host's address on the private network with that network's length: 10.0.0.2/24.
func (h *Host) PrivateAddress(v *VSwitch) string { return h.Private + "/" + v.PrefixLength() }

package generators

import (
	"strings"

	"odoogen/internal/artifact"
	"odoogen/internal/conf"
	"odoogen/internal/topology"
)

// Time writes who tells the hosts the time.
func Time(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	out.add("systemd/timesyncd.conf.d/odoogen.conf", timeServers(t), artifact.Restart("systemd-timesyncd.service"))
	return out.result()
}

// Journal writes the journal's size.
func Journal(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	out.constant("systemd/journald.conf.d/odoogen.conf", "systemd/journald.conf", readable, artifact.Restart("systemd-journald.service"))
	return out.result()
}

// Sysctl writes the kernel's settings.
func Sysctl(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	out.constant("sysctl.d/odoogen.conf", "sysctl.d/odoogen.conf", readable, artifact.Restart("systemd-sysctl.service"))
	return out.result()
}

// timeServers are the spec's; without any, Debian's pool.
func timeServers(t *topology.Topology) *conf.Text {
	u := conf.NewUnit("network.time", "Time servers")
	u.Section("Time")
	if servers := t.Network.Time.Servers; len(servers) > 0 {
		u.Set("NTP", strings.Join(servers, " "), "network.time.servers")
	}
	return &u.Text
}

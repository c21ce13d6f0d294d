package generators

import (
	"odoogen/internal/artifact"
	"odoogen/internal/conf"
	"odoogen/internal/topology"
)

// Metrics writes the job that measures what only the host itself knows (ages of backups, drills and mirrors, ends of
// certificates, a wanted reboot) for node_exporter's textfile collector.
func Metrics(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	if t.Observability == nil {
		return out.result()
	}
	out.script("metrics")
	w := conf.NewWords(h.Path, "Certificates of "+h.Name+".")
	for _, i := range h.Instances {
		if h.ServesWeb() {
			w.Add([]string{i.Name, i.CertificateDir() + "/fullchain.pem"}, i.Path)
		}
	}
	out.add("metrics/certificates", &w.Text)
	unit, timer := topology.MetricsUnit, topology.Timer(topology.MetricsUnit)
	out.constant("systemd/system/"+unit, "systemd/"+unit, readable, artifact.DaemonReload)
	out.harden(unit, "metrics")
	out.constant("systemd/system/"+timer, "systemd/"+timer, readable, artifact.DaemonReload, artifact.Restart(timer))
	return out.result()
}

package generators

import (
	"odoogen/internal/artifact"
	"odoogen/internal/conf"
	"odoogen/internal/topology"
)

// Exporters writes the units that measure the host: each listens on loopback alone, where Alloy reads it. Debian's
// units are told so by drop-ins, which replace their command: what /etc/default says has no effect.
func Exporters(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	o := t.Observability
	if o == nil {
		return out.result()
	}
	own := func(unit string, text *conf.Text) {
		out.add("systemd/system/"+unit+".d/10-odoogen.conf", text, artifact.DaemonReload, artifact.Restart(unit))
		out.constant("systemd/system/"+unit+".d/20-hardening.conf", "systemd/exporter-hardening.conf", readable,
			artifact.DaemonReload, artifact.Restart(unit))
	}
	own(topology.NodeExporter, nodeExporter(o))
	if h.ServesWeb() {
		own(topology.NginxMetrics, nginxExporter(o))
	}
	for _, c := range h.Clusters {
		unit := c.ExporterUnit()
		out.add("systemd/system/"+unit, postgresExporter(c), artifact.DaemonReload, artifact.Restart(unit))
		out.constant("systemd/system/"+unit+".d/20-hardening.conf", "systemd/exporter-hardening.conf", readable,
			artifact.DaemonReload, artifact.Restart(unit))
	}
	if len(h.Clusters) > 0 {
		out.constant("systemd/system/"+packagedExporter+".d/10-odoogen.conf", "systemd/postgres-exporter-off.conf", readable,
			artifact.DaemonReload, artifact.Restart(packagedExporter))
	}
	return out.result()
}

// packagedExporter is Debian's one unit for all clusters. It is replaced by one for each, and must not run.
const packagedExporter = "prometheus-postgres-exporter.service"

// exporter is the drop-in that gives one of Debian's exporters its command.
func exporter(owner, what string, argv []string, from ...string) *conf.Text {
	u := conf.NewUnit(owner, what)
	u.Section("Service")
	u.Set("ExecStart", "") // forget the package's
	u.Exec("ExecStart", argv, from...)
	return &u.Text
}

func nodeExporter(o *topology.Observability) *conf.Text {
	return exporter("observability.exporters", "The machine's own metrics, and those that odoogen's units leave in files.", []string{
		"/usr/bin/prometheus-node-exporter",
		"--web.listen-address=" + topology.Local(o.Exporters.Node),
		"--collector.textfile.directory=" + topology.Metrics,
		"--collector.systemd",
		"--collector.systemd.unit-include=" + watchedUnits,
	}, "observability.exporters.node")
}

// watchedUnits are the units whose state is worth a series: five for each.
const watchedUnits = `(odoo-.+|odoogen-.+|postgresql@.+|nginx|jenkins|alloy|prometheus-.+-exporter|ssh|certbot)\.(service|timer)`

func nginxExporter(o *topology.Observability) *conf.Text {
	return exporter("observability.exporters", "Connections and requests of nginx, from its status page.", []string{
		"/usr/bin/prometheus-nginx-exporter",
		// Debian 12's takes one dash or two, Debian 13's only two.
		"--web.listen-address=" + topology.Local(o.Exporters.Nginx),
		"--nginx.scrape-uri=" + o.NginxStatusURL(),
	}, "observability.exporters.nginx", "observability.exporters.nginxStatus")
}

// postgresExporter is a whole unit: of Debian's there can be one only. It connects to the database postgres alone; in
// Odoo's databases it would make series of each of their hundreds of tables.
func postgresExporter(c *topology.Cluster) *conf.Text {
	u := conf.NewUnit(c.Path, "Metrics of PostgreSQL cluster "+c.Name+".")
	u.Section("Unit")
	u.Set("Description", "Prometheus exporter for PostgreSQL cluster "+c.Name)
	u.Set("After", c.Unit(), c.Path+".version")
	u.Section("Service")
	u.Set("User", "prometheus")
	u.Environment("DATA_SOURCE_NAME", "user=prometheus host="+topology.SocketDir+" port="+itoa(c.Port)+" dbname=postgres sslmode=disable", c.Path+".port")
	u.Exec("ExecStart", []string{
		"/usr/bin/prometheus-postgres-exporter",
		"--web.listen-address=" + topology.Local(c.Exporter),
		"--disable-settings-metrics",
	}, c.Path+".exporter", c.Path+".port") // whose default follows the port
	u.Set("Restart", "on-failure")
	u.Set("RestartSec", "10s")
	return &u.Text
}

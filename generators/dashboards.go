package generators

import (
	"fmt"

	"odoogen/internal/artifact"
	"odoogen/internal/conf"
	"odoogen/internal/topology"
)

// Dashboards writes one Grafana dashboard for each instance, to be imported as it is: the data sources are chosen in
// Grafana. What no exporter measures is not drawn: the CPU and memory of a unit alone are shown by systemd-cgtop.
func Dashboards(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	if t.Observability == nil {
		return out.result()
	}
	for _, i := range h.Instances {
		out.add("dashboards/"+i.Name+".json", dashboard(t, i))
	}
	return out.result()
}

// grafanaColumns is the width of Grafana's grid.
const grafanaColumns = 24

// panels lays out a dashboard's panels, left to right, row by row. All of them depend on the instance and on where its
// cluster is.
type panels struct {
	list            *conf.Node
	about           []string
	id, x, y, lines int
}

// panel adds one: its kind, title, unit and size, what it shows, and where its limit lies (0 for none).
func (p *panels) panel(kind, title, unit string, width, height int, source string, limit float64, queries []query, from ...string) {
	if p.x+width > grafanaColumns {
		p.x, p.y = 0, p.y+p.lines
	}
	p.id++
	targets := conf.Array()
	for n, q := range queries {
		targets.Add(conf.Object().Set("refId", string(rune('A'+n))).Set("expr", q.expr).Set("legendFormat", q.legend))
	}
	steps := conf.Array(conf.Object().Set("color", "green").Set("value", 0))
	if limit != 0 {
		steps.Add(conf.Object().Set("color", "red").Set("value", limit))
	}
	if limit < 0 { // red below it
		steps = conf.Array(conf.Object().Set("color", "red").Set("value", 0), conf.Object().Set("color", "green").Set("value", -limit))
	}
	p.list.Add(conf.Object().
		Set("id", p.id).
		Set("type", kind).
		Set("title", title).
		Set("datasource", conf.Object().Set("type", source).Set("uid", "${"+source+"}")).
		Set("gridPos", conf.Object().Set("x", p.x).Set("y", p.y).Set("w", width).Set("h", height)).
		Set("fieldConfig", conf.Object().
			Set("defaults", conf.Object().
				Set("unit", unit).
				Set("thresholds", conf.Object().Set("mode", "absolute").Set("steps", steps))).
			Set("overrides", conf.Array())).
		Set("targets", targets, p.about...), append(from, p.about...)...)
	p.x, p.lines = p.x+width, height
}

// query is one line of a panel, and what it is called.
type query struct{ expr, legend string }

func (p *panels) number(title, unit string, limit float64, expr string, from ...string) {
	p.panel("stat", title, unit, 4, 4, "prometheus", limit, []query{{expr, ""}}, from...)
}

func (p *panels) curve(title, unit string, limit float64, queries []query, from ...string) {
	p.panel("timeseries", title, unit, 12, 8, "prometheus", limit, queries, from...)
}

func dashboard(t *topology.Topology, i *topology.Instance) *conf.Text {
	host := i.Host.Name
	of := func(metric string, matchers ...string) string {
		return conf.Selector(metric, append([]string{"host=", host}, matchers...)...)
	}
	database := func(metric string) string { return of(metric, "cluster=", i.Cluster.Name, "datname=", i.Database) }
	a := &t.Observability.Alerts

	p := &panels{list: conf.Array(), about: []string{i.Path, i.Class.Path + ".cluster", i.Cluster.Path + ".host"}}
	p.number("Runs", "bool_yes_no", -1, of("node_systemd_unit_state", "name=", i.Service(), "state=", "active"))
	p.number("Age of the backup", "s", float64(a.BackupAge), "time() - "+of("odoogen_backup_last_success_timestamp_seconds", "name=", i.Name), "observability.alerts.backupAge")
	p.number("Restored in", "s", float64(t.Targets.Restore), of("odoogen_drill_duration_seconds", "name=", i.Name), "targets.restore")
	p.number("Certificate ends in", "s", -float64(a.CertificateDays*int(day)), of("odoogen_certificate_expiry_timestamp_seconds", "name=", i.Name)+" - time()", "observability.alerts.certificateDays")
	p.number("Database", "bytes", float64(i.Disk.Database), database("pg_database_size_bytes"), i.At("disk.database"))
	p.number("Longest transaction", "s", 0, "max("+database("pg_stat_activity_max_tx_duration")+")")

	p.curve("Connections (limit "+itoa(i.MaxConnections())+")", "short", float64(i.MaxConnections()), []query{{database("pg_stat_activity_count"), "{{state}}"}},
		i.At("db_maxconn"), i.At("db_maxconn_gevent"), i.At("workers"), i.At("max_cron_threads"))
	p.curve("Transactions", "ops", 0, []query{
		{"rate(" + database("pg_stat_database_xact_commit") + "[5m])", "commit"},
		{"rate(" + database("pg_stat_database_xact_rollback") + "[5m])", "rollback"},
	})
	p.curve("Blocks of the database", "ops", 0, []query{
		{"rate(" + database("pg_stat_database_blks_read") + "[5m])", "from disk"},
		{"rate(" + database("pg_stat_database_blks_hit") + "[5m])", "from memory"},
	})
	p.curve("Requests of all instances of "+host, "reqps", 0, []query{{"rate(" + of("nginx_http_requests_total") + "[5m])", "requests"}})
	p.curve(fmt.Sprintf("CPU of %s (%d threads; this unit at most %s)", host, i.Host.Hardware.Threads, i.CPUQuota), "short", float64(i.Host.Hardware.Threads),
		[]query{{"sum by (mode) (rate(" + of("node_cpu_seconds_total", "mode!=", "idle") + "[5m]))", "{{mode}}"}},
		i.At("CPUQuota"), i.Host.At("hardware.threads"))
	p.curve(fmt.Sprintf("RAM of %s (this unit at most %s)", host, i.MemoryMax), "bytes", 0, []query{
		{of("node_memory_MemTotal_bytes") + " - " + of("node_memory_MemAvailable_bytes"), "used"},
		{of("node_memory_MemTotal_bytes"), "all"},
	}, i.At("MemoryMax"))
	p.panel("logs", "Log", "short", grafanaColumns, 12, "loki", 0, []query{{conf.Selector("", "host=", host, "instance=", i.Name), ""}})

	sources := conf.Array()
	for _, kind := range []string{"prometheus", "loki"} {
		sources.Add(conf.Object().Set("type", "datasource").Set("name", kind).Set("query", kind))
	}
	restarts := conf.Object().
		Set("name", "Restarts").
		Set("enable", true).
		Set("iconColor", "orange").
		Set("datasource", conf.Object().Set("type", "prometheus").Set("uid", "${prometheus}")).
		Set("expr", "changes("+of("node_systemd_unit_state", "name=", i.Service(), "state=", "active")+"[2m]) > 0").
		Set("titleFormat", i.Service())
	return conf.JSON(i.Path, conf.Object().
		Set("uid", "odoogen-"+i.Name).
		Set("title", "Odoo "+i.Name).
		Set("description", "Odoo "+i.Version+" on "+host+", https://"+i.Domain+". Generated by odoogen from "+i.Path+".", i.At("version"), i.At("domain"), i.At("class")).
		Set("tags", []string{"odoogen", i.ClassName}, i.At("class")).
		Set("editable", false).
		Set("schemaVersion", 39).
		Set("time", conf.Object().Set("from", "now-24h").Set("to", "now")).
		Set("refresh", "1m").
		Set("templating", conf.Object().Set("list", sources)).
		Set("annotations", conf.Object().Set("list", conf.Array(restarts))).
		Set("panels", p.list))
}

package generators

import (
	"fmt"
	"regexp"
	"strings"

	"odoogen/internal/artifact"
	"odoogen/internal/conf"
	"odoogen/internal/topology"
)

// Alerts writes the host's alert rules, in Prometheus' own format: `mimirtool rules load` brings them to Grafana
// Cloud, and a Prometheus of one's own reads them through prometheus.yaml, which scrapes what Alloy does.
func Alerts(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	if t.Observability == nil {
		return out.result()
	}
	out.add("alerts/rules.yaml", alertRules(t, h))
	out.add("alerts/prometheus.yaml", prometheusConfig(t, h))
	return out.result()
}

// prometheusConfig is the same scrape as Alloy's, with the same labels.
func prometheusConfig(t *topology.Topology, h *topology.Host) *conf.Text {
	jobs, last := conf.Array(), ""
	var configs *conf.Node
	for _, x := range targets(t, h) {
		if x.job != last {
			configs, last = conf.Array(), x.job
			jobs.Add(conf.Object().
				Set("job_name", x.job).
				Set("honor_labels", true).
				Set("static_configs", configs))
		}
		configs.Add(conf.Object().Set("targets", conf.Array(topology.Local(x.port))).Set("labels", x.labels), x.from...)
	}
	return conf.YAML("observability", "For a Prometheus of one's own on this host, instead of Alloy and Grafana Cloud.", conf.Object().
		Set("global", conf.Object().
			Set("scrape_interval", seconds(t.Observability.Interval), "observability.interval").
			Set("evaluation_interval", seconds(t.Observability.Interval), "observability.interval")).
		Set("rule_files", conf.Array("rules.yaml")).
		Set("scrape_configs", jobs))
}

// rules gathers the alerts of one host. Two of one name differ in their labels.
type rules struct {
	host  *topology.Host
	about *conf.Node // further labels
	list  *conf.Node
}

// alert adds a rule: its name, how bad it is, for how long its expression must hold, and what a person reads. The
// origins are those of the expression.
func (r *rules) alert(name, severity string, hold topology.Span, expr, summary string, from ...string) {
	labels := conf.Object().Set("severity", severity).Set("host", r.host.Name)
	if r.about != nil {
		labels.Merge(r.about)
	}
	r.list.Add(conf.Object().
		Set("alert", name).
		Set("expr", expr).
		Set("for", seconds(hold)).
		Set("labels", labels).
		Set("annotations", conf.Object().Set("summary", summary)), from...)
}

// of is a metric of this host.
func (r *rules) of(metric string, matchers ...string) string {
	return conf.Selector(metric, append([]string{"host=", r.host.Name}, matchers...)...)
}

// How bad an alert is: somebody must act now, or within days.
const (
	critical = "critical"
	warning  = "warning"
)

const (
	minute topology.Span = 60
	hour                 = 60 * minute
	day                  = 24 * hour
)

func alertRules(t *topology.Topology, h *topology.Host) *conf.Text {
	r := &rules{host: h, list: conf.Array()}
	r.machine(t)
	r.units(t)
	for _, c := range h.Clusters {
		r.about = conf.Object().Set("cluster", c.Name)
		r.cluster(t, c)
	}
	r.about = nil
	r.certificates(t)
	r.backups(t)
	r.ci(t)
	r.plan(t)
	return conf.YAML("observability.alerts", "When to raise an alarm on "+h.Name+".", conf.Object().
		Set("groups", conf.Array(conf.Object().
			Set("name", "odoogen-"+h.Name, h.Path).
			Set("rules", r.list))))
}

func (r *rules) machine(t *topology.Topology) {
	h, a := r.host, &t.Observability.Alerts
	r.alert("HostSilent", critical, 10*minute, "absent("+r.of("up", "job=", "node")+" == 1)",
		h.Name+" sends no metrics: it is down, its network is, or Alloy is", h.Path)
	r.alert("ExporterDown", warning, 10*minute, r.of("up", "job!=", "node")+" == 0",
		"the {{ $labels.job }} exporter on "+h.Name+" does not answer", h.Path)
	if h.Hardware.Disks.RAID != 0 {
		r.alert("RaidDegraded", critical, minute,
			"max by (device) ("+r.of("node_md_disks", "state=", "active")+" < ignoring(state) "+r.of("node_md_disks_required")+" or "+r.of("node_md_disks", "state=", "failed")+" > 0)",
			h.Name+": RAID {{ $labels.device }} has lost a disk; see cat /proc/mdstat", h.At("hardware.disks.raid"))
	}
	percent := func(free, size string) string {
		return fmt.Sprintf("100 - 100 * %s / %s > %d", r.of(free, "fstype!=", "tmpfs"), r.of(size, "fstype!=", "tmpfs"), a.DiskPercent)
	}
	r.alert("DiskFull", critical, 15*minute, percent("node_filesystem_avail_bytes", "node_filesystem_size_bytes"),
		h.Name+": {{ $labels.mountpoint }} is {{ $value | printf \"%.0f\" }}% full", "observability.alerts.diskPercent")
	r.alert("InodesFull", critical, 15*minute, percent("node_filesystem_files_free", "node_filesystem_files"),
		h.Name+": {{ $value | printf \"%.0f\" }}% of the inodes of {{ $labels.mountpoint }} are in use", "observability.alerts.diskPercent")
	r.alert("MemoryLow", warning, 15*minute, fmt.Sprintf("%s < %d", r.of("node_memory_MemAvailable_bytes"), int64(h.Reserve.RAM)/4),
		h.Name+": less than a quarter of the reserved RAM is left", h.At("reserve.ram"))
	r.alert("OutOfMemory", warning, 0, "increase("+r.of("node_vmstat_oom_kill")+"[15m]) > 0",
		h.Name+": the kernel ended a process for want of memory; see journalctl -k -g oom", h.Path)
	r.alert("ClockWrong", warning, hour, r.of("node_timex_sync_status")+" == 0",
		h.Name+": the clock is not synchronised", h.Path)
	if w := h.Window; w != nil {
		r.alert("RebootOverdue", warning, w.At.Gap()+day, r.of("odoogen_reboot_required")+" == 1",
			h.Name+": a reboot is asked for, and a whole patch window has passed without it", w.Path+".at")
	}
}

// units are those that must run all the time. What has failed is told at once; what somebody stopped, after a while.
func (r *rules) units(t *topology.Topology) {
	r.alert("UnitFailed", critical, minute, r.of("node_systemd_unit_state", "state=", "failed")+" == 1",
		r.host.Name+": {{ $labels.name }} has failed; see systemctl status {{ $labels.name }}", r.host.Path)
	names, from := []string(nil), []string{r.host.Path}
	for _, u := range t.Units(r.host) {
		if strings.HasSuffix(u.Unit, ".service") {
			names, from = append(names, regexp.QuoteMeta(u.Unit)), append(from, u.Path)
		}
	}
	r.alert("UnitDown", critical, 10*minute, r.of("node_systemd_unit_state", "state=", "active", "name=~", strings.Join(names, "|"))+" == 0",
		r.host.Name+": {{ $labels.name }} does not run", from...)
	r.alert("MetricsOld", warning, 15*minute,
		"time() - "+r.of("node_textfile_mtime_seconds", "file=~", `.*/odoogen\.prom`)+" > 7200 or absent("+r.of("node_textfile_mtime_seconds", "file=~", `.*/odoogen\.prom`)+")",
		r.host.Name+": "+topology.MetricsUnit+" writes nothing, so the ages of backups and certificates are unknown", r.host.Path)
}

func (r *rules) cluster(t *topology.Topology, c *topology.Cluster) {
	r.alert("PostgresDown", critical, 2*minute, r.of("pg_up", "cluster=", c.Name)+" == 0",
		"PostgreSQL cluster "+c.Name+" does not answer", c.Path)
	r.alert("PostgresConnections", warning, 5*minute,
		fmt.Sprintf("100 * sum(%s) / %d > %d", r.of("pg_stat_activity_count", "cluster=", c.Name), c.Settings.MaxConnections, t.Observability.Alerts.ConnectionsPercent),
		"cluster "+c.Name+": {{ $value | printf \"%.0f\" }}% of max_connections are in use",
		"observability.alerts.connectionsPercent", c.Path+".settings.max_connections", c.Path+".workload")
	r.alert("PostgresDeadlocks", warning, 0, "increase("+r.of("pg_stat_database_deadlocks", "cluster=", c.Name)+"[1h]) > 5",
		"cluster "+c.Name+": deadlocks in {{ $labels.datname }}", c.Path)
}

func (r *rules) certificates(t *topology.Topology) {
	if !r.host.ServesWeb() {
		return
	}
	r.alert("CertificateEnds", critical, hour,
		fmt.Sprintf("%s - time() < %d", r.of("odoogen_certificate_expiry_timestamp_seconds"), t.Observability.Alerts.CertificateDays*int(day)),
		"the certificate of {{ $labels.name }} ends within "+itoa(t.Observability.Alerts.CertificateDays)+" days", "observability.alerts.certificateDays")
}

// backups: what never happened has the time 0, and so is old (bin/metrics).
func (r *rules) backups(t *topology.Topology) {
	b := &t.Backup
	if b.None != nil {
		return
	}
	older := func(metric string, age topology.Span, matchers ...string) string {
		return fmt.Sprintf("time() - %s > %d", r.of(metric, matchers...), int64(age))
	}
	host, limit := r.host.Name, t.Observability.Alerts.BackupAge
	if r.host.RunsOdoo() {
		r.alert("BackupOld", critical, 15*minute, older("odoogen_backup_last_success_timestamp_seconds", limit),
			"the newest backup of {{ $labels.name }} is older than "+limit.String(), "observability.alerts.backupAge")
		drilled := fmt.Sprintf("time() - max(%s) > %d", r.of("odoogen_drill_last_success_timestamp_seconds"), int64(b.Drill.At.Gap()+day))
		r.alert("DrillOld", warning, hour, drilled,
			"no backup on "+host+" has been restored for longer than the drill's calendar allows; start "+topology.DrillUnit, "backup.drill.at")
		r.alert("DrillSlow", warning, hour, fmt.Sprintf("%s > %d", r.of("odoogen_drill_duration_seconds"), int64(t.Targets.Restore)),
			"restoring {{ $labels.name }} took {{ $value | humanizeDuration }}, the target is "+t.Targets.Restore.String(), "targets.restore")
	}
	r.alert("HostBackupOld", critical, 15*minute, older("odoogen_job_last_success_timestamp_seconds", limit, "job=", "backup-host"),
		"the newest backup of "+host+"'s own files is older than "+limit.String(), "observability.alerts.backupAge")
	r.alert("BackupCareOld", warning, hour, older("odoogen_job_last_success_timestamp_seconds", b.Maintenance.At.Gap()+day, "job=", "backup-maintenance"),
		"the backups of "+host+" were not checked and pruned when they should have been", "backup.maintenance.at")
}

func (r *rules) ci(t *topology.Topology) {
	if r.host.CI == nil {
		return
	}
	m := &r.host.CI.Mirror
	age := 6*m.Every + m.MaxDuration
	r.alert("MirrorOld", warning, 0, fmt.Sprintf("time() - %s > %d", r.of("odoogen_mirror_last_success_timestamp_seconds"), int64(age)),
		"the mirror of {{ $labels.repository }} was not fetched for "+age.String(), "ci.mirror.every", "ci.mirror.maxDuration")
}

// plan: what is above the plan's limits is thrown away unseen. All hosts share the plan; the first of them looks.
func (r *rules) plan(t *topology.Topology) {
	g := t.Observability.Grafana
	if g == nil || r.host != t.Hosts[0] {
		return
	}
	r.alert("SeriesNearLimit", warning, hour, fmt.Sprintf(`count({__name__!=""}) > %d`, g.Plan.Series*9/10),
		"more than nine tenths of the plan's series are in use: what is above is thrown away", "observability.grafana.plan.series")
	r.alert("LogsNearLimit", warning, hour,
		fmt.Sprintf("30 * sum(increase(loki_write_sent_bytes_total[1d])) > %d", int64(g.Plan.LogsGB)*900_000_000),
		"at today's rate, a month of logs is above nine tenths of the plan", "observability.grafana.plan.logsGB")
}

package generators

import (
	"fmt"

	"odoogen/internal/artifact"
	"odoogen/internal/conf"
	"odoogen/internal/topology"
)

// Alloy writes the shipper of metrics and logs: it reads the exporters on loopback and the journal, and writes to
// Grafana Cloud. Without Grafana Cloud there is none; alerts/prometheus.yaml then serves a Prometheus of one's own.
func Alloy(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	if t.Observability == nil || t.Observability.Grafana == nil {
		return out.result()
	}
	restart := artifact.Restart(topology.AlloyUnit)
	dropIn := "systemd/system/" + topology.AlloyUnit + ".d/"
	out.add("alloy/config.alloy", alloyConfig(t, h), artifact.Reload(topology.AlloyUnit))
	out.add(dropIn+"10-odoogen.conf", alloyUnit(t.Observability.Grafana), artifact.DaemonReload, restart)
	out.constant(dropIn+"20-hardening.conf", "systemd/alloy-hardening.conf", readable, artifact.DaemonReload, restart)
	return out.result()
}

func alloyUnit(g *topology.Grafana) *conf.Text {
	u := conf.NewUnit("observability.grafana", "Alloy: its configuration, its own page on loopback, and its token.")
	u.Section("Service")
	u.Set("ExecStart", "") // forget the package's, and /etc/default/alloy with it
	u.Exec("ExecStart", []string{
		"/usr/bin/alloy", "run", "--disable-reporting",
		"--server.http.listen-addr=" + topology.Local(g.Alloy),
		"--storage.path=/var/lib/alloy/data",
		topology.Current + "/alloy/config.alloy",
	}, "observability.grafana.alloy")
	u.Set("LoadCredential", g.Token+":"+topology.SecretFile(g.Token), "observability.grafana.token")
	u.Set("SupplementaryGroups", "adm systemd-journal") // to read the journal
	return &u.Text
}

// target is an exporter on this host, and the labels that all of its series have.
type target struct {
	job    string
	port   int
	labels *conf.Node
	from   []string
}

// targets are the host's exporters. Alloy and a Prometheus of one's own read the same, with the same labels.
func targets(t *topology.Topology, h *topology.Host) []target {
	o := t.Observability
	all := []target{newTarget(h, "node", o.Exporters.Node, "observability.exporters.node")}
	for _, c := range h.Clusters {
		postgres := newTarget(h, "postgres", c.Exporter, c.Path+".exporter", c.Path+".port")
		postgres.labels.Set("cluster", c.Name)
		all = append(all, postgres)
	}
	if h.ServesWeb() {
		all = append(all, newTarget(h, "nginx", o.Exporters.Nginx, "observability.exporters.nginx"))
	}
	if o.Grafana != nil {
		all = append(all, newTarget(h, "alloy", o.Grafana.Alloy, "observability.grafana.alloy"))
	}
	return all
}

func newTarget(h *topology.Host, job string, port int, from ...string) target {
	labels := conf.Object().Set("job", job).Set("host", h.Name).Set("instance", h.Name)
	return target{job, port, labels, append(from, h.Path)}
}

// shippedMetrics are the metrics that leave the host: what the alerts and dashboards read, and what a person asks of
// a slow machine. All the others would be five times as many.
const shippedMetrics = `up|odoogen_.+|` +
	`node_(boot_time_seconds|cpu_seconds_total|load1|load15|memory_(MemTotal|MemAvailable|Cached|SwapFree|SwapTotal)_bytes|` +
	`pressure_.+|vmstat_oom_kill|filesystem_(avail_bytes|size_bytes|files|files_free|readonly)|md_(disks|disks_required|state)|` +
	`disk_(io_time_seconds_total|read_bytes_total|written_bytes_total)|network_(receive|transmit)_bytes_total|` +
	`systemd_unit_state|systemd_timer_last_trigger_seconds|textfile_mtime_seconds|textfile_scrape_error|timex_sync_status|timex_offset_seconds)|` +
	`pg_(up|exporter_last_scrape_error|database_size_bytes|locks_count|stat_activity_count|stat_activity_max_tx_duration|` +
	`stat_database_(xact_commit|xact_rollback|blks_hit|blks_read|deadlocks|temp_bytes|numbackends))|` +
	`nginx_.+|loki_write_(sent_bytes_total|dropped_bytes_total)|prometheus_remote_storage_samples_(failed|dropped)_total`

// quietStates are the states of a unit that no alert asks for.
const quietStates = `node_systemd_unit_state;(activating|deactivating|inactive)`

func alloyConfig(t *topology.Topology, h *topology.Host) *conf.Text {
	o := t.Observability
	a := conf.NewAlloy("observability.grafana", "What Alloy reads on "+h.Name+", and where it sends it.")
	for _, job := range []string{"node", "postgres", "nginx", "alloy"} {
		alloyScrape(a, o, job, targets(t, h))
	}
	a.Blank()
	a.Open("prometheus.relabel", "shipped")
	a.Set("forward_to", []conf.Ref{"prometheus.remote_write.grafana.receiver"})
	alloyRule(a, []string{"__name__"}, shippedMetrics, "action", "keep")
	alloyRule(a, []string{"__name__", "state"}, quietStates, "action", "drop")
	a.Close()
	a.Blank()
	a.Open("prometheus.remote_write", "grafana")
	alloyEndpoint(a, o.Grafana, o.Grafana.Metrics, "observability.grafana.metrics")
	a.Close()

	a.Blank()
	a.Open("loki.source.journal", "journal")
	a.Set("max_age", "12h") // what a restart after a long outage still sends
	a.Set("labels", conf.Object().Set("job", "journal").Set("host", h.Name), h.Path)
	a.Set("relabel_rules", conf.Ref("loki.relabel.journal.rules"))
	a.Set("forward_to", []conf.Ref{"loki.write.grafana.receiver"})
	a.Close()
	a.Blank()
	a.Open("loki.relabel", "journal")
	a.Set("forward_to", []conf.Ref{})
	alloyRule(a, []string{"__journal__systemd_unit"}, "(.+)", "target_label", "unit")
	alloyRule(a, []string{"__journal_priority_keyword"}, "(.+)", "target_label", "level")
	if h.RunsOdoo() {
		alloyRule(a, []string{"__journal__systemd_unit"}, `odoo-(?:update-)?(.+)\.service`, "target_label", "instance")
	}
	a.Comment("A login's scope has a number: each would be a stream of its own.")
	alloyRule(a, []string{"unit"}, `session-.+\.scope`, "target_label", "unit", "replacement", "session.scope")
	a.Close()
	a.Blank()
	a.Open("loki.write", "grafana")
	alloyEndpoint(a, o.Grafana, o.Grafana.Logs, "observability.grafana.logs")
	a.Close()
	return &a.Text
}

// alloyScrape reads the exporters of one job, where the host has any.
func alloyScrape(a *conf.Alloy, o *topology.Observability, job string, all []target) {
	list, from := conf.Array(), []string(nil)
	for _, x := range all {
		if x.job == job {
			list.Add(conf.Object().Set("__address__", topology.Local(x.port)).Merge(x.labels))
			from = append(from, x.from...)
		}
	}
	if list.Len() == 0 {
		return
	}
	a.Blank()
	a.Open("prometheus.scrape", job, from...)
	a.Set("targets", list, from...)
	a.Set("scrape_interval", seconds(o.Interval), "observability.interval")
	a.Set("honor_labels", true) // an instance's metric names its instance itself
	a.Set("forward_to", []conf.Ref{"prometheus.relabel.shipped.receiver"})
	a.Close()
}

func alloyRule(a *conf.Alloy, sources []string, regex string, attributes ...string) {
	a.Open("rule", "")
	a.Set("source_labels", sources)
	a.Set("regex", regex)
	for n := 0; n < len(attributes); n += 2 {
		a.Set(attributes[n], attributes[n+1])
	}
	a.Close()
}

func alloyEndpoint(a *conf.Alloy, g *topology.Grafana, to topology.GrafanaEndpoint, path string) {
	a.Open("endpoint", "")
	a.Set("url", to.URL, path+".url")
	a.Open("basic_auth", "")
	a.Set("username", to.User, path+".user")
	a.Set("password_file", topology.Credential(topology.AlloyUnit, g.Token), "observability.grafana.token")
	a.Close()
	a.Close()
}

// seconds is a span as Prometheus and Alloy read it: neither knows systemd's "min".
func seconds(s topology.Span) string { return fmt.Sprintf("%ds", int64(s)) }

package generators

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"odoogen/internal/topology"
)

// promtool runs Prometheus' own checker on files of the host's tree.
func promtool(t *testing.T, files map[string]string, args ...string) {
	t.Helper()
	dir := t.TempDir()
	for path, text := range files {
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(path)), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("promtool", args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v; where it is missing: apt-get install prometheus\n%s", strings.Join(args, " "), err, out)
	}
}

func TestPrometheusTakesRulesAndConfig(t *testing.T) {
	spec := sampleTopology(t)
	for _, host := range []string{"tests", "ci"} {
		files := generated(t, Alerts, spec, host)
		promtool(t, files, "check", "rules", "--lint-fatal", "rules.yaml")
		promtool(t, files, "check", "config", "--lint-fatal", "prometheus.yaml")
	}
}

// A name of a host is text, whatever it holds.
func TestAlertsCarryHostileNames(t *testing.T) {
	spec := sampleTopology(t)
	for _, name := range []string{`a"b`, "{{ .x }}", `\d+`, "'", "${x}", "%s", "ü", "#"} {
		spec.Clusters[0].Host.Name = name
		files := generated(t, Alerts, spec, name)
		promtool(t, files, "check", "rules", "--lint-fatal", "rules.yaml")
		promtool(t, files, "check", "config", "--lint-fatal", "prometheus.yaml")
	}
}

func TestAlertsSpeakAndAreSilent(t *testing.T) {
	spec := sampleTopology(t)
	files := generated(t, Alerts, spec, "tests")
	files["test.yaml"] = `
rule_files: [rules.yaml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      # A disk of md0 fails after ten minutes; md1 is whole.
      - {series: 'node_md_disks{host="tests",device="md0",state="active"}', values: '2x10 1x50'}
      - {series: 'node_md_disks{host="tests",device="md0",state="failed"}', values: '0x10 1x50'}
      - {series: 'node_md_disks_required{host="tests",device="md0"}', values: '2x60'}
      - {series: 'node_md_disks{host="tests",device="md1",state="active"}', values: '2x60'}
      - {series: 'node_md_disks_required{host="tests",device="md1"}', values: '2x60'}
      # / is 90% full, /boot 80%; another host's is not ours.
      - {series: 'node_filesystem_avail_bytes{host="tests",mountpoint="/",fstype="ext4"}', values: '10x60'}
      - {series: 'node_filesystem_size_bytes{host="tests",mountpoint="/",fstype="ext4"}', values: '100x60'}
      - {series: 'node_filesystem_avail_bytes{host="tests",mountpoint="/boot",fstype="ext4"}', values: '20x60'}
      - {series: 'node_filesystem_size_bytes{host="tests",mountpoint="/boot",fstype="ext4"}', values: '100x60'}
      - {series: 'node_filesystem_avail_bytes{host="ci",mountpoint="/",fstype="ext4"}', values: '1x60'}
      - {series: 'node_filesystem_size_bytes{host="ci",mountpoint="/",fstype="ext4"}', values: '100x60'}
      # qa17 was never saved (0), ba17 just now, though the host's own files were.
      - {series: 'odoogen_backup_last_success_timestamp_seconds{host="tests",name="qa17"}', values: '0x3000'}
      - {series: 'odoogen_backup_last_success_timestamp_seconds{host="tests",name="ba17"}', values: '100000x3000'}
      - {series: 'odoogen_job_last_success_timestamp_seconds{host="tests",job="backup-host"}', values: '100000x3000'}
      # A drill took six minutes, another four.
      - {series: 'odoogen_drill_duration_seconds{host="tests",name="qa17"}', values: '360x3000'}
      - {series: 'odoogen_drill_duration_seconds{host="tests",name="ba17"}', values: '240x3000'}
      # A certificate of 13 days, and one of 15.
      - {series: 'odoogen_certificate_expiry_timestamp_seconds{host="tests",name="qa17"}', values: '1123200x3000'}
      - {series: 'odoogen_certificate_expiry_timestamp_seconds{host="tests",name="ba17"}', values: '1396000x3000'}
      # 395 of main's 420 connections.
      - {series: 'pg_stat_activity_count{host="tests",cluster="main",datname="qa17",state="idle"}', values: '295x60'}
      - {series: 'pg_stat_activity_count{host="tests",cluster="main",datname="ba17",state="active"}', values: '100x60'}
      - {series: 'pg_stat_activity_count{host="tests",cluster="staging",datname="staging17",state="active"}', values: '100x60'}
      # Somebody stopped ba19; a job that does not run is fine.
      - {series: 'node_systemd_unit_state{host="tests",name="odoo-ba19.service",state="active"}', values: '0x60'}
      - {series: 'node_systemd_unit_state{host="tests",name="odoogen-backup.service",state="active"}', values: '0x60'}
      - {series: 'up{host="tests",job="node"}', values: '1x60'}
    alert_rule_test:
      - {eval_time: 9m, alertname: RaidDegraded, exp_alerts: []}
      - eval_time: 30m
        alertname: RaidDegraded
        exp_alerts: [{exp_labels: {host: tests, severity: critical, device: md0},
                      exp_annotations: {summary: "tests: RAID md0 has lost a disk; see cat /proc/mdstat"}}]
      - {eval_time: 10m, alertname: DiskFull, exp_alerts: []}
      - eval_time: 30m
        alertname: DiskFull
        exp_alerts: [{exp_labels: {host: tests, severity: critical, mountpoint: /, fstype: ext4},
                      exp_annotations: {summary: "tests: / is 90% full"}}]
      - eval_time: 1800m # 30 hours
        alertname: BackupOld
        exp_alerts: [{exp_labels: {host: tests, severity: critical, name: qa17},
                      exp_annotations: {summary: "the newest backup of qa17 is older than 26h"}}]
      - {eval_time: 1800m, alertname: HostBackupOld, exp_alerts: []}
      - eval_time: 90m
        alertname: DrillSlow
        exp_alerts: [{exp_labels: {host: tests, severity: warning, name: qa17},
                      exp_annotations: {summary: "restoring qa17 took 6m 0s, the target is 5min"}}]
      - eval_time: 90m
        alertname: CertificateEnds
        exp_alerts: [{exp_labels: {host: tests, severity: critical, name: qa17},
                      exp_annotations: {summary: "the certificate of qa17 ends within 14 days"}}]
      - eval_time: 30m
        alertname: PostgresConnections
        exp_alerts: [{exp_labels: {host: tests, severity: warning, cluster: main},
                      exp_annotations: {summary: "cluster main: 94% of max_connections are in use"}}]
      - eval_time: 30m
        alertname: UnitDown
        exp_alerts: [{exp_labels: {host: tests, severity: critical, name: odoo-ba19.service, state: active},
                      exp_annotations: {summary: "tests: odoo-ba19.service does not run"}}]
      - {eval_time: 50m, alertname: HostSilent, exp_alerts: []}
      - eval_time: 90m # its last sample is half an hour old
        alertname: HostSilent
        exp_alerts: [{exp_labels: {host: tests, severity: critical},
                      exp_annotations: {summary: "tests sends no metrics: it is down, its network is, or Alloy is"}}]
`
	promtool(t, files, "test", "rules", "test.yaml")
}

func alertNames(t *testing.T, spec *topology.Topology, host string) []string {
	t.Helper()
	var file struct {
		Groups []struct{ Rules []struct{ Alert string } }
	}
	if err := yaml.Unmarshal([]byte(generated(t, Alerts, spec, host)["alerts/rules.yaml"]), &file); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range file.Groups[0].Rules {
		names = append(names, r.Alert)
	}
	return names
}

// A rule is there where what it watches is.
func TestAlertsFollowTheSpec(t *testing.T) {
	spec := sampleTopology(t)
	for host, want := range map[string]map[string]bool{
		"tests": {"RaidDegraded": true, "PostgresDown": true, "CertificateEnds": true, "BackupOld": true, "MirrorOld": false, "SeriesNearLimit": false},
		"ci":    {"RaidDegraded": true, "PostgresDown": false, "CertificateEnds": false, "BackupOld": false, "HostBackupOld": true, "MirrorOld": true, "SeriesNearLimit": true},
	} {
		names := alertNames(t, spec, host)
		for name, there := range want {
			if slices.Contains(names, name) != there {
				t.Errorf("%s: %s: want there %v", host, name, there)
			}
		}
	}
	spec.Backup.None = &topology.NoBackup{Reason: "throw-away"}
	for _, name := range alertNames(t, spec, "tests") {
		if strings.Contains(name, "Backup") || strings.Contains(name, "Drill") {
			t.Errorf("%s without backups", name)
		}
	}
}

var metricName = regexp.MustCompile(`\b(up|node|odoogen|pg|nginx|loki_write)(_[a-z_0-9A-Z]+)?\{`)

// What an alert or a dashboard reads, Alloy ships.
func TestEveryMetricIsShipped(t *testing.T) {
	spec := sampleTopology(t)
	shipped := regexp.MustCompile("^(?:" + shippedMetrics + ")$")
	quiet := regexp.MustCompile("^(?:" + quietStates + ")$")
	script, err := constants.ReadFile("files/bin/metrics")
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, host := range []string{"tests", "ci"} {
		files := generated(t, Alerts, spec, host)
		for path, text := range generated(t, Dashboards, spec, host) {
			files[path] = text
			if !json.Valid([]byte(text)) {
				t.Errorf("%s: no JSON", path)
			}
		}
		for path, text := range files {
			for _, match := range metricName.FindAllString(text, -1) {
				read++
				name := strings.TrimSuffix(match, "{")
				if !shipped.MatchString(name) {
					t.Errorf("%s reads %s, which is not shipped", path, name)
				}
				if strings.HasPrefix(name, "odoogen_") && !strings.Contains(string(script), name) {
					t.Errorf("%s reads %s, which bin/metrics does not write", path, name)
				}
			}
			for _, state := range regexp.MustCompile(`state="(\w+)"`).FindAllStringSubmatch(text, -1) {
				if quiet.MatchString("node_systemd_unit_state;" + state[1]) {
					t.Errorf("%s reads state %s, which is not shipped", path, state[1])
				}
			}
		}
	}
	if read == 0 {
		t.Error("no metric was found")
	}
}

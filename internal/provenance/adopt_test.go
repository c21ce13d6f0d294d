package provenance_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"odoogen/internal/provenance"
)

// A hand edit, and what the spec would say to have it so. Files that begin with / lie beside the tree: systemctl edit,
// systemctl set-property and ALTER SYSTEM leave them.
func TestAdopt(t *testing.T) {
	b, _ := built(t)
	edited := func(path, old, new string) provenance.Edit { return edit(t, b, path, old, new) }
	const (
		limits   = "systemd/system/odoo-qa17.service.d/10-limits.conf"
		override = "/etc/systemd/system/odoo-qa17.service.d/override.conf"
		auto     = "/var/lib/postgresql/15/main/postgresql.auto.conf"
		conf     = "odoo/qa17.conf"
		vhost    = "nginx/qa17.conf"
		server   = "\tclient_max_body_size 128m;\n"
	)
	for _, c := range []struct {
		name  string
		edits []provenance.Edit
		want  string
	}{
		{"a limit that comes from the class becomes the instance's own", []provenance.Edit{edited(limits, "CPUQuota=150%", "CPUQuota=200%")}, `
// tests: systemd/system/odoo-qa17.service.d/10-limits.conf: CPUQuota = 200%
instances: qa17: CPUQuota: "200%"`},
		{"systemctl edit", []provenance.Edit{beside(override, "[Service]\nMemoryMax=4G\n")}, `
// tests: /etc/systemd/system/odoo-qa17.service.d/override.conf: MemoryMax = 4G
instances: qa17: MemoryMax: "4G"`},
		{"systemctl set-property leaves bytes", []provenance.Edit{beside("/etc/systemd/system.control/odoo-qa17.service.d/50-MemoryMax.conf", "# set-property\n[Service]\nMemoryMax=4294967296\n")}, `
// tests: /etc/systemd/system.control/odoo-qa17.service.d/50-MemoryMax.conf: MemoryMax = 4294967296
instances: qa17: MemoryMax: "4G"`},
		{"a fraction of a size", []provenance.Edit{beside(override, "[Service]\nMemoryMax=3.5G\nMemoryHigh=0.5G\n"), beside("/etc/systemd/system/odoo-qa19.service.d/override.conf", "[Service]\nMemoryMax=3.0G\n")}, `
// tests: /etc/systemd/system/odoo-qa17.service.d/override.conf: MemoryMax = 3.5G
instances: qa17: MemoryMax: "3584M"
// tests: /etc/systemd/system/odoo-qa17.service.d/override.conf: MemoryHigh = 0.5G
hosts: tests: units: "odoo-qa17.service": dropin: Service: MemoryHigh: "0.5G"
// tests: /etc/systemd/system/odoo-qa19.service.d/override.conf: comes to the same as what the spec says`},
		{"a fraction that is not whole bytes", []provenance.Edit{beside(override, "[Service]\nMemoryMax=4.1G\n"), beside("/etc/systemd/system/odoo-qa19.service.d/override.conf", "[Service]\nMemoryMax=0\n"), beside("/etc/systemd/system/odoo-ba17.service.d/override.conf", "[Service]\nMemoryMax=0.0G\n")}, `
// tests: /etc/systemd/system/odoo-qa17.service.d/override.conf: MemoryMax = 4.1G: want a size such as "3G": a whole number and K, M, G or T (base 1024)
// tests: /etc/systemd/system/odoo-qa19.service.d/override.conf: MemoryMax = 0: want a size such as "3G": a whole number and K, M, G or T (base 1024)
// tests: /etc/systemd/system/odoo-ba17.service.d/override.conf: MemoryMax = 0.0G: want a size such as "3G": a whole number and K, M, G or T (base 1024)`},
		{"what is computed of several", []provenance.Edit{edited("systemd/system/odoo-qa17.slice.d/10-limits.conf", "MemoryMax=4G", "MemoryMax=6G")}, `
// tests: systemd/system/odoo-qa17.slice.d/10-limits.conf: MemoryMax = 6G: is computed, from classes.qa.MemoryMax, classes.qa.update.MemoryMax, instances.qa17.class`},
		{"what is computed, and is so when the spec has what was edited beside it", []provenance.Edit{
			edited("systemd/system/odoo-qa17.slice.d/10-limits.conf", "MemoryMax=4G", "MemoryMax=7G"), beside(override, "[Service]\nMemoryMax=6G\n"),
		}, `
// tests: /etc/systemd/system/odoo-qa17.service.d/override.conf: MemoryMax = 6G
instances: qa17: MemoryMax: "6G"
// tests: systemd/system/odoo-qa17.slice.d/10-limits.conf: MemoryMax = 7G: follows from the above`},
		{"one key that sets two times", []provenance.Edit{
			beside(override, "[Service]\nTimeoutStopSec=2min\nTimeoutSec=30\n"),
			beside("/etc/systemd/system/odoo-qa19.service.d/override.conf", "[Service]\nTimeoutSec=30\nTimeoutStopSec=2min\n[Install]\nTimeoutSec=1\n"),
			beside("/etc/systemd/system/odoogen-patch.service.d/override.conf", "[Service]\nTimeoutSec=1h\n"),
		}, `
// tests: /etc/systemd/system/odoo-qa17.service.d/override.conf: TimeoutSec = 30
hosts: tests: units: "odoo-qa17.service": dropin: Service: TimeoutStopSec: 30
// tests: /etc/systemd/system/odoo-qa17.service.d/override.conf: TimeoutSec = 30
hosts: tests: units: "odoo-qa17.service": dropin: Service: TimeoutStartSec: 30
// tests: /etc/systemd/system/odoo-qa19.service.d/override.conf: TimeoutSec = 30
hosts: tests: units: "odoo-qa19.service": dropin: Service: TimeoutStartSec: 30
// tests: /etc/systemd/system/odoo-qa19.service.d/override.conf: TimeoutStopSec = 2min
hosts: tests: units: "odoo-qa19.service": dropin: Service: TimeoutStopSec: "2min"
// tests: /etc/systemd/system/odoo-qa19.service.d/override.conf: TimeoutSec = 1: hosts.tests.units."odoo-qa19.service".dropin.Install: a drop-in of a service has no section "Install"; there is Unit, Service
// tests: /etc/systemd/system/odoogen-patch.service.d/override.conf: TimeoutSec = 1h: in the place of what ../../envs.cue:242:27 says
patching: windows: tests: maxDuration: "1h"
// tests: /etc/systemd/system/odoogen-patch.service.d/override.conf: TimeoutSec = 1h
hosts: tests: units: "odoogen-patch.service": dropin: Service: TimeoutStopSec: "1h"`},
		{"what the schema refuses", []provenance.Edit{beside(override, "[Service]\nMemoryMax=infinity\nCPUWeight=500\nCPUQuota=\n")}, `
// tests: /etc/systemd/system/odoo-qa17.service.d/override.conf: MemoryMax = infinity: want a size such as "3G": a whole number and K, M, G or T (base 1024)
// tests: /etc/systemd/system/odoo-qa17.service.d/override.conf: CPUWeight = 500: odoogen sets it, and the rules count with it; say it in instances.qa17
// tests: /etc/systemd/system/odoo-qa17.service.d/override.conf: CPUQuota =: want a quota such as "150%": percent of one CPU`},
		{"a variable, and a limit that another variable follows from", []provenance.Edit{beside(override, "[Service]\nEnvironment=ODOO_X=1\nMemoryMax=4G\n")}, `
// tests: /etc/systemd/system/odoo-qa17.service.d/override.conf: Environment = ODOO_X=1
hosts: tests: units: "odoo-qa17.service": dropin: Service: Environment: ["ODOO_X=1"]
// tests: /etc/systemd/system/odoo-qa17.service.d/override.conf: MemoryMax = 4G
instances: qa17: MemoryMax: "4G"`},
		{"the limit first", []provenance.Edit{beside(override, "[Service]\nMemoryMax=4G\nCPUQuota=200%\nEnvironment=ODOO_X=1\n")}, `
// tests: /etc/systemd/system/odoo-qa17.service.d/override.conf: MemoryMax = 4G
instances: qa17: MemoryMax: "4G"
// tests: /etc/systemd/system/odoo-qa17.service.d/override.conf: CPUQuota = 200%
instances: qa17: CPUQuota: "200%"
// tests: /etc/systemd/system/odoo-qa17.service.d/override.conf: Environment = ODOO_X=1
hosts: tests: units: "odoo-qa17.service": dropin: Service: Environment: ["ODOO_X=1"]`},
		{"variables are one list", []provenance.Edit{beside(override, "[Service]\nEnvironment=X=1\nEnvironment='A_OPTS=-x -y'\n")}, `
// tests: /etc/systemd/system/odoo-qa17.service.d/override.conf: Environment = X=1; Environment = 'A_OPTS=-x -y'
hosts: tests: units: "odoo-qa17.service": dropin: Service: Environment: ["X=1", "'A_OPTS=-x -y'"]`},
		{"variables of two files are one list", []provenance.Edit{
			beside("/etc/systemd/system/odoo-qa17.service.d/a.conf", "[Service]\nEnvironment=A=1\n"),
			beside("/etc/systemd/system/odoo-qa17.service.d/b.conf", "[Service]\nEnvironment=B=\"\\(x)\"\n"),
		}, `
// tests: /etc/systemd/system/odoo-qa17.service.d/a.conf: Environment = A=1
// tests: /etc/systemd/system/odoo-qa17.service.d/b.conf: Environment = B="\(x)"
hosts: tests: units: "odoo-qa17.service": dropin: Service: Environment: ["A=1", "B=\"\\(x)\""]`},
		{"a reset", []provenance.Edit{beside(override, "[Service]\nExecStart=\nExecStart=/usr/bin/true --now\nEnvironment=\nTimeoutStopSec=\n")}, `
// tests: /etc/systemd/system/odoo-qa17.service.d/override.conf: ExecStart =; ExecStart = /usr/bin/true --now
hosts: tests: units: "odoo-qa17.service": dropin: Service: ExecStart: ["", "/usr/bin/true --now"]
// tests: /etc/systemd/system/odoo-qa17.service.d/override.conf: Environment =
hosts: tests: units: "odoo-qa17.service": dropin: Service: Environment: [""]
// tests: /etc/systemd/system/odoo-qa17.service.d/override.conf: TimeoutStopSec =
hosts: tests: units: "odoo-qa17.service": dropin: Service: TimeoutStopSec: ""`},
		{"a reset in a unit of the distribution", []provenance.Edit{beside("/etc/systemd/system/nginx.service.d/override.conf", "[Service]\nExecStartPre=\nExecStartPre=/usr/bin/true\n")}, `
// tests: /etc/systemd/system/nginx.service.d/override.conf: ExecStartPre =; ExecStartPre = /usr/bin/true
hosts: tests: units: "nginx.service": dropin: Service: ExecStartPre: ["", "/usr/bin/true"]`},
		{"one that the spec resets later", []provenance.Edit{beside("/etc/systemd/system/nginx.service.d/override.conf", "[Service]\nExecReload=\nExecReload=/usr/sbin/nginx -s reload\n")}, `
// tests: /etc/systemd/system/nginx.service.d/override.conf: ExecReload =; ExecReload = /usr/sbin/nginx -s reload: the spec cannot have it so`},
		{"a line that goes on", []provenance.Edit{beside(override, "[Service]\nEnvironment=A=1 \\\n# between\n  B=2\nNice=5\n")}, `
// tests: /etc/systemd/system/odoo-qa17.service.d/override.conf: Environment = A=1    B=2
hosts: tests: units: "odoo-qa17.service": dropin: Service: Environment: ["A=1    B=2"]
// tests: /etc/systemd/system/odoo-qa17.service.d/override.conf: Nice = 5
hosts: tests: units: "odoo-qa17.service": dropin: Service: Nice: 5`},
		{"what is no setting", []provenance.Edit{beside(override, "Nice=5\n[Service]\nNice\n[X-Mine]\nA=b\n")}, `
// tests: /etc/systemd/system/odoo-qa17.service.d/override.conf: Nice = 5: the spec has no word for it
// tests: /etc/systemd/system/odoo-qa17.service.d/override.conf: Nice: the spec has no word for it
// tests: /etc/systemd/system/odoo-qa17.service.d/override.conf: A = b: hosts.tests.units."odoo-qa17.service".dropin."X-Mine": a drop-in of a service has no section "X-Mine"; there is Unit, Service`},
		{"a drop-in that is read before the spec's", []provenance.Edit{beside("/etc/systemd/system/odoo-qa17.service.d/05.conf", "[Service]\nCPUQuota=200%\n")}, `
// tests: /etc/systemd/system/odoo-qa17.service.d/05.conf: comes to the same as what the spec says`},
		{"a drop-in in the place of the spec's", []provenance.Edit{beside("/etc/systemd/system/odoogen-mirror.service.d/10-limits.conf", "[Service]\nCPUQuota=50%\n")}, `
// tests: /etc/systemd/system/odoogen-mirror.service.d/10-limits.conf: CPUQuota = 50%
hosts: tests: units: "odoogen-mirror.service": dropin: Service: CPUQuota: "50%"
// tests: /etc/systemd/system/odoogen-mirror.service.d/10-limits.conf: IOWeight = 20: was taken out; the spec cannot leave it unset
// tests: /etc/systemd/system/odoogen-mirror.service.d/10-limits.conf: MemoryMax = 1G: was taken out; the spec cannot leave it unset`},
		{"a unit in the place of the spec's", []provenance.Edit{beside("/etc/systemd/system/odoo-qa17.service", "[Service]\nNice=5\n")}, `
// tests: /etc/systemd/system/odoo-qa17.service: is a whole unit: the spec has no word for it; what a drop-in of systemctl edit says can be kept`},
		{"a line of a unit's limits that was taken out", []provenance.Edit{edited(limits, "IOWeight=100\n", "")}, `
// tests: systemd/system/odoo-qa17.service.d/10-limits.conf: IOWeight = 100: was taken out; the spec cannot leave it unset`},
		{"a unit's hardening", []provenance.Edit{edited("systemd/system/odoo-qa17.service.d/20-hardening.conf", "SystemCallFilter=~@privileged", "SystemCallFilter=~@privileged @resources")}, `
// tests: systemd/system/odoo-qa17.service.d/20-hardening.conf: SystemCallFilter = @system-service; SystemCallFilter = ~@privileged @resources: this is all of the list; what odoogen gives it later does not count
hosts: tests: units: "odoo-qa17.service": dropin: Service: SystemCallFilter: ["", "@system-service", "~@privileged @resources"]`},
		{"a variable of several that the spec computes", []provenance.Edit{edited(limits, "--workers=3", "--workers=2")}, `
// tests: systemd/system/odoo-qa17.service.d/10-limits.conf: Environment = "LIMITS=--workers=2 --max-cron-threads=1 --limit-memory-soft=1073741824 --limit-memory-hard=1610612736": this is all of the list; what odoogen gives it later does not count
hosts: tests: units: "odoo-qa17.service": dropin: Service: Environment: ["", "PATH=/opt/odoo/venv/17/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/var/lib/odoo/qa17", "LANG=C.UTF-8", "\"LIMITS=--workers=2 --max-cron-threads=1 --limit-memory-soft=1073741824 --limit-memory-hard=1610612736\""]`},
		{"a list of a unit of the distribution, changed in its place", []provenance.Edit{edited("systemd/system/nginx.service.d/20-hardening.conf", "RestrictAddressFamilies=", "RestrictAddressFamilies=AF_PACKET ")}, `
// tests: systemd/system/nginx.service.d/20-hardening.conf: RestrictAddressFamilies = AF_PACKET AF_UNIX AF_INET AF_INET6: the spec cannot have it so`},

		{"when a timer starts its service", []provenance.Edit{
			beside("/etc/systemd/system/odoogen-backup.timer.d/override.conf", "[Timer]\nOnCalendar=\nOnCalendar=*-*-* 02:30:00\nRandomizedDelaySec=5min\n"),
			edited("systemd/system/odoogen-patch.timer", "OnCalendar=Sun 08:00 Etc/UTC", "OnCalendar=Sun 09:00 Etc/UTC"),
			{Host: "ci", File: "/etc/systemd/system/odoogen-mirror.timer.d/override.conf", Data: []byte("[Timer]\nOnUnitInactiveSec=\nOnUnitInactiveSec=60min\n")},
			{Host: "ci", File: "/etc/systemd/system/odoogen-patch.timer.d/override.conf", Data: []byte("[Timer]\nOnCalendar=\nOnCalendar=Sat *-*-* 08:00:00\n")},
		}, `
// ci: /etc/systemd/system/odoogen-mirror.timer.d/override.conf: OnUnitInactiveSec =; OnUnitInactiveSec = 60min: in the place of what ../../envs.cue:220:10 says
ci: mirror: every: "1h"
// ci: /etc/systemd/system/odoogen-mirror.timer.d/override.conf: OnActiveSec = 5s: was taken out; the spec cannot leave it unset
// ci: /etc/systemd/system/odoogen-patch.timer.d/override.conf: OnCalendar =; OnCalendar = Sat *-*-* 08:00:00: comes to the same as what the spec says
// tests: /etc/systemd/system/odoogen-backup.timer.d/override.conf: OnCalendar =; OnCalendar = *-*-* 02:30:00: in the zone of network.time, Etc/UTC; changes ci, too
backup: nightly: at: "02:30"
// tests: /etc/systemd/system/odoogen-backup.timer.d/override.conf: RandomizedDelaySec = 5min
hosts: tests: units: "odoogen-backup.timer": dropin: Timer: RandomizedDelaySec: "5min"
// tests: systemd/system/odoogen-patch.timer: OnCalendar = Sun 09:00 Etc/UTC: in the place of what ../../envs.cue:242:10 says
patching: windows: tests: at: "Sun 09:00"`},
		{"when a timer cannot start its service", []provenance.Edit{
			beside("/etc/systemd/system/odoogen-backup.timer.d/override.conf", "[Timer]\nOnCalendar=02:30\n"),
			beside("/etc/systemd/system/odoogen-backup-maintenance.timer.d/override.conf", "[Timer]\nOnCalendar=\nOnCalendar=hourly\n"),
			beside("/etc/systemd/system/odoogen-drill.timer.d/override.conf", "[Timer]\nOnCalendar=\nOnBootSec=1h\n"),
			beside("/etc/systemd/system/odoogen-patch.timer.d/override.conf", "[Timer]\nOnCalendar=\nOnCalendar=Sat 08:00\n"),
		}, `
// tests: /etc/systemd/system/odoogen-backup.timer.d/override.conf: OnCalendar = 02:30: backup.nightly.at is one time, and there are 2 with those of all files
// tests: /etc/systemd/system/odoogen-backup-maintenance.timer.d/override.conf: OnCalendar =; OnCalendar = hourly: want a time such as "02:00", "Sun 03:00" or "*-01,04,07,10-15 05:00"
// tests: /etc/systemd/system/odoogen-drill.timer.d/override.conf: OnCalendar =: backup.drill.at is one time, and there are 0 with those of all files
// tests: /etc/systemd/system/odoogen-drill.timer.d/override.conf: OnBootSec = 1h: odoogen sets it, and the rules count with it; say it in backup.drill.at
// tests: /etc/systemd/system/odoogen-patch.timer.d/override.conf: OnCalendar =; OnCalendar = Sat 08:00: patching.windows.ci: ci would be patched together with tests at Sat 08:00; no two hosts of a small topology are patched together`},
		{"timers of which the spec has no time", []provenance.Edit{
			beside("/etc/systemd/system/odoogen-metrics.timer.d/override.conf", "[Timer]\nOnCalendar=*:0/7\nOnBootSec=1h\n"),
			beside("/etc/systemd/system/odoogen-certificates-issue.timer.d/override.conf", "[Timer]\nOnCalendar=\nOnCalendar=hourly\n"),
			beside("/etc/systemd/system/odoogen-first-release.timer.d/override.conf", "[Timer]\nOnActiveSec=\n"),
			beside("/etc/systemd/system/certbot.timer.d/override.conf", "[Timer]\nOnCalendar=\nOnBootSec=1h\n"),
		}, `
// tests: /etc/systemd/system/odoogen-metrics.timer.d/override.conf: OnCalendar = *:0/7
hosts: tests: units: "odoogen-metrics.timer": dropin: Timer: OnCalendar: ["*:0/7"]
// tests: /etc/systemd/system/odoogen-metrics.timer.d/override.conf: OnBootSec = 1h
hosts: tests: units: "odoogen-metrics.timer": dropin: Timer: OnBootSec: ["1h"]
// tests: /etc/systemd/system/odoogen-certificates-issue.timer.d/override.conf: OnCalendar =; OnCalendar = hourly
hosts: tests: units: "odoogen-certificates-issue.timer": dropin: Timer: OnCalendar: ["", "hourly"]
// tests: /etc/systemd/system/odoogen-first-release.timer.d/override.conf: OnActiveSec =
hosts: tests: units: "odoogen-first-release.timer": dropin: Timer: OnActiveSec: [""]
// tests: /etc/systemd/system/certbot.timer.d/override.conf: OnCalendar =
// tests: /etc/systemd/system/certbot.timer.d/override.conf: OnBootSec = 1h
hosts: tests: units: "certbot.timer": dropin: Timer: OnBootSec: ["", "1h"]`},
		{"a timer of several times", []provenance.Edit{beside("/etc/systemd/system/odoogen-certificates-issue.timer.d/override.conf", "[Timer]\nOnCalendar=\nOnCalendar=hourly\nOnBootSec=1h\n")}, `
// tests: /etc/systemd/system/odoogen-certificates-issue.timer.d/override.conf: OnCalendar =; OnCalendar = hourly: a drop-in that takes out one time takes out all, and there are several kinds: the spec has no word for it
// tests: /etc/systemd/system/odoogen-certificates-issue.timer.d/override.conf: OnBootSec = 1h: a drop-in that takes out one time takes out all, and there are several kinds: the spec has no word for it`},
		{"a setting of PostgreSQL", []provenance.Edit{edited("postgresql/main/reload.conf", "log_min_duration_statement = 5s", "log_min_duration_statement = 1s")}, `
// tests: postgresql/main/reload.conf: log_min_duration_statement = 1s
clusters: main: settings: log_min_duration_statement: "1s"`},
		{"ALTER SYSTEM", []provenance.Edit{beside(auto, "# ALTER SYSTEM\nWork_Mem = '24MB'\n")}, `
// tests: /var/lib/postgresql/15/main/postgresql.auto.conf: work_mem = 24MB
clusters: main: settings: work_mem: "24MB"`},
		{"below the include_dir", []provenance.Edit{beside("/etc/postgresql/15/main/postgresql.conf", "max_connections = 100\ninclude_dir = 'conf.d'\t# files\nwork_mem 24MB # more\n")}, `
// tests: /etc/postgresql/15/main/postgresql.conf: work_mem = 24MB
clusters: main: settings: work_mem: "24MB"`},
		{"another cluster of the same name", []provenance.Edit{
			beside("/var/lib/postgresql/13/main/postgresql.auto.conf", "work_mem = 24MB\n"),
			beside("/etc/postgresql/13/main/postgresql.conf", "work_mem = 24MB\n"),
			beside("/etc/postgresql/15/old/conf.d/x.conf", "work_mem = 24MB\n"),
		}, `
// tests: /var/lib/postgresql/13/main/postgresql.auto.conf: is of a cluster that the spec does not have on this host
// tests: /etc/postgresql/13/main/postgresql.conf: is of a cluster that the spec does not have on this host
// tests: /etc/postgresql/15/old/conf.d/x.conf: is of a cluster that the spec does not have on this host`},
		{"names, numbers and truths of PostgreSQL", []provenance.Edit{beside(auto, "timezone = 'Europe/Berlin'\nDATESTYLE = 'ISO, DMY'\nintervalstyle = 'iso_8601'\nrandom_page_cost = '1.0'\ncheckpoint_completion_target = 0.80\njit = 'true'\nwal_compression = yes\n")}, `
// tests: /var/lib/postgresql/15/main/postgresql.auto.conf: TimeZone = Europe/Berlin
clusters: main: extra: TimeZone: "Europe/Berlin"
// tests: /var/lib/postgresql/15/main/postgresql.auto.conf: DateStyle = ISO, DMY
clusters: main: extra: DateStyle: "ISO, DMY"
// tests: /var/lib/postgresql/15/main/postgresql.auto.conf: IntervalStyle = iso_8601
clusters: main: extra: IntervalStyle: "iso_8601"
// tests: /var/lib/postgresql/15/main/postgresql.auto.conf: random_page_cost = 1
clusters: main: settings: random_page_cost: 1
// tests: /var/lib/postgresql/15/main/postgresql.auto.conf: checkpoint_completion_target = 0.8
clusters: main: settings: checkpoint_completion_target: 0.8
// tests: /var/lib/postgresql/15/main/postgresql.auto.conf: jit = true
clusters: main: settings: jit: "on"
// tests: /var/lib/postgresql/15/main/postgresql.auto.conf: wal_compression = yes
clusters: main: settings: wal_compression: "on"`},
		{"the same numbers and truths of PostgreSQL", []provenance.Edit{beside(auto, "random_page_cost = 1.10\ncheckpoint_completion_target = '0.90'\njit = 'false'\nlog_lock_waits = true\n")}, `
// tests: /var/lib/postgresql/15/main/postgresql.auto.conf: comes to the same as what the spec says`},
		{"no include_dir any more", []provenance.Edit{beside("/etc/postgresql/15/main/postgresql.conf", "max_connections = 100\n")}, `
// tests: /etc/postgresql/15/main/postgresql.conf: includes nothing, so that no setting of the spec counts: include_dir = 'conf.d' was in it`},
		{"numbers in PostgreSQL's own units", []provenance.Edit{beside(auto, "log_min_duration_statement = '1000'\nwork_mem = '16384'\ncheckpoint_timeout = '300'\nmax_connections = '500'\nidle_in_transaction_session_timeout = '0'\nmax_wal_size = '1.5GB'\n")}, `
// tests: /var/lib/postgresql/15/main/postgresql.auto.conf: log_min_duration_statement = 1000ms
clusters: main: settings: log_min_duration_statement: "1000ms"
// tests: /var/lib/postgresql/15/main/postgresql.auto.conf: work_mem = 16384kB
clusters: main: settings: work_mem: "16384kB"
// tests: /var/lib/postgresql/15/main/postgresql.auto.conf: checkpoint_timeout = 300s
clusters: main: settings: checkpoint_timeout: "300s"
// tests: /var/lib/postgresql/15/main/postgresql.auto.conf: max_connections = 500
clusters: main: settings: max_connections: 500
// tests: /var/lib/postgresql/15/main/postgresql.auto.conf: idle_in_transaction_session_timeout = 0
clusters: main: settings: idle_in_transaction_session_timeout: "0"
// tests: /var/lib/postgresql/15/main/postgresql.auto.conf: max_wal_size = 1.5GB: want a size as PostgreSQL reads it, such as "16MB": a whole number and kB, MB, GB or TB`},
		{"what PostgreSQL quotes", []provenance.Edit{beside(auto, "deadlock_timeout = '2s'\n\"auto_explain.x\" = 'y'\nsearch_path = '\"$user\", it''s, \\\\(x), \\303\\244'\nlog_destination = 'stderr\\tx'\n")}, `
// tests: /var/lib/postgresql/15/main/postgresql.auto.conf: deadlock_timeout = 2s
clusters: main: extra: deadlock_timeout: "2s"
// tests: /var/lib/postgresql/15/main/postgresql.auto.conf: "auto_explain.x" = 'y': the spec has no word for it
// tests: /var/lib/postgresql/15/main/postgresql.auto.conf: search_path = "$user", it's, \(x), ä
clusters: main: extra: search_path: "\"$user\", it's, \\(x), ä"
// tests: /var/lib/postgresql/15/main/postgresql.auto.conf: log_destination = stderr\tx: has a tab in it; one line of plain text goes into every file that quotes it`},
		{"conf.d", []provenance.Edit{
			beside("/etc/postgresql/15/main/conf.d/00-early.conf", "work_mem = 1GB\n"), beside("/etc/postgresql/15/main/conf.d/zz-late.conf", "work_mem = 24MB\nshared_buffers = 4GB\ninclude 'x'\n"),
		}, `
// tests: /etc/postgresql/15/main/conf.d/zz-late.conf: work_mem = 24MB
clusters: main: settings: work_mem: "24MB"
// tests: /etc/postgresql/15/main/conf.d/zz-late.conf: shared_buffers = 4GB: is computed, from clusters.main.ram
// tests: /etc/postgresql/15/main/conf.d/zz-late.conf: include 'x': the spec has no word for it
// tests: /etc/postgresql/15/main/conf.d/00-early.conf: comes to the same as what the spec says`},

		{"an option that the spec computes", []provenance.Edit{edited(conf, "http_port = 8017", "http_port = 9017")}, `
// tests: odoo/qa17.conf: http_port = 9017
instances: qa17: http_port: 9017`},
		{"an option that odoogen sets", []provenance.Edit{edited(conf, "proxy_mode = True", "proxy_mode = False")}, `
// tests: odoo/qa17.conf: proxy_mode = False: odoogen sets it for every instance`},
		{"an option of the class", []provenance.Edit{edited(conf, "limit_time_real = 120", "limit_time_real = 300")}, `
// tests: odoo/qa17.conf: limit_time_real = 300
instances: qa17: limit_time_real: 300`},
		{"options that the spec does not model", []provenance.Edit{edited(conf, "[options]\n", "[options]\nlog_level = warn\nlimit_request = 4096\nsyslog = True\nLog_DB : 'quoted'\nno_such = 1\n")}, `
// tests: odoo/qa17.conf: log_level = warn
instances: qa17: extra: log_level: "warn"
// tests: odoo/qa17.conf: limit_request = 4096
instances: qa17: extra: limit_request: 4096
// tests: odoo/qa17.conf: syslog = True
instances: qa17: extra: syslog: true
// tests: odoo/qa17.conf: log_db = 'quoted'
instances: qa17: extra: log_db: "'quoted'"
// tests: odoo/qa17.conf: no_such = 1: Odoo 17.0 has no such option`},
		{"a value of several lines", []provenance.Edit{edited(conf, "[options]\n", "[options]\nlog_handler = :INFO,\n  werkzeug:WARNING\n")}, `
// tests: odoo/qa17.conf: log_handler = :INFO,\nwerkzeug:WARNING: has a line break in it; one line of plain text goes into every file that quotes it`},
		{"odd values", []provenance.Edit{edited(conf, "[options]\n", "[options]\nemail_from = \"Zoë\" \\(x) \"\"\"\nfrom_filter = a\tb\nlogfile = \xff\n")}, `
// tests: odoo/qa17.conf: email_from = "Zoë" \(x) """
instances: qa17: extra: email_from: "\"Zoë\" \\(x) \"\"\""
// tests: odoo/qa17.conf: from_filter = a\tb: has a tab in it; one line of plain text goes into every file that quotes it
// tests: odoo/qa17.conf: logfile = \xff: is no UTF-8, which a spec is`},
		{"another section", []provenance.Edit{edited(conf, "[options]\n", "[queue_job]\nchannels = root:2\n[options]\n")}, `
// tests: odoo/qa17.conf: channels = root:2: the spec has no word for it`},
		{"an option that was taken out", []provenance.Edit{edited(conf, "without_demo = all\n", "")}, `
// tests: odoo/qa17.conf: without_demo = all: was taken out; the spec cannot leave it unset`},
		{"a secret", []provenance.Edit{edited(conf, "[options]\n", "[options]\nsmtp_password = hunter2\n"), edited(limits, "[Service]", "[Service]\nEnvironment=API_TOKEN=hunter2")}, `
// tests: odoo/qa17.conf: smtp_password: is or holds a secret: none has a place in a spec or a tree
// tests: systemd/system/odoo-qa17.service.d/10-limits.conf: Environment: is or holds a secret: none has a place in a spec or a tree`},
		{"secrets wherever they stand", []provenance.Edit{
			beside("/etc/systemd/system/odoo-qa17.service.d/a.conf", "[Service]\nEnvironment=A=1\nEnvironment=\"B=postgres://odoo:hunter2@db/x\"\n"),
			beside("/etc/systemd/system/odoo-qa17.service.d/b.conf", "[Service]\nEnvironment=C=1\n"),
			beside(auto, "primary_conninfo = 'host=x password=hunter2'\npassword_encryption = md5\n"),
			edited(vhost, server, server+"	proxy_set_header Authorization \"Basic aHVudGVyMg==\";\n	server_tokens on;\n	location /x {\n		proxy_set_header Authorization hunter2;\n	}\n"),
			edited(conf, "admin_passwd = ", "admin_passwd = hunter2"),
		}, `
// tests: /etc/systemd/system/odoo-qa17.service.d/a.conf: Environment: is or holds a secret: none has a place in a spec or a tree
// tests: /etc/systemd/system/odoo-qa17.service.d/b.conf: Environment: is or holds a secret: none has a place in a spec or a tree
// tests: /var/lib/postgresql/15/main/postgresql.auto.conf: primary_conninfo: is or holds a secret: none has a place in a spec or a tree
// tests: /var/lib/postgresql/15/main/postgresql.auto.conf: password_encryption = md5
clusters: main: extra: password_encryption: "md5"
// tests: nginx/qa17.conf: proxy_set_header: is or holds a secret: none has a place in a spec or a tree
// tests: nginx/qa17.conf: server_tokens on;: odoogen sets server_tokens in every vhost
// tests: nginx/qa17.conf: location: is or holds a secret: none has a place in a spec or a tree
// tests: odoo/qa17.conf: admin_passwd: is or holds a secret: none has a place in a spec or a tree`},
		{"secrets in whatever words", []provenance.Edit{
			beside("/etc/systemd/system/odoo-qa17.service.d/a.conf", "[Service]\nEnvironment=X=1\nEnvironment=AWS_SECRET_ACCESS_KEY=hunter2\n"),
			beside("/etc/systemd/system/odoo-qa19.service.d/a.conf", "[Service]\nEnvironment=SMTP_PASS=hunter2\n"),
			beside("/etc/systemd/system/odoo-ba17.service.d/a.conf", "[Service]\nEnvironment=\"GITHUB_PAT=hunter2\"\n"),
			beside("/etc/systemd/system/odoo-ba19.service.d/a.conf", "[Service]\nEnvironment=PROXY_PASS=hunter2\n"),
			beside("/etc/systemd/system/nginx.service.d/a.conf", "[Service]\nExecStartPost=/usr/bin/curl --user bob:hunter2 https://x\nAPI_KEY:hunter2\nghp_hunter2\n"),
			beside(auto, "archive_command = 'env AWS_SECRET_ACCESS_KEY=hunter2 aws s3 cp'\nrestore_command = 'curl -u bob:hunter2 https://x/%f -o %p'\nssl_passphrase_command = 'echo hunter2'\n\"x.password\"='hunter2'\n"),
			edited(vhost, server, server+"	proxy_set_header X-Api-Key hunter2;\n	proxy_set_header Cookie \"sid=hunter2\";\n	if ($http_x_api_key != \"hunter2\") { return 403; }\n"),
			edited(conf, "[options]\n", "[options]\ns3_secret_key = hunter2\nsentry_dsn = https://hunter2@sentry.example.com/1\nreport_url = https://x/?key=hunter2\nx = ghp_hunter2\n"),
		}, `
// tests: /etc/systemd/system/odoo-qa17.service.d/a.conf: Environment: is or holds a secret: none has a place in a spec or a tree
// tests: /etc/systemd/system/odoo-qa19.service.d/a.conf: Environment: is or holds a secret: none has a place in a spec or a tree
// tests: /etc/systemd/system/odoo-ba17.service.d/a.conf: Environment: is or holds a secret: none has a place in a spec or a tree
// tests: /etc/systemd/system/odoo-ba19.service.d/a.conf: Environment: is or holds a secret: none has a place in a spec or a tree
// tests: /etc/systemd/system/nginx.service.d/a.conf: ExecStartPost: is or holds a secret: none has a place in a spec or a tree
// tests: /etc/systemd/system/nginx.service.d/a.conf: API_KEY: is or holds a secret: none has a place in a spec or a tree
// tests: /etc/systemd/system/nginx.service.d/a.conf: is or holds a secret: none has a place in a spec or a tree
// tests: /var/lib/postgresql/15/main/postgresql.auto.conf: archive_command: is or holds a secret: none has a place in a spec or a tree
// tests: /var/lib/postgresql/15/main/postgresql.auto.conf: restore_command: is or holds a secret: none has a place in a spec or a tree
// tests: /var/lib/postgresql/15/main/postgresql.auto.conf: ssl_passphrase_command: is or holds a secret: none has a place in a spec or a tree
// tests: /var/lib/postgresql/15/main/postgresql.auto.conf: is or holds a secret: none has a place in a spec or a tree
// tests: nginx/qa17.conf: proxy_set_header: is or holds a secret: none has a place in a spec or a tree
// tests: nginx/qa17.conf: proxy_set_header: is or holds a secret: none has a place in a spec or a tree
// tests: nginx/qa17.conf: if: is or holds a secret: none has a place in a spec or a tree
// tests: odoo/qa17.conf: s3_secret_key: is or holds a secret: none has a place in a spec or a tree
// tests: odoo/qa17.conf: sentry_dsn: is or holds a secret: none has a place in a spec or a tree
// tests: odoo/qa17.conf: report_url: is or holds a secret: none has a place in a spec or a tree
// tests: odoo/qa17.conf: x: is or holds a secret: none has a place in a spec or a tree`},
		{"and in more", []provenance.Edit{
			beside("/etc/systemd/system/odoo-qa17.service.d/a.conf", "[Service]\nEnvironment=DB_PW=hunter2\nExecStartPost=-/usr/bin/curl -d up https://hooks.slack.com/services/T0/B0/hunter2\n"),
			beside("/etc/systemd/system/odoo-qa19.service.d/a.conf", "[Service]\nExecStartPost=-/usr/bin/curl https://api.telegram.org/bot123:hunter2/x\n"),
			beside("/etc/systemd/system/odoo-ba19.service.d/a.conf", "[Service]\nExecStartPost=-/usr/bin/curl https://discord.com/api/webhooks/1/hunter2\n"),
			edited(vhost, server, server+"	if ($arg_key != \"hunter2\") { return 403; }\n	if ($http_x_auth ~ ^hunter2) { return 403; }\n	secure_link_md5 \"$uri hunter2\";\n"),
		}, `
// tests: /etc/systemd/system/odoo-qa17.service.d/a.conf: Environment: is or holds a secret: none has a place in a spec or a tree
// tests: /etc/systemd/system/odoo-qa17.service.d/a.conf: ExecStartPost: is or holds a secret: none has a place in a spec or a tree
// tests: /etc/systemd/system/odoo-qa19.service.d/a.conf: ExecStartPost: is or holds a secret: none has a place in a spec or a tree
// tests: /etc/systemd/system/odoo-ba19.service.d/a.conf: ExecStartPost: is or holds a secret: none has a place in a spec or a tree
// tests: nginx/qa17.conf: if: is or holds a secret: none has a place in a spec or a tree
// tests: nginx/qa17.conf: if: is or holds a secret: none has a place in a spec or a tree
// tests: nginx/qa17.conf: secure_link_md5: is or holds a secret: none has a place in a spec or a tree`},
		{"what editors leave beside", []provenance.Edit{
			edited(limits, "CPUQuota=150%", "CPUQuota=200%"), beside(limits+".bak", "[Service]\nCPUQuota=150%\nEnvironment=A=1\n"), beside(limits+"~", "x"),
			beside("systemd/system/odoo-qa17.service.d/.10-limits.conf.swp", "x"), beside("systemd/system/#odoo-qa17.service#", "x"),
			beside("systemd/system/odoo-qa17.service.orig", "[Service]\nNice=1\n"), beside("nginx/qa17.conf.dpkg-old", "x"), beside("sysctl.d/odoogen.conf.save", "vm.swappiness = 1\n"),
			beside("sudoers.d/odoogen2", "x"),
		}, `
// tests: systemd/system/odoo-qa17.service.d/10-limits.conf.bak: is read by nothing: a push with --overwrite-drift leaves it behind
// tests: systemd/system/odoo-qa17.service.d/10-limits.conf~: is read by nothing: a push with --overwrite-drift leaves it behind
// tests: systemd/system/odoo-qa17.service.d/.10-limits.conf.swp: is read by nothing: a push with --overwrite-drift leaves it behind
// tests: systemd/system/#odoo-qa17.service#: is read by nothing: a push with --overwrite-drift leaves it behind
// tests: systemd/system/odoo-qa17.service.orig: is read by nothing: a push with --overwrite-drift leaves it behind
// tests: nginx/qa17.conf.dpkg-old: is read by nothing: a push with --overwrite-drift leaves it behind
// tests: sysctl.d/odoogen.conf.save: is read by nothing: a push with --overwrite-drift leaves it behind
// tests: sudoers.d/odoogen2: the spec has no word for what this file says
// tests: systemd/system/odoo-qa17.service.d/10-limits.conf: CPUQuota = 200%
instances: qa17: CPUQuota: "200%"`},
		{"where the spec says what is not read", []provenance.Edit{
			edited("python/17.txt", "\n", "\nrequests==1.0\n"), edited("sudoers.d/odoogen", "\n", "\n# anna\n"),
			beside("/srv/postgresql/15/main/postgresql.auto.conf", "work_mem = '17MB'\n"), beside("/srv/pg/postgresql.auto.conf", "work_mem = '17MB'\n"),
		}, `
// tests: python/17.txt: the spec says it in sources.versions."17.0".pip
// tests: sudoers.d/odoogen: the spec says it in access.admins.anna, access.admins.ben, access.deploy.user
// tests: /srv/pg/postgresql.auto.conf: is of a cluster whose data is not where Debian has it: clusters.NAME.settings keeps such a setting
// tests: /srv/postgresql/15/main/postgresql.auto.conf: work_mem = 17MB
clusters: main: settings: work_mem: "17MB"`},
		{"names that only sound like a secret", []provenance.Edit{
			beside(override, "[Service]\nPassEnvironment=GITHUB_TOKEN SMTP_PASS\nPassEnvironment=LANG\n"),
			beside("/etc/systemd/system/ssh.service.d/override.conf", "[Service]\nExecStart=\nExecStart=/usr/sbin/sshd -D -o PasswordAuthentication=no -o PermitEmptyPasswords=no\n"),
			beside(auto, "ssl_passphrase_command_supports_reload = on\n"),
			edited(vhost, server, server+"	location /x { fastcgi_pass unix:/run/x; proxy_set_header Authorization $http_authorization; proxy_pass_header Server; }\n	proxy_cookie_path / /x;\n	proxy_cache_bypass $http_pragma;\n"),
			edited("sysctl.d/odoogen.conf", "vm.swappiness = 10", "vm.swappiness = 10\nnet.ipv4.tcp_syncookies = 2"),
		}, `
// tests: /etc/systemd/system/odoo-qa17.service.d/override.conf: PassEnvironment = GITHUB_TOKEN SMTP_PASS; PassEnvironment = LANG
hosts: tests: units: "odoo-qa17.service": dropin: Service: PassEnvironment: ["GITHUB_TOKEN SMTP_PASS", "LANG"]
// tests: /etc/systemd/system/ssh.service.d/override.conf: ExecStart =; ExecStart = /usr/sbin/sshd -D -o PasswordAuthentication=no -o PermitEmptyPasswords=no
hosts: tests: units: "ssh.service": dropin: Service: ExecStart: ["", "/usr/sbin/sshd -D -o PasswordAuthentication=no -o PermitEmptyPasswords=no"]
// tests: /var/lib/postgresql/15/main/postgresql.auto.conf: ssl_passphrase_command_supports_reload = on
clusters: main: extra: ssl_passphrase_command_supports_reload: "on"
// tests: nginx/qa17.conf: location /x { fastcgi_pass unix:/run/x; proxy_set_header Authorization $http_authorization; proxy_pass_header Server; }
// tests: nginx/qa17.conf: proxy_cookie_path / /x;
// tests: nginx/qa17.conf: proxy_cache_bypass $http_pragma;
instances: qa17: nginx: ["location /x { fastcgi_pass unix:/run/x; proxy_set_header Authorization $http_authorization; proxy_pass_header Server; }", "proxy_cookie_path / /x;", "proxy_cache_bypass $http_pragma;"]
// tests: sysctl.d/odoogen.conf: net.ipv4.tcp_syncookies = 2
hosts: tests: sysctl: "net.ipv4.tcp_syncookies": 2`},
		{"only comments", []provenance.Edit{edited(conf, "[options]", "# a word\n[options]")}, `
// tests: odoo/qa17.conf: sets nothing otherwise than the spec`},
		{"the same in other words", []provenance.Edit{beside(override, "[Service]\nMemoryMax=3072M\nNoNewPrivileges=true\n")}, `
// tests: /etc/systemd/system/odoo-qa17.service.d/override.conf: comes to the same as what the spec says`},

		{"a block of the server", []provenance.Edit{edited(vhost, server, server+"	location /web/database {\n		# never\n		deny all;\n	}\n")}, `
// tests: nginx/qa17.conf: location /web/database { deny all; }
instances: qa17: nginx: ["location /web/database { deny all; }"]`},
		{"a block in one line", []provenance.Edit{edited(vhost, server, server+"	location /web/database { deny all; }\n")}, `
// tests: nginx/qa17.conf: location /web/database { deny all; }
instances: qa17: nginx: ["location /web/database { deny all; }"]`},
		{"two directives", []provenance.Edit{edited(vhost, server, server+"	client_body_timeout 5m;\n	add_header X-Robots-Tag \"no\\\"index; }\" always;\n")}, `
// tests: nginx/qa17.conf: client_body_timeout 5m;
// tests: nginx/qa17.conf: add_header X-Robots-Tag "no\"index; }" always;
instances: qa17: nginx: ["client_body_timeout 5m;", "add_header X-Robots-Tag \"no\\\"index; }\" always;"]`},
		{"a directive of which the spec has a field", []provenance.Edit{edited(vhost, "client_max_body_size 128m", "client_max_body_size 512m")}, `
// tests: nginx/qa17.conf: client_max_body_size 512m;
instances: qa17: upload: "512M"`},
		{"one that it computes", []provenance.Edit{edited(vhost, "proxy_read_timeout 720s", "proxy_read_timeout 3600s")}, `
// tests: nginx/qa17.conf: proxy_read_timeout 3600s;: is computed, from classes.qa.limit_time_real`},
		{"one that odoogen says already", []provenance.Edit{edited(vhost, server, server+"	gzip off;\n	client_body_timeout 5m;\n")}, `
// tests: nginx/qa17.conf: gzip off;: odoogen sets gzip in every vhost
// tests: nginx/qa17.conf: client_body_timeout 5m;
instances: qa17: nginx: ["client_body_timeout 5m;"]`},
		{"inside a block of odoogen's", []provenance.Edit{edited(vhost, "proxy_pass http://odoo-qa17;", "proxy_pass http://odoo-qa17;\n		proxy_buffering off;")}, `
// tests: nginx/qa17.conf: location / { proxy_buffering off; }: the spec has no word for it`},
		{"outside the server", []provenance.Edit{edited(vhost, "server {", "limit_req_zone $binary_remote_addr zone=x:1m rate=1r/s;\n\nserver {")}, `
// tests: nginx/qa17.conf: limit_req_zone $binary_remote_addr zone=x:1m rate=1r/s;: the spec has no word for it`},
		{"what nginx cannot read", []provenance.Edit{edited(vhost, server, server+"	location / {\n")}, `
// tests: nginx/qa17.conf: nginx cannot read it: it does not close its {`},
		{"what was taken out of a vhost", []provenance.Edit{edited(vhost, "	include /etc/odoogen/current/nginx/snippets/odoo.conf;\n", "")}, `
// tests: nginx/qa17.conf: include /etc/odoogen/current/nginx/snippets/odoo.conf;: was taken out; the spec cannot leave it unset`},
		{"a domain", []provenance.Edit{edited(vhost, "qa17.example.com;\n	include /etc/odoogen/current/nginx/snippets/tls", "qa17.example.org;\n	include /etc/odoogen/current/nginx/snippets/tls")}, `
// tests: nginx/qa17.conf: server_name qa17.example.org;: in the place of what ../../envs.cue:78:61 says
instances: qa17: domain: "qa17.example.org"`},

		{"further names", []provenance.Edit{edited(vhost, "server_name qa17.example.com;\n	include /etc/odoogen/current/nginx/snippets/tls", "server_name www.example.com qa17.example.com shop.example.com;\n	include /etc/odoogen/current/nginx/snippets/tls")}, `
// tests: nginx/qa17.conf: server_name www.example.com qa17.example.com shop.example.com;
instances: qa17: aliases: ["www.example.com", "shop.example.com"]`},
		{"further names, in both servers", []provenance.Edit{beside(vhost, strings.ReplaceAll(file(t, b, vhost), "server_name qa17.example.com;", "server_name qa17.example.com www.example.com;"))}, `
// tests: nginx/qa17.conf: server listen 80 { server_name qa17.example.com www.example.com; }
// tests: nginx/qa17.conf: server_name qa17.example.com www.example.com;
instances: qa17: aliases: ["www.example.com"]`},
		{"names that there cannot be", []provenance.Edit{
			edited(vhost, "server_name qa17.example.com;", "server_name qa17.example.com *.example.com;"),
			edited("nginx/qa19.conf", "server_name qa19.example.com;", "server_name qa19.example.com qa17.example.com;"),
			edited("nginx/ba17.conf", "server_name ba17.example.com;", "server_name a.example.com b.example.com;"),
		}, `
// tests: nginx/qa17.conf: server listen 80 { server_name qa17.example.com *.example.com; }: want a host name: lower case labels of letters, digits and "-", joined by dots
// tests: nginx/qa19.conf: server listen 80 { server_name qa19.example.com qa17.example.com; }: qa17.example.com is taken; each instance has names of its own
// tests: nginx/ba17.conf: server listen 80 { server_name a.example.com b.example.com; }: one name is instances.ba17.domain, the others are instances.ba17.aliases`},
		{"files whose fields have another form", []provenance.Edit{
			edited("ssh/authorized_keys/anna", "ssh-ed25519", "ssh-ed25519 AAAA other\nssh-ed25519"),
			edited("ssh/authorized_keys/deploy", "ssh-ed25519", "ssh-ed25519 AAAA other\nssh-ed25519"),
			{Host: "ci", File: "ssh/authorized_keys/agent1", Data: []byte("ssh-ed25519 AAAA other\n")},
			edited("nftables/odoogen.nft", "tcp dport 443 accept", "tcp dport 8443 accept\n		tcp dport 443 accept"),
			edited("systemd/timesyncd.conf.d/odoogen.conf", "NTP=", "NTP=ntp.example.com "),
			beside("/etc/systemd/timesyncd.conf.d/zz.conf", "[Time]\nNTP=ntp.example.com\n"),
		}, `
// ci: ssh/authorized_keys/agent1: the spec says the key in ci.agents.key
// tests: ssh/authorized_keys/anna: the spec says keys in access.admins.anna.keys
// tests: ssh/authorized_keys/deploy: the spec says keys in access.deploy.keys
// tests: nftables/odoogen.nft: the spec says open ports in hosts.tests.open, and from where port 22 is reached in access.whitelist
// tests: systemd/timesyncd.conf.d/odoogen.conf: the spec says time servers in network.time.servers
// tests: /etc/systemd/timesyncd.conf.d/zz.conf: the spec says time servers in network.time.servers`},
		{"variables of scripts", []provenance.Edit{
			edited("restic/backup.env", "KEEP_DAILY=7\nKEEP_WEEKLY=4\nKEEP_MONTHLY=3\n", "KEEP_DAILY=14\n; KEEP_WEEKLY=4\nKEEP_WEEKLY=\"8\" # weeks\nKEEP_MONTHLY=0\n"),
			edited("network/vswitch.env", "VLAN=4000\nMTU=1400\nADDRESS=10.0.0.2/24", "VLAN=4001\nMTU=1'300'\nADDRESS=10.0.0.9/24"),
			edited("patching/window.env", "WINDOW_SECONDS=7200\nREBOOT=yes", "WINDOW_SECONDS=3600\nREBOOT=no"),
			edited("instances/qa17.env", "HTTP_PORT=8017\n", "HTTP_PORT=9017\nDOMAIN=\\\nqa.example.com\n"),
			edited("releases/releases.env", "MIRROR=/srv/git\n", "MIRROR=/srv/mirror\n"),
		}, `
// tests: restic/backup.env: KEEP_DAILY = 14: changes ci, too; in the place of what ../../envs.cue:191:9 says
backup: keep: daily: 14
// tests: restic/backup.env: KEEP_WEEKLY = 8: changes ci, too; in the place of what ../../envs.cue:191:19 says
backup: keep: weekly: 8
// tests: restic/backup.env: KEEP_MONTHLY = 0: changes ci, too; in the place of what ../../envs.cue:191:30 says
backup: keep: monthly: 0
// tests: network/vswitch.env: VLAN = 4001: changes ci, too; in the place of what ../../envs.cue:41:35 says
network: vswitch: vlan: 4001
// tests: network/vswitch.env: MTU = 1300: changes ci, too; in the place of what ../../envs.cue:41:47 says
network: vswitch: mtu: 1300
// tests: network/vswitch.env: ADDRESS = 10.0.0.9/24: is computed, from hosts.tests.private, network.vswitch.subnet, hosts.tests
// tests: patching/window.env: WINDOW_SECONDS = 3600: is computed, from patching.windows.tests.maxDuration
// tests: patching/window.env: REBOOT = no: changes ci, too
patching: reboot: false
// tests: instances/qa17.env: DOMAIN = qa.example.com: in the place of what ../../envs.cue:78:61 says
instances: qa17: domain: "qa.example.com"
// tests: instances/qa17.env: HTTP_PORT = 9017: is computed, from classes.qa.port, instances.qa17.version, instances.qa17.class, instances.qa17, classes.qa
// tests: releases/releases.env: MIRROR = /srv/mirror: the spec has no word for it`},
		{"variables of scripts, in words that the scripts do not know", []provenance.Edit{
			edited("patching/window.env", "REBOOT=yes", "REBOOT=true"), edited("restic/backup.env", "KEEP_DAILY=7\n", "export KEEP_DAILY=8\nlet X=1\n"),
		}, `
// tests: patching/window.env: REBOOT = true: the spec cannot have it so
// tests: restic/backup.env: KEEP_DAILY = 8: changes ci, too; in the place of what ../../envs.cue:191:9 says
backup: keep: daily: 8
// tests: restic/backup.env: let X=1: the spec has no word for it`},
		{"secrets among variables of scripts", []provenance.Edit{
			edited("restic/backup.env", "PING_URL=https://hc-ping.com", "PING_URL=https://hc-ping.com/hunter2\nAWS_SECRET_ACCESS_KEY=hunter2\nexport RESTIC_PASSWORD=hunter2\n"+
				"RESTIC_PASSWORD='hunter\nhunter2\n'\nSSH_KEY=\"-----BEGIN X-----\nhunter2\n\"\nB2_ACCOUNT_KEY=\\\nhunter2\nREST_PASSWORD=\"\nhunter2\n"),
		}, `
// tests: restic/backup.env: PING_URL: is or holds a secret: none has a place in a spec or a tree
// tests: restic/backup.env: AWS_SECRET_ACCESS_KEY: is or holds a secret: none has a place in a spec or a tree
// tests: restic/backup.env: RESTIC_PASSWORD: is or holds a secret: none has a place in a spec or a tree
// tests: restic/backup.env: SSH_KEY: is or holds a secret: none has a place in a spec or a tree
// tests: restic/backup.env: B2_ACCOUNT_KEY: is or holds a secret: none has a place in a spec or a tree
// tests: restic/backup.env: REST_PASSWORD: is or holds a secret: none has a place in a spec or a tree`},
		{"the kernel's settings, in files of somebody's own", []provenance.Edit{
			beside("/etc/sysctl.d/50-before.conf", "vm.swappiness = 20\nnet/core/somaxconn = 1024\n"),
			beside("/etc/sysctl.d/zz-late.conf", "-vm/overcommit_memory = 2\n"),
		}, `
// tests: /etc/sysctl.d/50-before.conf: net.core.somaxconn = 1024
hosts: tests: sysctl: "net.core.somaxconn": 1024
// tests: /etc/sysctl.d/zz-late.conf: vm.overcommit_memory = 2
hosts: tests: sysctl: "vm.overcommit_memory": 2`},
		{"the kernel's settings", []provenance.Edit{edited("sysctl.d/odoogen.conf", "vm.swappiness = 10", "vm.swappiness = 20\nvm.overcommit_memory = 2")}, `
// tests: sysctl.d/odoogen.conf: vm.swappiness = 20: odoogen sets it on every host
// tests: sysctl.d/odoogen.conf: vm.overcommit_memory = 2
hosts: tests: sysctl: "vm.overcommit_memory": 2`},
		{"files without settings", []provenance.Edit{edited("nginx/snippets/odoo.conf", "\n", "\n# x\n"), beside("/etc/ssh/sshd_config.d/00.conf", "PermitRootLogin yes\n")}, `
// tests: nginx/snippets/odoo.conf: the spec has no word for what this file says
// tests: /etc/ssh/sshd_config.d/00.conf: the spec has no word for what this file says`},
		{"files that are too many", []provenance.Edit{beside("odoo/old.conf", "[options]\nlog_level = warn\n"), beside("nginx/old.conf", "x;\n"), beside("nginx/extra/qa17.conf", "client_body_timeout 5m;\n"), beside("systemd/system/x.service", "[Service]\nNice=5\n")}, `
// tests: odoo/old.conf: the spec has no word for what this file says
// tests: nginx/old.conf: the spec has no word for what this file says
// tests: systemd/system/x.service: is a whole unit: the spec has no word for it; what a drop-in of systemctl edit says can be kept
// tests: nginx/extra/qa17.conf: client_body_timeout 5m;
instances: qa17: nginx: ["client_body_timeout 5m;"]`},
		{"a file that is gone", []provenance.Edit{{Host: "tests", File: conf, Gone: true}}, `
// tests: odoo/qa17.conf: was deleted: a push with --overwrite-drift brings it back`},
		{"mode or owner", []provenance.Edit{edited(conf, "", "")}, `
// tests: odoo/qa17.conf: has another mode or owner: a push with --overwrite-drift gives it its own`},
		{"what fits each for itself, and not together", []provenance.Edit{
			beside(override, "[Service]\nMemoryMax=8G\n"), beside("/etc/systemd/system/odoo-ba17.service.d/override.conf", "[Service]\nMemoryMax=8G\n"),
		}, `
// tests: /etc/systemd/system/odoo-qa17.service.d/override.conf: MemoryMax = 8G
instances: qa17: MemoryMax: "8G"
// tests: /etc/systemd/system/odoo-ba17.service.d/override.conf: MemoryMax = 8G: hosts.tests.hardware.ram: 64G, but 67.36G may be used at once: instances 38G + PostgreSQL 20.36G + jobs 5G + reserve 4G; less MemoryMax, max_connections or work_mem, or an instance less`},
	} {
		got := printed(b.Adopt(c.edits))
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s\n%s", c.name, diff, got)
		}
	}
}

// What the user has written already is replaced, and said where; a list is said as a whole.
func TestAdoptInThePlaceOfWhatIsSaid(t *testing.T) {
	sample, err := os.ReadFile(filepath.Join(repository, "envs.cue"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"acme.logrotate": "weekly\n", "envs.cue": string(sample), "more.cue": `package envs
classes: qa: extra: log_level: "info"
instances: qa17: {
	limit_time_real: 300
	extra: limit_request: 4096
	nginx: ["client_body_timeout 5m;", "location /x { return 204; }"]
}
hosts: tests: units: "odoo-qa17.service": dropin: Service: {Nice: 5, Environment: ["A=1", "B=2"]}
hosts: tests: units: "odoo-qa19.service": dropin: Service: TimeoutSec: 90
hosts: tests: files: "/etc/logrotate.d/acme": source: "acme.logrotate"
`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	b := compiled(t, dir)
	edited := func(path, old, new string) provenance.Edit { return edit(t, b, path, old, new) }
	const (
		conf   = "odoo/qa17.conf"
		dropIn = "systemd/system/odoo-qa17.service.d/80-extra.conf"
		extra  = "nginx/extra/qa17.conf"
		server = "\tclient_max_body_size 128m;\n"
	)
	for _, c := range []struct {
		name  string
		edits []provenance.Edit
		want  string
	}{
		{"a field of the instance", []provenance.Edit{edited(conf, "limit_time_real = 300", "limit_time_real = 600")}, `
// tests: odoo/qa17.conf: limit_time_real = 600: in the place of what more.cue:4:2 says
instances: qa17: limit_time_real: 600`},
		{"an option that the class says", []provenance.Edit{edited(conf, "log_level = info", "log_level = warn")}, `
// tests: odoo/qa17.conf: log_level = warn
instances: qa17: extra: log_level: "warn"`},
		{"a further option that was taken out", []provenance.Edit{edited(conf, "limit_request = 4096\n", "")}, `
// tests: odoo/qa17.conf: limit_request = 4096: was taken out; so take it out of more.cue:5:9`},
		{"one more variable", []provenance.Edit{beside("/etc/systemd/system/odoo-qa17.service.d/override.conf", "[Service]\nEnvironment=C=3\n")}, `
// tests: /etc/systemd/system/odoo-qa17.service.d/override.conf: Environment = C=3: in the place of what more.cue:8:70 says
hosts: tests: units: "odoo-qa17.service": dropin: Service: Environment: ["A=1", "B=2", "C=3"]`},
		{"one variable less", []provenance.Edit{edited(dropIn, "Environment=A=1\n", "")}, `
// tests: systemd/system/odoo-qa17.service.d/80-extra.conf: Environment = B=2: in the place of what more.cue:8:70 says
hosts: tests: units: "odoo-qa17.service": dropin: Service: Environment: ["B=2"]`},
		{"no variable any more, and another niceness", []provenance.Edit{edited(dropIn, "Environment=A=1\nEnvironment=B=2\nNice=5", "Nice=7")}, `
// tests: systemd/system/odoo-qa17.service.d/80-extra.conf: Nice = 7: in the place of what more.cue:8:61 says
hosts: tests: units: "odoo-qa17.service": dropin: Service: Nice: 7
// tests: systemd/system/odoo-qa17.service.d/80-extra.conf: Environment = B=2: was taken out; so take it out of more.cue:8:70`},
		{"one more directive in the vhost, and one in the file of the spec's", []provenance.Edit{
			edited(extra, "location /x", "add_header X y;\nlocation /x"), edited("nginx/qa17.conf", server, server+"	location /y { return 204; }\n"),
		}, `
// tests: nginx/extra/qa17.conf: add_header X y;
// tests: nginx/qa17.conf: location /y { return 204; }: in the place of what more.cue:6:2 says
instances: qa17: nginx: ["client_body_timeout 5m;", "location /x { return 204; }", "add_header X y;", "location /y { return 204; }"]`},
		{"another directive in the place of one", []provenance.Edit{edited(extra, "client_body_timeout 5m;", "client_body_timeout 9m;")}, `
// tests: nginx/extra/qa17.conf: without client_body_timeout 5m;
// tests: nginx/extra/qa17.conf: client_body_timeout 9m;: in the place of what more.cue:6:2 says
instances: qa17: nginx: ["location /x { return 204; }", "client_body_timeout 9m;"]`},
		{"no directive any more", []provenance.Edit{edited(extra, "client_body_timeout 5m;\nlocation /x { return 204; }\n", "")}, `
// tests: nginx/extra/qa17.conf: without client_body_timeout 5m; location /x { return 204; }: in the place of what more.cue:6:2 says
instances: qa17: nginx: []`},
		{"another order", []provenance.Edit{edited(extra, "client_body_timeout 5m;\nlocation /x { return 204; }\n", "location /x { return 204; }\nclient_body_timeout 5m;\n")}, `
// tests: nginx/extra/qa17.conf: another order: in the place of what more.cue:6:2 says
instances: qa17: nginx: ["location /x { return 204; }", "client_body_timeout 5m;"]`},
		{"one of two times that one key sets", []provenance.Edit{beside("/etc/systemd/system/odoo-qa19.service.d/override.conf", "[Service]\nTimeoutStopSec=2min\n")}, `
// tests: /etc/systemd/system/odoo-qa19.service.d/override.conf: TimeoutStopSec = 2min
hosts: tests: units: "odoo-qa19.service": dropin: Service: TimeoutStopSec: "2min"`},
		{"both", []provenance.Edit{edited(strings.Replace(dropIn, "qa17", "qa19", 1), "TimeoutSec=90", "TimeoutSec=60")}, `
// tests: systemd/system/odoo-qa19.service.d/80-extra.conf: TimeoutSec = 60: in the place of what more.cue:9:60 says
hosts: tests: units: "odoo-qa19.service": dropin: Service: TimeoutSec: 60`},
		{"none of them", []provenance.Edit{edited(strings.Replace(dropIn, "qa17", "qa19", 1), "TimeoutSec=90", "# none")}, `
// tests: systemd/system/odoo-qa19.service.d/80-extra.conf: TimeoutSec = 90: was taken out; so take it out of more.cue:9:60`},
		{"a file that the spec carries", []provenance.Edit{edited("files/etc/logrotate.d/acme", "weekly", "daily")}, `
// tests: files/etc/logrotate.d/acme: is carried from acme.logrotate: edit it there`},
	} {
		got := strings.ReplaceAll(printed(b.Adopt(c.edits)), dir+"/", "")
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s\n%s", c.name, diff, got)
		}
	}
}

// What a line changes beside the edit is told: other hosts, and what a place of the spec says of others that would be left out.
func TestAdoptTellsOfOthers(t *testing.T) {
	sample, err := os.ReadFile(filepath.Join(repository, "envs.cue"))
	if err != nil {
		t.Fatal(err)
	}
	const nightly = "/etc/systemd/system/odoogen-backup.service.d/override.conf"
	for _, c := range []struct {
		name  string
		more  string // of the spec
		edits []provenance.Edit
		want  string
	}{
		{"a job of every host", "", []provenance.Edit{beside(nightly, "[Service]\nMemoryMax=3G\nIOWeight=30\n")}, `
// tests: /etc/systemd/system/odoogen-backup.service.d/override.conf: MemoryMax = 3G: changes ci, too
backup: nightly: limits: MemoryMax: "3G"
// tests: /etc/systemd/system/odoogen-backup.service.d/override.conf: IOWeight = 30: changes ci, too
backup: nightly: limits: IOWeight: 30`},
		{"a job of every host, changed on each", "", []provenance.Edit{beside(nightly, "[Service]\nMemoryMax=3G\n"), {Host: "ci", File: nightly, Data: []byte("[Service]\nMemoryMax=3G\n")}}, `
// ci: /etc/systemd/system/odoogen-backup.service.d/override.conf: MemoryMax = 3G: changes tests, too
// tests: /etc/systemd/system/odoogen-backup.service.d/override.conf: MemoryMax = 3G
backup: nightly: limits: MemoryMax: "3G"`},
		{"a setting of every cluster", "clusters: [string]: settings: log_min_duration_statement: \"2s\"\n",
			[]provenance.Edit{beside("/var/lib/postgresql/15/main/postgresql.auto.conf", "log_min_duration_statement = 7s\n")}, `
// tests: /var/lib/postgresql/15/main/postgresql.auto.conf: log_min_duration_statement = 7s: in the place of what more.cue:2:31 says of clusters.staging.settings.log_min_duration_statement, too
clusters: main: settings: log_min_duration_statement: "7s"`},
		{"a list of every instance", "instances: [string]: nginx: [\"client_body_timeout 5m;\"]\n",
			[]provenance.Edit{beside("nginx/extra/qa17.conf", "client_body_timeout 9m;\n")}, `
// tests: nginx/extra/qa17.conf: without client_body_timeout 5m;
// tests: nginx/extra/qa17.conf: client_body_timeout 9m;: in the place of what more.cue:2:22 says of instances.ba17.nginx, instances.ba19.nginx, instances.qa19.nginx, instances.staging17.nginx, instances.staging19.nginx, too
instances: qa17: nginx: ["client_body_timeout 9m;"]`},
		{"a limit of two instances", "instances: {for n in [\"qa17\", \"qa19\"] {(n): {MemoryMax: \"2G\"}}}\n",
			[]provenance.Edit{beside("/etc/systemd/system/odoo-qa17.service.d/override.conf", "[Service]\nMemoryMax=4G\n")}, `
// tests: /etc/systemd/system/odoo-qa17.service.d/override.conf: MemoryMax = 4G: more.cue:2:46 says it of instances.qa19.MemoryMax, too; say it there of each by itself`},
		{"a limit of two instances, and one that cannot be", "instances: {for n in [\"qa17\", \"qa19\"] {(n): {MemoryMax: \"2G\"}}}\n",
			[]provenance.Edit{beside("/etc/systemd/system/odoo-qa17.service.d/override.conf", "[Service]\nMemoryMax=infinity\n")}, `
// tests: /etc/systemd/system/odoo-qa17.service.d/override.conf: MemoryMax = infinity: want a size such as "3G": a whole number and K, M, G or T (base 1024)`},
	} {
		dir := t.TempDir()
		for name, text := range map[string]string{"envs.cue": string(sample), "more.cue": "package envs\n" + c.more} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		got := strings.ReplaceAll(printed(compiled(t, dir).Adopt(c.edits)), dir+"/", "")
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s\n%s", c.name, diff, got)
		}
	}
}

// Whatever a file holds, a comment is one line, and what the spec cannot carry is no CUE.
func TestAdoptWhateverAFileHolds(t *testing.T) {
	b := compiled(t, repository)
	for _, value := range []string{
		`it's "both"`, `\`, `\(x)`, `"""`, "'''", "a # b", "a;b", "a\tb", "\u2028", "ünïcödé 日本", "\xff", "\x00", "\r", "{", "}", "007", "1.50", "NaN", `a\\`,
	} {
		for file, text := range map[string]string{
			"/etc/systemd/system/odoo-qa17.service.d/x.conf":   "[Service]\nSyslogIdentifier=@\nEnvironment=A=@\n@\n[@]\nA=b\n",
			"/var/lib/postgresql/15/main/postgresql.auto.conf": "search_path = '@'\nlog_destination = @\n@\n@ = 1\n",
			"/etc/systemd/system/odoo-@.service.d/x.conf":      "[Service]\nNice=@\n",
			"odoo/qa17.conf":        "[options]\nemail_from = @\n log_db = @\n@\n@ = 1\n",
			"nginx/qa17.conf":       "server {\n\tlisten 443 ssl http2;\n\tadd_header X \"@\";\n\troot @;\n\t@;\n\tlocation @ { }\n}\n",
			"nginx/extra/qa17.conf": "add_header X '@';\nroot @;\n@\n",
			"sysctl.d/odoogen.conf": "kernel.core_pattern = @\n@\n@ = 1\n",
			"certbot/authority.env": "EMAIL=@\n@\n@=1\nDIRECTORY=\"@\"\nWEBROOT='@'\n",
		} {
			with := strings.NewReplacer("@", value)
			all := b.Adopt([]provenance.Edit{beside(with.Replace(file), with.Replace(text))})
			if len(all) == 0 {
				t.Errorf("%q in %s: nothing is said", value, file)
			}
			for _, p := range all {
				for _, line := range []string{p.String(), p.CUE} {
					if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0x2028 || r == utf8.RuneError }) {
						t.Errorf("%q in %s: %q", value, file, line)
					}
				}
			}
		}
	}
}

// printed is what drift --adopt prints.
func printed(all []provenance.Proposal) string {
	var b strings.Builder
	for _, p := range all {
		b.WriteString("\n// " + p.String())
		if p.CUE != "" {
			b.WriteString("\n" + p.CUE)
		}
	}
	return b.String()
}

// edit is a file of the tree of tests, with one text for another.
func edit(t *testing.T, b *provenance.Build, path, old, new string) provenance.Edit {
	t.Helper()
	text := file(t, b, path)
	if !strings.Contains(text, old) {
		t.Fatalf("no %q in %s", old, path)
	}
	return beside(path, strings.Replace(text, old, new, 1))
}

// file is one of the tree of tests.
func file(t *testing.T, b *provenance.Build, path string) string {
	t.Helper()
	for _, tree := range b.Trees {
		if f := tree.File(path); tree.Host == "tests" && f != nil {
			return string(f.Data)
		}
	}
	t.Fatalf("no %s", path)
	return ""
}

func beside(path, text string) provenance.Edit {
	return provenance.Edit{Host: "tests", File: path, Data: []byte(text)}
}

package native

import (
	"fmt"
	"strings"
	"testing"
)

// Each of these mistakes is one that a host would meet, or worse, would never mention. All are refused, and most
// are found in their line.
var mistakes = []struct {
	class    string
	path     string // the file that holds the mistake
	old, new string // old stands once in it
	line     int    // that the problem names, or 0
	message  string // part of the problem
}{
	{"scripts", "bin/backup", `echo "nothing to save"`, `echo $nothing`, 3, "SC2086"},
	{"scripts", "bin/backup", `echo "nothing to save"`, `if true; then`, 3, "SC1"},
	{"users", "sysusers.d/odoogen.conf", `u deploy - "Deploys"`, `x deploy - "Deploys"`, 2, "Unknown command type"},
	{"users", "sysusers.d/odoogen.conf", `u deploy -`, `u deploy 99999999999`, 2, "Failed to parse"},
	{"directories", "tmpfiles.d/odoogen.conf", "d /var", "y /var", 1, "Unknown command type"},
	{"directories", "tmpfiles.d/odoogen.conf", "odoo-qa17 odoo-qa17 -", "nobody-here odoo-qa17 -", 1, "Failed to resolve user"},
	{"directories", "tmpfiles.d/odoogen.conf", "0750", "0799", 1, "Invalid mode"},
	{"sysctl", "sysctl.d/odoogen.conf", "vm.swappiness = 10", "vm.swapiness = 10", 1, "vm.swapiness"},
	{"sysctl", "sysctl.d/odoogen.conf", "vm.swappiness = 10", "vm.swappiness 10", 1, "invalid syntax"},

	{"systemd units", "systemd/system/odoo-qa17.service.d/10-limits.conf", "CPUQuota=150%", "CPUQuota=abc", 2, "Invalid CPU quota"},
	{"systemd units", "systemd/system/odoo-qa17.service.d/10-limits.conf", "MemoryMax=3G", "MemoryMax=3GB", 3, "Invalid memory limit"},
	{"systemd units", "systemd/system/nginx.service.d/10-limits.conf", "CPUWeight=200", "CPUWait=200", 2, "Unknown key"},
	{"systemd units", "systemd/system/postgresql@15-main.service.d/10-limits.conf", "400%", "400", 2, "Invalid CPU quota"},
	{"systemd units", "systemd/system/alloy.service.d/10-limits.conf", "[Service]", "[Sevice]", 1, "Unknown section"},
	{"systemd units", "systemd/system/user-4201.slice.d/10-limits.conf", "4G", "4X", 2, "Invalid memory limit"},
	{"systemd units", "systemd/system/odoogen-ping@.service", "Type=oneshot", "Typ=oneshot", 4, "Unknown key"},
	{"systemd units", "systemd/system/odoogen-exporter@.service", "/usr/bin/prometheus-postgres-exporter", "/usr/bin/no-such-exporter", 0, "not executable"},
	{"systemd units", "systemd/system/odoogen-backup.timer", "03:00:00", "25:00:00", 4, "alendar spec"},
	{"systemd units", "systemd/system/odoogen-backup.timer", "*-*-* 03:00:00", "2020-01-01 03:00:00", 4, "never"},
	{"systemd units", "systemd/system/odoo.slice", "MemoryMax=20G", "MemoryMax=20GiB", 2, "Invalid memory limit"},
	{"systemd units", "systemd/system/odoo-qa17.service", "CapabilityBoundingSet=\nSystemCallArchitectures=native\nSystemCallFilter=@system-service\nSystemCallFilter=~@privileged\n", "", 0, "exposure"},
	{"networkd", "systemd/network/20-vsw0.netdev", "Id=4000", "Id=40000", 7, "outside of valid range"},
	{"networkd", "systemd/network/20-vsw0.network", "10.0.0.2/24", "10.0.0.2/99", 5, "Invalid address"},
	{"networkd", "systemd/network/20-vsw0.network", "Address=", "Adress=", 5, "Unknown key"},
	{"time", "systemd/timesyncd.conf.d/odoogen.conf", "NTP=", "NPT=", 2, "Unknown key"},
	{"journal", "systemd/journald.conf.d/odoogen.conf", "2G", "2GB", 2, "Failed to parse size"},

	{"nginx", "nginx/qa17.conf", "proxy_pass http", "proxy_pas http", 10, "unknown directive"},
	{"nginx", "nginx/qa17.conf", "server 127.0.0.1:8017;", "server 127.0.0.1:8017", 3, "unexpected \"}\""},
	{"nginx", "nginx/qa17.conf", "server_name qa17.example.com;", "http2 on;", 6, "unknown directive"},
	{"nginx", "nginx/qa17.conf", "upstream odoo-qa17 {", "server {\n    listen 10.0.0.2:443 ssl http2;\n    server_name qa17.example.com;\n    ssl_reject_handshake on;\n}\nupstream odoo-qa17 {", 11, "conflicting server name"},
	{"nginx", "nginx/qa17.conf", "tls/qa17/fullchain.pem", "tsl/qa17/fullchain.pem", 7, "cannot load certificate"},

	{"postgresql", "postgresql/main/reload.conf", "work_mem", "wrok_mem", 1, "unrecognized configuration parameter"},
	{"postgresql", "postgresql/main/reload.conf", "'16MB'", "'16MiB'", 1, "invalid value"},
	{"postgresql", "postgresql/main/postmaster.conf", "shared_buffers = '2GB'", "shared_buffers = '2GB'\nshared_buffers = '1GB'", 1, "not applied"},
	{"postgresql", "postgresql/main/pg_hba.conf", "local qa17 odoo-qa17 peer", "local qa17 odoo-qa17 pear", 4, "invalid authentication method"},
	{"postgresql", "postgresql/main/pg_hba.conf", "local qa17 odoo-qa17 peer", "local qa17 odoo-qa17 reject", 0, "cannot log in to qa17"},
	{"postgresql", "postgresql/main/roles.sql", "NOCREATEDB", "NOCREATED", 1, "unrecognized role option"},
	{"postgresql", "postgresql/main/databases.sql", "SELECT 'CREATE DATABASE \"qa17\" OWNER \"odoo-qa17\" TEMPLATE template0' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'qa17') \\gexec", "CREATE DATABASE \"qa17\" OWNER \"odoo-qa17\";", 1, "already exists"},

	{"odoo.conf", "odoo/qa17.conf", "; Odoo 17.0", "; Odoo", 0, "which Odoo"},
	{"odoo.conf", "odoo/qa17.conf", "workers", "wokers", 10, "no such option"},
	{"odoo.conf", "odoo/qa17.conf", "workers = 3", "limit_time_worker_cron = 3", 10, "Odoo 17 has no such option"},
	{"odoo.conf", "odoo/qa17.conf", "workers = 3", "workers = three", 10, "not a whole number"},
	{"odoo.conf", "odoo/qa17.conf", "workers = 3", "workers = 3 ; more", 10, "a comment at the end"},
	{"odoo.conf", "odoo/qa17.conf", "workers = 3", "  workers = 3", 10, "an indented line"},
	{"odoo.conf", "odoo/qa17.conf", "workers = 3", "list_db = False", 10, "twice"},
	{"odoo.conf", "odoo/qa17.conf", "workers = 3", "db_host = False", 10, "leave the line out"},
	{"odoo.conf", "odoo/qa17.conf", "list_db = False\n", "", 0, "list_db"},
	{"odoo.conf", "odoo/qa17.conf", "$pbkdf2-sha512$600000$c2FsdA$aGFzaA", "admin", 0, "everyone knows"},

	{"nftables", "nftables/odoogen.nft", "accept", "acept", 6, "syntax error"},
	{"nftables", "nftables/odoogen.nft", "delete table inet odoogen", "delete table inet nosuch", 2, "No such file"},
	{"sshd", "ssh/odoogen.conf", "PasswordAuthentication no", "PasswordAuthentification no", 1, "Bad configuration option"},
	{"sshd", "ssh/odoogen.conf", "PasswordAuthentication no", "PasswordAuthentication maybe", 1, "maybe"},
	{"sshd", "ssh/odoogen.conf", "ForceCommand /", "Port 23 /", 3, "Port"},
	{"authorized keys", "ssh/authorized_keys/deploy", "AAAAC3NzaC1lZDI1NTE5AAAAIOwq", "AAAAC3NzaC1lZDI1NTE5AAAA", 1, "no key"},
	{"authorized keys", "ssh/authorized_keys/deploy", "restrict", "restrct", 1, "no option restrct"},
	{"known hosts", "ssh/known_hosts", "ssh-ed25519", "ssh-ed22519", 1, "no key"},
	{"ssh client", "restic/ssh_config", "Port 23", "Prt 23", 3, "Bad configuration option"},
	{"ssh client", "restic/ssh_config", "Port 23", "Port 230000", 3, "Bad port"},
	{"sudo", "sudoers.d/deploy", "NOPASSWD:", "NOPASSWD", 1, "syntax error"},
	{"sudo", "sudoers.d/deploy", "(root)", "(ROOTS,ADMIN)", 1, "ROOTS"},

	{"apt", "apt/apt.conf", `"1";`, `"1"`, 0, "yntax error"},
	{"apt", "apt/odoogen.sources", "Suites: stable", "Suits: stable", 0, "Malformed entry"},
	{"apt", "apt/odoogen.sources", "Signed-By:", "SignedBy:", 5, "would ignore it"},
	{"apt", "apt/preferences", "Pin: version", "Pin: vresion", 2, "vresion"},
	{"apt", "apt/preferences", "Package: alloy\n", "", 0, "Package"},
	{"alert rules", "alerts/rules.yaml", `== 0`, `=== 0`, 5, "could not parse expression"},
	{"alert rules", "alerts/rules.yaml", "for: 5m", "fro: 5m", 6, "not found"},
	{"prometheus", "alerts/prometheus.yaml", "job_name", "job_nme", 4, "not found"},
	{"prometheus", "alerts/prometheus.yaml", "rules.yaml", "rulez.yaml", 0, "rulez.yaml"},
	{"alloy", "alloy/config.alloy", "is_secret = true", "is_secret = ", 0, "expected"},
	{"alloy", "alloy/config.alloy", `"up|pg_.+"`, `"up|(pg_.+"`, 0, "missing closing"},
	{"alloy", "alloy/config.alloy", `"keep"`, `"kep"`, 0, "no action kep"},
	{"alloy", "alloy/config.alloy", "basic_auth {", "basic_auht {", 0, "takes no block"},
	{"alloy", "alloy/config.alloy", "forward_to = [prometheus.relabel", "foward_to = [prometheus.relabel", 0, "takes no attribute"},
	{"alloy", "alloy/config.alloy", "prometheus.remote_write.grafana.receiver", "prometheus.remote_write.grafna.receiver", 12, "no component"},
	{"alloy", "alloy/config.alloy", "    url = \"https://prometheus.example.com/api/prom/push\"\n", "", 0, "lacks url"},
	{"jenkins", "jenkins/casc/controller.yaml", "numExecutors: 0", "numExecuters: 0", 2, "no key numExecuters"},
	{"jenkins", "jenkins/casc/controller.yaml", "  nodes:", " nodes:", 2, "yaml"},
	{"jenkins", "jenkins/casc/controller.yaml", `credentialsId: "agent"`, `credentialsId: "agnet"`, 9, "no credential"},
	{"jenkins", "jenkins/casc/credentials.yaml", "credentials:\n  system", "jenkins:\n  numExecutors: 2\ncredentials:\n  system", 2, "set in jenkins/casc/controller.yaml too"},
	{"jenkins plugins", "jenkins/plugins.txt", "git:5.10.1", "git", 1, "not id:version"},
	{"settings of scripts", "restic/backup.env", "'--keep-daily 7'", "--keep-daily 7", 2, "not KEY=value"},
	{"settings of scripts", "restic/backup.env", "'--keep-daily 7'", `"$(date)"`, 2, "not KEY=value"},
	{"pip requirements", "python/17.txt", "==", ">=", 2, "not package==version"},
	{"lists of scripts", "instances/qa17.repositories", "odoo17 a46", "web17\nodoo17 a46", 2, "not a record of 1 word"},
	{"new clusters", "postgresql-common/createcluster.conf", "= false", "= 'false", 1, "nvalid line"},
	{"needrestart", "needrestart/odoogen.conf", "'l';", "'l;", 1, "terminator"},
	{"dashboards", "dashboards/qa17.json", `"qa17"`, `qa17`, 1, "invalid character"},
}

func TestEveryCheckerRefusesAMistake(t *testing.T) {
	for _, m := range mistakes {
		t.Run(fmt.Sprintf("%s/%s", m.class, m.message), func(t *testing.T) {
			t.Parallel()
			tree := hostTree(t, func(path, data string) string {
				if path != m.path {
					return data
				}
				if strings.Count(data, m.old) != 1 {
					t.Fatalf("%q stands %d times in %s", m.old, strings.Count(data, m.old), path)
				}
				return strings.Replace(data, m.old, m.new, 1)
			})
			results, err := NewVetter("/").host(t.Context(), tree, m.class)
			if err != nil {
				t.Fatal(err)
			}
			var found []string
			for _, res := range results {
				for _, p := range res.Problems {
					if res.Class == m.class && p.Path == m.path && (m.line == 0 || p.Line == m.line) && strings.Contains(p.Message, m.message) {
						return
					}
					found = append(found, fmt.Sprintf("%s: %s:%d: %s", res.Class, p.Path, p.Line, p.Message))
				}
			}
			t.Errorf("want %s: %s:%d: ... %s\ngot %s", m.class, m.path, m.line, m.message, strings.Join(found, "\n    "))
		})
	}
}

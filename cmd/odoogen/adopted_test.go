package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"odoogen/internal/lab"
	"odoogen/internal/workspace"
)

// TestAdopted takes over a host on which somebody else's PostgreSQL, nginx and units run, a layer at a time, as a user does
// it, and shows what a hand can do there when odoogen is gone. make test ALL=1 runs it.
func TestAdopted(t *testing.T) {
	if leftOut(t, "adopting a host", "ALL") {
		return
	}
	a := newAdopted(t)
	steps := []struct {
		name string
		run  func(*adopted)
	}{
		{"a layer at a time, and nothing starts anew that has not changed", layers},
		{"settings that count more are reported from the distribution's files too", theirOwnFiles},
		{"a firewall that was flushed or opened is reported, and loaded again when that is asked for", flushed},
		{"a limit that was set by hand can be kept by the spec", keptByHand},
		{"with odoogen gone the RUNBOOK restarts, limits, goes back and restores", byRunbook},
		{"it is given back, and it is left running without odoogen", comesAndGoes},
		{"what left the spec is removed by a purge, and nothing else", purged},
	}
	for _, step := range steps {
		if !t.Run(step.name, func(t *testing.T) {
			one := *a
			one.t = t
			step.run(&one)
		}) {
			break // each stands on those before it
		}
	}
}

// adopted is a lab of one host, and a user's directory with its spec.
type adopted struct{ servers }

const (
	noBackup = "backup: none: reason: \"somebody else's, as before\"\n"
	backup   = `backup: {
	repository: "sftp://u123456@u123456.your-storagebox.de:23/restic"
	storage: {product: "BX11", sizeTB: 1, monthly: 4, hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIICf9svRenC/PLKIL9nk6K/pxQgoiFC41wTNvoIncOxs"}
	keep: {daily: 7, weekly: 4, monthly: 3}
}
`
	cluster  = "clusters: main: #Cluster & {host: \"box\", version: 15, port: 5432, workload: \"oltp\", ram: \"8G\"}\n"
	instance = `classes: qa: #Class & {cluster: "main", CPUQuota: "150%", MemoryMax: "2G"}
instances: demo: #Instance & {class: "qa", version: "19.0", domain: "demo.example.com"}
sources: {
	repositories: odoo: #Repository & {git: "https://github.com/odoo/odoo.git", branch: "19.0", rev: "1a13ceeaee12fe5cc50f287c31f217d4be2a2eaf", paths: ["addons", "odoo/addons"]}
	wkhtmltopdf: {version: "0.12.6.1-3", url: "https://github.com/wkhtmltopdf/packaging/releases/download/0.12.6.1-3/wkhtmltox_0.12.6.1-3.bookworm_amd64.deb", sha256: "98ba0d157b50d36f23bd0dedf4c0aa28c7b0c50fcdcdc54aa5b6bbba81a3941d"}
	versions: "19.0": community: "odoo"
}
`
)

var everything = []string{"units", "users", "nginx", "postgresql", "firewall", "sshd", "sudo", "packages", "sysctl", "time", "journal"}

func newAdopted(t *testing.T) *adopted {
	t.Helper()
	a := &adopted{servers{t: t, dir: filepath.Join(t.TempDir(), "servers"), odoogen: filepath.Join(t.TempDir(), "odoogen")}}
	command(t, repository, "go", "build", "-o", a.odoogen, "./cmd/odoogen")
	if _, err := workspace.Init(a.dir); err != nil {
		t.Fatal(err)
	}
	spec, err := os.ReadFile("testdata/adopted.cue")
	if err == nil {
		err = os.WriteFile(filepath.Join(a.dir, "envs.cue"), spec, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	command(t, a.dir, "git", "init", "-q")
	a.says(everything, cluster+instance+backup) // the lab has packages and names of all that is to come
	if a.Lab, err = lab.Of(a.dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Down(context.Background()); err != nil {
			t.Error(err)
		}
	})
	a.run(0, "lab", "up", "--memory")
	return a
}

// says makes the spec own these layers and have what is added, and reviews it.
func (a *adopted) says(layers []string, added string) {
	a.t.Helper()
	open := "8090"
	if slices.Contains(layers, "nginx") && strings.Contains(added, instance) {
		open = "80, 443, 8090"
	}
	text := fmt.Sprintf("package envs\n\nhosts: box: {manage: [\"%s\"], open: [%s]}\n%s", strings.Join(layers, `", "`), open, added)
	if err := os.WriteFile(filepath.Join(a.dir, "layers.cue"), []byte(text), 0o666); err != nil {
		a.t.Fatal(err)
	}
	a.run(0, "build", "-o", "golden")
	command(a.t, a.dir, "git", "add", "-A")
	command(a.t, a.dir, "git", "commit", "-q", "--allow-empty", "-m", "reviewed")
}

// doesNotStart: the cluster that is adopted does not start with what the push gives it, and runs again as before once that is
// taken back. The plan has said whom it would lock out.
func (a *adopted) doesNotStart() {
	a.t.Helper()
	a.on("box", `set -e; dir=/etc/systemd/system/postgresql@15-main.service.d
		mkdir $dir; printf '[Service]\nExecStartPre=sh -c "! rm /run/broken 2>/dev/null"\n' >$dir/once.conf
		touch /run/broken; systemctl daemon-reload`)
	const settings = `runuser -u postgres -- psql -XAtqc 'SHOW listen_addresses' -c 'SHOW hba_file'`
	before := a.on("box", settings)
	out, said, code := a.exit("lab", "exec", a.odoogen, "push", "--yes")
	if code != 3 || !strings.Contains(out+said, "restart postgresql@15-main.service failed") ||
		!strings.Contains(out+said, "cluster 15/main, which was there before, restarts: its socket lets in the roles that the spec names; all others, and TCP, are refused") {
		a.t.Errorf("exit code %d\n%s%s", code, out, said)
	}
	a.holds(settings, before)
	a.on("box", "rm -r /etc/systemd/system/postgresql@15-main.service.d; systemctl daemon-reload")
}

// holds fails the test where a script on the host does not print what is wanted.
func (a *adopted) holds(script, want string) {
	a.t.Helper()
	if got := a.on("box", script); got != want {
		a.t.Errorf("%s prints\n%s\nwant\n%s", script, got, want)
	}
}

// asFound makes the host what it was before odoogen.
const asFound = `set -e; export DEBIAN_FRONTEND=noninteractive
	apt-get -q update && apt-get -q -y install --no-install-recommends nginx postgresql-15 curl
	pg_dropcluster --stop 15 main; pg_createcluster 15 main -d /srv/theirs --start
	runuser -u postgres -- createuser shop
	runuser -u postgres -- createdb -O shop shop
	runuser -u postgres -- psql -Xqd shop -c 'CREATE TABLE orders (n int)' -c 'INSERT INTO orders VALUES (7)'
	printf 'server { listen 8090; return 201; }\n' >/etc/nginx/sites-enabled/shop
	printf '# theirs\nX11Forwarding no\n' >/etc/ssh/sshd_config.d/10-odoogen.conf
	printf '[Service]\nExecStart=sleep infinity\n[Install]\nWantedBy=multi-user.target\n' >/etc/systemd/system/shop.service
	useradd -m anna
	systemctl daemon-reload; systemctl enable --now shop nginx; systemctl reload nginx`

const theirs = `curl -s -o /dev/null -w '%{http_code} ' http://127.0.0.1:8090
	runuser -u postgres -- psql -XAtqd shop -c 'SELECT n FROM orders'; systemctl is-active shop`

func layers(a *adopted) {
	a.on("box", asFound)
	owned, added := []string{}, noBackup
	for _, l := range []struct {
		layers []string
		add    string
		starts []string // of what ran before
	}{
		{[]string{"journal", "sysctl"}, "", nil},
		{[]string{"sshd"}, "", nil},
		{[]string{"users", "sudo"}, "", nil},
		{[]string{"units", "packages", "time"}, "", nil},
		{[]string{"firewall"}, "", nil},
		{[]string{"postgresql"}, cluster, []string{"postgresql@15-main.service"}},
		{nil, instance + backup, nil},                      // in the place of noBackup
		{[]string{"nginx"}, "", []string{"nginx.service"}}, // which is hardened
	} {
		owned, added = append(owned, l.layers...), added+l.add
		if strings.Contains(added, backup) {
			added = strings.Replace(added, noBackup, "", 1)
		}
		a.says(owned, added)
		if slices.Contains(l.layers, "postgresql") {
			a.doesNotStart()
		}
		before := a.moment("box")
		plans, _ := a.output(2, "lab", "exec", a.odoogen, "plan", "--json")
		a.in(0, "push", "--yes")
		a.t.Logf("%s: pushed", l.layers)
		units := announced(a.t, plans, "box")
		started, _ := a.since("box", before)
		started = a.withoutClock("box", started)
		for _, unit := range started {
			ran := strings.Trim(before.invocations[unit], " 0") != ""
			if ran && !slices.Contains(slices.Concat(units["restart"], units["run"], units["stop"]), unit) {
				a.t.Errorf("%s: %s starts anew, and the plan does not say so", l.layers, unit)
			}
			if slices.Contains([]string{"shop.service", "nginx.service", "ssh.service", "postgresql@15-main.service"}, unit) && !slices.Contains(l.starts, unit) {
				a.t.Errorf("%s: %s starts anew", l.layers, unit)
			}
		}
		a.holds(theirs, "201 7\nactive")
		if said := a.in(0, "push", "--yes"); !strings.Contains(said, "nothing to do") {
			a.t.Errorf("%s: pushed again:\n%s", l.layers, said)
		}
	}
	a.in(0, "status", "--wait", "10m")
	a.holds(login, "200")
	a.holds("head -n 1 /etc/odoogen/generations/0/etc/ssh/sshd_config.d/10-odoogen.conf", "# theirs")
}

const login = "curl -sk -o /dev/null -w '%{http_code}' --resolve demo.example.com:443:127.0.0.1 https://demo.example.com/web/login"

// theirOwnFiles: what counts more than the generation may stand in files of the distribution, too, or in files beside. What
// sets nothing of the generation's is not told, nor what is of another version's cluster.
func theirOwnFiles(a *adopted) {
	a.on("box", `printf 'work_mem = 24MB\n' >>/etc/postgresql/15/main/postgresql.conf
		mkdir -p /etc/postgresql/13/main/conf.d; echo 'work_mem = 8MB' >/etc/postgresql/13/main/conf.d/theirs.conf
		runuser -u postgres -- psql -Xqc "ALTER SYSTEM SET work_mem = '25MB'"
		sed -i '1i PasswordAuthentication yes' /etc/ssh/sshd_config
		echo 'Banner none' >/etc/ssh/sshd_config.d/00-theirs.conf
		printf 'PermitRootLogin yes\nMatch Address 192.0.2.1\n\tBanner none\n' >/etc/ssh/sshd_config.d/50-theirs.conf
		printf 'Match Address 192.0.2.1\n\tPasswordAuthentication yes\n' >/etc/ssh/sshd_config.d/51-theirs.conf
		mkdir -p /etc/systemd/journald.conf.d
		echo '-vm/swappiness = 60' >/etc/sysctl.d/theirs.conf
		echo 'vm.swappiness = 60' >/etc/sysctl.d/30-before.conf
		echo 'vm.overcommit_memory = 0' >/etc/sysctl.d/zz-other.conf
		printf '[Journal]\nStorage = volatile\n' >/etc/systemd/journald.conf.d/zz.conf
		ln -s /dev/null /etc/tmpfiles.d/odoogen.conf`)
	want := `box: override /etc/postgresql/15/main/postgresql.conf (stays)
box: override /etc/ssh/sshd_config (stays)
box: override /etc/ssh/sshd_config.d/51-theirs.conf (stays)
box: override /etc/sysctl.d/theirs.conf (stays)
box: override /etc/systemd/journald.conf.d/zz.conf (stays)
box: override /etc/tmpfiles.d/odoogen.conf (stays)
box: override /srv/theirs/postgresql.auto.conf (stays)
`
	if said := a.in(2, "drift"); said != want {
		a.t.Errorf("drift:\n%s\nwant\n%s", said, want)
	}
	adopt := a.in(2, "drift", "--adopt")
	for _, want := range []string{"// box: /etc/postgresql/15/main/postgresql.conf: work_mem = 24MB\nclusters: main: settings: work_mem: \"24MB\"\n",
		"// box: /etc/ssh/sshd_config: "} {
		if !strings.Contains(adopt, want) {
			a.t.Errorf("drift --adopt:\n%s\nwant\n%s", adopt, want)
		}
	}
	a.on("box", `runuser -u postgres -- psql -Xqc 'ALTER SYSTEM RESET work_mem'
		sed -i '$d' /etc/postgresql/15/main/postgresql.conf
		sed -i '1d' /etc/ssh/sshd_config
		rm -r /etc/ssh/sshd_config.d/*-theirs.conf /etc/sysctl.d/{theirs,30-before,zz-other}.conf /etc/systemd/journald.conf.d /etc/tmpfiles.d/odoogen.conf /etc/postgresql/13`)
	if said := a.in(0, "drift"); said != "box: as it was pushed\n" {
		a.t.Errorf("drift, when it is gone:\n%s", said)
	}
}

// flushed: a firewall that somebody flushed, or opened, has an active unit still.
func flushed(a *adopted) {
	for _, how := range []string{"nft flush ruleset", "nft insert rule inet odoogen input tcp dport 8069 accept"} {
		if said := a.in(0, "push", "--yes"); !strings.Contains(said, "nothing to do") {
			a.t.Errorf("before:\n%s", said)
		}
		a.on("box", how)
		if said := a.in(1, "push", "--yes"); !strings.Contains(said, "changed by hand: firewall inet odoogen") {
			a.t.Errorf("push, after %s:\n%s", how, said)
		}
		if said := a.in(2, "drift"); said != "box: firewall inet odoogen\n" {
			a.t.Errorf("drift, after %s:\n%s", how, said)
		}
		a.holds("odoogen-host status | grep firewall", "by hand: firewall inet odoogen")
		a.in(0, "push", "--yes", "--overwrite-drift")
		a.holds("nft list table inet odoogen | grep -c 'policy drop'; nft list table inet odoogen | grep -c 8069 || true", "2\n0")
	}
}

func keptByHand(a *adopted) {
	a.on("box", "systemctl set-property odoo-demo.service CPUQuota=120%")
	const file = "/etc/systemd/system.control/odoo-demo.service.d/50-CPUQuota.conf"
	if said := a.in(2, "drift"); said != "box: override "+file+" (stays)\n" {
		a.t.Errorf("drift:\n%s", said)
	}
	said := a.in(2, "drift", "--adopt")
	comment, cue, _ := strings.Cut(said, "\n")
	if comment != "// box: "+file+": CPUQuota = 120%" || cue != "instances: demo: CPUQuota: \"120%\"\n" {
		a.t.Fatalf("drift --adopt:\n%s", said)
	}
	if err := os.WriteFile(filepath.Join(a.dir, "kept.cue"), []byte("package envs\n\n"+cue), 0o666); err != nil {
		a.t.Fatal(err)
	}
	a.says(everything, cluster+instance+backup)
	a.in(0, "push", "--yes")
	a.on("box", "systemctl revert odoo-demo.service")
	a.holds("systemctl show --value --property=CPUQuotaPerSecUSec odoo-demo.service", "1.200000s")
	if said := a.in(0, "drift"); said != "box: as it was pushed\n" {
		a.t.Errorf("drift, when the spec says so itself:\n%s", said)
	}
}

// hook is what is made sure of around a command of the RUNBOOK: nothing is printed where it did what it is for.
type hook struct{ before, after string }

var hooks = map[string]hook{
	"systemctl restart UNIT": {`systemctl show --value --property=MainPID odoo-demo >/run/was`,
		`[ "$(systemctl show --value --property=MainPID odoo-demo)" != "$(cat /run/was)" ] || echo not restarted`},
	"systemctl stop UNIT":  {"", `! systemctl is-active -q odoo-demo || echo runs`},
	"systemctl start UNIT": {"", `systemctl is-active -q odoo-demo || echo does not run`},
	"systemctl set-property --runtime odoo-demo.service MemoryMax": {"",
		`[ "$(systemctl show --value --property=CPUQuotaPerSecUSec odoo-demo)" != 1.200000s ] || echo as before`},
	"systemctl revert odoo-demo.service odoo-demo.slice": {"", `[ "$(systemctl show --value --property=CPUQuotaPerSecUSec odoo-demo)" = 1.200000s ] || echo not as before`},
	"/etc/odoogen/current/bin/release rollback demo": {`/etc/odoogen/current/bin/release deploy demo --restart-only >&2; readlink /opt/odoo/instances/demo-19/current >/run/was`,
		`[ "$(readlink /opt/odoo/instances/demo-19/current)" != "$(cat /run/was)" ] || echo the same release`},
	"nft add element inet odoogen admins4 '{ ADDRESS }'": {"",
		`nft list set inet odoogen admins4 | grep -w 192.0.2.7 >/dev/null && odoogen-host status | grep -x 'by hand: firewall inet odoogen' >/dev/null || echo not let in, or not told`},
	"systemctl stop odoogen-nftables.service": {"",
		`systemctl start nftables.service; ! nft list table inet odoogen 2>/dev/null || echo stands; odoogen-host status | grep -x 'by hand: stopped odoogen-nftables.service' >/dev/null || echo not told`},
	"systemctl reload-or-restart odoogen-nftables.service": {"",
		`nft list set inet odoogen admins4 | grep -w 192.0.2.7; nft list table inet odoogen | grep 'policy drop' >/dev/null || echo open; odoogen-host status | grep nftables || true
		for verb in reload restart stop; do systemctl $verb nftables.service; nft list table inet odoogen | grep 'policy drop' >/dev/null || echo open after $verb; done`},
	"systemctl reset-failed odoo-demo.service && systemctl restart odoo-demo.service": {`systemctl show --value --property=MainPID odoo-demo >/run/was`,
		`[ "$(systemctl show --value --property=MainPID odoo-demo)" != "$(cat /run/was)" ] || echo not restarted`},
	"systemctl start odoogen-backup.service": {`runuser -u odoo-demo -- psql -Xqd demo -c "CREATE TABLE kept AS SELECT 42 AS n"; echo kept >/etc/letsencrypt/kept`, ""},
	swapped:                                  {`echo lost >/etc/letsencrypt/kept`, `[ "$(cat /etc/letsencrypt/kept)" = kept ] || echo not restored; rm /etc/letsencrypt/kept`},
	"systemctl restart odoogen-certificates-issue.service": {"",
		`cmp -s /etc/letsencrypt/live/demo/fullchain.pem /var/lib/odoogen/tls/demo/fullchain.pem || echo not taken to nginx`},
	"sudo -u postgres dropdb -p 5432 --if-exists demo_before; rm -rf /var/lib/odoo/demo/filestore/demo.before": {"",
		`runuser -u postgres -- psql -XAtqc "SELECT datname FROM pg_database WHERE datname = 'demo_before'"; ls -d /var/lib/odoo/demo/filestore/*.before 2>/dev/null || true`},
	"rm -rf /opt/odoo/instances/demo-19/releases/OLD": {`ls /opt/odoo/instances/demo-19/releases | wc -l >/run/was`,
		`[ "$(ls /opt/odoo/instances/demo-19/releases | wc -l)" -lt "$(cat /run/was)" ] && [ -d /opt/odoo/instances/demo-19/current/ ] || echo not the old one`},
	"grep -v '^#' /etc/odoogen/current/restic/instances | xargs -n 1 /etc/odoogen/current/bin/restore": {`runuser -u odoo-demo -- psql -Xqd demo -c "DROP TABLE kept"`,
		`[ "$(runuser -u postgres -- psql -XAtqd demo -c "SELECT n FROM kept")" = 42 ] || echo not restored`},
	"systemctl stop odoogen-backup.timer odoogen-drill.timer":  {"", `systemctl is-active odoogen-backup.timer odoogen-drill.timer | grep -x active || true`},
	"systemctl start odoogen-backup.timer odoogen-drill.timer": {"", `systemctl -q is-active odoogen-backup.timer && systemctl -q is-active odoogen-drill.timer || echo stand`},
	"/etc/odoogen/current/bin/restore demo": {`runuser -u odoo-demo -- psql -Xqd demo -c "DROP TABLE kept"`,
		`[ "$(runuser -u postgres -- psql -XAtqd demo -c "SELECT n FROM kept")" = 42 ] || echo not restored`},
	"systemctl stop odoo-demo.service": {`runuser -u odoo-demo -- psql -Xqd demo -c "DROP TABLE kept"`, ""},
	"systemctl start odoo-demo.service": {"",
		`[ "$(runuser -u postgres -- psql -XAtqd demo -c "SELECT n FROM kept")" = 42 ] || echo not restored by hand`},
	"odoogen-host rollback":        {`readlink /etc/odoogen/current >/run/was`, `[ "$(readlink /etc/odoogen/current)" != "$(cat /run/was)" ] || echo did not go back`},
	"odoogen-host rollback NUMBER": {"", `[ "$(readlink /etc/odoogen/current)" = "$(cat /run/was)" ] || echo is not the one of the number`},
}

const swapped = "mv -T /etc/letsencrypt /etc/letsencrypt.broken; mv -T /var/tmp/restored/etc/letsencrypt /etc/letsencrypt"

// Some commands say with their exit code that there is nothing to see.
var nothingToSee = map[string]string{
	"journalctl -k -g": "nothing was killed", "df -h; cat /proc/mdstat": "this machine's kernel has no RAID",
	"odoogen-host confirm": "no push waits for its confirmation", "odoogen-host revert": "no push waits for its confirmation",
}

// byRunbook runs every command of the host's RUNBOOK, in its order, while neither odoogen nor the user's directory is there.
func byRunbook(a *adopted) {
	for _, name := range []string{a.dir, a.odoogen} {
		if err := os.Rename(name, name+".gone"); err != nil {
			a.t.Fatal(err)
		}
		defer os.Rename(name+".gone", name)
	}
	a.on("box", "systemctl start odoogen-certificates-issue.service") // before the clock does: the RUNBOOK looks at a certificate
	stands := a.on("box", "readlink /etc/odoogen/current | sed 's,.*/,,'")
	number, _, _ := strings.Cut(stands, "-")
	const root = "/opt/odoo/instances/demo-19"
	words := strings.NewReplacer("UNIT", "odoo-demo.service", "PID", "0", "NUMBER", number, "REASON", "the auditors look", "SNAPSHOT", "latest",
		"FOLDER", `"$(basename "$(readlink `+root+`/current)")"`, "N-DIGEST", stands, "ADDRESS", "192.0.2.7",
		"OLD", `"$(ls `+root+`/releases | grep -vx "$(basename "$(readlink `+root+`/current)")" || echo none)"`)
	a.types("box", words, hooks, func(_, command string) bool { return command != "odoogen-host eject" }) // which comesAndGoes runs
	a.holds(login, "200")
	a.holds(theirs, "201 7\nactive")
}

// types runs commands of a host's RUNBOOK in its order, each once and in a shell of its own, with what stands for names.
func (s *servers) types(host string, words *strings.Replacer, hooks map[string]hook, wanted func(heading, command string) bool) {
	s.t.Helper()
	ran := map[string]bool{}
	heading, inside, restic := "", false, ""
	for line := range strings.SplitSeq(s.on(host, "cat /etc/odoogen/current/RUNBOOK.md"), "\n") {
		if strings.HasPrefix(line, "```") {
			inside = line == "```sh"
			continue
		}
		if !inside && strings.HasPrefix(line, "## ") {
			heading = line[len("## "):]
		}
		command, _, _ := strings.Cut(line, " # ")
		if !inside || ran[command] || !wanted(heading, command) {
			continue
		}
		ran[command] = true
		if strings.HasPrefix(command, "restic() ") { // once in each shell
			restic = command + "\n"
			continue
		}
		around := hook{}
		for begins, h := range hooks {
			if command == begins || strings.HasPrefix(command, begins+"=") {
				around = h
				ran[begins] = true
			}
		}
		if around.before != "" {
			s.on(host, around.before)
		}
		script := words.Replace(command)
		for begins := range nothingToSee {
			if strings.HasPrefix(command, begins) {
				script += " || true"
			}
		}
		if strings.HasPrefix(command, "curl ") { // what was started a moment ago is given a moment
			script = "for i in {1..30}; do " + script + " && break; sleep 1; done; " + script
		}
		s.on(host, "exec </dev/null\n"+restic+script)
		if around.after != "" {
			if said := s.on(host, around.after); said != "" {
				s.t.Errorf("%s, after %s: %s", host, command, said)
			}
		}
	}
	for begins := range hooks {
		if !ran[begins] {
			s.t.Errorf("the RUNBOOK of %s has no %s", host, begins)
		}
	}
}

// comesAndGoes gives the host back as it was found, and then leaves it running without odoogen.
func comesAndGoes(a *adopted) {
	before := a.on("box", untouched)
	a.in(0, "rollback", "box", "0", "--yes")
	a.holds("ls -d /etc/odoogen/current 2>/dev/null; head -n 1 /etc/ssh/sshd_config.d/10-odoogen.conf; systemctl is-active odoo-demo nginx; systemctl --failed --no-legend",
		"# theirs\ninactive\nactive")
	a.holds(theirs, "201 7\nactive")
	a.in(0, "push", "--yes")
	a.holds("for i in {1..30}; do [ \"$("+login+")\" != 200 ] || break; sleep 1; done; "+login, "200")
	if after := a.on("box", untouched); after != before {
		a.t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	before = a.on("box", ran+" odoo-demo")
	a.on("box", "odoogen-host eject")
	if after := a.on("box", ran+" odoo-demo"); after != before {
		a.t.Errorf("before:\n%s\nafter it was ejected:\n%s", before, after)
	}
	a.holds(login, "200")
	a.in(0, "push", "--yes")
	if after := a.on("box", ran+" odoo-demo"); after != before {
		a.t.Errorf("before:\n%s\nafter it was adopted again:\n%s", before, after)
	}
}

// untouched tells it of what has nothing of the spec's that only a start reads: nginx and the cluster have.
const untouched = "systemctl show --value --property=Id,InvocationID,ActiveState shop ssh"

// ran tells since when what was there before odoogen runs.
const ran = "systemctl show --value --property=Id,InvocationID,ActiveState nginx shop postgresql@15-main ssh"

func purged(a *adopted) {
	const old = "  orphan: database demo_before in 15/main, kept until it is purged\n" // since the RUNBOOK's restore
	if said := a.in(0, "status"); !strings.Contains(said, old) {
		a.t.Errorf("status:\n%s", said)
	}
	before := a.on("box", untouched+" postgresql@15-main")
	if err := os.Remove(filepath.Join(a.dir, "kept.cue")); err != nil {
		a.t.Fatal(err)
	}
	a.edit("admins: anna:", "admins: ben:")
	without := slices.DeleteFunc(slices.Clone(everything), func(l string) bool { return l == "nginx" })
	a.says(without, cluster+backup)
	const orphan = "  orphan: instance demo, stopped and kept until it is purged: database demo in 15/main, database demo_before in 15/main, role odoo-demo in 15/main, directory /var/lib/odoo/demo, " +
		"directory /opt/odoo/instances/demo-19, user odoo-demo, certificate demo\n"
	if said := a.in(0, "push", "--yes"); !strings.Contains(said, orphan) {
		a.t.Errorf("push:\n%s", said)
	}
	if after := a.on("box", untouched+" postgresql@15-main"); after != before {
		a.t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	for _, command := range []string{"status", "plan"} {
		if said := a.in(0, command); !strings.Contains(said, orphan) {
			a.t.Errorf("%s:\n%s", command, said)
		}
	}
	const named = "box: removes for good\n  database demo in 15/main\n  database demo_before in 15/main\n  role odoo-demo in 15/main\n  directory /var/lib/odoo/demo\n" +
		"  directory /opt/odoo/instances/demo-19\n  user odoo-demo\n  certificate demo\n"
	if said := a.in(1, "purge", "box"); !strings.HasPrefix(said, named) || !strings.Contains(said, "not purged") {
		a.t.Errorf("purge, not confirmed:\n%s", said)
	}
	const there = `runuser -u postgres -- psql -XAtqc "SELECT datname FROM pg_database WHERE datname IN ('demo', 'demo_before', 'shop') UNION SELECT rolname FROM pg_roles WHERE rolname ~ 'demo' ORDER BY 1"
		getent passwd anna odoo-demo | cut -d : -f 1; ls -d /var/lib/odoo/demo /opt/odoo/instances/demo-19 /var/lib/odoogen/tls/* /etc/letsencrypt/renewal/* 2>/dev/null || true`
	a.holds(there, "demo\ndemo_before\nodoo-demo\nshop\nanna\nodoo-demo\n/etc/letsencrypt/renewal/demo.conf\n/opt/odoo/instances/demo-19\n/var/lib/odoo/demo\n/var/lib/odoogen/tls/demo")
	a.in(0, "purge", "box", "demo", "--yes") // and the role owns both
	if said := a.in(0, "purge", "box", "--yes"); said != "box: no orphans\n" {
		a.t.Errorf("purge: %s", said)
	}
	a.holds(there, "shop\nanna")
	if said := a.in(0, "status"); strings.Contains(said, "orphan") {
		a.t.Errorf("status:\n%s", said)
	}
	a.holds(theirs, "201 7\nactive")
}

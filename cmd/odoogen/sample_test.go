package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"odoogen/internal/lab"
)

// TestSample turns two bare hosts into the sample, as a user does it: build, review, push; and then shows what a push of
// each kind of change does to what runs.
//
// It takes a quarter of an hour: make test ALL=1 runs it; make sample does so alone, with the first kinds of change.
func TestSample(t *testing.T) {
	if leftOut(t, "pushing the sample", "SAMPLE", "ALL") {
		return
	}
	s := newServers(t)
	for _, step := range []struct {
		name string
		run  func(*servers)
	}{
		{"one push makes the topology of bare hosts", bareToTopology},
		{"each part answers as the spec says", everyPart},
		{"the RUNBOOK of ci lets in, limits Jenkins, and brings its home back", runbookOfCI},
		{"what is open is what the spec opens", exposure},
		{"a second push does nothing", secondPush},
		{"packages that a bad day left half unpacked are unpacked again", halfUnpacked},
		{"a stressed instance stays within its limits, and no other feels it", limitsBite},
		{"another limit binds at once and restarts nothing", limitsBind},
		{"only what must restart restarts", onlyWhatMustRestart},
		{"with the private link down tests is reached over its public route, by the whitelist alone", linkDown},
		{"whatever strikes a push, each host is one whole generation", fewRandomPushes},
	} {
		if !t.Run(step.name, func(t *testing.T) { one := *s; one.t = t; step.run(&one) }) {
			break // each stands on those before it
		}
	}
}

// bareToTopology is what the README shows of make demo: build, boot, push, and wait until all is up.
func bareToTopology(s *servers) {
	steps := sessions(s.t, filepath.Join(repository, "README.md"))
	i := slices.IndexFunc(steps, func(step step) bool { return step.command == "make demo" })
	if i < 0 {
		s.t.Fatal("README.md shows no make demo")
	}
	s.run(0, "lab", "up")
	stop := s.watchExposure()
	cmd := exec.CommandContext(s.t.Context(), "make", "--no-print-directory", "demo") // make test may be what runs this
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false")
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("make demo: %v\n%s", err, out)
	}
	s.t.Logf("%s", out)
	// Also in the seconds while packages are being installed: ssh as it was found, and what the spec opens.
	for host, ports := range stop() {
		allowed := append(declared(s.t, s.dir, host)["public"], 22)
		for _, p := range ports {
			if !slices.Contains(allowed, p) {
				s.t.Errorf("%s: port %d was open to the public", host, p)
			}
		}
	}
	steps[i].check(s.t, "README.md", string(out))
}

func secondPush(s *servers) {
	before := map[string]string{}
	for _, host := range []string{"ci", "tests"} {
		before[host] = s.on(host, "readlink /etc/odoogen/current; wc -l </var/lib/odoogen/ledger")
	}
	if said := s.in(0, "push", "--yes"); strings.Count(said, "nothing to do") != 2 {
		s.t.Errorf("said:\n%s", said)
	}
	for host, was := range before {
		if now := s.on(host, "readlink /etc/odoogen/current; wc -l </var/lib/odoogen/ledger"); now != was {
			s.t.Errorf("%s: %s became %s", host, was, now)
		}
	}
}

// halfUnpacked: of Debian's, of a vendor's and of those that are in no source of apt's, and what they need; as dpkg notes
// what a full disk or a loss of power has interrupted.
func halfUnpacked(s *servers) {
	for host, states := range map[string]map[string]string{
		"tests": {"netbase": "reinstreq unpacked", "alloy": "reinstreq unpacked", "wkhtmltox": "reinstreq half-installed", "prometheus-node-exporter": "ok half-installed"},
		"ci":    {"jenkins": "reinstreq half-installed", "alloy": "ok unpacked", "git": "reinstreq half-configured"},
	} {
		for name, state := range states {
			s.on(host, fmt.Sprintf("sed -i '/^Package: %s$/,/^$/s/^Status: .*/Status: install %s/' /var/lib/dpkg/status; dpkg --audit %[1]s | grep -w %[1]s", name, state))
		}
	}
	s.in(0, "push", "--yes")
	for _, host := range []string{"tests", "ci"} {
		if left := s.on(host, "dpkg --audit; systemctl --failed --no-legend"); left != "" {
			s.t.Errorf("%s: %s", host, left)
		}
	}
	s.in(0, "status", "--wait", "1m")
}

var instances = []string{"ba17", "ba19", "qa17", "qa19", "staging17", "staging19"}

func everyPart(s *servers) {
	is := func(what, got, want string) {
		s.t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			s.t.Errorf("%s: (-want +got)\n%s", what, diff)
		}
	}
	is("clusters", s.on("tests", "pg_lsclusters --no-header | awk '{print $1, $2, $3, $4}'"), "15 main 5432 online\n15 staging 5433 online")
	ask := func(port int, query string) string {
		return s.on("tests", fmt.Sprintf("runuser -u postgres -- psql -XAtqp %d -c %q", port, query))
	}
	is("tuning", ask(5432, "SHOW work_mem")+" "+ask(5433, "SHOW work_mem"), "12MB 16MB")
	is("pg_hba.conf", ask(5432, "SHOW hba_file")+"\n"+s.on("tests", "cd /etc/odoogen/current/postgresql && cmp main/pg_hba.conf staging/pg_hba.conf && echo one"),
		"/etc/odoogen/current/postgresql/main/pg_hba.conf\none")
	databases := "SELECT datname || ' of ' || pg_get_userbyid(datdba) FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres' ORDER BY 1"
	is("databases of main", ask(5432, databases), "ba17 of odoo-ba17\nba19 of odoo-ba19\nqa17 of odoo-qa17\nqa19 of odoo-qa19")
	is("databases of staging", ask(5433, databases), "staging17 of odoo-staging17\nstaging19 of odoo-staging19")
	is("users", s.on("tests", "getent passwd anna ben deploy odoo-qa17 odoo-staging19 | cut -d: -f1"), "anna\nben\ndeploy\nodoo-qa17\nodoo-staging19")
	is("failed units", s.on("tests", "systemctl --failed --no-legend")+s.on("ci", "systemctl --failed --no-legend"), "")

	// Issuance is owed work, and no part of the verdict: it comes a little later.
	certified := `for i in {1..90}; do n=0; for f in /var/lib/odoogen/tls/*/fullchain.pem; do openssl x509 -noout -issuer -in "$f" | grep -q Pebble && n=$((n + 1)); done; [ "$n" -lt 6 ] || break; sleep 2; done; echo "$n"`
	is("certificates that were issued", s.on("tests", certified), "6")
	for _, i := range instances {
		url := "https://" + i + ".example.com"
		page, code := s.from(lab.Stranger, "curl", "-sS", "-o", "/dev/null", "-w", "%{http_code} %{ssl_verify_result}", url+"/web/login")
		is(i+": /web/login, the certificate verified", page, "200 0")
		if code != 0 {
			continue
		}
		health, _ := s.from(lab.Stranger, "curl", "-sS", url+"/web/health")
		is(i+": /web/health", health, `{"status": "pass"}`)
		socket, _ := s.from(lab.Stranger, "curl", "-sS", "--http1.1", "--max-time", "3", "-o", "/dev/null", "-w", "%{http_code}",
			"-H", "Connection: Upgrade", "-H", "Upgrade: websocket", "-H", "Sec-WebSocket-Version: 13", "-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
			"-H", "Origin: "+url, url+"/websocket")
		if !strings.Contains(socket, "101") { // then curl waits, and gives up
			s.t.Errorf("%s: /websocket answers %s", i, socket)
		}
		issuer := s.on("tests", "openssl x509 -noout -issuer -in /var/lib/odoogen/tls/"+i+"/fullchain.pem")
		if !strings.Contains(issuer, "Pebble") {
			s.t.Errorf("%s: the certificate is of %s", i, issuer)
		}
	}
	for host, ports := range map[string][]int{"tests": {9100, 9113, 9187, 9188}, "ci": {9100}} {
		for _, port := range ports {
			metrics := s.on(host, fmt.Sprintf("curl -sf http://127.0.0.1:%d/metrics | grep -c '^[a-z]'", port))
			if n, err := strconv.Atoi(metrics); err != nil || n < 5 {
				s.t.Errorf("%s: the exporter at %d gives %s metrics", host, port, metrics)
			}
		}
	}
	for host, timers := range map[string]string{
		"tests": "certbot odoogen-backup odoogen-backup-maintenance odoogen-certificates-issue odoogen-drill odoogen-metrics odoogen-patch",
		"ci":    "odoogen-backup odoogen-backup-maintenance odoogen-metrics odoogen-mirror odoogen-patch"} {
		for timer := range strings.FieldsSeq(timers) {
			is(host+": "+timer+".timer", s.on(host, "systemctl is-active "+timer+".timer"), "active")
		}
	}
	refs := s.on("tests", "git ls-remote git://10.0.0.3/odoo17.git refs/heads/17.0 | wc -l; git ls-remote git://10.0.0.3/addons19.git refs/heads/19.0 | wc -l")
	is("the git mirror, from tests", refs, "1\n1")
	s.on("ci", "cd /var/lib/jenkins && mv plugins elsewhere && systemctl restart jenkins")
	if said := s.in(0, "status"); !strings.Contains(said, "Jenkins has no plugins yet") {
		s.t.Errorf("status without plugins:\n%s", said)
	}
	s.in(0, "drift", "ci") // nobody has stopped it by hand
	is("Jenkins without its plugins", s.on("ci", "systemctl show --value --property=ActiveState,Result jenkins"), "exec-condition\ninactive")
	s.on("ci", "cd /var/lib/jenkins && mv elsewhere plugins && systemctl restart jenkins")
	s.in(0, "status", "--wait", "1m")
	is("Jenkins and Alloy", s.on("ci", "curl -s -o /dev/null -w '%{http_code} ' http://10.0.0.3:8080/login; curl -s -o /dev/null -w %{http_code} http://127.0.0.1:12345/-/ready"), "200 200")
}

// runbookOfCI runs what adopted_test.go has no host for. The lab's Jenkins has no plugin installation manager.
func runbookOfCI(s *servers) {
	sections := []string{"Locked out by the firewall", "Backups", "When the disk is full", "When this host is lost", "Jenkins"}
	const quotas = "systemctl show --value --property=CPUQuotaPerSecUSec jenkins.service user-4201.slice"
	s.types("ci", strings.NewReplacer("ADDRESS", "192.0.2.7", "SNAPSHOT", "latest", "AGENT", "agent1"), map[string]hook{
		"nft insert rule inet odoogen input ip saddr ADDRESS tcp dport 22 accept": {"",
			`nft list chain inet odoogen input | grep -w 192.0.2.7 >/dev/null && odoogen-host status | grep -x 'by hand: firewall inet odoogen' >/dev/null || echo not let in, or not told`},
		"systemctl reload-or-restart odoogen-nftables.service": {"",
			`nft list table inet odoogen | grep -w 192.0.2.7; nft list table inet odoogen | grep 'policy drop' >/dev/null || echo open; odoogen-host status | grep nftables || true`},
		"systemctl start odoogen-backup.service": {`echo kept >/var/lib/jenkins/kept`, ""},
		"systemctl stop jenkins.service":         {`echo lost >/var/lib/jenkins/kept`, `! systemctl -q is-active jenkins || echo runs`},
		"systemctl start jenkins.service": {"", `[ "$(cat /var/lib/jenkins/kept)" = kept ] || echo not restored
			rm /var/lib/jenkins/kept
			systemctl -q is-active jenkins || echo does not run
			[ "$(stat -c %U /var/lib/jenkins)" = jenkins ] || echo not its own`},
		"systemctl set-property --runtime jenkins.service CPUQuota": {quotas + " >/run/was", "[ \"$(" + quotas + `)" != "$(cat /run/was)" ] || echo as before`},
		"systemctl revert jenkins.service user-4201.slice":          {"", "[ \"$(" + quotas + `)" = "$(cat /run/was)" ] || echo not as before`},
	}, func(heading, command string) bool {
		return slices.Contains(sections, heading) && !strings.Contains(command, "jenkins-plugin-manager.jar")
	})
	s.in(0, "status", "--wait", "2m")
	s.in(0, "drift", "ci")
}

// withoutClock leaves out what the clock starts on a host: it may have begun anew meanwhile, whatever a push does.
func (s *servers) withoutClock(host string, units []string, announced ...[]string) []string {
	s.t.Helper()
	timed := strings.Fields(s.on(host, "systemctl show --value --property=Unit '*.timer'"))
	byTheClock := regexp.MustCompile(`^(odoogen-revert\.(timer|service)|odoogen-ping@.*|user@.*|user-runtime-dir@.*)$`)
	return slices.DeleteFunc(units, func(u string) bool {
		return (slices.Contains(timed, u) || byTheClock.MatchString(u)) && !slices.Contains(slices.Concat(announced...), u)
	})
}

type edit struct {
	name, old, new string
	tests, ci      []string
}

// edits are single changes of the spec, one upon the other, and the units that start anew on tests and ci by them. With
// more CPU an instance may have more workers and so more connections, which odoogen-postgres@ grants; it stops nothing.
var edits = []edit{
	{name: "a limit", old: `classes: ba: #Class & {cluster: "main", CPUQuota: "150%"`, new: `classes: ba: #Class & {cluster: "main", CPUQuota: "200%"`, tests: []string{"odoogen-postgres@15-main.service"}},
	{name: "memory", old: `CPUQuota: "200%", MemoryMax: "3G"`, new: `CPUQuota: "200%", MemoryMax: "3500M"`},
	{name: "a worker count", old: `qa17: #Instance & {class: "qa"`, new: `qa17: #Instance & {workers: 4, class: "qa"`, tests: []string{"odoo-qa17.service", "odoogen-postgres@15-main.service"}},
	{name: "the largest upload: nginx", old: `qa19: #Instance & {class: "qa"`, new: `qa19: #Instance & {upload: "200M", class: "qa"`},
	{name: "a request's time: Odoo and nginx", old: `ba19: #Instance & {class: "ba"`, new: `ba19: #Instance & {limit_time_real: 180, class: "ba"`, tests: []string{"odoo-ba19.service"}},
	{name: "another name of a site", old: `domain: "staging17.example.com"`, new: `domain: "staging17.example.com", aliases: ["rc17.example.com"]`,
		tests: []string{"odoogen-certificates-issue.timer", "odoogen-certificates.service"}},
	{name: "a setting that PostgreSQL reloads", old: `workload: "oltp", ram: "14G"`, new: `workload: "oltp", ram: "14G", settings: work_mem: "13MB"`},
	{name: "a setting of the postmaster", old: `workload: "migrations", ram: "14G"`, new: `workload: "migrations", ram: "14G", settings: max_locks_per_transaction: 512`, tests: []string{"postgresql@15-staging.service"}},
	{name: "a cluster's limit", old: `settings: max_locks_per_transaction: 512`, new: `settings: max_locks_per_transaction: 512, limits: CPUWeight: 90`},
	{name: "a timer", old: `ping: {url:`, new: `nightly: at: "01:10"` + "\n\t" + `ping: {url:`, tests: []string{"odoogen-backup.timer"}, ci: []string{"odoogen-backup.timer"}},
	{name: "a patch window", old: `tests: {at: "Sun 08:00"`, new: `tests: {at: "Sun 09:00"`, tests: []string{"odoogen-patch.timer"}},
	{name: "a firewall rule", old: `{from: "203.0.113.20", who:`, new: `{from: "198.51.100.64/28", who: "the second office"},` + "\n\t\t" + `{from: "203.0.113.20", who:`},
	{name: "a comment of the firewall", old: `who: "the office"`, new: `who: "the first office"`},
	{name: "an administrator's key", old: `ben: keys: ["ssh-ed25519`, new: `ben: keys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPLrRq2U56ZHw9lyzr663zzYa/9GXCSDml/Lcz4LbtVO new", "ssh-ed25519`},
	{name: "retention", old: `keep: {daily: 7`, new: `keep: {daily: 8`},
	{name: "an exporter's port", old: `exporters: {node: 9100`, new: `exporters: {node: 9101`, tests: []string{"prometheus-node-exporter.service"}, ci: []string{"prometheus-node-exporter.service"}},
	{name: "the mirror's interval", old: `mirror: every: "10min"`, new: `mirror: every: "15min"`, ci: []string{"odoogen-mirror.timer"}},
	{name: "what a decision is for", old: `one kernel update, one OOM or one broken disk`, new: `one kernel update, one OOM or a broken disk`},
	{name: "the budget", old: `monthly: 130, buffer`, new: `monthly: 140, buffer`},
	{name: "modules that a release installs", old: `staging19: #Instance & {class: "staging"`, new: `staging19: #Instance & {modules: ["base", "web", "mail"], class: "staging"`},
	{name: "another instance", old: `instances: qa19:`, new: `instances: qb17: #Instance & {class: "qa", version: "17.0", http_port: 8027, domain: "qb17.example.com"}` + "\ninstances: qa19:",
		tests: []string{"odoo-qb17.service", "odoogen-certificates-issue.timer", "odoogen-certificates.service", "odoogen-first-release.timer",
			"odoogen-postgres@15-main.service", "odoogen-users.service"}},
}

// For each edit: what diff and plan announce is what happens, and what happens is what the table says.
func onlyWhatMustRestart(s *servers) {
	some := edits
	if os.Getenv("ALL") == "" {
		some = edits[:8]
	}
	for _, e := range some {
		s.t.(*testing.T).Run(e.name, func(t *testing.T) {
			one := *s
			one.t = t
			one.edit(e.old, e.new)
			diff, _ := one.output(2, "diff", "--format", "json")
			one.review()
			one.onlyAnnounced(diff, map[string][]string{"tests": e.tests, "ci": e.ci})
		})
	}
}

// onlyAnnounced pushes what was reviewed as diff, in JSON. It wants the units that start anew to be those that diff and
// plan announce, and these to be the ones wanted; and no other to be reloaded than those announced.
func (s *servers) onlyAnnounced(diff string, want map[string][]string) {
	s.t.Helper()
	var reviewed struct{ Hosts json.RawMessage }
	if err := json.Unmarshal([]byte(diff), &reviewed); err != nil {
		s.t.Fatalf("%v\n%s", err, diff)
	}
	hosts := slices.Sorted(maps.Keys(want))
	before := map[string]moment{}
	for _, host := range hosts {
		before[host] = s.moment(host)
	}
	plans, _ := s.output(2, "lab", "exec", s.odoogen, "plan", "--json")
	s.in(0, "push", "--yes")
	for _, host := range hosts {
		units := announced(s.t, plans, host)
		if diff := cmp.Diff(announced(s.t, string(reviewed.Hosts), host), units); diff != "" {
			s.t.Errorf("%s: plan announces other than diff (-diff +plan)\n%s", host, diff)
		}
		started, reloaded := s.since(host, before[host])
		starts := slices.Sorted(slices.Values(slices.Concat(units["restart"], units["run"])))
		started = s.withoutClock(host, started, starts)
		if diff := cmp.Diff(starts, started); diff != "" && len(starts)+len(started) > 0 {
			s.t.Errorf("%s: the plan announces other starts than there were (-plan +started)\n%s", host, diff)
		}
		if diff := cmp.Diff(want[host], started); diff != "" && len(want[host])+len(started) > 0 {
			s.t.Errorf("%s: (-want +started)\n%s", host, diff)
		}
		reloaded = s.withoutClock(host, reloaded, units["reload"])
		if diff := cmp.Diff(slices.Sorted(slices.Values(units["reload"])), reloaded); diff != "" && len(units["reload"])+len(reloaded) > 0 {
			s.t.Errorf("%s: the plan announces other reloads than there were (-plan +reloaded)\n%s", host, diff)
		}
	}
}

// loop keeps one processor busy for two seconds in a unit's cgroup. It prints the share that it got, in percent, and how
// often it was throttled.
const loop = `import os, resource, sys, time
def throttled():
    return sum(int(l.split()[1]) for d in (sys.argv[1], os.path.dirname(sys.argv[1])) for l in open("/sys/fs/cgroup/cpu" + d + "/cpu.stat") if l.startswith("nr_throttled"))
before = throttled()
if os.fork() == 0:
    open("/sys/fs/cgroup/cpu" + sys.argv[1] + "/cgroup.procs", "w").write(str(os.getpid()))
    end = time.time() + 2
    while time.time() < end: pass
    os._exit(0)
os.wait()
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(round((used.ru_utime + used.ru_stime) * 50), throttled() - before)`

// memory asks for 1.5 GB in a unit's cgroup.
const memory = `import os, sys
open("/sys/fs/cgroup/memory" + sys.argv[1] + "/cgroup.procs", "w").write(str(os.getpid()))
print(len(b"x" * (1500 << 20)) >> 20)`

// limitsBind measures in an instance's own cgroup what its processes get, before and after a push.
func limitsBind(s *servers) {
	measure := func() (share, throttled int, got string) {
		group := s.on("tests", "systemctl show --value --property=ControlGroup odoo-qa17")
		if _, err := fmt.Sscan(s.on("tests", fmt.Sprintf("python3 -c '%s' %s", loop, group)), &share, &throttled); err != nil {
			s.t.Fatal(err)
		}
		return share, throttled, s.on("tests", fmt.Sprintf("python3 -c '%s' %s || echo killed", memory, group))
	}
	running := func() string {
		return s.on("tests", "systemctl show --value --property=MainPID,InvocationID odoo-qa17")
	}
	before := running()
	share, throttled, got := measure()
	s.t.Logf("with CPUQuota=150%% and MemoryMax=3G a loop gets %d%% of a processor, throttled %d times; of 1.5 GB: %s", share, throttled, got)
	if throttled != 0 || got != "1500" {
		s.t.Error("limits bind that should not")
	}
	s.edit(`qa17: #Instance & {class: "qa"`, `qa17: #Instance & {CPUQuota: "20%", MemoryMax: "1G", class: "qa"`)
	s.review()
	s.in(0, "push", "--yes")
	share, throttled, got = measure()
	s.t.Logf("with CPUQuota=20%% and MemoryMax=1G: %d%%, throttled %d times; of 1.5 GB: %s", share, throttled, got)
	if share > 25 || throttled == 0 || !strings.HasSuffix(got, "killed") {
		s.t.Error("the limits do not bind")
	}
	s.edit(`qa17: #Instance & {CPUQuota: "20%", MemoryMax: "1G", class: "qa"`, `qa17: #Instance & {class: "qa"`)
	s.review()
	s.in(0, "push", "--yes")
	s.bound()
	if after := running(); after != before {
		s.t.Errorf("odoo-qa17 was restarted: %s, then %s", before, after)
	}
}

func linkDown(s *servers) {
	s.run(0, "lab", "cut", "tests", "--private")
	ci := s.on("ci", "readlink /etc/odoogen/current")
	s.edit(`monthly: 3}`, `monthly: 4}`)
	s.review()
	if said := s.in(1, "push", "--yes"); !strings.Contains(said, "ci: unreachable") {
		s.t.Errorf("said:\n%s", said)
	}
	if said, code := s.from(lab.Stranger, s.odoogen, "push", "--yes", "tests"); code != 1 || !strings.Contains(said, "tests: unreachable") {
		s.t.Errorf("a stranger's push exits with %d:\n%s", code, said)
	}
	s.in(0, "push", "--yes", "tests")
	if kept := s.on("tests", "grep -c KEEP_MONTHLY=4 /etc/odoogen/current/restic/backup.env"); kept != "1" {
		s.t.Error("tests has not changed")
	}
	if now := s.on("ci", "readlink /etc/odoogen/current"); now != ci {
		s.t.Errorf("ci was turned from %s to %s", ci, now)
	}
	s.run(0, "lab", "heal", "tests")
	s.in(0, "push", "--yes")
	if now := s.on("ci", "readlink /etc/odoogen/current"); now == ci {
		s.t.Error("ci did not come along with the link")
	}
}

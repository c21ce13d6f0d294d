package push

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"odoogen/internal/artifact"
	"odoogen/internal/lab"
)

// TestPush pushes to two bare hosts, and then shows, one after the other, what a push does and what it does not.
func TestPush(t *testing.T) {
	if lab.Missing() != nil {
		return
	}
	newRig(t).take([]step{
		{"a first push that fails leaves the host as it was found", firstFails},
		{"bare hosts become their trees", fromBare},
		{"a second push does nothing", nothing},
		{"a host that answers from memory hides nothing", remembers},
		{"only what must act acts", onlyWhatMust},
		{"a secret is where it is read and nowhere else", planted},
		{"a secret that changes restarts only what reads it", rotated},
		{"secrets need a key, and only where they change", keyless},
		{"a secret comes and goes with the spec", comesAndGoes},
		{"what the host's own programs refuse changes nothing", refused},
		{"a unit that does not start turns both hosts back", unitFails},
		{"a probe that fails turns both hosts back", probeFails},
		{"a push that is interrupted puts everything right before it ends", interrupted},
		{"of two pushes at once one is told who holds the host, or waits", twoAtOnce},
		{"a host whose pusher was killed goes back by itself", pusherKilled},
		{"a host that lost its power comes up as what was confirmed", powerCut},
		{"and without what a push had begun", powerCutWhileItPrepares},
		{"what a push was cut off from sending is not kept", cutWhileItSends},
		{"what was changed by hand is not overwritten unasked", drift},
		{"what is not there yet is told, and waited for", leftOut},
		{"who reads a generation while the host turns never sees two", neverAMix},
		{"a host that would lock the pusher out goes back", lockedOut},
		{"a host goes back to what it was before, from here and by hand", rollback},
		{"a host that is lost while another is still probed takes the other back", lostWhileProbed},
		{"one host confirmed and one not is told as partial, and mended", partial},
		{"a host that does not answer any more is told as unknown", unknown},
		{"who is refused at once is let in a moment later", refusedAtFirst},
		{"a host behind a cut link is unreachable and unchanged", linkCut},
		{"who shows another host key than the spec pins is not spoken to", impostor},
		{"a command finds the connection of the last one", connectionsAreKept},
	})
}

// pushed is the change that the hosts are, after onlyWhatMust.
var pushed = change{"tests/nginx/site.conf": "# again\n", "tests/systemd/system/worker.service.d/limits.conf": "CPUQuota=50%\n"}

func with(added change) change {
	all := change{}
	for _, c := range []change{pushed, added} {
		for path, text := range c {
			all[path] = all[path] + text
		}
	}
	return all
}

func firstFails(r *rig) {
	said := r.push(RolledBack, change{"ci/systemd/system/worker.service": "ExecStartPre=false\n",
		"ci/HOST.json": "", "tests/systemd/system/worker.service": ""})
	if !strings.Contains(said, "tests: is as it was found again") || !strings.Contains(said, "ci: is as it was found again") {
		r.t.Errorf("said:\n%s", said)
	}
	for _, host := range []string{"tests", "ci"} {
		if left := r.on(host, "ls -d /etc/odoogen/current /usr/local/lib/systemd/system /etc/ssh/sshd_config.d/10-odoogen.conf /etc/systemd/system/odoogen.target /etc/odoogen/.back /var/lib/odoogen/secrets[./]* 2>/dev/null || true; systemctl --failed --no-legend"); left != "" {
			r.t.Errorf("%s has left: %s", host, left)
		}
	}
	if site := r.on("tests", "readlink /etc/nginx/sites-enabled/default; systemctl is-active nginx worker || true"); site != "/etc/nginx/sites-available/default\ninactive\ninactive" {
		r.t.Errorf("nginx's default site and the units are: %s", site)
	}
	// What packages brought does not start with a host that has no firewall of ours.
	r.powerCycle("tests")
	r.holds("tests", "systemctl is-enabled nginx; ss -Hltn | awk '{ print $4 }' | sort", "disabled\n0.0.0.0:22\n[::]:22")
}

func fromBare(r *rig) {
	r.push(Applied, change{})
	r.holds("tests", "systemctl is-enabled nginx", "enabled")
	for _, host := range []string{"tests", "ci"} {
		r.clean(host)
		if out := r.on(host, "f=/etc/odoogen/current/HOST.json; stat -c %a:%U $f; { echo x >>$f; } 2>/dev/null || echo refused"); out != "444:root\nrefused" {
			r.t.Errorf("%s: a generation's file is %s", host, out)
		}
	}
	if out := r.on("tests", "curl -s -o /dev/null -w %{http_code} http://127.0.0.1:8080; ls /etc/nginx/sites-enabled; ls -l /etc/odoogen/generations/0/etc/nginx/sites-enabled | wc -l"); out != "2002" {
		r.t.Errorf("the site, and what was in its way: %s", out)
	}
	// ci closed its public ssh, and so was confirmed through tests.
	if out := r.on("tests", "timeout 2 bash -c '</dev/tcp/203.0.113.20/22' 2>/dev/null && echo open || echo closed"); out != "closed" {
		r.t.Errorf("ci's public ssh is %s", out)
	}
}

func nothing(r *rig) {
	before := r.current("tests") + r.current("ci") + r.started("tests", "worker", "nginx") + r.started("ci", "worker")
	if said := r.push(Applied, change{}); strings.Count(said, "nothing to do") != 2 {
		r.t.Errorf("said:\n%s", said)
	}
	if after := r.current("tests") + r.current("ci") + r.started("tests", "worker", "nginx") + r.started("ci", "worker"); after != before {
		r.t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

func onlyWhatMust(r *rig) {
	before, ci := r.started("tests", "worker", "nginx"), r.current("ci")
	r.push(Applied, pushed)
	if after := r.started("tests", "worker", "nginx"); after != before {
		r.t.Errorf("a limit and a site restart something:\n%s\nafter:\n%s", before, after)
	}
	if quota := r.on("tests", "systemctl show --value --property=CPUQuotaPerSecUSec worker; systemctl show --value --property=NeedDaemonReload worker nginx"); quota != "500ms\nno\n\nno" {
		r.t.Errorf("worker's quota, and what systemd has not read: %s", quota)
	}
	if after := r.current("ci"); after != ci {
		r.t.Errorf("ci was turned from %s to %s", ci, after)
	}
}

func refused(r *rig) {
	before := r.current("tests")
	said := r.push(Failed, with(change{"tests/nginx/site.conf": "nonsense;\n"}))
	if !strings.Contains(said, `nginx refuses the new generation`) || !strings.Contains(said, `unknown directive "nonsense" in /etc/odoogen/current/nginx/site.conf:6`) {
		r.t.Errorf("said:\n%s", said)
	}
	if after := r.current("tests"); after != before {
		r.t.Errorf("%s became %s", before, after)
	}
	r.push(Applied, pushed)
}

// back wants a push, which brings another secret as well, to fail with both hosts being afterwards what they were.
func (r *rig) back(c change, why string) {
	r.t.Helper()
	before, back := r.current("tests")+r.current("ci"), r.rotate()
	if said := r.push(RolledBack, c); !strings.Contains(said, why) {
		r.t.Errorf("want %q, said:\n%s", why, said)
	}
	back()
	r.sameAs(before)
}

func (r *rig) sameAs(before string) {
	r.t.Helper()
	if after := r.current("tests") + r.current("ci"); after != before {
		r.t.Errorf("%s became %s", before, after)
	}
	for _, host := range []string{"tests", "ci"} {
		r.clean(host)
	}
	r.push(Applied, pushed)
}

func unitFails(r *rig) {
	r.back(with(change{"tests/readme": "more\n", "ci/systemd/system/worker.service": "ExecStartPre=false\n"}), "restart worker.service failed")
}

func probeFails(r *rig) {
	r.back(with(change{"ci/systemd/system/worker.service": "# new\n", "tests/nginx/site.conf": "server {\n\tlisten 127.0.0.1:8080;\n\treturn 503;\n}\n"}),
		"http://127.0.0.1:8080/ answers 503, and 200 is expected")
}

func interrupted(r *rig) {
	before := r.current("tests") + r.current("ci")
	more := with(change{"tests/readme": "more\n", "ci/systemd/system/worker.service": "# new\n"})
	for _, c := range []struct {
		when string
		code int
	}{{"tests: check", Failed}, {"tests: flipped", RolledBack}} {
		if got := r.cut(os.Interrupt, c.when, more); got != c.code {
			r.t.Errorf("interrupted at %q it exits with %d, want %d", c.when, got, c.code)
		}
		r.sameAs(before)
	}
}

func twoAtOnce(r *rig) {
	r.on("tests", "rm -f /run/second")
	slow := r.command(with(change{"tests/readme": "first\n", "tests/systemd/system/worker.service": "ExecStartPre=bash -c 'until [ -e /run/second ]; do sleep 0.1; done'\n"}))
	said := &watched{want: "tests: flipped", seen: make(chan struct{})}
	slow.Stdout, slow.Stderr = said, said
	if err := slow.Start(); err != nil {
		r.t.Fatal(err)
	}
	<-said.seen
	second := with(change{"tests/readme": "second\n", "ci/systemd/system/worker.service": "# second\n"})
	if said := r.push(Failed, second); !strings.Contains(said, "tests: held by "+operator()) {
		r.t.Errorf("said:\n%s", said)
	}
	later := r.command(second, "--wait", "1m")
	waits := &watched{want: "tests: waits for " + operator(), seen: make(chan struct{})}
	later.Stdout, later.Stderr = waits, waits
	if err := later.Start(); err != nil {
		r.t.Fatal(err)
	}
	select {
	case <-waits.seen:
	case <-time.After(time.Minute):
		r.t.Error("it does not wait")
	}
	r.on("tests", "touch /run/second")
	if err := later.Wait(); err != nil {
		r.t.Errorf("%v\n%s", err, waits.text())
	}
	if err := slow.Wait(); err != nil {
		r.t.Errorf("%v\n%s", err, said.text())
	}
	if got := r.on("tests", "cat /etc/odoogen/current/readme"); !strings.Contains(got, "second") {
		r.t.Errorf("tests holds %q", got)
	}
	r.on("tests", ": >/var/lib/odoogen/lease") // what a loss of power may leave of one
	if said := r.push(Failed, pushed); !strings.Contains(said, "tests: held by somebody\nhint: --wait 10m waits for it") {
		r.t.Errorf("said:\n%s", said)
	}
	r.on("tests", "/usr/local/lib/odoogen/host unlock")
	r.push(Applied, pushed)
}

// operator is how a push of this process is known to a host.
func operator() string {
	name, _ := os.Hostname()
	return "root@" + name
}

func pusherKilled(r *rig) {
	back := r.rotate()
	before := r.current("tests") + r.current("ci")
	r.cut(os.Kill, "tests: flipped", with(change{"tests/readme": "more\n", "ci/systemd/system/worker.service": "# new\n"}), "--revert-after", "8s")
	r.on("tests", "touch /var/lib/odoogen/owed.new /etc/odoogen/.current.new") // as of a turn that is cut off while it writes them
	r.settled()
	r.clean("tests")
	back()
	r.sameAs(before)
	// Before the turn nothing is armed, and the lease is over when nobody has touched it for half a minute.
	r.cut(os.Kill, "tests: check", with(change{"tests/readme": "more\n"}))
	if said := r.push(Failed, with(change{"tests/readme": "more\n"})); !strings.Contains(said, "held by "+operator()) {
		r.t.Errorf("said:\n%s", said)
	}
	r.push(Applied, with(change{"tests/readme": "more\n"}), "--wait", "40s")
	r.push(Applied, pushed)
}

// settled waits until no host waits for a confirmation.
func (r *rig) settled() {
	r.t.Helper()
	// The lease of a push that was killed counts for half a minute more, what it has asked for may begin only now, and what
	// hears it holds the lock until it hears the end.
	const busy = "cd /var/lib/odoogen; ls armed 2>/dev/null; find lease -newermt '-30 seconds' 2>/dev/null || true; flock --nonblock lock true || echo locked"
	for deadline := time.Now().Add(90 * time.Second); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		if r.on("tests", busy)+r.on("ci", busy) == "" {
			return
		}
	}
	r.t.Error("a host still waits for its confirmation")
}

func powerCut(r *rig) {
	back := r.rotate()
	before := r.current("tests") + r.current("ci")
	r.cut(os.Kill, "tests: flipped", with(change{"tests/readme": "more\n"}), "--revert-after", "5m")
	r.powerCycle("tests")
	back()
	r.sameAs(before)
}

// powerCutWhileItPrepares: nothing of a push is left that had not armed the way back, and packages may start again what they
// bring, or what somebody else has them start; but what they had brought by then does not start with the host. A boot
// sees to that, or the next push, where only what prepares was killed.
func powerCutWhileItPrepares(r *rig) {
	const stray, installing, policy = "/etc/odoogen/generations/.99-cut", "/etc/postgresql-common/createcluster.d/odoogen-packages.conf", "/usr/sbin/policy-rc.d"
	strew := func() {
		r.t.Helper()
		r.on("tests", fmt.Sprintf("mkdir -p %s %s /var/lib/odoogen/secrets.new; touch %[1]s/half %s /var/lib/odoogen/{secrets.new/value,owed.new} /etc/odoogen/.current.new; echo ours >%s; echo theirs >%[4]s.odoogen-kept", stray, filepath.Dir(installing), installing, policy))
		r.on("tests", `{ systemctl list-unit-files --state=enabled --no-legend | sed 's/ .*//'; ls /etc/rc3.d | sed -n 's/\.sh$//; s/^S..\(.*\)/\1.service/p'; } |
				LC_ALL=C sort -u >/etc/odoogen/found/before
			printf '[Service]\nExecStart=sleep infinity\n[Install]\nWantedBy=multi-user.target\n' >/etc/systemd/system/brought.service
			systemctl --quiet enable brought
			printf '#!/bin/sh\n### BEGIN INIT INFO\n# Provides: legacy\n# Required-Start:\n# Required-Stop:\n# Default-Start: 2 3 4 5\n# Default-Stop: 0 1 6\n### END INIT INFO\n' >/etc/init.d/legacy
			chmod 755 /etc/init.d/legacy; update-rc.d legacy defaults; update-rc.d legacy enable`)
	}
	cleared := func() {
		r.t.Helper()
		if left := r.on("tests", fmt.Sprintf("ls -d %s %s %s.odoogen-kept /etc/odoogen/found/before 2>/dev/null || true; cat %[3]s; rm %[3]s", stray, installing, policy)); left != "theirs" {
			r.t.Errorf("left: %s", left)
		}
		r.clean("tests")
	}
	const brought = "systemctl is-enabled brought; systemctl is-active brought legacy; cd /etc/rc3.d; ls *legacy; true"
	before := r.current("tests") + r.current("ci")
	strew()
	r.powerCycle("tests")
	cleared()
	r.sameAs(before)
	r.holds("tests", brought, "disabled\ninactive\ninactive\nK01legacy")
	strew()
	r.push(Failed, with(change{"tests/nginx/site.conf": "nonsense;\n"}))
	cleared()
	r.sameAs(before)
	r.holds("tests", brought, "disabled\ninactive\ninactive\nK01legacy")
	r.push(Applied, with(change{"tests/readme": "more\n"}))
	r.holds("tests", brought, "enabled\nactive\nactive\nS01legacy") // what they are for is wanted now
	r.on("tests", `systemctl --quiet disable --now brought legacy; rm /etc/systemd/system/brought.service /etc/init.d/legacy
		update-rc.d legacy remove; systemctl daemon-reload; sed -i -E '/brought|legacy/d' /etc/odoogen/found/brought`)
	r.push(Applied, pushed)
}

// cutWhileItSends: the end of what a push sends is the end of its connection, or nothing comes any more and sshd, which
// notices much later, ends what still waits.
func cutWhileItSends(r *rig) {
	for _, sending := range []string{"stage cut 99-cut", "give cut"} {
		for _, end := range []string{"", "& sleep 1; pkill -P $! -x timeout; wait", "& sleep 1; kill -HUP $!; pkill -P $! -x timeout; wait"} {
			feed := "</etc/os-release"
			if end != "" {
				feed = "< <(sleep 3)"
			}
			out := r.on("tests", "host=/usr/local/lib/odoogen/host; touch /var/lib/odoogen/owed.new; ln -s generations/0 /etc/odoogen/.back; bash -c \"$(<$host)\" odoogen lease cut <<<me >/dev/null; "+
				"{ $host "+sending+" "+feed+" "+end+"; } 2>/dev/null; ls -d /etc/odoogen/{.back,generations/.[0-9]*} /var/lib/odoogen/*.new 2>/dev/null; $host abandon cut && echo free")
			if out != "free" {
				r.t.Errorf("%s %s left: %s", sending, end, out)
			}
		}
	}
}

func drift(r *rig) {
	r.on("tests", "f=/etc/odoogen/current/nginx/site.conf; chattr -i $f; echo '# by hand' >>$f; rm /etc/ssh/sshd_config.d/10-odoogen.conf")
	if said := r.push(Failed, pushed); !strings.Contains(said, "changed by hand: nginx/site.conf") {
		r.t.Errorf("said:\n%s", said)
	}
	r.push(Applied, pushed, "--overwrite-drift")
	if out := r.on("tests", "grep -c hand /etc/odoogen/current/nginx/site.conf; cat /etc/ssh/sshd_config.d/10-odoogen.conf"); !strings.HasPrefix(out, "0\nInclude") {
		r.t.Errorf("after it: %s", out)
	}
	r.push(Applied, pushed)
}

// refusedAtFirst: an sshd that reloads does not listen for a moment, and a network that has come back has no route yet. ssh says
// so here, to the first that tries a route, and to the first that confirms by it.
func refusedAtFirst(r *rig) {
	seen := r.t.TempDir()
	r.env = r.ssh(`case "$*" in
*"ControlMaster yes"*)
	refused="` + seen + `/$(printf %s "$*" | cksum | cut -d " " -f 1)"
	if [ ! -e "$refused" ]; then
		touch "$refused"
		echo "ssh: connect to host tests port 22: Connection refused" >&2
		exit 255
	fi ;;
esac`)
	r.push(Applied, with(change{"tests/readme": "again\n", "ci/systemd/system/worker.service": "# again\n"}))
	if refused, _ := os.ReadDir(seen); len(refused) < 2 { // the connections that confirm are always new
		r.t.Errorf("%d connections were refused", len(refused))
	}
}

func linkCut(r *rig) {
	ci := r.current("ci")
	if err := r.Cut(r.t.Context(), "tests", lab.Private); err != nil {
		r.t.Fatal(err)
	}
	more := with(change{"tests/readme": "more\n"})
	if said := r.push(Failed, more); !strings.Contains(said, "ci: unreachable: no ssh answers at private 10.0.0.3 (No route to host), private 10.0.0.3 through tests (") {
		r.t.Errorf("said:\n%s", said)
	}
	r.push(Applied, more, "tests")
	if after := r.current("ci"); after != ci {
		r.t.Errorf("ci was turned from %s to %s", ci, after)
	}
	if err := r.Heal(r.t.Context(), "tests", lab.Private); err != nil {
		r.t.Fatal(err)
	}
	r.push(Applied, more)
}

func impostor(r *rig) {
	trees := r.trees(with(nil))
	for _, tree := range trees {
		if f := tree.File("HOST.json"); tree.Host == "tests" {
			f.Data = regexp.MustCompile(`"hostKeys": \[[^]]*\]`).ReplaceAll(f.Data,
				[]byte(`"hostKeys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINn3+mfZCi9L4W2YNdbgwdo38s52sfWhkcmzveylGkca"]`))
		}
	}
	shown := r.on("tests", "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub | cut -d ' ' -f 2")
	said := r.odoogenOn(1, trees, "plan", "tests")
	want := "odoogen: tests: unreachable: shows the host key " + shown + " (ED25519), and hostKeys says another\n" +
		"hint: a host that was installed anew has a new key; else somebody answers in its place\n"
	if said != want {
		r.t.Errorf("plan says:\n%swant:\n%s", said, want)
	}
}

func leftOut(r *rig) {
	const probes = `"probes": [{"kind": "unit", "unit": "vswitch.service"}`
	trees := r.trees(with(nil))
	for _, tree := range trees {
		if f := tree.File("HOST.json"); tree.Host == "tests" {
			f.Data = bytes.Replace(f.Data, []byte(probes), []byte(probes+`, {"kind": "http", "url": "http://127.0.0.1:8080/", "status": 200,
				"when": "/run/release", "otherwise": "qa17 has no release yet"}`), 1)
		}
	}
	said := r.odoogenOn(Applied, trees, "push", "--yes", "--unreviewed")
	if !strings.Contains(said, "tests: not probed: qa17 has no release yet") {
		r.t.Errorf("push says:\n%s", said)
	}
	said = r.odoogenOn(0, trees, "status")
	if !strings.Contains(said, "  left out: qa17 has no release yet\n") || !strings.Contains(said, "6 probes pass, 1 are left out") {
		r.t.Errorf("status says:\n%s", said)
	}
	r.odoogenOn(1, trees, "status", "--wait", "1s")
	r.on("tests", "systemd-run --quiet --on-active=3 touch /run/release")
	if said := r.odoogenOn(0, trees, "status", "--wait", "1m"); !strings.Contains(said, "all 7 probes pass") {
		r.t.Errorf("status says:\n%s", said)
	}
	r.push(Applied, with(nil))
}

func lockedOut(r *rig) {
	r.back(with(change{"tests/ssh/odoogen.conf": "AllowTcpForwarding no\n", "ci/systemd/system/worker.service": "# new\n"}), "ci: over a new connection: unreachable")
}

func rollback(r *rig) {
	const reply = "curl -s -o /dev/null -w %{http_code} http://127.0.0.1:8081 || true"
	r.push(Applied, with(change{"tests/nginx/site.conf": "server {\n\tlisten 8081;\n\treturn 204;\n}\n"}))
	r.comes("tests", reply, "204")
	built := filepath.Join(r.t.TempDir(), "out")
	if _, err := artifact.Write(built, r.trees(pushed)); err != nil {
		r.t.Fatal(err)
	}
	run := func(args ...string) string {
		r.t.Helper()
		argv := append([]string{"-C", r.dir, "lab", "exec", r.odoogen}, args...)
		out, err := exec.CommandContext(r.t.Context(), r.odoogen, append(argv, "--built", built)...).CombinedOutput()
		if err != nil {
			r.t.Fatalf("%v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	run("rollback", "tests", "--yes")
	r.comes("tests", reply, "000")
	r.on("tests", "odoogen-host rollback")
	r.comes("tests", reply, "204")
	history := run("history", "tests")
	for _, want := range []string{"confirmed", "reverted", "reverted at boot", "rolled back on the host", "rollback to "} {
		if !strings.Contains(history, want) {
			r.t.Errorf("history has no %q:\n%s", want, history)
		}
	}
	backByHand(r)
	r.push(Applied, pushed)
}

// backByHand: the host's own way back undoes all that came, and its way forth brings all again.
func backByHand(r *rig) {
	const late = `systemctl is-active late; tr '\0' '\n' </proc/$(systemctl show --value --property=MainPID worker)/environ | grep LATE
		head -n 1 /etc/logrotate.d/late 2>/dev/null; readlink /etc/logrotate.d/late; curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:8082 || true`
	const all, none = "active\nLATE=yes\n/var/log/late.log {\n/etc/odoogen/current/logrotate/late\n204", "inactive\n000"
	r.push(Applied, with(change{"late": ""}))
	r.comes("tests", late, all)
	r.on("tests", "odoogen-host rollback")
	r.comes("tests", late, none)
	r.push(Applied, with(change{"late": "", "tests/readme": "again\n"}))
	r.on("tests", "odoogen-host rollback")
	r.comes("tests", late, none)
	number := r.on("tests", "ls /etc/odoogen/generations | sort -n | tail -n 1 | cut -d - -f 1")
	r.on("tests", "odoogen-host rollback "+number)
	r.comes("tests", late, all)
	r.on("tests", "odoogen-host rollback; rm -r /etc/odoogen/doors.of; odoogen-host rollback "+number) // an older odoogen confirmed these
	r.comes("tests", "systemctl is-active late", "active")
}

// ssh has a shell's lines come before ssh, in the environment that it returns.
func (r *rig) ssh(before string) []string {
	r.t.Helper()
	dir := r.t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "ssh"), []byte("#!/bin/sh\n"+before+"\nexec /usr/bin/ssh \"$@\"\n"), 0o755); err != nil {
		r.t.Fatal(err)
	}
	return append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
}

// without has ssh fail where a shell pattern fits its arguments, as if the connection broke there.
func (r *rig) without(pattern string) []string {
	r.t.Helper()
	return r.ssh("case \"$*\" in\n" + pattern + ") exit 255 ;;\nesac")
}

var both = change{"ci/systemd/system/worker.service": "# both\n", "tests/readme": "both\n"}

func lostWhileProbed(r *rig) {
	before := r.current("tests") + r.current("ci")
	cmd := r.command(with(both))
	hold := newHold(r, point{verb: "probe", nth: 1})
	var said bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = hold.env, &said, &said
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	<-hold.reached
	// ci has been probed, and the connection that would confirm it stands.
	r.on("ci", "until pgrep -f '[o]doogen keep-open standing' && ! pgrep -f '[o]doogen probe'; do sleep 0.1; done >/dev/null")
	r.powerCycle("ci")
	hold.release(true)
	_ = cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != RolledBack || strings.Contains(said.String(), "confirmed ") {
		r.t.Errorf("push exits with %d:\n%s", got, said.String())
	}
	r.sameAs(before)
}

func partial(r *rig) {
	ci := r.current("ci")
	r.env = r.without(`*"ci bash"*"odoogen confirm"*`)
	said := r.push(Partial, with(both), "--revert-after", "10s")
	if !strings.Contains(said, "tests: confirmed") || !strings.Contains(said, "ci: is ") {
		r.t.Errorf("said:\n%s", said)
	}
	if after := r.current("ci"); after != ci {
		r.t.Errorf("ci was %s and is %s", ci, after)
	}
	r.env = nil
	r.push(Applied, with(both))
	r.push(Applied, pushed)
}

func unknown(r *rig) {
	before := r.current("tests") + r.current("ci")
	r.env = r.without(`*"ci bash"*"odoogen probe"*|*"ci bash"*"odoogen revert"*`)
	if said := r.push(Unknown, with(both), "--revert-after", "8s"); !strings.Contains(said, "ci: does not answer") || !strings.Contains(said, "tests: is ") {
		r.t.Errorf("said:\n%s", said)
	}
	r.env = nil
	r.settled()
	r.sameAs(before)
}

func neverAMix(r *rig) {
	r.push(Applied, with(both))
	r.push(Applied, pushed)
	// The script's own functions: one process turns the host, the other opens current and reads all that is below.
	out := r.on("tests", `set -- status; . <(sed '/^verb()/,$d' /usr/local/lib/odoogen/host)
		names=($(cd "$etc/generations" && ls -d [0-9]*-* | sort -n | tail -n 2))
		(for i in {1..100}; do for name in "${names[@]}"; do turn_link current "$name"; done; done; touch /run/turned) &
		reads=0 seen=()
		while [ ! -e /run/turned ]; do
			cd "$etc/current" && dir=$(pwd -P)
			wrong=$(differs .) || true
			[ -z "$wrong" ] || echo "a mix: $wrong"
			seen+=("${dir##*/}") reads=$((reads + 1))
		done
		wait
		[ "$reads" -gt 10 ] && printf '%s\n' "${seen[@]}" | sort -u | wc -l`)
	if out != "2" {
		r.t.Errorf("want reads of both generations and no mix: %s", out)
	}
}

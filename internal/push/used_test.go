package push

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"odoogen/internal/artifact"
	"odoogen/internal/lab"
)

// TestUsedHost pushes to a host on which somebody else's nginx, PostgreSQL and units run, and shows how one gets rid of
// odoogen again.
func TestUsedHost(t *testing.T) {
	if lab.Missing() != nil {
		return
	}
	r := newRig(t, "postgresql-15", "cron", "rsync")
	r.take([]step{
		{"a push leaves alone what runs, and sets aside what is in its way", used},
		{"what somebody else installs meanwhile is waited for, and no package of theirs is removed", othersInstall},
		{"what is done by hand is told, and not overwritten unasked", byHand},
		{"generation 0 that would lock everybody out is not kept", foundLockedOut},
		{"a host becomes again what it was found as", found},
		{"so does one that is then reached another way", foundElsewhere},
		{"a host can be frozen, and a push confirmed, on the host itself", nightly},
		{"an ejected host runs on without odoogen, and can be adopted again", ejected},
	})
}

// run is any command of odoogen's, as the office gives it, with the trees of a change.
func (r *rig) run(want int, c change, args ...string) string {
	r.t.Helper()
	built := filepath.Join(r.t.TempDir(), "out")
	if _, err := artifact.Write(built, r.trees(c)); err != nil {
		r.t.Fatal(err)
	}
	argv := append([]string{"-C", r.dir, "lab", "exec", r.odoogen}, args...)
	cmd := exec.CommandContext(r.t.Context(), r.odoogen, append(argv, "--built", built)...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		r.t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != want {
		r.t.Fatalf("%v exits with %d, want %d:\n%s", args, got, want, out)
	}
	return string(out)
}

// holds fails the test where a script does not print what is wanted.
func (r *rig) holds(host, script, want string) {
	r.t.Helper()
	if got := r.on(host, script); got != want {
		r.t.Errorf("%s: %s prints\n%s\nwant\n%s", host, script, got, want)
	}
}

// comes fails the test where a script does not print what is wanted within some seconds: nginx's reload is begun, not awaited.
func (r *rig) comes(host, script, want string) {
	r.t.Helper()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end) && r.on(host, script) != want; {
		time.Sleep(100 * time.Millisecond)
	}
	r.holds(host, script, want)
}

// theirs are the units of somebody else on tests, by when they were started.
func (r *rig) theirs() string {
	r.t.Helper()
	return r.started("tests", "nginx", "theirs", "postgresql@15-theirs")
}

const sites = `for port in 8090 8091; do curl -s -o /dev/null -w '%{http_code} ' http://127.0.0.1:$port || true; done`

func used(r *rig) {
	r.on("tests", `set -e; export DEBIAN_FRONTEND=noninteractive
		apt-get -q update && apt-get -q -y install --no-install-recommends nginx-light curl postgresql-15
		pg_dropcluster --stop 15 main
		pg_createcluster 15 theirs --port 5499 --start
		printf '#!/bin/sh\nexit 104\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d
		printf 'server { listen 8090; return 201; }\n' >/etc/nginx/sites-enabled/theirs
		printf 'server { listen 8091; return 202; }\n' >/etc/nginx/conf.d/odoogen.conf
		printf '# theirs\nX11Forwarding no\n' >/etc/ssh/sshd_config.d/10-odoogen.conf
		printf '[Service]\nExecStart=sleep infinity\n[Install]\nWantedBy=multi-user.target\n' >/etc/systemd/system/theirs.service
		systemctl daemon-reload; systemctl enable --now theirs nginx; systemctl reload nginx`)
	before := r.theirs()
	said := r.push(Applied, change{})
	if !strings.Contains(said, "set aside in generation 0: /etc/nginx/conf.d/odoogen.conf, /etc/nginx/sites-enabled/default, /etc/ssh/sshd_config.d/10-odoogen.conf") {
		r.t.Errorf("said:\n%s", said)
	}
	if after := r.theirs(); after != before {
		r.t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	r.comes("tests", sites, "201 000") // the second was in the way
	r.holds("tests", "cat /usr/sbin/policy-rc.d; ls /usr/sbin/policy-rc.d?* 2>/dev/null || true", "#!/bin/sh\nexit 104")
	r.holds("tests", "cat /etc/odoogen/generations/0/etc/nginx/conf.d/odoogen.conf", "server { listen 8091; return 202; }")
}

// othersInstall: a package that takes its time, starts a unit, and is in the way of one that the push wants.
func othersInstall(r *rig) {
	r.on("tests", `set -e; mkdir -p /run/theirs/DEBIAN /run/theirs/lib/systemd/system; cd /run/theirs
		printf 'Package: theirs\nVersion: 1\nArchitecture: all\nMaintainer: they <they@example.com>\nDescription: theirs\nConflicts: cron\n' >DEBIAN/control
		printf '#!/bin/sh\nsleep 8\n' >DEBIAN/preinst
		printf '#!/bin/sh\nsystemctl daemon-reload && systemctl enable packaged && invoke-rc.d packaged start\n' >DEBIAN/postinst
		chmod 755 DEBIAN/p*inst
		printf '[Service]\nExecStart=sleep infinity\n[Install]\nWantedBy=multi-user.target\n' >lib/systemd/system/packaged.service
		dpkg-deb --build /run/theirs /run/theirs.deb
		systemd-run --quiet --collect apt-get -q -y install /run/theirs.deb
		until fuser -s /var/lib/dpkg/lock 2>/dev/null || pgrep -f '[p]reinst' >/dev/null; do sleep 0.1; done`)
	before := r.theirs()
	said := r.push(Failed, change{"installs": ""})
	if !strings.Contains(said, "The following packages will be REMOVED:\n  theirs") || !strings.Contains(said, "E: Packages need to be removed but remove is disabled.") {
		r.t.Errorf("said:\n%s", said)
	}
	r.holds("tests", "systemctl is-active packaged; systemctl is-enabled packaged; dpkg-query -W -f '${db:Status-Status}' theirs", "active\nenabled\ninstalled")
	if after := r.theirs(); after != before {
		r.t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	r.on("tests", "systemctl disable --now packaged; apt-get -q -y purge theirs")
}

func foundLockedOut(r *rig) {
	before := r.current("tests") + r.started("tests", "nginx", "theirs", "worker")
	r.on("tests", "echo 'nonsense;' >>/etc/odoogen/generations/0/etc/nginx/conf.d/odoogen.conf")
	if said := r.run(Failed, change{}, "rollback", "tests", "0", "--yes"); !strings.Contains(said, "nginx refuses the new generation") {
		r.t.Errorf("said:\n%s", said)
	}
	if after := r.current("tests") + r.started("tests", "nginx", "theirs", "worker"); after != before {
		r.t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	r.on("tests", `sed -i '/nonsense/d' /etc/odoogen/generations/0/etc/nginx/conf.d/odoogen.conf
		echo 'AuthorizedKeysFile none' >>/etc/odoogen/generations/0/etc/ssh/sshd_config.d/10-odoogen.conf`)
	if said := r.run(RolledBack, change{}, "rollback", "tests", "0", "--yes"); !strings.Contains(said, "over a new connection: unreachable") {
		r.t.Errorf("said:\n%s", said)
	}
	if after := r.current("tests") + r.started("tests", "nginx", "theirs"); !strings.HasPrefix(before, after) {
		r.t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	r.holds("tests", "systemctl is-active worker vswitch; systemctl --failed --no-legend; ls /etc/odoogen/.[a-z]* /var/lib/odoogen/{armed,owed,lease} 2>/dev/null || true", "active\nactive")
	r.comes("tests", sites, "201 000")
	r.holds("tests", "curl -s -o /dev/null -w %{http_code} http://127.0.0.1:8080", "200")
	r.on("tests", "sed -i '/Authorized/d' /etc/odoogen/generations/0/etc/ssh/sshd_config.d/10-odoogen.conf")
}

func found(r *rig) {
	before := r.theirs()
	plan := r.run(1, change{}, "rollback", "tests", "0")
	for _, want := range []string{"tests: #3 ", "becomes as found (#0)", "then stop worker.service\n", "then reload nginx.service\n", "packages, clusters, databases"} {
		if !strings.Contains(plan, want) || strings.Contains(plan, "stop nginx") {
			r.t.Errorf("the plan has no %q, or stops nginx:\n%s", want, plan)
		}
	}
	r.run(Applied, change{}, "rollback", "tests", "0", "--yes")
	asFound := func() {
		r.t.Helper()
		r.comes("tests", sites, "201 202")
		r.holds("tests", "ls -d /etc/odoogen/current /usr/local/lib/systemd/system /var/lib/odoogen/armed /etc/odoogen/.[a-z]* 2>/dev/null; readlink /etc/nginx/sites-enabled/default; cat /etc/ssh/sshd_config.d/10-odoogen.conf; systemctl is-active worker nginx theirs postgresql@15-theirs; systemctl --failed --no-legend",
			"/etc/nginx/sites-available/default\n# theirs\nX11Forwarding no\ninactive\nactive\nactive\nactive")
	}
	asFound()
	if after := r.theirs(); after != before {
		r.t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	if said := r.run(1, change{}, "status", "tests"); !strings.Contains(said, "tests: as found (#0)") {
		r.t.Errorf("status: %s", said)
	}
	if said := r.run(0, change{}, "drift", "tests"); !strings.Contains(said, "tests: as it was found: no push stands there\n") {
		r.t.Errorf("drift: %s", said)
	}
	r.powerCycle("tests")
	asFound()
	if said := r.run(2, change{}, "plan", "tests"); !strings.Contains(said, "tests: as found (#0), becomes ") || strings.Contains(said, "install:") {
		r.t.Errorf("plan: %s", said)
	}
	r.push(Applied, change{}, "tests")
	r.comes("tests", sites, "201 000")
}

func (r *rig) powerCycle(host string) {
	r.t.Helper()
	if err := r.PowerOff(r.t.Context(), host); err != nil {
		r.t.Fatal(err)
	}
	if err := r.PowerOn(r.t.Context(), host); err != nil {
		r.t.Fatal(err)
	}
}

// foundElsewhere takes back ci, whose private address goes with the generation, and whose public ssh the generation has
// closed.
func foundElsewhere(r *rig) {
	r.run(Applied, change{}, "rollback", "ci", "0", "--yes")
	r.holds("ci", "systemctl is-active worker firewall vswitch; ip -4 -o address show dev vsw0 | wc -l; nft list tables", "inactive\ninactive\ninactive\n0")
	r.push(Applied, change{})
}

func byHand(r *rig) {
	r.holds("tests", "{ echo x >>/etc/odoogen/current/readme; } 2>/dev/null || echo refused", "refused")
	r.on("tests", `set -e
		chattr -R -i /etc/odoogen/generations/*-*
		cd /etc/odoogen/current
		cp nginx/site.conf nginx/.site.swp; echo '# editor' >>nginx/.site.swp; mv nginx/.site.swp nginx/site.conf
		sed -i 's/sleep infinity/sleep 99999/' systemd/system/worker.service
		echo 'PermitTTY no' >ssh/odoogen.conf
		echo '# more' >>systemd/system/vswitch.service
		chmod 666 readme
		chown theirs systemd/system/odoogen.target 2>/dev/null || chown 1 systemd/system/odoogen.target
		echo 'server { listen 8092; }' >nginx/strange.conf
		echo '# more' >>/etc/ssh/sshd_config.d/10-odoogen.conf
		printf '#!/bin/sh\nfor last; do :; done\nprintf "[Service]\\nNice=3\\n" >"$last"\n' >/run/editor; chmod +x /run/editor
		SYSTEMD_EDITOR=/run/editor script -qec 'systemctl edit worker.service' /dev/null
		systemctl set-property nginx.service CPUWeight=50
		systemctl disable nginx.service
		systemctl enable theirs.service
		systemctl stop vswitch.service`)
	drift := r.run(2, change{}, "drift", "tests")
	want := []string{"nginx/site.conf", "nginx/strange.conf", "readme", "ssh/odoogen.conf", "systemd/system/odoogen.target",
		"systemd/system/vswitch.service", "systemd/system/worker.service", "/etc/ssh/sshd_config.d/10-odoogen.conf",
		"stopped vswitch.service", "disabled nginx.service (stays)",
		"override /etc/systemd/system.control/nginx.service.d/50-CPUWeight.conf (stays)", "override /etc/systemd/system/worker.service.d/override.conf (stays)"}
	var lines string
	slices.Sort(want)
	for _, w := range want {
		lines += "tests: " + w + "\n"
	}
	got := strings.Split(strings.TrimSpace(onlyResults(drift)), "\n")
	slices.Sort(got)
	if strings.Join(got, "\n")+"\n" != lines {
		r.t.Errorf("drift:\n%s\nwant\n%s", strings.Join(got, "\n"), lines)
	}
	before := r.on("tests", "cd /etc/odoogen/current; cat */*.conf systemd/system/*.service | sha256sum")
	said := r.push(Failed, change{"tests/readme": "more\n"}, "tests")
	if !strings.Contains(said, "tests: changed by hand: nginx/site.conf, nginx/strange.conf, readme, ") || !strings.Contains(said, "by hand, and stays: override /etc/systemd/system/worker") {
		r.t.Errorf("said:\n%s", said)
	}
	r.holds("tests", "cd /etc/odoogen/current; cat */*.conf systemd/system/*.service | sha256sum", before)
	r.on("tests", "systemctl mask --now worker.service")
	if said := r.push(Failed, change{}, "tests", "--overwrite-drift"); !strings.Contains(said, "tests: masked by hand: worker.service") {
		r.t.Errorf("said:\n%s", said)
	}
	r.on("tests", "systemctl unmask worker.service")
	r.push(Applied, change{}, "tests", "--overwrite-drift")
	r.holds("tests", "systemctl is-active worker vswitch nginx; systemctl show --value --property=Nice worker; cat /etc/systemd/system.control/nginx.service.d/*", "active\nactive\nactive\n3\n"+setProperty("CPUWeight=50"))
	r.on("tests", "systemctl revert worker.service nginx.service; systemctl restart worker.service")
	if said := r.run(0, change{}, "drift", "tests"); !strings.Contains(said, "tests: as it was pushed") {
		r.t.Errorf("drift after it: %s", said)
	}
	// What was masked when the host booted was never started, and does not run once it is unmasked. systemd says of it, as of one
	// whose condition does not hold, that this is its ConditionResult.
	r.on("tests", "systemctl mask worker.service")
	r.must(r.PowerOff(r.t.Context(), "tests"))
	r.must(r.PowerOn(r.t.Context(), "tests"))
	if said := r.run(Failed, change{}, "status", "tests"); !strings.Contains(said, "worker.service is not up") {
		r.t.Errorf("status of a masked unit: %s", said)
	}
	r.on("tests", "systemctl unmask worker.service; systemctl enable nginx.service")
	if said := r.run(2, change{}, "drift", "tests"); !strings.Contains(said, "tests: stopped worker.service\n") || !strings.Contains(said, "tests: enabled nginx.service (stays)\n") {
		r.t.Errorf("drift after a boot: %s", said)
	}
	r.holds("tests", "odoogen-host status | grep worker", "by hand: stopped worker.service\nnot active: worker.service")
	r.push(Applied, change{}, "tests", "--overwrite-drift")
	r.holds("tests", "systemctl is-active worker", "active")
}

// setProperty is the file that systemctl set-property leaves.
func setProperty(line string) string {
	return "# This is a drop-in unit file extension, created via \"systemctl set-property\"\n# or an equivalent operation. Do not edit.\n[Service]\n" + line
}

// onlyResults leaves out what went to stderr: steps and refusals.
func onlyResults(said string) string {
	var all []string
	for line := range strings.Lines(said) {
		if strings.HasPrefix(line, "tests: ") {
			all = append(all, line)
		}
	}
	return strings.Join(all, "")
}

func nightly(r *rig) {
	r.on("tests", "odoogen-host freeze the auditors look")
	if said := r.push(Failed, change{"tests/readme": "frozen\n"}, "tests"); !strings.Contains(said, ": the auditors look\nhint: odoogen-host unlock") {
		r.t.Errorf("said:\n%s", said)
	}
	r.holds("tests", "odoogen-host status | sed 's/since .*Z/since T/'", r.on("tests", "readlink /etc/odoogen/current | sed 's,.*/,,'")+", confirmed\nfrozen since T the auditors look")
	r.on("tests", "odoogen-host unlock")
	r.cut(os.Kill, "tests: flipped", change{"tests/readme": "kept\n"}, "tests", "--revert-after", "2m")
	r.holds("tests", "odoogen-host status | sed -n 's/.*not confirmed: goes back.*/armed/p'; odoogen-host rollback 2>&1 | sed 's/;.*//'; odoogen-host unlock 2>&1 | sed 's/:.*//'",
		"armed\na push waits for its confirmation\na push waits for its confirmation")
	r.on("tests", "odoogen-host confirm")
	r.holds("tests", "grep kept /etc/odoogen/current/readme; odoogen-host status | sed 's/.*, //'; odoogen-host ledger | tail -n 1 | cut -f 3-", "kept\nconfirmed\nconfirmed\tby hand on the host")
	r.cut(os.Kill, "tests: flipped", change{"tests/readme": "not kept\n"}, "tests", "--revert-after", "2m")
	r.on("tests", "odoogen-host revert")
	r.holds("tests", "grep kept /etc/odoogen/current/readme; odoogen-host status | sed 's/.*, //'", "kept\nconfirmed")
	r.on("tests", "odoogen-host rollback 0")
	r.comes("tests", sites, "201 202")
	r.holds("tests", "odoogen-host status; systemctl is-active worker nginx theirs || true", "as it was found: nothing of odoogen runs here\ninactive\nactive\nactive")
	r.on("tests", "odoogen-host rollback")
	r.comes("tests", sites, "201 000")
	r.holds("tests", "grep kept /etc/odoogen/current/readme; systemctl is-active worker nginx theirs; systemctl --failed --no-legend", "kept\nactive\nactive\nactive")
	r.holds("tests", "odoogen-host help | head -n 1; odoogen-host nonsense >/dev/null 2>&1 || echo $?", "usage: odoogen-host COMMAND, as root. It needs no network and no odoogen elsewhere.\n64")
	r.push(Applied, change{})
}

func ejected(r *rig) {
	before := r.theirs() + r.started("tests", "worker", "vswitch")
	r.run(Applied, change{}, "eject", "tests", "--yes")
	if said := r.run(Applied, change{}, "eject", "tests", "--yes"); !strings.Contains(said, "tests: ejected, nothing to do") {
		r.t.Errorf("once more: %s", said)
	}
	if after := r.theirs() + r.started("tests", "worker", "vswitch"); after != before {
		r.t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	plain := func() {
		r.t.Helper()
		r.comes("tests", sites, "201 000")
		r.holds("tests", `stat -c %F /etc/odoogen/current /usr/local/lib/systemd/system /usr/local/lib/systemd/system/worker.service
			echo '# mine' >>/usr/local/lib/systemd/system/worker.service && sed -i '/mine/d' /etc/odoogen/current/systemd/system/worker.service
			ls -d /etc/odoogen/{confirmed,.[a-z]*,doors,found} /etc/systemd/system/odoogen-boot* /var/lib/odoogen/lease 2>/dev/null
			curl -s -o /dev/null -w '%{http_code}\n' http://127.0.0.1:8080; nginx -t -q && sshd -t; systemctl is-active worker vswitch nginx theirs
			systemctl --failed --no-legend; odoogen-host status | sed 's/:.*//'`,
			"directory\ndirectory\nregular file\n200\nactive\nactive\nactive\nactive\nejected")
	}
	plain()
	r.powerCycle("tests")
	plain()
	if said := r.run(Applied, change{}, "status", "tests"); !strings.Contains(said, "tests: ejected, all 5 probes pass\n") {
		r.t.Errorf("status: %s", said)
	}
	started := r.theirs() + r.started("tests", "worker", "vswitch")
	if said := r.run(2, change{}, "plan", "tests"); !strings.Contains(said, "tests: ejected, becomes") || strings.Contains(said, "restart") {
		r.t.Errorf("plan: %s", said)
	}
	r.push(Applied, change{}, "tests")
	if after := r.theirs() + r.started("tests", "worker", "vswitch"); after != started {
		r.t.Errorf("before it was adopted:\n%s\nafter:\n%s", started, after)
	}
	r.holds("tests", "readlink /usr/local/lib/systemd/system; ls /etc/odoogen/generations/0/usr/local/lib/systemd/system/worker.service", "/etc/odoogen/current/systemd/system\n/etc/odoogen/generations/0/usr/local/lib/systemd/system/worker.service")
	r.run(Applied, change{}, "rollback", "tests", "0", "--yes")
	r.holds("tests", "stat -c %F /etc/odoogen/current /usr/local/lib/systemd/system; curl -s -o /dev/null -w '%{http_code}\\n' http://127.0.0.1:8080; odoogen-host status | sed 's/:.*//'",
		"directory\ndirectory\n200\nejected")
	if after := r.theirs(); !strings.HasPrefix(started, after) {
		r.t.Errorf("before it was ejected again:\n%s\nafter:\n%s", started, after)
	}
	r.push(Applied, change{})
}

package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestLab boots the hosts once and shows, one after the other, what they can do.
func TestLab(t *testing.T) {
	if Missing() != nil {
		return
	}
	r := up(t, Options{})
	for _, step := range []struct {
		name string
		run  func(t *testing.T, r rig)
	}{
		{"hosts are bare Debian with a systemd of their own", hostsAreBare},
		{"ssh reaches a bare host from everywhere", sshReaches},
		{"limits are enforced", limitsAreEnforced},
		{"a cut cable cuts one side alone", cutCable},
		{"a power cut keeps the disk and loses the memory", powerCut},
		{"a host reboots when asked to inside", reboot},
		{"disks are saved and restored", disks},
		{"packages install from Debian's and a vendor's archive", packagesInstall},
		{"the box takes files over sftp and gives no shell", boxTakesFiles},
		{"git servers hand out the stand-ins, and take nothing", gitServes},
		{"pip installs what is pinned", pipInstalls},
		{"certificates are issued to those who have the name", certificatesAreIssued},
		{"pings, logs and metrics arrive", pingsArrive},
		{"a second up leaves the lab as it is, and teaches its DNS", secondUp},
	} {
		t.Run(step.name, func(t *testing.T) { step.run(t, rig{r.Lab, t}) })
	}
}

func hostsAreBare(t *testing.T, r rig) {
	if got := r.on("tests", "cat /proc/1/comm; hostname; hostname -f; . /etc/os-release; echo $VERSION_ID; systemctl is-system-running"); got != "systemd\ntests\ntests.internal\n12\nrunning" {
		t.Errorf("tests is not what was asked for:\n%s", got)
	}
	if got := r.on("tests", "ls /usr/sbin/nginx /usr/sbin/nft /usr/bin/curl /etc/odoogen 2>/dev/null || true"); got != "" {
		t.Errorf("tests is not bare: it has %s", got)
	}
	if got := r.on("ci", "ip -o -4 address show dev enp41s0 | awk '{print $4}'; cat /sys/class/net/vsw0/mtu; ip -o -4 address show dev vsw0"); got != "203.0.113.20/32\n1400" {
		t.Errorf("ci's interfaces: %s", got)
	}
}

func sshReaches(t *testing.T, r rig) {
	for _, position := range []string{Office, VPN, Stranger} {
		if out, err := r.ssh(position, "ci", "203.0.113.20", "echo $SSH_CONNECTION"); err != nil || !strings.HasSuffix(out, "203.0.113.20 22") {
			t.Errorf("from %s: %v: %s", position, err, out)
		}
	}
	out, err := r.ssh(Office, "tests", "203.0.113.10", "echo $SSH_CONNECTION")
	if err != nil || !strings.HasPrefix(out, "198.51.100.1 ") {
		t.Errorf("the office is not at the whitelist's address: %v: %s", err, out)
	}
	if out, err := r.ssh(Office, "tests", "203.0.113.20", "true"); err == nil || !strings.Contains(out, "HOST IDENTIFICATION HAS CHANGED") && !strings.Contains(out, "verification failed") {
		t.Errorf("ci was taken for tests: %v: %s", err, out)
	}
	if out, err := r.ssh(Office, "tests", "10.0.0.2", "true"); err == nil || !strings.Contains(out, "No route to host") {
		t.Errorf("the office is on the private network: %v: %s", err, out)
	}
}

// limitsAreEnforced measures: a fifth of a processor for two seconds, and more memory than there is.
func limitsAreEnforced(t *testing.T, r rig) {
	out, _ := r.try("tests", `systemd-run --quiet --wait --pipe -p CPUQuota=20% timeout 2 perl -e '
		$SIG{TERM} = sub { printf "%.2f", (times)[0] + (times)[1]; exit }; 1 while 1'`)
	used, err := strconv.ParseFloat(out, 64)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if used > 0.6 || used < 0.02 {
		t.Errorf("CPUQuota=20%% let 2 s of work use %.2f s of CPU; want about 0.4", used)
	}
	t.Logf("CPUQuota=20%%: %.2f s of CPU in 2 s", used)
	hungry := `systemd-run --quiet --wait --pipe -p MemoryMax=%s perl -e 'my $x = ""; vec($x, 200 << 20, 8) = 1; print length $x'`
	if out := r.on("tests", fmt.Sprintf(hungry, "400M")); out != fmt.Sprint(200<<20+1) {
		t.Errorf("200 MB below MemoryMax=400M: %s", out)
	}
	if out, err := r.try("tests", fmt.Sprintf(hungry, "50M")); err == nil {
		t.Errorf("MemoryMax=50M let a program have 200 MB: %s", out)
	}
	if out, err := r.try("tests", "sysctl -q -w net.ipv4.tcp_syncookies=1"); err != nil {
		t.Errorf("network settings cannot be written: %s", out)
	}
}

func cutCable(t *testing.T, r rig) {
	for host, address := range map[string]string{"tests": "10.0.0.2/24", "ci": "10.0.0.3/24"} {
		r.on(host, "ip link set vsw0 up && ip address add "+address+" dev vsw0")
	}
	const dial = "timeout 1 bash -c '</dev/tcp/%s/22'"
	private := func() error { _, err := r.from(VPN, "sh", "-c", fmt.Sprintf(dial, "10.0.0.2")); return err }
	public := func() error { _, err := r.from(Office, "sh", "-c", fmt.Sprintf(dial, "203.0.113.10")); return err }
	peer := func() error { _, err := r.try("ci", fmt.Sprintf(dial, "10.0.0.2")); return err }
	want := func(when string, wantPrivate, wantPublic bool) {
		t.Helper()
		for _, way := range []struct {
			name   string
			reach  func() error
			wanted bool
		}{{"private", private, wantPrivate}, {"the peer", peer, wantPrivate}, {"public", public, wantPublic}} {
			err := way.reach()
			for deadline := time.Now().Add(30 * time.Second); way.wanted && err != nil && time.Now().Before(deadline); {
				err = way.reach() // a second is short on a busy machine
			}
			if got := err == nil; got != way.wanted {
				t.Errorf("%s: %s reaches: %v (%v)", when, way.name, got, err)
			}
		}
	}
	change := func(do func(context.Context, string, ...string) error, sides ...string) {
		t.Helper()
		if err := do(t.Context(), "tests", sides...); err != nil {
			t.Fatal(err)
		}
	}
	want("all plugged", true, true)
	change(r.Cut, Private)
	want("private cut", false, true)
	change(r.Cut, Public)
	change(r.Heal, Private)
	want("public cut", true, false)
	change(r.Heal, Public)
	want("healed", true, true)
}

func powerCut(t *testing.T, r rig) {
	before := r.on("tests", "echo kept >/root/disk; sync; echo lost >/run/memory; cat /proc/sys/kernel/random/boot_id >/dev/null; ip route add blackhole 192.0.2.99; cat /sys/class/net/enp41s0/address")
	if err := r.PowerOff(t.Context(), "tests"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Console(t.Context(), "tests", nil); err == nil || !strings.Contains(err.Error(), "tests is off") {
		t.Errorf("the power is off, but: %v", err)
	}
	if out := r.on("ci", "cat /proc/1/comm"); out != "systemd" {
		t.Errorf("ci went off as well: %s", out)
	}
	if err := r.PowerOn(t.Context(), "tests"); err != nil {
		t.Fatal(err)
	}
	if got := r.on("tests", "cat /root/disk; ls /run/memory 2>/dev/null; ip route show 192.0.2.99; cat /sys/class/net/enp41s0/address"); got != "kept\n"+before {
		t.Errorf("after the power cut: %s", got)
	}
	limitsAreEnforced(t, r)
	// Whose address stays is found where it was: who still knew another MAC would ask in vain until it gives that up.
	if out, err := r.from(Stranger, "sh", "-c", "getent hosts anything.example.com && ip neigh show "+worldAddress); err != nil || !strings.Contains(out, " lladdr "+macOf(worldAddress)+" ") {
		t.Errorf("the outside world is elsewhere since a host was booted: %v: %s", err, out)
	}
}

func reboot(t *testing.T, r rig) {
	boots := func() HostStatus {
		s, err := r.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		h, err := s.host("ci")
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	before := boots()
	_, _ = r.try("ci", "systemctl reboot")
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if now := boots(); now.Boots == before.Boots+1 && now.State == running {
			return
		}
	}
	t.Errorf("ci did not come back: %+v", boots())
}

func disks(t *testing.T, r rig) {
	r.on("ci", "echo before >/root/saved")
	if err := r.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got := r.on("ci", "cat /root/saved; ls /root/later 2>/dev/null || true; rm /root/saved; echo after >/root/later"); got != "before" {
			t.Errorf("not the disk that was saved: %s", got)
		}
		if err := r.Restore(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func packagesInstall(t *testing.T, r rig) {
	r.on("tests", "apt-get -qq update && apt-get -qq install --no-install-recommends curl certbot restic")
	// As push does it: the key by https, its fingerprint checked, then the vendor's signed archive.
	o, err := r.Overlay()
	if err != nil {
		t.Fatal(err)
	}
	r.on("tests", "mkdir -p /etc/apt/keyrings && curl -fsS https://apt.grafana.com/gpg.key -o /etc/apt/keyrings/odoogen-grafana.asc")
	r.on("tests", "echo 'deb [signed-by=/etc/apt/keyrings/odoogen-grafana.asc] https://apt.grafana.com stable main' >/etc/apt/sources.list.d/grafana.list")
	r.on("tests", "apt-get -qq install gpg --no-install-recommends || true; apt-get -qq update && apt-get -qq install alloy && systemctl start alloy")
	if got := r.on("tests", "dpkg-query -f '${Version}' -W alloy; echo; for n in 1 2 3 4 5 6 7 8 9; do curl -fs http://127.0.0.1:12345/ && break; sleep 0.2; done"); got != "1.0~standin\nthe lab's stand-in for Alloy is ready." {
		t.Errorf("alloy: %s", got)
	}
	if len(o.Vendors["grafana"]) != 40 {
		t.Errorf("the overlay does not name the fingerprint of grafana's key: %+v", o)
	}
	const url = "https://github.com/wkhtmltopdf/wkhtmltox.deb"
	if got := r.on("tests", "curl -fsSL "+url+" | sha256sum"); got != o.Downloads[url]+"  -" {
		t.Errorf("%s is %s; the overlay says %s", url, got, o.Downloads[url])
	}
}

func boxTakesFiles(t *testing.T, r rig) {
	r.on("tests", "ssh-keygen -q -t ed25519 -N '' -f ~root/.ssh/id_ed25519")
	o, err := r.Overlay()
	if err != nil {
		t.Fatal(err)
	}
	r.on("tests", "echo '[u7.your-storagebox.de]:23 "+o.Box+"' >~root/.ssh/known_hosts")
	if got := r.on("tests", `export RESTIC_PASSWORD=x RESTIC_REPOSITORY=sftp://u7@u7.your-storagebox.de:23/restic
		restic -q init && restic -q backup /etc/hostname && restic -q check && restic snapshots --json | grep -c '"/etc/hostname"'`); got != "1" {
		t.Errorf("restic: %s", got)
	}
	if out, err := r.try("tests", "ssh -p 23 u7@u7.your-storagebox.de id"); err == nil || !strings.Contains(out, "sftp connections only") {
		t.Errorf("the box gives a shell: %v: %s", err, out)
	}
}

func gitServes(t *testing.T, r rig) {
	o, err := r.Overlay()
	if err != nil {
		t.Fatal(err)
	}
	r.on("ci", "apt-get -qq update && apt-get -qq install --no-install-recommends git && ssh-keygen -q -t ed25519 -N '' -f ~root/.ssh/id_ed25519")
	r.on("ci", "printf '%s "+o.Box+"\\n' git.example.com '[git.example.com]:2222' >~root/.ssh/known_hosts")
	for name, address := range map[string]string{"addons17": "git@git.example.com:odoo/addons.git", "addons19": "ssh://git@git.example.com:2222/odoo/addons.git",
		"odoo17": "https://github.com/odoo/odoo.git", "odoo19": "https://github.com/odoo/odoo.git"} {
		branch := name[len(name)-2:] + ".0"
		if got := r.on("ci", "git clone -q --branch "+branch+" "+address+" /srv/"+name+" && git -C /srv/"+name+" rev-parse HEAD"); got != o.Revs[name] {
			t.Errorf("%s is %s; the overlay says %s", name, got, o.Revs[name])
		}
	}
	if got := r.on("ci", "cd /srv && ls odoo17/addons odoo19/odoo/addons addons17 addons19/own && test -x odoo17/odoo-bin && cat odoo19/odoo/release.py | head -n 1"); got !=
		"addons17:\nREADME.md\naddons17_stand_in\n\naddons19/own:\naddons19_stand_in\n\nodoo17/addons:\nsale\nweb\n\nodoo19/odoo/addons:\nbase\n"+
			"version_info = (19, 0, 0, 'final', 0, '')" {
		t.Errorf("the repositories hold:\n%s", got)
	}
	for _, name := range []string{"addons17", "odoo17"} {
		if out, err := r.try("ci", "git -C /srv/"+name+" push origin HEAD:refs/heads/other"); err == nil {
			t.Errorf("%s was pushed to: %s", name, out)
		}
	}
	if out, err := r.try("ci", "ssh git@git.example.com cat /etc/passwd"); err == nil || !strings.Contains(out, "for reading") {
		t.Errorf("the git server gives a shell: %v: %s", err, out)
	}
}

func pipInstalls(t *testing.T, r rig) {
	r.on("tests", "apt-get -qq install --no-install-recommends python3-venv python3-pip && python3 -m venv --system-site-packages --without-pip /opt/venv")
	r.on("tests", "/opt/venv/bin/python -m pip install -q --no-input --no-deps phonenumbers==8.13.50 'Google.Auth[requests]==2.0'")
	if got := r.on("tests", "/opt/venv/bin/python -c 'import phonenumbers, google_auth; print(phonenumbers.__doc__, google_auth.__doc__)'"); got !=
		"The lab's stand-in for phonenumbers 8.13.50. The lab's stand-in for Google.Auth 2.0." {
		t.Errorf("installed: %s", got)
	}
	if out, err := r.try("tests", "/opt/venv/bin/python -m pip install -q phonenumbers==1.0"); err == nil || !strings.Contains(out, "8.13.50") {
		t.Errorf("what nobody pins was installed: %v: %s", err, out)
	}
}

func certificatesAreIssued(t *testing.T, r rig) {
	const issue = "certbot certonly -n --agree-tos -m ops@example.com --standalone -d %s 2>&1"
	if out, err := r.try("tests", fmt.Sprintf(issue, "qa17.example.com")); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got := r.on("tests", "openssl verify -CAfile /etc/ssl/certs/ca-certificates.crt -untrusted /etc/letsencrypt/live/qa17.example.com/chain.pem /etc/letsencrypt/live/qa17.example.com/cert.pem"); !strings.HasSuffix(got, ": OK") {
		t.Errorf("the hosts do not trust what was issued: %s", got)
	}
	if out, err := r.try("tests", fmt.Sprintf(issue, "somebody-else.example.com")); err == nil {
		t.Errorf("a certificate was issued for a name that is not the host's: %s", out)
	}
}

func pingsArrive(t *testing.T, r rig) {
	r.on("tests", "curl -fsS -d ok https://hc-ping.com/key/backup-qa17/start")
	r.on("tests", `curl -fsS -H 'Content-Type: application/json' -d '{"streams": []}' https://logs-prod-eu-west-0.grafana.net/loki/api/v1/push`)
	// Prometheus itself judges what is pushed as metrics: this is none.
	if out, err := r.try("tests", "curl -fsS -H 'X-Prometheus-Remote-Write-Version: 0.1.0' -d garbage https://prometheus.grafana.net/api/prom/push"); err == nil || !strings.Contains(out, "400") {
		t.Errorf("garbage was taken for metrics: %v: %s", err, out)
	}
	all, err := r.Received()
	if err != nil {
		t.Fatal(err)
	}
	got := []string{}
	for _, x := range all {
		got = append(got, x.From+" "+x.Method+" "+x.URL+" "+x.Body)
	}
	if diff := cmp.Diff([]string{
		"203.0.113.10 POST https://hc-ping.com/key/backup-qa17/start ok",
		`203.0.113.10 POST https://logs-prod-eu-west-0.grafana.net/loki/api/v1/push {"streams": []}`,
		"203.0.113.10 POST https://prometheus.grafana.net/api/prom/push garbage",
	}, got); diff != "" {
		t.Errorf("received (-want +got):\n%s", diff)
	}
	if out, err := r.from(Office, "cat", "/etc/resolv.conf"); err != nil || out != "nameserver "+worldAddress {
		t.Errorf("the operator's names are not the lab's: %v: %s", err, out)
	}
}

func secondUp(t *testing.T, r rig) {
	before, err := r.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	trees := sample(t)
	trees[1].Files = append(trees[1].Files, file("nginx/sites/qa18.conf", "server {\n\tserver_name qa18.example.com;\n}\n"))
	after, err := r.Up(t.Context(), Options{Trees: trees, Say: func(string) {}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("the second up changed the lab:\n%s", diff)
	}
	if out, err := r.from(Office, "getent", "hosts", "qa18.example.com"); err != nil || !strings.HasPrefix(out, "203.0.113.10 ") {
		t.Errorf("DNS has not learned the name of a site that was added: %v: %s", err, out)
	}
}

func TestConfig(t *testing.T) {
	c, err := newConfig("/envs", sample(t), []string{"198.51.100.0/28", "203.0.113.20"}, false, false)
	if err != nil {
		t.Fatal(err)
	}
	c.Hosts = nil
	got, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"id":"` + keyOf("/envs") + `","spec":"/envs","hosts":null,"images":{},"pools":{},"memory":false,"office":"198.51.100.1",` +
		`"vpn":"198.51.100.2","privateVPN":"10.0.0.254/24","private":"10.0.0.0/24","names":{"ci.internal":"10.0.0.3",` +
		`"qa17.example.com":"203.0.113.10","tests.internal":"10.0.0.2"},"box":{"user":"u7","host":"u7.your-storagebox.de","port":"23","path":"/restic"},"repositories":[` +
		`{"name":"addons17","branch":"17.0","path":"odoo/addons.git","port":"22","user":"git","folders":[""]},` +
		`{"name":"addons19","branch":"19.0","path":"odoo/addons.git","port":"2222","user":"git","folders":["own"]},` +
		`{"name":"odoo17","branch":"17.0","path":"odoo/odoo.git","folders":["addons","odoo/addons"],"odoo":17,"modules":["sale"]},` +
		`{"name":"odoo19","branch":"19.0","path":"odoo/odoo.git","folders":["addons","odoo/addons"],"odoo":19}],` +
		`"pins":["Google.Auth[requests]==2.0","phonenumbers==8.13.50"]}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
	if _, err := newConfig("/envs", nil, nil, false, false); err == nil {
		t.Error("a lab without hosts was taken")
	}
}

func TestMissing(t *testing.T) {
	got := missing("# a comment\ncoreutils /bin/true\nno-such /no/such\nno-such /no/such-either\nother /nor/this\n")
	want := "the lab misses /no/such, /no/such-either, /nor/this\nhint: apt-get install no-such other"
	if got == nil || got.Error() != want {
		t.Errorf("got %v, want %s", got, want)
	}
	if err := missing("coreutils /bin/true\n"); err != nil {
		t.Error(err)
	}
}

// Pools of two Debian releases build the same stand-ins, which the overlay then pins once.
func TestStandInsAreReproducible(t *testing.T) {
	var sums []string
	for range 2 {
		d, err := standIn(t.Context(), t.TempDir(), "jenkins", "2.568.*")
		if err != nil {
			t.Fatal(err)
		}
		sum, _, err := digest(d.file)
		if err != nil {
			t.Fatal(err)
		}
		if field(d.stanza, "Version") != "2.568.0~standin" {
			t.Errorf("the version does not match its pin: %s", d.stanza)
		}
		sums = append(sums, sum)
		time.Sleep(1100 * time.Millisecond) // package files have whole seconds
	}
	if sums[0] != sums[1] {
		t.Errorf("two builds differ: %v", sums)
	}
}

// The commits are the same on every machine and day, so that a rehearsal can be compared with another.
func TestRepositoriesAreReproducible(t *testing.T) {
	all, err := repositoriesIn(sample(t))
	if err != nil {
		t.Fatal(err)
	}
	a, err := makeRepositories(t.Context(), t.TempDir(), all)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GIT_AUTHOR_NAME", "somebody")
	t.Setenv("GIT_COMMITTER_DATE", "2020-01-01T00:00:00Z")
	b, err := makeRepositories(t.Context(), t.TempDir(), all)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(a, b); diff != "" || len(a) != 4 {
		t.Errorf("two makings differ:\n%s", diff)
	}
}

func TestRepositoryAddresses(t *testing.T) {
	for address, want := range map[string]string{
		"https://github.com/OCA/web.git":            "OCA/web.git",
		"git@github.com:odoo/enterprise.git":        "git:22:odoo/enterprise.git",
		"ssh://anna@git.example.com/srv/x.git":      "anna:22:srv/x.git",
		"ssh://git@git.example.com:2222/team/x.git": "git:2222:team/x.git",
		"https://git.example.com/../../etc/passwd":  "cannot serve",
		"git@git.example.com:../../etc/passwd":      "cannot serve",
		"https://git.example.com/":                  "cannot serve",
	} {
		r := &Repository{Name: "x"}
		got := ""
		if err := r.address(address); err != nil {
			got = err.Error()
		} else if got = r.Path; r.User != "" {
			got = r.User + ":" + r.Port + ":" + r.Path
		}
		if got != want && !(want == "cannot serve" && strings.Contains(got, want)) {
			t.Errorf("%s is %s, want %s", address, got, want)
		}
	}
}

// The scripts that lab hosts get are in order, as those that ship are.
func TestScripts(t *testing.T) {
	scripts := []string{"vlanless", "read-git"}
	err := fs.WalkDir(standin, "standin", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			if data, _ := standin.ReadFile(path); bytes.HasPrefix(data, []byte("#!/bin/sh")) {
				scripts = append(scripts, path)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("shellcheck", scripts...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

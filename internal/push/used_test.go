package push

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"odoogen/internal/artifact"
	"odoogen/internal/lab"
)

// TestUsedHost pushes to a host on which somebody else's nginx, PostgreSQL and units run, and shows how one gets rid of
// odoogen again.
func TestUsedHost(t *testing.T) {
	if lab.Missing() != nil {
		return
	}
	r := newRig(t)
	for _, step := range []struct {
		name string
		run  func(*rig)
	}{
		{"a push leaves alone what runs, and sets aside what is in its way", used},
		{"generation 0 that would lock everybody out is not kept", foundLockedOut},
		{"a host becomes again what it was found as", found},
		{"so does one that is then reached another way", foundElsewhere},
	} {
		if !t.Run(step.name, func(t *testing.T) { one := *r; one.t = t; step.run(&one) }) {
			break // each stands on those before it
		}
	}
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

// theirs are the units of somebody else on tests, by when they were started.
func (r *rig) theirs() string {
	r.t.Helper()
	return r.started("tests", "nginx", "theirs", "postgresql@15-theirs")
}

const sites = `for port in 8090 8091; do curl -s -o /dev/null -w '%{http_code} ' http://127.0.0.1:$port; done`

func used(r *rig) {
	r.on("tests", `export DEBIAN_FRONTEND=noninteractive
		apt-get -q update && apt-get -q -y install --no-install-recommends nginx-light curl postgresql-15
		pg_dropcluster --stop 15 main && pg_createcluster 15 theirs --port 5499 --start
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
	r.holds("tests", sites, "201 000") // the second was in the way
	r.holds("tests", "cat /etc/odoogen/generations/0/etc/nginx/conf.d/odoogen.conf", "server { listen 8091; return 202; }")
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
	r.sameAs(r.current("tests") + r.current("ci"))
	r.holds("tests", sites, "201 000")
	r.holds("tests", "curl -s -o /dev/null -w %{http_code} http://127.0.0.1:8080", "200")
	r.on("tests", "sed -i '/Authorized/d' /etc/odoogen/generations/0/etc/ssh/sshd_config.d/10-odoogen.conf")
}

func found(r *rig) {
	before := r.theirs()
	plan := r.run(1, change{}, "rollback", "tests", "0")
	for _, want := range []string{"tests: #1 ", "becomes as found (#0)", "then stop worker.service\n", "then reload nginx.service\n", "packages, clusters, databases"} {
		if !strings.Contains(plan, want) || strings.Contains(plan, "stop nginx") {
			r.t.Errorf("the plan has no %q, or stops nginx:\n%s", want, plan)
		}
	}
	r.run(Applied, change{}, "rollback", "tests", "0", "--yes")
	asFound := func() {
		r.t.Helper()
		r.holds("tests", sites, "201 202")
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
	r.powerCycle("tests")
	asFound()
	if said := r.run(2, change{}, "plan", "tests"); !strings.Contains(said, "tests: as found (#0), becomes ") || strings.Contains(said, "install:") {
		r.t.Errorf("plan: %s", said)
	}
	r.push(Applied, change{}, "tests")
	r.holds("tests", sites, "201 000")
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

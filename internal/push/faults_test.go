package push

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"odoogen/internal/evidence"
	"odoogen/internal/lab"
)

// point is where in a push a fault strikes: when the push is about to ask tests for a verb, or has said something.
type point struct {
	after string // as docs/push.md names it
	verb  string // the verb that comes next
	nth   int    // of its calls
	said  string // or what the push says when it is there

	installs bool // the push brings packages and a cluster, too
}

var points = []point{
	{after: "observe", verb: "lease", nth: 1}, // the first observation makes the connection, and is "keep-open observe"
	{after: "lease", verb: "stage", nth: 1},   // which has answered what the host is; the plan is the pusher's own
	{after: "stage", verb: "check", nth: 1},
	{after: "packages", verb: "clusters", nth: 1, installs: true},
	{after: "clusters", verb: "check", nth: 1, installs: true},
	{after: "check", verb: "turn", nth: 1},
	{after: "arm", said: "tests: armed"},
	{after: "flip", said: "tests: flipped"},
	{after: "act", verb: "probe", nth: 1},
	{after: "act, while probed", verb: "keep-open standing", nth: 1}, // of which a race makes a second one
	{after: "probe", verb: "standing", nth: 1},                       // over its new connection
	{after: "last look", verb: "confirm", nth: 1},
	{after: "confirm", said: "tests: confirmed"},
}

// fault is something that goes wrong on tests, or around it, and how it ends.
type fault struct {
	name   string
	strike func(*rig)
	heal   func(*rig)
}

// breaks has a file stand on a host that makes what the new generation brings fail; the old one looks elsewhere.
func breaks(host, name, text string) fault {
	return fault{strike: func(r *rig) {
		r.on(host, fmt.Sprintf("mkdir -p /run/broken/%s; printf '%s' >/run/broken/%[1]s/%[3]s", r.breaks, text, name))
	}, heal: func(r *rig) { r.on(host, "rm -rf /run/broken") }}
}

func named(name string, f fault) fault {
	f.name = name
	return f
}

const killPusher = "pusher killed"

var faults = []fault{
	{name: killPusher},
	{"power cut, booted again", func(r *rig) { r.must(r.PowerOff(r.t.Context(), "tests")); r.must(r.PowerOn(r.t.Context(), "tests")) }, func(*rig) {}},
	{"network cut", func(r *rig) { r.must(r.Cut(r.t.Context(), "tests", lab.Public, lab.Private)) },
		func(r *rig) { r.must(r.Heal(r.t.Context(), "tests", lab.Public, lab.Private)) }},
	{"disk full", func(r *rig) { r.must(r.Fill(r.t.Context(), "tests")) }, func(r *rig) { r.must(r.Drain(r.t.Context(), "tests")) }},
	named("native check fails", breaks("tests", "site.nginx", "nonsense;\n")),
	named("unit will not start", breaks("tests", "unit", "")),
	named("health probe fails", breaks("tests", "probe", "")),
	named("firewall locks the pusher out", breaks("ci", "firewall", "")),
	named("sshd broken", breaks("tests", "login.sshd", "DenyUsers root\n")),
}

// fragile is a change whose push meets a fault: each part of it looks whether it is to break, where no other change does.
func fragile(breaks string) change {
	at := "/run/broken/" + breaks
	return with(change{
		"tests/nginx/site.conf": "include " + at + "/*.nginx;\nserver {\n\tlisten 127.0.0.1:8080;\n\tlocation / {\n" +
			"\t\tif (-f " + at + "/probe) { return 503; }\n\t\treturn 200;\n\t}\n}\n",
		"tests/ssh/odoogen.conf":              "Include " + at + "/*.sshd\n",
		"tests/systemd/system/worker.service": "ExecStartPre=sh -c 'test ! -e " + at + "/unit'\n",
		"tests/readme":                        strings.Repeat("larger than "+breaks+"\n", 4096),
		"ci/nftables/odoogen.nft":             "# " + breaks + "\n",
		"ci/systemd/system/firewall.service":  "ExecStartPost=sh -c 'test ! -e " + at + "/firewall || nft add rule inet odoogen input tcp dport 22 drop'\n",
		"ci/systemd/system/worker.service":    "# " + breaks + "\n",
	})
}

// withPostgreSQL installs it once: pushes bring a cluster again and again.
const withPostgreSQL = `export DEBIAN_FRONTEND=noninteractive
	install -D /dev/stdin /etc/postgresql-common/createcluster.d/none.conf <<<'create_main_cluster = false'
	apt-get -q update && apt-get -q -y install --no-install-recommends postgresql-15`

// TestFaults strikes a push with every fault after every phase, and wants each host to end as the old generation or the
// new one, services up, the verdict and exit code to be true, and the next push to need no hand. Without ALL it takes one
// fault for each phase. With it two labs share the work, as most of it is waiting.
func TestFaults(t *testing.T) {
	if lab.Missing() != nil {
		return
	}
	type cell struct {
		point
		fault
	}
	var cells []cell
	for i, p := range points {
		for j, f := range faults {
			if os.Getenv("ALL") != "" || j == (i*2)%len(faults) {
				cells = append(cells, cell{p, f})
			}
		}
	}
	labs := 1
	if len(cells) > len(points) {
		labs = 2
	}
	todo := make(chan cell, len(cells))
	for _, c := range cells {
		todo <- c
	}
	close(todo)
	var mu sync.Mutex
	matrix := map[string]string{}
	t.Run("labs", func(t *testing.T) {
		for n := range labs {
			t.Run(strconv.Itoa(n+1), func(t *testing.T) {
				t.Parallel()
				r := newRig(t, "postgresql-15", "cron", "rsync")
				r.push(Applied, pushed)
				r.on("tests", withPostgreSQL)
				for c := range todo {
					var outcome string
					ok := t.Run(strings.ReplaceAll("after "+c.after+" "+c.name, " ", "_"), func(t *testing.T) {
						r.breaks = map[string]string{"": "a", "a": "b", "b": "a"}[r.breaks] // not what is there
						one := *r
						one.t = t
						outcome = one.struck(c.point, c.fault)
					})
					if !ok {
						outcome += " WRONG"
						if c.heal != nil {
							c.heal(r)
						}
						r.settled()
						r.push(Applied, pushed, "--wait", "1m", "--overwrite-drift") // for those that come
					}
					mu.Lock()
					matrix[c.after+c.name] = outcome
					mu.Unlock()
				}
			})
		}
	})
	seen := evidence.Table{Title: fmt.Sprintf("%d faults: what tests and ci are in the end, old or new", len(cells)), Columns: []string{"after"}}
	for _, f := range faults {
		seen.Columns = append(seen.Columns, f.name)
	}
	for _, p := range points {
		row := []string{p.after}
		for _, f := range faults {
			row = append(row, matrix[p.after+f.name])
		}
		seen.Rows = append(seen.Rows, row)
	}
	seen.Keep(t, "faults")
}

// struck pushes the fragile change into a fault, checks what comes of it, and pushes it once more, without one. It returns
// the outcome in a word.
func (r *rig) struck(p point, f fault) string {
	before := map[string]string{"tests": r.generation("tests"), "ci": r.generation("ci")}
	coming := fragile(r.breaks)
	if p.installs {
		coming["installs"] = ""
		r.on("tests", "DEBIAN_FRONTEND=noninteractive apt-get -q -y purge cron rsync; [ ! -e /etc/postgresql/15/more ] || pg_dropcluster 15 more")
	}
	cmd := r.command(coming, "--revert-after", "12s")
	hold := newHold(r, p)
	cmd.Env = hold.env
	said := &watched{want: p.said, seen: make(chan struct{})}
	if p.said == "" {
		said.once = true
	}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	reached := hold.reached
	if p.said != "" {
		reached = said.seen
	}
	select {
	case <-reached:
	case <-ended:
		r.t.Fatalf("the push ended before it was there:\n%s", said.text())
	case <-time.After(2 * time.Minute):
		r.t.Fatalf("the push does not get there:\n%s", said.text())
	}
	if f.name == killPusher {
		_ = cmd.Process.Kill()
	} else {
		f.strike(r)
	}
	hold.release(f.name != killPusher)
	select {
	case <-ended:
	case <-time.After(4 * time.Minute):
		_ = cmd.Process.Kill()
		r.t.Fatalf("the push does not end:\n%s", said.text())
	}
	if f.heal != nil {
		f.heal(r)
	}
	r.settled()
	outcome := r.judge(cmd.ProcessState.ExitCode(), coming, before)
	if want := verdicts(p, f); !slices.Contains(want, cmd.ProcessState.ExitCode()) {
		r.t.Errorf("%s, where the exit code can be %v", outcome, want)
	}
	if p.installs && strings.Contains(outcome, ": old") {
		r.holds("tests", "systemctl is-enabled cron || true", "disabled") // it does not start with a host that is not turned
	}
	if r.t.Failed() {
		r.t.Logf("said:\n%s", said.text())
	}
	r.push(Applied, coming, "--wait", "1m")
	if p.installs {
		r.holds("tests", installed, "enabled\ndisabled\n15 more 5441 down")
		if said := r.push(Applied, coming); strings.Count(said, "nothing to do") != 2 {
			r.t.Errorf("and once more:\n%s", said)
		}
	}
	return outcome
}

// verdicts are the exit codes that a push may have which a fault strikes after a phase. Where it goes on meanwhile (after arm, flip
// and confirm, and while it is probed) it may be past what the fault breaks. A host that is cut off or has no power in the moment
// of its own answer may end either way.
func verdicts(p point, f fault) []int {
	at := func(after string) int {
		return slices.IndexFunc(points, func(p point) bool { return p.after == after })
	}
	is := at(p.after)
	last := at("flip") // after which what breaks is no more looked at
	switch f.name {
	case killPusher:
		if p.after == "confirm" {
			return []int{-1, Applied}
		}
		return []int{-1}
	case "power cut, booted again", "network cut":
		return []int{Applied, Failed, RolledBack, Partial, Unknown}
	case "native check fails":
		if is < at("check") {
			return []int{Failed}
		}
	case "disk full":
		if is < at("check") {
			return []int{Failed, RolledBack}
		}
	case "firewall locks the pusher out": // on ci, which is held nowhere
		if is == at("check") {
			return []int{Applied, RolledBack}
		}
	case "health probe fails":
		last = at("act, while probed")
	}
	switch {
	case is < at("arm"), is == at("act") && f.name == "health probe fails":
		return []int{RolledBack}
	case is <= last:
		return []int{Applied, RolledBack}
	case f.name == "disk full":
		return []int{Applied, RolledBack}
	}
	return []int{Applied}
}

// installed prints what a push has installed and made, and what it has left.
const installed = `systemctl is-enabled cron rsync; dpkg --audit; pg_lsclusters --no-header | awk '{print $1, $2, $3, $4}'
	ls -d /usr/sbin/policy-rc.d* /etc/postgresql-common/createcluster.d/odoogen-packages.conf /var/cache/odoogen.?????? /var/lib/odoogen/making 2>/dev/null || true`

// judge holds what the hosts are against what the push said that brought what was coming.
func (r *rig) judge(code int, coming change, before map[string]string) string {
	r.t.Helper()
	fresh := map[string]string{}
	for _, tree := range r.trees(coming) {
		fresh[tree.Host] = tree.Digest()[:12]
	}
	is := map[string]string{}
	for _, host := range []string{"tests", "ci"} {
		links := r.on(host, "cd /etc/odoogen; basename $(readlink current); basename $(readlink confirmed)")
		current, confirmed, _ := strings.Cut(links, "\n")
		switch {
		case current != confirmed:
			r.t.Errorf("%s is %s, and a boot would return to %s", host, current, confirmed)
		case current == before[host]:
			is[host] = "old"
		case strings.HasSuffix(current, "-"+fresh[host]):
			is[host] = "new"
		default:
			r.t.Errorf("%s is %s, neither %s nor the new one", host, current, before[host])
		}
		if out := r.on(host, "systemctl is-active worker vswitch; systemctl --failed --no-legend; ls -d /etc/odoogen/{.back,.doors,.*.new,generations/.[0-9]*} /var/lib/odoogen/{armed,owed,secrets.old,*.new} 2>/dev/null; /usr/local/lib/odoogen/host status | grep hand || true"); out != "active\nactive" {
			r.t.Errorf("%s: %s", host, out)
		}
	}
	if code := r.on("tests", "systemctl is-active nginx; curl -s -o /dev/null -w %{http_code} http://127.0.0.1:8080/"); code != "active\n200" {
		r.t.Errorf("tests' site: %s", code)
	}
	both := is["tests"] + " " + is["ci"]
	true_ := map[int][]string{Applied: {"new new"}, Failed: {"old old"}, RolledBack: {"old old"}, Partial: {"old new", "new old"},
		Unknown: {"old old", "new new", "old new", "new old"}, -1: {"old old", "new new", "old new", "new old"}}
	if !slices.Contains(true_[code], both) {
		r.t.Errorf("exit code %d, but tests and ci are: %s", code, both)
	}
	verdict := fmt.Sprint("exit ", code)
	if code == -1 {
		verdict = "killed"
	}
	return verdict + ": " + both
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// generation is the name of the one that a host is.
func (r *rig) generation(host string) string {
	r.t.Helper()
	return r.on(host, "basename $(readlink /etc/odoogen/current)")
}

// hold has ssh wait where a push is about to ask tests for a verb.
type hold struct {
	dir     string
	env     []string
	reached chan struct{}
	stop    context.CancelFunc
}

func newHold(r *rig, p point) *hold {
	r.t.Helper()
	h := &hold{dir: r.t.TempDir(), reached: make(chan struct{})}
	before := ""
	if p.verb != "" {
		before = fmt.Sprintf(`case "$*" in
*" tests bash"*"' odoogen %s"*)
	n=$(($(cat %[2]s/n 2>/dev/null || echo 0) + 1))
	echo $n >%[2]s/n
	if [ $n = %[3]d ]; then
		: >%[2]s/reached
		while [ ! -e %[2]s/go ]; do sleep 0.05; done
		[ "$(cat %[2]s/go)" = go ] || exit 255
	fi
	;;
esac`, p.verb, h.dir, p.nth)
	}
	h.env = r.ssh(before)
	var ctx context.Context
	ctx, h.stop = context.WithCancel(r.t.Context())
	go func() {
		for ctx.Err() == nil {
			if _, err := os.Stat(filepath.Join(h.dir, "reached")); err == nil {
				close(h.reached)
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()
	return h
}

// release lets the call go on, or break off as with a pusher that is no more.
func (h *hold) release(on bool) {
	word := "go"
	if !on {
		word = "no"
	}
	h.stop()
	name := filepath.Join(h.dir, "go")
	if err := errors.Join(os.WriteFile(name+".new", []byte(word+"\n"), 0o644), os.Rename(name+".new", name)); err != nil {
		panic(err)
	}
}

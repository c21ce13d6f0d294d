package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"odoogen/internal/evidence"
	"odoogen/internal/lab"
)

// TestRandomPushes turns the sample's hosts again and again: random edits of the spec, and in the middle of many a push
// the pusher is killed or interrupted, a network is cut, or a host loses its power. Whatever comes of a push, each host is
// one whole generation, its ledger says which, nothing is left over, and the next push needs no hand.
//
// make fuzz-push runs it: PUSHES pushes within PUSHES_TIME, from SEED on.
func TestRandomPushes(t *testing.T) {
	pushes, _ := strconv.Atoi(os.Getenv("PUSHES"))
	if pushes == 0 {
		return
	}
	bound, err := time.ParseDuration(os.Getenv("PUSHES_TIME"))
	if err != nil {
		t.Fatal(err)
	}
	seed, err := strconv.ParseUint(os.Getenv("SEED"), 10, 64)
	if err != nil {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("SEED=%d", seed)
	s := newServers(t)
	s.run(0, "lab", "up")
	s.in(0, "push", "--yes")
	s.in(0, "status", "--wait", "10m")
	ended := randomPushes(s, seed, pushes, bound)
	seen := evidence.Table{Columns: []string{"what struck, and the verdict", "pushes"}}
	for _, how := range slices.Sorted(maps.Keys(ended)) {
		seen.Rows = append(seen.Rows, []string{how, strconv.Itoa(ended[how])})
	}
	seen.Title = fmt.Sprintf("%d random pushes, SEED=%d", total(ended), seed)
	seen.Keep(t, "pushes")
}

// fewRandomPushes are as many as there is time for in every run.
func fewRandomPushes(s *servers) { randomPushes(s, 4, 6, time.Hour) }

// randomPushes are so many, within that time, to hosts that are the sample. It returns how many ended in which way.
func randomPushes(s *servers, seed uint64, pushes int, within time.Duration) map[string]int {
	r := &random{servers: s, Rand: rand.New(rand.NewPCG(seed, seed)), full: 10 * time.Second, revertAfter: 40 * time.Second, patience: 4 * time.Minute}
	ended := map[string]int{}
	end := time.Now().Add(within)
	for n := 0; n < pushes && time.Now().Before(end) && !s.t.Failed(); n++ {
		came := r.push()
		s.t.Logf("%3d %s", n+1, came)
		ended[came.fate+": "+came.verdict()]++
	}
	if n := total(ended); n < pushes && !s.t.Failed() {
		s.t.Errorf("only %d of %d pushes in %v", n, pushes, within)
	}
	r.in(0, "push", "--yes", "--wait", "1m")
	r.whole("afterwards", true)
	return ended
}

func total(ended map[string]int) int {
	n := 0
	for how := range ended {
		n += ended[how]
	}
	return n
}

// random pushes what chance wants.
type random struct {
	*servers
	*rand.Rand
	full time.Duration // that the last push took which nothing struck

	phases      []string      // if any, nothing strikes but a loss of power, after each of these in turn
	revertAfter time.Duration // an unconfirmed push
	patience    time.Duration // for a push to end, and half of it for hosts to settle
}

// outcome is what came of a push.
type outcome struct {
	edits, fate string
	code        int               // of exit; -1 of one that was killed
	is          map[string]string // old, new or unchanged, by host
}

func (o outcome) verdict() string {
	return fmt.Sprintf("exit %d, tests %s, ci %s", o.code, o.is["tests"], o.is["ci"])
}

// true tells whether the code of exit says what is, and is one that what struck can have led to.
func (o outcome) true() bool {
	is := slices.Collect(maps.Values(o.is))
	isOld, isNew := slices.Contains(is, "old"), slices.Contains(is, "new")
	struck := !strings.HasPrefix(o.fate, "nothing strikes")
	switch o.code {
	case 0:
		return !isOld
	case 1, 3:
		return !isNew && struck
	case 4: // a host does not answer
		return strings.HasSuffix(o.fate, " is cut off") || strings.Contains(o.fate, " loses its power")
	case 5:
		return isNew && isOld && struck
	}
	return o.code == -1 && o.fate == "the pusher is killed"
}

func (o outcome) String() string { return o.edits + "; " + o.fate + ": " + o.verdict() }

// toggles are the edits that go in any order, forth and back.
var toggles = []string{"a worker count", "the largest upload: nginx", "a request's time: Odoo and nginx", "a setting that PostgreSQL reloads",
	"a timer", "a patch window", "a firewall rule", "an administrator's key", "retention", "the mirror's interval", "the budget",
	"what a decision is for", "another instance"}

// change toggles one to three edits in the spec, and has that reviewed.
func (r *random) change() string {
	name := filepath.Join(r.dir, "envs.cue")
	data, err := os.ReadFile(name)
	if err != nil {
		r.t.Fatal(err)
	}
	spec := string(data)
	var done []string
	for _, i := range r.Perm(len(toggles))[:1+r.IntN(3)] {
		e := edits[slices.IndexFunc(edits, func(e edit) bool { return e.name == toggles[i] })]
		if strings.Contains(spec, e.new) {
			spec = strings.Replace(spec, e.new, e.old, 1)
			done = append(done, "not "+e.name)
		} else {
			spec = strings.Replace(spec, e.old, e.new, 1)
			done = append(done, e.name)
		}
	}
	if err := os.WriteFile(name, []byte(spec), 0o666); err != nil {
		r.t.Fatal(err)
	}
	r.review()
	return strings.Join(done, ", ")
}

// push pushes a change into its fate, and holds what the hosts are then against what it said.
func (r *random) push() outcome {
	r.t.Helper()
	o := outcome{edits: r.change(), is: map[string]string{}}
	var plans []struct{ Host, From, Digest string }
	planned, talk, code := r.exit("lab", "exec", r.odoogen, "plan", "--json")
	if code != 2 && code != 0 { // 0: the change is that of a push that was taken back, and takes itself back
		r.t.Fatalf("%s: plan: exit code %d\n%s%s", o, code, planned, talk)
	}
	if err := json.Unmarshal([]byte(planned), &plans); err != nil {
		r.t.Fatal(err)
	}
	cmd := exec.CommandContext(r.t.Context(), r.odoogen, "lab", "exec", r.odoogen, "push", "--yes", "--wait", "1m", "--revert-after", r.revertAfter.String())
	cmd.Dir = r.dir
	transcript, err := os.Create(filepath.Join(r.t.TempDir(), "said"))
	if err != nil {
		r.t.Fatal(err)
	}
	defer transcript.Close()
	said := func() string {
		text, _ := os.ReadFile(transcript.Name())
		return string(text)
	}
	cmd.Stdout, cmd.Stderr = transcript, transcript
	began := time.Now()
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	if len(r.phases) == 0 {
		o.fate = r.strike(cmd, ended)
	} else {
		var turned []string
		for _, p := range plans {
			if !strings.HasSuffix(p.From, "-"+p.Digest[:12]) {
				turned = append(turned, p.Host)
			}
		}
		o.fate = r.losePower(turned, said, ended)
	}
	select {
	case <-ended:
	case <-time.After(r.patience):
		_ = cmd.Process.Kill()
		r.t.Fatalf("%s: the push does not end:\n%s", o, said())
	}
	o.code = cmd.ProcessState.ExitCode()
	r.settle()
	now := r.whole(o.edits+"; "+o.fate, false)
	for _, p := range plans {
		is := now[p.Host]
		switch {
		case is == p.From && strings.HasSuffix(is, "-"+p.Digest[:12]):
			o.is[p.Host] = "unchanged"
		case strings.HasSuffix(is, "-"+p.Digest[:12]):
			o.is[p.Host] = "new"
		case is == p.From:
			o.is[p.Host] = "old"
		default:
			r.t.Errorf("%s: %s was %s, and is %s", o, p.Host, p.From, is)
		}
	}
	if !o.true() {
		r.t.Errorf("%s: that is not so", o)
	}
	if o.fate == "nothing strikes" {
		r.full = time.Since(began)
	}
	if r.t.Failed() {
		r.t.Logf("said:\n%s", said())
	}
	return o
}

// strike waits for a random instant of the push, and does what chance wants. It says what that was.
func (r *random) strike(cmd *exec.Cmd, ended <-chan struct{}) string {
	ctx := r.t.Context()
	must := func(err error) {
		if err != nil {
			r.t.Fatal(err)
		}
	}
	host := []string{"tests", "ci"}[r.IntN(2)]
	networks := [][]string{{lab.Private}, {lab.Public}, {lab.Public, lab.Private}}[r.IntN(3)]
	instant, length := time.Duration(r.Int64N(int64(r.full))), time.Duration(r.Int64N(int64(15*time.Second)))
	fate := r.IntN(20)
	if fate < 7 {
		return "nothing strikes"
	}
	select {
	case <-ended:
		return "nothing strikes in time"
	case <-time.After(instant):
	}
	switch {
	case fate < 11:
		must(cmd.Process.Kill())
		return "the pusher is killed"
	case fate < 13:
		must(cmd.Process.Signal(syscall.SIGINT))
		return "the pusher is interrupted"
	case fate < 17:
		must(r.Cut(ctx, host, networks...))
		time.Sleep(length)
		must(r.Heal(ctx, host, networks...))
		return host + " is cut off"
	default:
		r.powerCycle(host)
		return host + " loses its power"
	}
}

// losePower takes the power from one of the hosts within a second of the next phase. It says what that was.
func (r *random) losePower(hosts []string, said func() string, ended <-chan struct{}) string {
	phase := r.phases[0]
	r.phases = append(r.phases[1:], phase)
	host, more := "", time.Duration(r.Int64N(int64(time.Second)))
	if len(hosts) > 0 {
		host = hosts[r.IntN(len(hosts))]
	}
	for !strings.Contains(said(), host+": "+phase) {
		select {
		case <-ended:
			return "nothing strikes before " + phase
		case <-time.After(20 * time.Millisecond):
		}
	}
	time.Sleep(more)
	r.powerCycle(host)
	return host + " loses its power after " + phase
}

// settle waits until no host waits for a confirmation, and all that shall run does. What a push that was killed has asked
// for may begin only now, while its lease counts.
func (r *random) settle() {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), r.patience/2)
	defer cancel()
	for _, host := range []string{"tests", "ci"} {
		for {
			unsettled := r.on(host, `cd /var/lib/odoogen; ls armed 2>/dev/null; find lease -newermt '-30 seconds' 2>/dev/null; flock --nonblock lock true || echo locked
				systemctl is-system-running | grep -x starting
				for u in $(sed -n 's/^Wants=//p' /etc/odoogen/current/systemd/system/odoogen.target); do
					systemctl is-active "$u" | grep -E '^(activating|deactivating|reloading)' && echo "$u"
				done; true`)
			if unsettled == "" {
				break
			}
			if ctx.Err() != nil {
				r.t.Errorf("%s does not settle: %s", host, unsettled)
				return
			}
			time.Sleep(500 * time.Millisecond)
		}
	}
}

// whole wants each host to be one generation, and all of it, the ledger to say so, and nothing to lie about. Only a lease
// may, of a push that was killed. It returns the generations.
func (r *random) whole(when string, free bool) map[string]string {
	r.t.Helper()
	is := map[string]string{}
	for _, host := range []string{"tests", "ci"} {
		is[host] = r.on(host, "basename $(readlink /etc/odoogen/current)")
		wrong := r.on(host, `cd /etc/odoogen
			current=$(basename $(readlink current)) confirmed=$(basename $(readlink confirmed)) state=/var/lib/odoogen
			[ "$current" = "$confirmed" ] || echo "current is $current, confirmed is $confirmed"
			[ "${current#*-}" = "$(sha256sum current/MANIFEST | cut -c 1-12)" ] || echo "$current is not its MANIFEST"
			said=$(awk -F '\t' '$3 == "confirmed" || $3 ~ /^rolled back/ { g = $2 } END { print g }' $state/ledger)
			[ "$said" = "$current" ] || echo "the ledger says $said, and current is $current"
			/usr/local/lib/odoogen/host status | grep -vxE "$current, confirmed|held by .*|.*its condition does not hold"
			ls -d .back .doors .*.new generations/.[0-9]* $state/{armed,owed,turning,secrets.new,secrets.old,*.new} /usr/sbin/policy-rc.d 2>/dev/null
			grep odoogen-check /proc/mounts
			systemctl --failed --plain --no-legend | while read -r unit about; do
				[ -e "current/systemd/system/${unit%.service}.timer" ] || echo "$unit $about" # else it comes again, and is no part of a push
			done
			systemctl is-active odoogen-revert.timer | grep -x active
			true`)
		if free {
			wrong += r.on(host, "ls /var/lib/odoogen/lease 2>/dev/null || true")
		}
		if wrong != "" {
			r.t.Errorf("%s: %s:\n%s", when, host, wrong)
		}
	}
	return is
}

package main

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"odoogen/internal/evidence"
	"odoogen/internal/lab"
)

// TestFaultsWhileItInstalls strikes the first push to a bare host in the midst of its packages and of its cluster: the host
// stays as it was found, nothing of what was installed starts with it, and the next push goes on from there and needs no
// hand. make test ALL=1 runs it.
func TestFaultsWhileItInstalls(t *testing.T) {
	if leftOut(t, "faults while packages are installed", "ALL") {
		return
	}
	instants := []instant{
		{"packages are unpacked", `[ -n "$(dpkg --audit)" ]`, false},
		{"packages are configured", `[ -e /etc/systemd/system/multi-user.target.wants/postgresql.service ] && [ -n "$(dpkg --audit)" ]`, false},
		{"initdb begins", "pgrep -x initdb", false},
		{"initdb has begun", "[ -d /var/lib/postgresql/15/main/base/1 ]", false},
		{"the cluster starts", "[ -S /run/postgresql/.s.PGSQL.5432 ]", true},
	}
	type cell struct{ instant, fault int }
	todo := make(chan cell, len(instants)*len(whileItInstalls))
	seen := evidence.Table{Title: "The first push to a bare host, struck while it installs; each time the next one made the host new", Columns: []string{"while"}}
	for i := range instants {
		seen.Rows = append(seen.Rows, append([]string{instants[i].name}, make([]string, len(whileItInstalls))...))
		for f := range whileItInstalls {
			if !instants[i].turned || whileItInstalls[f].name == losesPower { // TestFaults has the others
				todo <- cell{i, f}
			}
		}
	}
	close(todo)
	for _, f := range whileItInstalls {
		seen.Columns = append(seen.Columns, f.name)
	}
	t.Run("labs", func(t *testing.T) {
		for n := range 2 { // most of it is waiting
			t.Run(strconv.Itoa(n+1), func(t *testing.T) {
				t.Parallel()
				a := newAdopted(t)
				a.says(everything, cluster+noBackup)
				for c := range todo {
					i, f := instants[c.instant], whileItInstalls[c.fault]
					var outcome string
					ok := t.Run(strings.ReplaceAll(i.name+" "+f.name, " ", "_"), func(t *testing.T) {
						one := *a
						one.t = t
						outcome = one.struck(i, f)
					})
					if !ok {
						outcome = "WRONG"
					}
					seen.Rows[c.instant][c.fault+1] = outcome
				}
			})
		}
	})
	seen.Keep(t, "installing")
}

// instant is what a host has come to, by a script.
type instant struct {
	name, reached string
	turned        bool // it is the new generation, not confirmed
}

// interruption is what befalls a push that installs, and how it ends.
type interruption struct {
	name   string
	strike func(*adopted, *exec.Cmd) error
	heal   func(*adopted) error
}

const killsPusher, losesPower = "pusher killed", "power cut, booted again"

var whileItInstalls = []interruption{
	{killsPusher, func(_ *adopted, push *exec.Cmd) error { return push.Process.Kill() }, nil},
	{losesPower, func(a *adopted, _ *exec.Cmd) error { a.powerCycle("box"); return nil }, nil},
	{"network cut", func(a *adopted, _ *exec.Cmd) error { return a.Cut(a.t.Context(), "box", lab.Public) },
		func(a *adopted) error { return a.Heal(a.t.Context(), "box", lab.Public) }},
	{"disk full", func(a *adopted, _ *exec.Cmd) error { return a.Fill(a.t.Context(), "box") },
		func(a *adopted) error { return a.Drain(a.t.Context(), "box") }},
}

// struck pushes to the bare host, has something befall it at an instant, and pushes again. It returns the outcome in a word.
func (a *adopted) struck(i instant, f interruption) string {
	a.t.Helper()
	if err := a.Restore(a.t.Context()); err != nil {
		a.t.Fatal(err)
	}
	bare := a.on("box", startsWithHost)
	push := exec.CommandContext(a.t.Context(), a.odoogen, "lab", "exec", a.odoogen, "push", "--yes")
	push.Dir = a.dir
	var said strings.Builder
	push.Stdout, push.Stderr = &said, &said
	if err := push.Start(); err != nil {
		a.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = push.Wait(); close(ended) }()
	for deadline := time.Now().Add(10 * time.Minute); ; {
		// Looked for seldom: the look is dear where processes are, and would hold up what it waits for.
		if a.on("box", "timeout 10 bash -c 'until "+i.reached+"; do sleep 0.1; done' >/dev/null 2>&1 && echo reached || true") != "" {
			break
		}
		select {
		case <-ended:
			a.t.Fatalf("the push ended before %s: exit code %d\n%s", i.name, push.ProcessState.ExitCode(), said.String())
		default:
		}
		if time.Now().After(deadline) {
			_ = push.Process.Kill()
			a.t.Fatalf("the push does not come to where %s", i.name)
		}
	}
	if err := f.strike(a, push); err != nil {
		a.t.Fatal(err)
	}
	select {
	case <-ended:
	case <-time.After(4 * time.Minute):
		_ = push.Process.Kill()
		a.t.Fatal("the push does not end")
	}
	if f.heal != nil {
		if err := f.heal(a); err != nil {
			a.t.Fatal(err)
		}
	}
	code := push.ProcessState.ExitCode()
	want := 1
	switch {
	case f.name == killsPusher:
		want = -1
	case i.turned:
		want = 3
	}
	if code != want {
		a.t.Errorf("exit code %d, want %d\n%s", code, want, said.String())
	}
	// What a killed push has asked for is done to its end.
	a.on("box", "flock --wait 600 /var/lib/odoogen/lock true")
	a.holds("ls -d /etc/odoogen/current /var/lib/odoogen/armed 2>/dev/null || true", "")
	a.holds(startsWithHost, bare)
	a.in(0, "push", "--yes", "--wait", "5m")
	a.holds(`dpkg --audit; systemctl --failed --no-legend
		ls -d /usr/sbin/policy-rc.d* /etc/postgresql-common/createcluster.d/odoogen-packages.conf /var/cache/odoogen.?????? /var/lib/odoogen/{making,armed,lease,owed} 2>/dev/null || true`, "")
	a.holds("pg_lsclusters --no-header | awk '{print $1, $2, $3, $4}'; systemctl is-enabled postgresql unattended-upgrades; tail -n 1 /etc/postgresql/15/main/start.conf",
		"15 main 5432 online\nenabled\nenabled\nauto")
	if code == -1 {
		return "killed: as found"
	}
	return fmt.Sprintf("exit %d: as found", code)
}

// startsWithHost prints what starts with a host, and the ports where something listens: a boot has come to its end first.
const startsWithHost = `systemctl is-system-running --wait >/dev/null || true
	systemctl list-unit-files --state=enabled --no-legend | sed '/^odoogen-boot/d; s/ .*//' | sort; ss -Hltn | awk '{ print $4 }' | sort`

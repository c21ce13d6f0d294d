package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"odoogen/internal/evidence"
	"odoogen/internal/lab"
)

// servers are the sample's two hosts in a lab, and a clone of the repository to work on them from: as a user has them.
type servers struct {
	*lab.Lab
	t       testing.TB
	dir     string // the clone
	odoogen string
	open    *evidence.Table // what was found open, and when

	machines bool // the hosts are virtual machines
}

// newServers clones the repository as it is, and makes sure that its lab ends.
func newServers(t testing.TB) *servers {
	t.Helper()
	s := &servers{t: t, dir: filepath.Join(t.TempDir(), "servers"), open: &evidence.Table{
		Title: "Open TCP ports of all 65,535", Columns: []string{"host", "seen from", "when", "open", "declared"}}}
	snapshot(t).clone(t, s.dir)
	s.odoogen = filepath.Join(s.dir, "odoogen")
	command(t, s.dir, "make", "build")
	var err error
	if s.Lab, err = lab.Of(s.dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Down(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// leftOut tells whether a long test that boots hosts is not run here, and says why: none of the variables asks for it, or
// hosts cannot be booted.
func leftOut(t *testing.T, what string, asked ...string) bool {
	t.Helper()
	if !slices.ContainsFunc(asked, func(name string) bool { return os.Getenv(name) != "" }) {
		t.Logf("left out: %s: it takes minutes, and is run by make test ALL=1", what)
		return true
	}
	if missing := lab.Missing(); missing != nil {
		t.Logf("left out: %s: %v", what, missing)
		return true
	}
	return false
}

// powerCycle takes a host's power, and boots it again.
func (s *servers) powerCycle(host string) {
	s.t.Helper()
	if err := s.PowerOff(s.t.Context(), host); err != nil {
		s.t.Fatal(err)
	}
	if err := s.PowerOn(s.t.Context(), host); err != nil {
		s.t.Fatal(err)
	}
}

// run runs odoogen in the clone and wants an exit code; it returns what was printed, talk included.
func (s *servers) run(want int, args ...string) string {
	s.t.Helper()
	out, talk := s.output(want, args...)
	return out + talk
}

func (s *servers) output(want int, args ...string) (out, talk string) {
	s.t.Helper()
	out, talk, got := s.exit(args...)
	if got != want {
		s.t.Fatalf("odoogen %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), got, want, out, talk)
	}
	return out, talk
}

// exit is output for who takes any exit code.
func (s *servers) exit(args ...string) (out, talk string, code int) {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), s.odoogen, args...)
	cmd.Dir = s.dir
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
}

// in runs odoogen inside the lab, in the office.
func (s *servers) in(want int, args ...string) string {
	s.t.Helper()
	return s.run(want, append([]string{"lab", "exec", s.odoogen}, args...)...)
}

// from runs a program of this machine inside the lab, in a position, and returns what it prints and its exit code.
func (s *servers) from(position string, argv ...string) (string, int) {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), s.odoogen, append([]string{"lab", "exec", "--from", position}, argv...)...)
	cmd.Dir = s.dir
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	return strings.TrimSpace(string(out)), cmd.ProcessState.ExitCode()
}

// on runs a script on a host, as at its console, and returns what it prints.
func (s *servers) on(host, script string) string {
	s.t.Helper()
	if s.machines {
		out, _ := s.output(0, "lab", "enter", host, "bash", "-c", script)
		return strings.TrimSpace(out)
	}
	argv, err := s.Console(s.t.Context(), host, []string{"bash", "-c", script})
	if err != nil {
		s.t.Fatal(err)
	}
	out, err := exec.CommandContext(s.t.Context(), argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("%s: %s: %v\n%s", host, script, err, out)
	}
	return strings.TrimSpace(string(out))
}

// edit changes the spec, builds golden/ anew and commits it, as a reviewed change is.
func (s *servers) edit(old, new string) {
	s.t.Helper()
	name := filepath.Join(s.dir, "envs.cue")
	data, err := os.ReadFile(name)
	if err != nil {
		s.t.Fatal(err)
	}
	if strings.Count(string(data), old) != 1 {
		s.t.Fatalf("envs.cue has %q %d times, want once", old, strings.Count(string(data), old))
	}
	if err := os.WriteFile(name, []byte(strings.Replace(string(data), old, new, 1)), 0o666); err != nil {
		s.t.Fatal(err)
	}
}

// review commits what the spec gives as golden/.
func (s *servers) review() {
	s.t.Helper()
	s.run(0, "build", "-o", "golden")
	command(s.t, s.dir, "git", "add", "envs.cue", "golden")
	command(s.t, s.dir, "git", "commit", "-q", "-a", "--allow-empty", "-m", "reviewed")
}

// moment is what runs on a host at one time: of each unit its invocation and when its process began; and how far its
// journal has come.
type moment struct {
	invocations map[string]string
	cursor      string
}

func (s *servers) moment(host string) moment {
	s.t.Helper()
	m := moment{invocations: map[string]string{}}
	for block := range strings.SplitSeq(s.on(host, `systemctl show --property=Id,InvocationID,ExecMainStartTimestampMonotonic '*.service' '*.timer'`), "\n\n") {
		value := map[string]string{}
		for line := range strings.SplitSeq(block, "\n") {
			k, v, _ := strings.Cut(line, "=")
			value[k] = v
		}
		m.invocations[value["Id"]] = value["InvocationID"] + " " + value["ExecMainStartTimestampMonotonic"]
	}
	_, m.cursor, _ = strings.Cut(s.on(host, "journalctl --quiet -n 0 --show-cursor"), "cursor: ")
	return m
}

// since tells which services and timers of a host were started since a moment, and which reloaded: by what runs now, and
// for what has ended meanwhile by what systemd has noted (MESSAGE_ID of a unit that started, and that reloaded).
func (s *servers) since(host string, m moment) (started, reloaded []string) {
	s.t.Helper()
	const start, reload = "39f53479d3a045ac8e11786248231fbf", "7b05ebc668384222baa8881179cfda54"
	for id, now := range s.moment(host).invocations {
		if was, is := m.invocations[id]; is && was != now {
			started = append(started, id)
		}
	}
	for line := range strings.Lines(s.on(host, "journalctl --quiet -o json --output-fields=UNIT,MESSAGE_ID --after-cursor='"+m.cursor+
		"' _PID=1 MESSAGE_ID="+start+" + _PID=1 MESSAGE_ID="+reload)) {
		var event struct {
			Unit string `json:"UNIT"`
			ID   string `json:"MESSAGE_ID"`
		}
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			s.t.Fatalf("%v: %s", err, line)
		}
		switch {
		case !strings.HasSuffix(event.Unit, ".service") && !strings.HasSuffix(event.Unit, ".timer"):
		case event.ID == start:
			started = append(started, event.Unit)
		default:
			reloaded = append(reloaded, event.Unit)
		}
	}
	slices.Sort(started)
	slices.Sort(reloaded)
	return slices.Compact(started), slices.Compact(reloaded)
}

// announced is what a plan says of a host's units, by verb.
func announced(t testing.TB, plans, host string) map[string][]string {
	t.Helper()
	var all []struct {
		Host    string
		Actions []struct{ Verb, Unit string }
	}
	if err := json.Unmarshal([]byte(plans), &all); err != nil {
		t.Fatalf("%v\n%s", err, plans)
	}
	units := map[string][]string{}
	for _, p := range all {
		if p.Host == host {
			for _, a := range p.Actions {
				units[a.Verb] = append(units[a.Verb], a.Unit)
			}
		}
	}
	return units
}

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

	"odoogen/internal/lab"
)

// servers are the sample's two hosts in a lab, and a clone of the repository to work on them from: as a user has them.
type servers struct {
	*lab.Lab
	t       testing.TB
	dir     string // the clone
	odoogen string
}

// newServers clones the repository as it is, and makes sure that its lab ends.
func newServers(t testing.TB) *servers {
	t.Helper()
	s := &servers{t: t, dir: filepath.Join(t.TempDir(), "servers")}
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

// run runs odoogen in the clone and wants an exit code; it returns what was printed, talk included.
func (s *servers) run(want int, args ...string) string {
	s.t.Helper()
	out, talk := s.output(want, args...)
	return out + talk
}

func (s *servers) output(want int, args ...string) (out, talk string) {
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
	if got := cmd.ProcessState.ExitCode(); got != want {
		s.t.Fatalf("odoogen %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), got, want, &stdout, &stderr)
	}
	return stdout.String(), stderr.String()
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

// beat is when a unit was started, and when it was last reloaded or changed otherwise.
type beat struct{ invocation, change string }

// beats are those of all units of a host that start or run something.
func (s *servers) beats(host string) map[string]beat {
	s.t.Helper()
	out := s.on(host, `systemctl show --property=Id,InvocationID,ExecMainStartTimestampMonotonic,StateChangeTimestampMonotonic '*.service' '*.timer'`)
	all := map[string]beat{}
	for block := range strings.SplitSeq(out, "\n\n") {
		value := map[string]string{}
		for line := range strings.SplitSeq(block, "\n") {
			k, v, _ := strings.Cut(line, "=")
			value[k] = v
		}
		all[value["Id"]] = beat{value["InvocationID"] + " " + value["ExecMainStartTimestampMonotonic"], value["StateChangeTimestampMonotonic"]}
	}
	return all
}

// moved are the units that were started between two looks, or stopped, and those that were reloaded.
func moved(before, after map[string]beat) (started, reloaded []string) {
	for id, now := range after {
		switch was := before[id]; {
		case was.invocation != now.invocation:
			started = append(started, id)
		case was.change != now.change:
			reloaded = append(reloaded, id)
		}
	}
	slices.Sort(started)
	slices.Sort(reloaded)
	return started, reloaded
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

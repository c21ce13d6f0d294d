package lab

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestNothingStays ends a lab in each way that there is.
func TestNothingStays(t *testing.T) {
	if Missing() != nil {
		return
	}
	for name, end := range map[string]func(t *testing.T, r rig){
		"down": func(*testing.T, rig) {},
		"supervisor killed": func(t *testing.T, r rig) {
			r.Kill()
		},
		"watcher killed": func(t *testing.T, r rig) {
			kill(t, parentOf(t, supervisorPid(r.dir)))
		},
		"both killed": func(t *testing.T, r rig) {
			pid := supervisorPid(r.dir)
			watcher := parentOf(t, pid)
			kill(t, watcher)
			kill(t, pid)
		},
	} {
		t.Run(name, func(t *testing.T) {
			lock := filepath.Join(t.TempDir(), "lock")
			fd, err := syscall.Open(lock, syscall.O_CREAT|syscall.O_RDONLY, 0o600) // left open to every child, as a shell does
			if err != nil {
				t.Fatal(err)
			}
			r := up(t, Options{})
			_ = syscall.Close(fd)
			for _, pid := range []int{supervisorPid(r.dir), parentOf(t, supervisorPid(r.dir))} {
				fds, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
				if err != nil || len(fds) == 0 {
					t.Fatalf("no open files of %d: %v", pid, err)
				}
				for _, name := range fds {
					if to, _ := os.Readlink(name); to == lock {
						t.Errorf("process %d of the lab keeps a file open that is its caller's", pid)
					}
				}
			}
			running := tracesOf(r.Lab)
			if len(running.processes) < 10 || len(running.cgroups) == 0 {
				t.Fatalf("the search for traces finds too little of a running lab: %+v", running)
			}
			leaveConnection(r)
			end(t, r)
			if name != "down" && !r.endedWithin(20*time.Second) {
				t.Fatal("the lab still runs")
			}
			if name == "both killed" {
				// What is left then are empty cgroups, until the next command.
				if err := (&Lab{dir: labDir("another"), spec: "another"}).Down(context.Background()); err != nil {
					t.Fatal(err)
				}
			} else if name == "down" {
				if err := r.Down(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			var left traces
			for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
				if left = running.left(r.Lab); left.none() {
					break
				}
			}
			if !left.none() {
				t.Errorf("left behind: %+v", left)
			}
			if err := r.Down(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(r.dir); !os.IsNotExist(err) {
				t.Errorf("down left %s", r.dir)
			}
		})
	}
}

// leaveConnection leaves one as a push does, to a host that cannot end it any more.
func leaveConnection(r rig) {
	argv := slices.Concat([]string{"sh", "-c", `mkdir -m 700 "$ODOOGEN_LAB_SOCKETS/of-a-push" && exec "$@"`, "sh", "ssh",
		"-o", "ControlMaster=yes", "-o", "ControlPersist=10m", "-o", "ControlPath=${ODOOGEN_LAB_SOCKETS}/of-a-push/socket"},
		r.sshArgs("tests", "203.0.113.10")[1:], []string{"true"})
	if out, err := r.from(Office, argv...); err != nil {
		r.t.Fatalf("%v: %s", err, out)
	}
	if left, _ := filepath.Glob(filepath.Join(r.dir, "ssh", Office, "*", "socket")); len(left) != 1 {
		r.t.Fatalf("the connection was not left: %q", left)
	}
	if err := r.Cut(r.t.Context(), "tests", Public, Private); err != nil {
		r.t.Fatal(err)
	}
}

func kill(t *testing.T, pid int) {
	t.Helper()
	if pid < 2 {
		t.Fatalf("no process %d", pid)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

func parentOf(t *testing.T, pid int) int {
	t.Helper()
	p, ok := processOf(pid)
	if !ok {
		t.Fatalf("no process %d", pid)
	}
	return p.parent
}

// traces are what a lab is to the machine.
type traces struct {
	spaces    map[string]bool // its namespaces
	processes []int
	mounts    []string // in the machine's own mount namespace
	named     string   // network namespaces with a name
	cgroups   []string
}

func tracesOf(l *Lab) traces {
	tr := traces{spaces: map[string]bool{}}
	own, _ := os.Readlink("/proc/self/ns/net")
	pid := supervisorPid(l.dir)
	tr.processes = append(tr.processes, pid)
	for grown := true; grown; { // all descendants, and their namespaces
		grown = false
		for _, p := range processes() {
			if slices.Contains(tr.processes, p.parent) && !slices.Contains(tr.processes, p.pid) {
				tr.processes, grown = append(tr.processes, p.pid), true
			}
		}
	}
	for _, p := range tr.processes {
		if space, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", p)); err == nil && space != own {
			tr.spaces[space] = true
		}
	}
	tr.outside(l)
	return tr
}

func (tr *traces) outside(l *Lab) {
	mounts, _ := os.ReadFile("/proc/self/mounts")
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, l.dir) {
			tr.mounts = append(tr.mounts, line)
		}
	}
	out, _ := exec.Command("ip", "netns", "list").Output()
	tr.named = string(bytes.TrimSpace(out))
	all, _ := hierarchies()
	for _, h := range all {
		dirs, _ := filepath.Glob(filepath.Join(h.dir, "odoogen-lab-"+filepath.Base(l.dir)+"-*"))
		tr.cgroups = append(tr.cgroups, dirs...)
	}
}

// left is what is still there of a lab that had these traces.
func (tr traces) left(l *Lab) traces {
	now := traces{spaces: map[string]bool{}}
	for _, p := range processes() {
		space, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", p.pid))
		if err == nil && tr.spaces[space] {
			now.spaces[space] = true
		}
		called, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.pid))
		if now.spaces[space] || bytes.Contains(called, []byte(l.dir+"/")) {
			now.processes = append(now.processes, p.pid)
		}
	}
	now.outside(l)
	if now.named == tr.named {
		now.named = ""
	}
	return now
}

func (tr traces) none() bool {
	return len(tr.processes) == 0 && len(tr.spaces) == 0 && len(tr.mounts) == 0 && tr.named == "" && len(tr.cgroups) == 0
}

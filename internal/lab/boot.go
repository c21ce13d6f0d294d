package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// The states of a host.
const (
	off     = "off"
	booting = "booting"
	running = "running"
	failed  = "failed"
)

// The sides on which a host has a cable.
const (
	Public  = "public"
	Private = "private"
)

// Sides are those of a command's flags: none given is both.
func Sides(public, private bool) []string {
	var sides []string
	if public || !private {
		sides = append(sides, Public)
	}
	if private || !public {
		sides = append(sides, Private)
	}
	return sides
}

// host is a host of a running lab.
type host struct {
	*Host
	number int // in the lab: names its cables

	mu     sync.Mutex
	state  string
	boots  int
	Cut    []string
	init   int           // its first process; of a machine what emulates it
	runs   child         // what runs it
	ended  chan struct{} // closed when the machine is off
	layers []string      // its disk, topmost first; empty before the first boot
}

func (h *host) cable(side string) string { return fmt.Sprintf("h%d-%s", h.number, side) }

func (h *host) set(state string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.state = state
}

func (h *host) running() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.state == running || h.state == booting
}

func (h *host) setCut(side string, cut bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.Cut = slices.DeleteFunc(h.Cut, func(s string) bool { return s == side })
	if cut {
		h.Cut = append(h.Cut, side)
	}
}

func (h *host) status() HostStatus {
	h.mu.Lock()
	defer h.mu.Unlock()
	return HostStatus{Name: h.Name(), State: h.state, Debian: h.Debian, Public: h.Public(), Private: h.Network.Private,
		Boots: h.boots, Cut: append([]string{}, h.Cut...), Init: h.init}
}

// into puts the shell into cgroups and then becomes a program: the arguments are directories, "--", the program.
const into = `until [ "$1" = -- ]; do echo 0 >"$1/cgroup.procs"; shift; done; shift; exec "$@"`

// writable makes the host's cgroups writable to its systemd, which nspawn mounts read-only on cgroup v1, and lets
// systemd look again. Without it systemd takes every limit and enforces none.
const writable = `while read -r _ dir kind _; do
	case $kind in cgroup | cgroup2) mount -o remount,bind,rw "$dir" ;; esac
done </proc/self/mounts
systemctl daemon-reexec`

// boot powers the host on and waits until its systemd has started everything.
func (s *supervisor) boot(ctx context.Context, h *host, say func(string)) error {
	if h.running() {
		return nil
	}
	began := time.Now()
	h.set(booting)
	err := s.start(ctx, h)
	if err == nil {
		err = s.ready(ctx, h)
	}
	if err != nil {
		h.kill()
		h.set(failed)
		return fmt.Errorf("%w; its console said:%s", err, logTail(s.console(h)))
	}
	h.mu.Lock()
	h.state = running
	h.boots++
	h.mu.Unlock()
	say(fmt.Sprintf("%s is up after %.1f s", h.Name(), time.Since(began).Seconds()))
	return nil
}

func (s *supervisor) console(h *host) string {
	return filepath.Join(s.hostDir(h.Name()), "console.log")
}

// start starts the host's systemd.
func (s *supervisor) start(ctx context.Context, h *host) error {
	if len(h.layers) == 0 {
		if err := s.prepare(ctx, h); err != nil {
			return err
		}
	}
	if err := s.plug(ctx, h); err != nil {
		return err
	}
	what := s.container
	if s.Machines {
		what = s.machine
	}
	argv, err := what(h)
	if err != nil {
		return err
	}
	console, err := os.OpenFile(s.console(h), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer console.Close()
	runs, err := program{argv: argv, log: console, env: append(os.Environ(), "SYSTEMD_NSPAWN_API_VFS_WRITABLE=network")}.start()
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	h.mu.Lock()
	h.ended, h.init, h.runs = ended, 0, runs
	if s.Machines {
		h.init = runs.pid()
	}
	h.mu.Unlock()
	go s.follow(h, runs, ended)
	if s.Machines {
		return nil
	}
	return s.findInit(h, runs.pid(), ended)
}

// container is the command line that runs the host's systemd in a container.
func (s *supervisor) container(h *host) ([]string, error) {
	cgroups, err := makeCgroups(s.ID, h.Name())
	if err != nil {
		return nil, err
	}
	return slices.Concat([]string{"/bin/sh", "-c", into, "sh"}, cgroups, []string{"--", "systemd-nspawn", "--quiet", "--boot",
		"--directory=" + filepath.Join(s.hostDir(h.Name()), "root"), "--machine=" + h.Name(), "--register=no", "--keep-unit",
		"--network-namespace-path=/run/netns/" + h.Name(), "--capability=CAP_NET_ADMIN", "--resolv-conf=off", "--timezone=off",
		"--link-journal=no", "--console=pipe"}), nil
}

// follow waits for the host to go off. nspawn ends with 133 where a reboot was asked for inside; a machine boots by itself.
func (s *supervisor) follow(h *host, runs child, ended chan struct{}) {
	code, _ := runs.wait()
	h.mu.Lock()
	was := h.state
	h.state, h.init = off, 0
	h.mu.Unlock()
	close(ended)
	if was == running && code == 133 {
		s.work.Lock()
		defer s.work.Unlock()
		if err := s.boot(context.Background(), h, func(line string) { fmt.Println(line) }); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
}

// findInit waits for the container's first process: the child of nspawn that has a process namespace of its own. There
// is another for a moment, which sets the container up.
func (s *supervisor) findInit(h *host, nspawn int, ended chan struct{}) error {
	for range 200 {
		for _, p := range processes() {
			if p.parent == nspawn && spaceOf(p.pid) != spaceOf(nspawn) && spaceOf(p.pid) != "" {
				h.mu.Lock()
				h.init = p.pid
				h.mu.Unlock()
				return nil
			}
		}
		select {
		case <-ended:
			return errors.New("systemd-nspawn ended at once")
		case <-time.After(20 * time.Millisecond):
		}
	}
	return errors.New("systemd-nspawn started nothing")
}

// spaceOf names the process namespace that a process is in.
func spaceOf(pid int) string {
	name, _ := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", pid))
	return name
}

// ready waits for the host's systemd, and makes it enforce limits.
func (s *supervisor) ready(ctx context.Context, h *host) error {
	patience := 90 * time.Second
	inside := func(argv ...string) (string, error) {
		return output(ctx, append([]string{"nsenter", "--target=" + fmt.Sprint(h.status().Init), "--mount", "--pid"}, argv...)...)
	}
	if s.Machines {
		patience = 10 * time.Minute
		inside = func(argv ...string) (string, error) { return s.agent(h).output(ctx, argv...) }
	}
	var state string
	var err error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		state, err = inside("systemctl", "is-system-running")
		switch {
		case state != "running" && state != "degraded":
		case s.Machines:
			return nil
		default:
			_, err = inside("sh", "-c", writable)
			return err
		}
		select {
		case <-h.ended:
			return errors.New("the host went off while it booted")
		case <-time.After(50 * time.Millisecond):
		}
	}
	return fmt.Errorf("the host did not finish booting in %v: it is %q (%v)", patience, state, err)
}

// kill is a power cut: the host's first process dies, and so do all others, at once.
func (h *host) kill() {
	h.mu.Lock()
	init, runs, ended := h.init, h.runs, h.ended
	h.mu.Unlock()
	if ended == nil {
		return
	}
	if p, err := os.FindProcess(init); err == nil && init > 0 {
		_ = p.Kill()
	} else {
		runs.kill()
	}
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		runs.kill()
		<-ended
	}
}

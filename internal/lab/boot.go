package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
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

// keep makes what the host writes to, a file or a directory, the topmost of its layers.
func (h *host) keep(written string) error {
	layer := filepath.Join(filepath.Dir(written), fmt.Sprintf("layer-%d%s", len(h.layers), filepath.Ext(written)))
	if err := os.Rename(written, layer); err != nil {
		return err
	}
	h.layers = append([]string{layer}, h.layers...)
	return nil
}

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
	// A namespace that nobody uses is cleared away at leisure, and the cables' near ends with it.
	for _, side := range []string{Public, Private} {
		_ = run(ctx, "ip", "link", "delete", h.cable(side)) // there is none at first
	}
	if err := s.body.plug(ctx, h); err != nil {
		return err
	}
	for _, side := range h.Cut {
		if err := run(ctx, "ip", "link", "set", h.cable(side), "down"); err != nil {
			return err
		}
	}
	argv, err := s.body.command(h)
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
	h.mu.Unlock()
	go s.follow(h, runs, ended)
	init, err := s.body.first(runs.pid(), ended)
	h.mu.Lock()
	defer h.mu.Unlock()
	select {
	case <-ended: // its number may be somebody else's by now
	default:
		h.init = init
	}
	return err
}

// follow waits for the host to go off. nspawn ends with 133 where a reboot was asked for inside; a machine boots by itself.
func (s *supervisor) follow(h *host, runs child, ended chan struct{}) {
	code, _ := runs.wait()
	h.mu.Lock()
	was := h.state
	h.state, h.init = off, 0
	close(ended)
	h.mu.Unlock()
	if was == running && code == 133 {
		s.work.Lock()
		defer s.work.Unlock()
		if err := s.boot(context.Background(), h, func(line string) { fmt.Println(line) }); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
}

// ready waits for the host's systemd.
func (s *supervisor) ready(ctx context.Context, h *host) error {
	var state string
	var err error
	for deadline := time.Now().Add(s.body.patience()); time.Now().Before(deadline); {
		state, err = s.body.inside(ctx, h, "systemctl", "is-system-running")
		if state == "running" || state == "degraded" {
			return s.body.finish(ctx, h)
		}
		select {
		case <-h.ended:
			return errors.New("the host went off while it booted")
		case <-time.After(50 * time.Millisecond):
		}
	}
	waits, _ := s.body.inside(ctx, h, "systemctl", "list-jobs", "--no-legend", "--no-pager")
	for job := range strings.Lines(waits) {
		if words := strings.Fields(job); len(words) == 4 && words[3] == "running" { // number, unit, type, state
			status, _ := s.body.inside(ctx, h, "sh", "-c", `systemctl status --no-pager --lines=20 "$1" || true`, "sh", words[1])
			waits += "\n" + status
		}
	}
	return fmt.Errorf("the host did not finish booting in %v: it is %q (%v), and waits for\n%s", s.body.patience(), state, err, waits)
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

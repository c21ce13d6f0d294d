package lab

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// supervisor is the first process of a lab's own process namespace, with a mount and a network namespace of its own.
// All that a lab is, hosts and outside world, is below it: when it ends, however it ends, the kernel takes everything
// along. Only cgroup directories survive it, and connections that programs left in it; its watcher ends those.
type supervisor struct {
	*config
	body  body
	hosts []*host
	world *world
	work  sync.Mutex // one change at a time
}

// Supervise is the supervisor's main. It ends by being killed; only when its watcher was killed it goes by itself, and
// clears up in the watcher's stead.
func Supervise(dir string) error {
	c, err := readConfig(dir)
	if err != nil {
		return err
	}
	s := &supervisor{config: c}
	s.body = containers{s}
	if c.Machines {
		s.body = machines{s}
	}
	for n, h := range c.Hosts {
		s.hosts = append(s.hosts, &host{Host: h, number: n, state: off})
	}
	if err := private(c); err != nil {
		return fmt.Errorf("namespaces: %w", err)
	}
	ctx := context.Background()
	if err := layNetwork(ctx, c); err != nil {
		return fmt.Errorf("network: %w", err)
	}
	if s.world, err = startWorld(ctx, c); err != nil {
		return fmt.Errorf("outside world: %w", err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, "control"))
	if err != nil {
		return err
	}
	defer l.Close()
	go s.serveControl(l)
	go func() {
		for range time.Tick(time.Second) {
			reap()
		}
	}()
	// The watcher holds the other end and never writes: end of file is its death.
	watcher := os.NewFile(3, "watcher")
	_, _ = watcher.Read(make([]byte, 1))
	for _, h := range s.hosts {
		h.kill()
	}
	return clearUp(dir)
}

// private makes the mounts that belong to the namespaces: nothing mounted here is seen outside, nothing written to
// /run or /tmp, by the programs that run the hosts, stays.
func private(c *config) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	mounts := []struct{ kind, dir, options string }{{"proc", "/proc", ""}, {"tmpfs", "/run", "mode=0755"}, {"tmpfs", "/tmp", "mode=1777"}}
	if c.Memory {
		for _, h := range c.Hosts {
			mounts = append(mounts, struct{ kind, dir, options string }{"tmpfs", c.hostDir(h.Name()), "mode=0755"})
		}
	}
	for _, m := range mounts {
		if err := os.MkdirAll(m.dir, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(m.kind, m.dir, m.kind, 0, m.options); err != nil {
			return fmt.Errorf("%s: %w", m.dir, err)
		}
	}
	return nil
}

// do is what clients may ask.
func (s *supervisor) do(r request, say func(string)) error {
	ctx := context.Background()
	if r.Op == "status" {
		return nil
	}
	s.work.Lock()
	defer s.work.Unlock()
	switch r.Op {
	case "names":
		s.world.names.Store(&r.Names)
		return nil
	case "boot":
		return s.bootAll(ctx, say)
	case "save", "restore":
		for _, h := range s.hosts {
			h.kill()
			if err := s.body.changeDisk(ctx, h, r.Op == "save"); err != nil {
				return fmt.Errorf("%s: %w", h.Name(), err)
			}
		}
		return s.bootAll(ctx, say)
	}
	i := slices.IndexFunc(s.hosts, func(h *host) bool { return h.Name() == r.Host })
	if i < 0 {
		return fmt.Errorf("the lab has no host %q\nhint: odoogen lab status lists them", r.Host)
	}
	h := s.hosts[i]
	switch r.Op {
	case "power-off":
		h.kill()
		return nil
	case "power-on":
		return s.boot(ctx, h, say)
	case "fill", "drain":
		return s.body.fill(h, r.Op == "fill")
	case "cut", "heal":
		return s.cable(ctx, h, r.Sides, r.Op == "cut")
	}
	return fmt.Errorf("the lab knows no %q", r.Op)
}

// cable unplugs or plugs the host's cables of these sides.
func (s *supervisor) cable(ctx context.Context, h *host, sides []string, cut bool) error {
	sides, err := s.body.cables(h, sides)
	if err != nil {
		return err
	}
	for _, side := range sides {
		to := "up"
		if cut {
			to = "down"
		}
		if h.running() {
			if err := run(ctx, "ip", "link", "set", h.cable(side), to); err != nil {
				return err
			}
			if !cut {
				awaitLink(h.cable(side))
			}
		}
		h.setCut(side, cut)
	}
	return nil
}

// awaitLink waits until the kernel has noticed that a cable is plugged in, which it does once a second. Where the other end is
// not up it never does.
func awaitLink(near string) {
	for range 40 {
		if card, err := net.InterfaceByName(near); err != nil || card.Flags&net.FlagRunning != 0 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// bootAll boots what is off, all at once.
func (s *supervisor) bootAll(ctx context.Context, say func(string)) error {
	errs := make([]error, len(s.hosts))
	var wg sync.WaitGroup
	var talk sync.Mutex
	for i, h := range s.hosts {
		wg.Go(func() {
			errs[i] = s.boot(ctx, h, func(line string) {
				talk.Lock()
				defer talk.Unlock()
				say(line)
			})
		})
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			return fmt.Errorf("%s: %w", s.hosts[i].Name(), err)
		}
	}
	return nil
}

func (s *supervisor) status() *Status {
	st := &Status{ID: s.ID, Spec: s.Spec, Dir: s.dir(), Running: true, World: worldAddress, Received: s.world.count(), Positions: []Position{
		{Name: Office, Public: s.Office}, {Name: VPN, Public: s.VPN, Private: s.PrivateVPN}, {Name: Stranger, Public: strangerAddress}}}
	for _, h := range s.hosts {
		one := h.status()
		one.Machine = s.Machines
		st.Hosts = append(st.Hosts, one)
	}
	return st
}

package lab

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"odoogen/internal/artifact"
)

// Options are how a lab is to be.
type Options struct {
	Trees     []*artifact.Tree // of the hosts to boot
	Whitelist []string         // networks that may reach the hosts' ssh: the operator works from one
	Memory    bool             // keep what the hosts write in memory: faster, but gone with the lab
	Machines  bool             // make each host a virtual machine
	Fresh     bool             // make base images and packages anew
	Say       func(string)     // told what takes long
}

// Up boots every host of the trees, and returns when all run. A lab that already runs is left as it is, but for its DNS,
// which learns the names of the trees. Whatever keeps it from running, nothing of it stays.
func (l *Lab) Up(ctx context.Context, o Options) (*Status, error) {
	missing := Missing
	if o.Machines {
		missing = MissingForMachines
	}
	if err := missing(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(cache, "labs"), 0o755); err != nil {
		return nil, err
	}
	one, err := lockFile(filepath.Join(cache, "up.lock"), true)
	if err != nil {
		return nil, err
	}
	defer one.Close()
	c, err := newConfig(l.spec, o.Trees, o.Whitelist, o.Memory, o.Machines)
	if err != nil {
		return nil, err
	}
	if l.Running() {
		return l.ask(ctx, request{Op: "names", Names: c.Names})
	}
	if err := l.sweep(); err != nil {
		return nil, err
	}
	status, err := l.up(ctx, c, o)
	if err != nil {
		// Not ctx: it may be what ended the attempt.
		if down := l.Down(context.WithoutCancel(ctx)); down != nil {
			err = errors.Join(err, down)
		}
		return nil, err
	}
	return status, nil
}

func (l *Lab) up(ctx context.Context, c *config, o Options) (*Status, error) {
	if err := os.MkdirAll(filepath.Join(l.dir, "hosts"), 0o755); err != nil {
		return nil, err
	}
	over := &Overlay{Cores: cores(), HostKeys: map[string]string{}, Vendors: map[string]string{}, Downloads: map[string]string{}}
	err := l.stock(ctx, c, o, over)
	if err != nil {
		return nil, err
	}
	if err := l.makeKeys(ctx, c, over); err != nil {
		return nil, err
	}
	if over.Revs, err = makeRepositories(ctx, c.gitDir(), c.Repositories); err != nil {
		return nil, err
	}
	if err := servePins(c.wwwDir(), c.Pins); err != nil {
		return nil, err
	}
	if err := writeJSON(filepath.Join(l.dir, "overlay.json"), over); err != nil {
		return nil, err
	}
	if err := writeJSON(filepath.Join(l.dir, "lab.json"), c); err != nil {
		return nil, err
	}
	if err := l.launch(ctx); err != nil {
		return nil, err
	}
	if err := l.makePosition(); err != nil {
		return nil, err
	}
	return ask(ctx, l.dir, request{Op: "boot"}, o.Say)
}

// stock sees to base images and packages.
func (l *Lab) stock(ctx context.Context, c *config, o Options, over *Overlay) error {
	bySuite := map[string][]*Host{}
	for _, h := range c.Hosts {
		bySuite[h.Suite()] = append(bySuite[h.Suite()], h)
	}
	if o.Fresh {
		if others, err := l.others(); err != nil || len(others) > 0 {
			return errors.Join(err, fmt.Errorf("other labs run on the images that are to be made anew: %s\nhint: odoogen lab down DIR",
				strings.Join(others, ", ")))
		}
		for _, name := range []string{"images", "packages"} {
			if err := os.RemoveAll(filepath.Join(cache, name)); err != nil {
				return err
			}
		}
	}
	for suite, hosts := range bySuite {
		base, err := image(ctx, suite, bare, o.Say)
		if err != nil {
			return err
		}
		if o.Machines {
			if c.MachineImages[suite], err = image(ctx, suite, slices.Concat(bare, machined), o.Say); err != nil {
				return err
			}
		}
		p, err := pool(ctx, base, hosts, c.Hosts, o.Say)
		if err != nil {
			return err
		}
		c.Images[suite], c.Pools[suite] = base, p.Dir
		over.add(p)
	}
	return nil
}

// others are the directories of the specs whose labs run.
func (l *Lab) others() ([]string, error) {
	dirs, err := filepath.Glob(filepath.Join(cache, "labs", "*", "lab.json"))
	if err != nil {
		return nil, err
	}
	var specs []string
	for _, name := range dirs {
		c, err := readConfig(filepath.Dir(name))
		if err != nil {
			return nil, err
		}
		if (&Lab{dir: c.dir()}).Running() {
			specs = append(specs, c.Spec)
		}
	}
	return specs, nil
}

// launch starts watcher and supervisor, which outlive this process, and waits until they answer.
func (l *Lab) launch(ctx context.Context) error {
	log, err := os.OpenFile(filepath.Join(l.dir, "log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	// What whoever called us has left open is not the lab's to keep: a lock, a pipe that somebody reads to its end.
	if err := unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return err
	}
	c, err := program{self: true, argv: append(WatchCommand, l.dir), log: log, attr: &syscall.SysProcAttr{Setsid: true}}.start()
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() { _, _ = c.wait(); close(ended) }()
	for {
		if conn, err := net.Dial("unix", filepath.Join(l.dir, "control")); err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ended:
			return fmt.Errorf("the lab did not start%s", logTail(filepath.Join(l.dir, "log")))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// makeKeys makes the hosts' ssh keys, that of the world's ssh server and the operator's.
func (l *Lab) makeKeys(ctx context.Context, c *config, over *Overlay) error {
	dir := filepath.Join(l.dir, "keys")
	if err := os.MkdirAll(filepath.Join(dir, "hosts"), 0o700); err != nil { // of their own: a host may be called box
		return err
	}
	make := func(name string) (string, error) {
		if err := run(ctx, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", filepath.Base(name), "-f", filepath.Join(dir, name)); err != nil {
			return "", err
		}
		public, err := os.ReadFile(filepath.Join(dir, name+".pub"))
		return strings.TrimSpace(string(public)), err
	}
	var err error
	var known []byte
	for _, h := range c.Hosts {
		if over.HostKeys[h.Name()], err = make("hosts/" + h.Name()); err != nil {
			return err
		}
		known = fmt.Appendf(known, "%s %s\n", h.Name(), over.HostKeys[h.Name()])
	}
	if over.Box, err = make("box"); err != nil {
		return err
	}
	if over.Admin, err = make("operator"); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "known_hosts"), known, 0o644)
}

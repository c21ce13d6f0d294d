// Package lab boots the hosts of a spec as throw-away Debian hosts, each with its own systemd, enforced limits,
// addresses and firewall, on networks of their own and with the outside world that they need. It is where a push is
// rehearsed and what end-to-end tests run on.
//
// A lab is one process, the supervisor, first of its own process namespace, and all that is below it: no mount,
// namespace or process outlives it, even when it is killed. On disk it is a directory below /var/lib/odoogen-lab/labs;
// base images and packages beside it are shared and kept.
package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
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
	Fresh     bool             // make base images and packages anew
	Say       func(string)     // told what takes long
}

// Lab is the lab of one spec.
type Lab struct {
	dir  string
	spec string
}

// Of is the lab of the spec in a directory, running or not.
func Of(spec string) (*Lab, error) {
	spec, err := filepath.Abs(spec)
	if err != nil {
		return nil, err
	}
	return &Lab{dir: labDir(keyOf(spec)), spec: spec}, nil
}

// Running says whether there is one.
func (l *Lab) Running() bool {
	lock, err := lockFile(lockName(l.dir), false)
	if err == nil {
		lock.Close()
	}
	return errors.Is(err, unix.EWOULDBLOCK)
}

// Up boots every host of the trees, and returns when all run. A lab that already runs is left as it is. Whatever
// keeps it from running, nothing of it stays.
func (l *Lab) Up(ctx context.Context, o Options) (*Status, error) {
	if err := Missing(); err != nil {
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
	if l.Running() {
		return l.Status(ctx)
	}
	if err := l.sweep(); err != nil {
		return nil, err
	}
	c, err := newConfig(l.spec, o.Trees, o.Whitelist, o.Memory)
	if err != nil {
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
	if err := l.stock(ctx, c, o, over); err != nil {
		return nil, err
	}
	if err := l.makeKeys(ctx, c, over); err != nil {
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
		base, err := image(ctx, suite, o.Say)
		if err != nil {
			return err
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

// Status is the lab as it is now.
func (l *Lab) Status(ctx context.Context) (*Status, error) {
	if !l.Running() {
		return &Status{Spec: l.spec, Dir: l.dir, ID: filepath.Base(l.dir), Hosts: []HostStatus{}, Positions: []Position{}}, nil
	}
	return l.ask(ctx, request{Op: "status"})
}

func (l *Lab) ask(ctx context.Context, r request) (*Status, error) {
	if !l.Running() {
		return nil, fmt.Errorf("no lab runs for %s\nhint: odoogen lab up", l.spec)
	}
	return ask(ctx, l.dir, r, func(string) {})
}

// PowerOff is a power cut of the host: its first process is killed, and every other with it.
func (l *Lab) PowerOff(ctx context.Context, host string) error {
	_, err := l.ask(ctx, request{Op: "power-off", Host: host})
	return err
}

// PowerOn boots the host from the disk that it has, and returns when it is up.
func (l *Lab) PowerOn(ctx context.Context, host string) error {
	_, err := l.ask(ctx, request{Op: "power-on", Host: host})
	return err
}

// Cut unplugs the host's cables of these sides, Public and Private.
func (l *Lab) Cut(ctx context.Context, host string, sides ...string) error {
	_, err := l.ask(ctx, request{Op: "cut", Host: host, Sides: sides})
	return err
}

// Heal plugs them in again.
func (l *Lab) Heal(ctx context.Context, host string, sides ...string) error {
	_, err := l.ask(ctx, request{Op: "heal", Host: host, Sides: sides})
	return err
}

// Save keeps the disks of all hosts as they are now. The hosts lose their power for it, and boot again.
func (l *Lab) Save(ctx context.Context) error {
	_, err := l.ask(ctx, request{Op: "save"})
	return err
}

// Restore returns the disks of all hosts to where they were last saved, or else to bare ones, and boots the hosts.
func (l *Lab) Restore(ctx context.Context) error {
	_, err := l.ask(ctx, request{Op: "restore"})
	return err
}

// Down ends the lab and removes it from the disk. One that does not run leaves nothing to remove but what a kill left.
func (l *Lab) Down(context.Context) error {
	if l.Running() {
		// To kill it is the way: nothing in a lab is worth an orderly end, and the watcher removes what is left. A process
		// that waits for a busy disk ends when the disk has answered.
		l.Kill()
		if !l.endedWithin(2 * time.Minute) {
			return fmt.Errorf("the lab does not end\nhint: see %s/log", l.dir)
		}
	}
	return l.sweep()
}

// Kill kills the supervisor, and so everything in the lab. Its disk stays until Down.
func (l *Lab) Kill() {
	if pid := supervisorPid(l.dir); pid > 0 {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

func (l *Lab) endedWithin(d time.Duration) bool {
	for deadline := time.Now().Add(d); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if !l.Running() {
			return true
		}
	}
	return false
}

// sweep removes this lab's directory, and the cgroups of every lab that no longer runs.
func (l *Lab) sweep() error {
	err := removeCgroups(func(lab string) bool { return !(&Lab{dir: labDir(lab)}).Running() })
	if err != nil {
		return err
	}
	if err := os.RemoveAll(l.dir); err != nil {
		return err
	}
	locks, err := filepath.Glob(filepath.Join(cache, "labs", "*.lock"))
	if err != nil {
		return err
	}
	for _, name := range locks {
		if held, err := lockFile(name, false); err == nil {
			_ = os.Remove(name)
			held.Close()
		}
	}
	return nil
}

// Received is what the outside world has taken from the hosts, oldest first.
func (l *Lab) Received() ([]Received, error) { return readReceived(receivedFile(l.dir)) }

// makeKeys makes the hosts' ssh keys, the box's and the operator's.
func (l *Lab) makeKeys(ctx context.Context, c *config, over *Overlay) error {
	dir := filepath.Join(l.dir, "keys")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	make := func(name string) (string, error) {
		if err := run(ctx, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", filepath.Join(dir, name)); err != nil {
			return "", err
		}
		public, err := os.ReadFile(filepath.Join(dir, name+".pub"))
		return strings.TrimSpace(string(public)), err
	}
	var err error
	var known []byte
	for _, h := range c.Hosts {
		if over.HostKeys[h.Name()], err = make(h.Name()); err != nil {
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

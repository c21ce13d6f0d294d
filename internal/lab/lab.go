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
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

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

// Key is the file with the key that the lab's operator logs in with.
func (l *Lab) Key() string { return filepath.Join(l.dir, "keys", "operator") }

// Secrets is the directory for values that its hosts are given. They are nobody's but the lab's.
func (l *Lab) Secrets() string { return filepath.Join(l.dir, "secrets") }

// Running says whether there is one.
func (l *Lab) Running() bool {
	lock, err := lockFile(lockName(l.dir), false)
	if err == nil {
		lock.Close()
	}
	return errors.Is(err, unix.EWOULDBLOCK)
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

// Fill makes the host's disk full: not a byte more fits, whoever writes it. Only a disk in memory can be filled.
func (l *Lab) Fill(ctx context.Context, host string) error {
	_, err := l.ask(ctx, request{Op: "fill", Host: host})
	return err
}

// Drain gives the disk its room back.
func (l *Lab) Drain(ctx context.Context, host string) error {
	_, err := l.ask(ctx, request{Op: "drain", Host: host})
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

// sweep removes this lab's directory, and the cgroups and connections of every lab that no longer runs.
func (l *Lab) sweep() error {
	if err := clearUp(l.dir); err != nil {
		return err
	}
	if err := sweepCgroups(); err != nil {
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
			hangUp(strings.TrimSuffix(name, ".lock"))
			_ = os.Remove(name)
			held.Close()
		}
	}
	return nil
}

// Received is what the outside world has taken from the hosts, oldest first.
func (l *Lab) Received() ([]Received, error) { return readReceived(receivedFile(l.dir)) }

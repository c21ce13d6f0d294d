package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Arguments of the hidden commands by which the lab runs itself: the program, these, and the lab's directory.
var (
	WatchCommand     = []string{"lab", "watch"}
	SuperviseCommand = []string{"lab", "supervise"}
)

// Watch is the main of a lab's watcher: it holds the lab's lock, runs the supervisor in namespaces of its own, and when
// that has ended, in whatever way, removes what outlives processes. The supervisor ends when the watcher does; should
// both be killed in one moment, the next `lab up` or `lab down` removes the empty cgroups.
func Watch(dir string) error {
	lock, err := lockFile(lockName(dir), false)
	if err != nil {
		return fmt.Errorf("another lab runs from %s: %w", dir, err)
	}
	defer lock.Close()
	alive, held, err := os.Pipe()
	if err != nil {
		return err
	}
	defer held.Close()
	c, err := program{self: true, argv: append(SuperviseCommand, dir), log: os.Stderr, passed: alive,
		attr: &syscall.SysProcAttr{Setsid: true,
			Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC}}.start()
	if err != nil {
		return fmt.Errorf("namespaces: %w", err)
	}
	alive.Close()
	p, _ := processOf(c.pid())
	if err := os.WriteFile(filepath.Join(dir, "pid"), fmt.Appendf(nil, "%d %s\n", p.pid, p.started), 0o600); err != nil {
		return err
	}
	_, ended := c.wait()
	for _, name := range []string{"pid", "control"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	if err := clearUp(dir); err != nil {
		return err
	}
	if ended != nil {
		return fmt.Errorf("supervisor: %w", ended)
	}
	return nil
}

// lockName is the lock that a lab's watcher holds for as long as there is one.
func lockName(dir string) string { return strings.TrimSuffix(dir, "/") + ".lock" }

// supervisorPid is the process that pid names, if it is still the same one; else 0.
func supervisorPid(dir string) int {
	data, err := os.ReadFile(filepath.Join(dir, "pid"))
	if err != nil {
		return 0
	}
	var pid int
	var started string
	if _, err := fmt.Sscan(string(data), &pid, &started); err != nil {
		return 0
	}
	if p, ok := processOf(pid); !ok || p.started != started || p.state == "Z" {
		return 0
	}
	return pid
}

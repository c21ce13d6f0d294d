package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A host's systemd enforces limits only where it may write cgroups, so each host is put into a cgroup of its own, in
// every hierarchy, before its first process starts: its cgroup namespace is then rooted there. The names carry the
// lab's, so that what a killed lab left is found and removed.

// hierarchy is a mounted cgroup file system.
type hierarchy struct {
	dir        string
	unified    bool   // cgroup v2
	controller string // of v1: "cpu,cpuacct" or the like
}

func hierarchies() ([]hierarchy, error) {
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	var all []hierarchy
	for _, line := range strings.Split(string(data), "\n") {
		before, after, ok := strings.Cut(line, " - ")
		place, kind := strings.Fields(before), strings.Fields(after)
		if !ok || len(place) < 5 || len(kind) < 1 || place[3] != "/" {
			continue
		}
		switch kind[0] {
		case "cgroup":
			all = append(all, hierarchy{dir: place[4], controller: filepath.Base(place[4])})
		case "cgroup2":
			all = append(all, hierarchy{dir: place[4], unified: true})
		}
	}
	return all, nil
}

// cgroupName is the cgroup of a host of a lab, in every hierarchy.
func cgroupName(lab, host string) string { return "odoogen-lab-" + lab + "-" + host }

// makeCgroups makes the host's cgroups and returns their directories.
func makeCgroups(lab, host string) ([]string, error) {
	all, err := hierarchies()
	if err != nil {
		return nil, err
	}
	var dirs []string
	for _, h := range all {
		if h.unified {
			if err := delegate(h.dir); err != nil {
				return nil, err
			}
		}
		dir := filepath.Join(h.dir, cgroupName(lab, host))
		if err := os.Mkdir(dir, 0o755); err != nil && !os.IsExist(err) {
			return nil, err
		}
		// A cpuset without processors and memory takes no process.
		for _, name := range []string{"cpuset.cpus", "cpuset.mems"} {
			if value, err := os.ReadFile(filepath.Join(h.dir, name)); err == nil && !h.unified {
				if err := os.WriteFile(filepath.Join(dir, name), value, 0o644); err != nil {
					return nil, err
				}
			}
		}
		dirs = append(dirs, dir)
	}
	return dirs, nil
}

// delegate lets the cgroups below the root have the controllers that limits need.
func delegate(root string) error {
	has, err := os.ReadFile(filepath.Join(root, "cgroup.controllers"))
	if err != nil {
		return err
	}
	for _, c := range strings.Fields(string(has)) {
		if err := os.WriteFile(filepath.Join(root, "cgroup.subtree_control"), []byte("+"+c), 0o644); err != nil {
			return fmt.Errorf("cgroup controller %s: %w", c, err)
		}
	}
	return nil
}

// removeCgroups removes the cgroups of a lab that is no more. Its processes have been killed, but the kernel may need
// a moment to see them off.
func removeCgroups(lab string) error {
	dirs, err := cgroupsOf(lab)
	deadline := time.Now().Add(time.Minute)
	for _, dir := range dirs {
		for err == nil {
			if err = removeCgroup(dir); err == nil || time.Now().After(deadline) {
				break
			}
			err = nil
			time.Sleep(20 * time.Millisecond)
		}
	}
	return err
}

// sweepCgroups removes what labs of this system left that were killed. Cgroups of a lab that this system knows nothing
// of go only if they are empty: in another root on this kernel it may well run.
func sweepCgroups() error {
	dirs, err := cgroupsOf("*")
	for _, dir := range dirs {
		lab, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), "odoogen-lab-"), "-")
		known := &Lab{dir: labDir(lab)}
		if _, e := os.Stat(known.dir); e != nil {
			_ = removeCgroup(dir)
		} else if !known.Running() {
			_ = removeCgroups(lab) // what stays is tried again by the next command, and is no reason to refuse this one
		}
	}
	return err
}

// cgroupsOf are the top cgroups of a lab's hosts, in every hierarchy.
func cgroupsOf(lab string) ([]string, error) {
	all, err := hierarchies()
	if err != nil {
		return nil, err
	}
	var dirs []string
	for _, h := range all {
		found, err := filepath.Glob(filepath.Join(h.dir, cgroupName(lab, "*")))
		if err != nil {
			return nil, err
		}
		dirs = append(dirs, found...)
	}
	return dirs, nil
}

// removeCgroup removes a cgroup and those below it. The files in them are the kernel's.
func removeCgroup(dir string) error {
	var dirs []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, path)
		}
		return nil
	})
	for i := len(dirs) - 1; i >= 0; i-- {
		if e := os.Remove(dirs[i]); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = e
		}
	}
	return err
}

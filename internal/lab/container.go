package lab

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// containers are hosts in containers of systemd-nspawn(1), with this machine's kernel.
type containers struct{ *supervisor }

func (s containers) image(suite string) string { return s.Images[suite] }

func (s containers) card(*Host) placed { return placed{"usr/local/sbin/ip", 0o755, vlanless} }

// vlanless stands in for ip where a VLAN is concerned, which few kernels can make in a container: the private network's
// interface is there, but as a plain one.
//
//go:embed vlanless
var vlanless string

func (s containers) firstDisk(_ context.Context, h *host) error {
	h.layers = []string{s.Images[h.Suite()]}
	return nil
}

// changeDisk makes the topmost layer of an overlay one of those below.
func (s containers) changeDisk(ctx context.Context, h *host, keep bool) error {
	dir := s.hostDir(h.Name())
	if err := run(ctx, "umount", filepath.Join(dir, "root")); err != nil {
		return err
	}
	upper := filepath.Join(dir, "upper")
	if keep {
		if err := h.keep(upper); err != nil {
			return err
		}
	}
	for _, name := range []string{upper, filepath.Join(dir, "work")} {
		if err := os.RemoveAll(name); err != nil {
			return err
		}
	}
	return overlay(ctx, strings.Join(h.layers, ":"), dir)
}

// fill limits the file system that holds what the host writes to what it holds now, or lifts the limit: tmpfs(5), size.
func (s containers) fill(h *host, full bool) error {
	if !s.Memory {
		return errors.New("only a disk in memory can be filled\nhint: odoogen lab up --memory")
	}
	dir, size := s.hostDir(h.Name()), "50%"
	if full {
		var st unix.Statfs_t
		if err := unix.Statfs(dir, &st); err != nil {
			return err
		}
		size = fmt.Sprint((st.Blocks - st.Bfree) * uint64(st.Bsize))
	}
	return unix.Mount("tmpfs", dir, "tmpfs", unix.MS_REMOUNT, "mode=0755,size="+size)
}

// plug makes the host's network namespace anew, and lays its cables.
func (s containers) plug(ctx context.Context, h *host) error {
	if err := newSpace(ctx, h.Name()); err != nil {
		return err
	}
	cables := []cable{{near: h.cable(Public), bridge: publicBridge, space: h.Name(), far: h.Network.Uplink, bare: true}}
	if a := h.Public(); a != "" {
		cables[0].address = a + "/32"
	}
	if h.Network.Interface != "" {
		cables = append(cables, cable{near: h.cable(Private), bridge: privateBridge, space: h.Name(), far: h.Network.Interface,
			address: h.Network.Private, mtu: h.Network.MTU, bare: true})
	}
	for _, c := range cables {
		if err := c.lay(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s containers) cables(h *host, sides []string) ([]string, error) {
	if h.Network.Interface != "" {
		return sides, nil
	}
	if slices.Equal(sides, []string{Private}) {
		return nil, fmt.Errorf("%s is not on the private network", h.Name())
	}
	return []string{Public}, nil
}

// command is the command line that runs the host's systemd in a container.
func (s containers) command(h *host) ([]string, error) {
	cgroups, err := makeCgroups(s.ID, h.Name())
	if err != nil {
		return nil, err
	}
	return slices.Concat([]string{"/bin/sh", "-c", into, "sh"}, cgroups, []string{"--", "systemd-nspawn", "--quiet", "--boot",
		"--directory=" + filepath.Join(s.hostDir(h.Name()), "root"), "--machine=" + h.Name(), "--register=no", "--keep-unit",
		"--network-namespace-path=/run/netns/" + h.Name(), "--capability=CAP_NET_ADMIN", "--resolv-conf=off", "--timezone=off",
		"--link-journal=no", "--console=pipe"}), nil
}

// into puts the shell into cgroups and then becomes a program: the arguments are directories, "--", the program.
const into = `until [ "$1" = -- ]; do echo 0 >"$1/cgroup.procs"; shift; done; shift; exec "$@"`

// first waits for the container's first process: the child of nspawn that has a process namespace of its own. There
// is another for a moment, which sets the container up.
func (s containers) first(nspawn int, ended <-chan struct{}) (int, error) {
	for range 200 {
		for _, p := range processes() {
			if p.parent == nspawn && spaceOf(p.pid) != spaceOf(nspawn) && spaceOf(p.pid) != "" {
				return p.pid, nil
			}
		}
		select {
		case <-ended:
			return 0, errors.New("systemd-nspawn ended at once")
		case <-time.After(20 * time.Millisecond):
		}
	}
	return 0, errors.New("systemd-nspawn started nothing")
}

// spaceOf names the process namespace that a process is in.
func spaceOf(pid int) string {
	name, _ := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", pid))
	return name
}

func (s containers) inside(ctx context.Context, h *host, argv ...string) (string, error) {
	return output(ctx, append([]string{"nsenter", "--target=" + fmt.Sprint(h.status().Init), "--mount", "--pid"}, argv...)...)
}

// writable makes the host's cgroups writable to its systemd, which nspawn mounts read-only on cgroup v1, and lets
// systemd look again. Without it systemd takes every limit and enforces none.
const writable = `while read -r _ dir kind _; do
	case $kind in cgroup | cgroup2) mount -o remount,bind,rw "$dir" ;; esac
done </proc/self/mounts
systemctl daemon-reexec`

func (s containers) finish(ctx context.Context, h *host) error {
	_, err := s.inside(ctx, h, "sh", "-c", writable)
	return err
}

func (s containers) patience() time.Duration { return 90 * time.Second }

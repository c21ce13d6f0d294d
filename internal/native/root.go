package native

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// root is a throw-away host: an overlay over a Debian system whose changes live in memory, with network, IPC and
// host name of its own. One thread lives in it, and every file operation and every start of a program goes through
// that thread; nothing outside sees a mount, and all of it is gone when the thread and its programs have ended.
type root struct {
	calls chan func()
}

// enter makes a root over the directory lower, "/" for this machine, and moves a thread into it.
func enter(lower, hostname string) (*root, error) {
	r := &root{calls: make(chan func())}
	entered := make(chan error)
	go func() {
		// Never unlocked: the thread ends with this function, and its namespaces with it.
		runtime.LockOSThread()
		err := isolate(lower, hostname)
		entered <- err
		if err != nil {
			return
		}
		for call := range r.calls {
			call()
		}
	}()
	return r, <-entered
}

// leave ends the root's thread. Programs that still run are killed with it (see start).
func (r *root) leave() { close(r.calls) }

// do calls f inside the root.
func (r *root) do(f func() error) error {
	done := make(chan error)
	r.calls <- func() { done <- f() }
	return <-done
}

// scratch is where the root is put together: in the thread's own mount namespace, so that the machine's /mnt stays
// as it is.
const scratch = "/mnt"

// isolate moves the calling thread into a root over lower.
func isolate(lower, hostname string) error {
	// No user namespace: the checkers are those of root, and so is what they check.
	if err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS); err != nil {
		return fmt.Errorf("no namespaces of our own: %w (a container needs CAP_SYS_ADMIN for that)", err)
	}
	// By its descriptor, since the mount on /mnt may cover it; opened here, since an overlay takes no directory of
	// another mount namespace.
	below, err := unix.Open(lower, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", lower, err)
	}
	defer unix.Close(below)
	top := scratch + "/root"
	overlay := fmt.Sprintf("lowerdir=/proc/self/fd/%d,upperdir=%s/changes,workdir=%s/work", below, scratch, scratch)
	for _, step := range []func() error{
		func() error { return mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, "") },
		func() error { return mount("tmpfs", scratch, "tmpfs", 0, "mode=0755") },
		func() error {
			return errors.Join(os.Mkdir(top, 0o755), os.Mkdir(scratch+"/changes", 0o755), os.Mkdir(scratch+"/work", 0o755))
		},
		func() error { return mount("overlay", top, "overlay", 0, overlay) },
		func() error { return mount("tmpfs", top+"/run", "tmpfs", 0, "mode=0755") },
		func() error { return mount("tmpfs", top+"/tmp", "tmpfs", 0, "mode=1777") },
		func() error { return mount("proc", top+"/proc", "proc", 0, "") },
		func() error { return devices(top + "/dev") },
		func() error { return network(top) },
		// The kernel's settings are the machine's: nothing in the root may write them.
		func() error { return mount(top+"/proc/sys", top+"/proc/sys", "", unix.MS_BIND, "") },
		func() error { return mount("", top+"/proc/sys", "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, "") },
		func() error { return unix.Sethostname([]byte(hostname)) },
		func() error { return unix.Chroot(top) },
		func() error { return unix.Chdir("/") },
	} {
		if err := step(); err != nil {
			return fmt.Errorf("scratch root: %w", err)
		}
	}
	return nil
}

func mount(source, target, kind string, flags uintptr, data string) error {
	if err := unix.Mount(source, target, kind, flags, data); err != nil {
		return fmt.Errorf("mount %s on %s: %w", source, target, err)
	}
	return nil
}

// devices makes a /dev of the few nodes that programs need; the machine's own is out of reach.
func devices(dev string) error {
	if err := mount("tmpfs", dev, "tmpfs", 0, "mode=0755"); err != nil {
		return err
	}
	for _, name := range []string{"null", "zero", "full", "random", "urandom"} {
		if err := os.WriteFile(dev+"/"+name, nil, 0o666); err != nil {
			return err
		}
		if err := mount("/dev/"+name, dev+"/"+name, "", unix.MS_BIND, ""); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dev+"/shm", 0o777); err != nil { // PostgreSQL's dynamic shared memory
		return err
	}
	return errors.Join(os.Chmod(dev+"/shm", 0o777|os.ModeSticky), os.Symlink("/proc/self/fd", dev+"/fd"),
		os.Symlink("/proc/self/fd/0", dev+"/stdin"), os.Symlink("/proc/self/fd/1", dev+"/stdout"), os.Symlink("/proc/self/fd/2", dev+"/stderr"))
}

// network brings loopback up, and lets programs bind the host's addresses, which no card carries here.
func network(top string) error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, lo); err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	for _, version := range []string{"ipv4", "ipv6"} {
		bind := top + "/proc/sys/net/" + version + "/ip_nonlocal_bind"
		if err := os.WriteFile(bind, []byte("1"), 0); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

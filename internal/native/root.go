package native

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"

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

// The places that the root's own mounts cover. /mnt is only where the root is put together: in the thread's mount
// namespace, not on the machine.
const scratch = "/mnt"

// isolate moves the calling thread into a root over lower.
func isolate(lower, hostname string) error {
	// No user namespace: the checkers are those of root, and so is what they check.
	if err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS); err != nil {
		return fmt.Errorf("unshare: %w", err)
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

// command is a program to run in the root.
type command struct {
	argv  []string
	user  string // root if empty
	stdin string
	env   []string
}

// result is what a program did: code -1 stands for one that could not be run, or was killed.
type result struct {
	stdout, stderr string
	code           int
}

// run runs a program of the root as root, to its end.
func (r *root) run(ctx context.Context, argv ...string) result {
	return r.runCommand(ctx, command{argv: argv})
}

func (r *root) runCommand(ctx context.Context, c command) result {
	var stdout, stderr bytes.Buffer
	p, err := r.start(ctx, c, &stdout, &stderr)
	if err == nil {
		err = p.wait()
	}
	var exit *exec.ExitError
	switch {
	case err == nil:
		return result{stdout.String(), stderr.String(), 0}
	case errors.As(err, &exit):
		return result{stdout.String(), stderr.String(), exit.ExitCode()}
	}
	return result{stdout.String(), stderr.String() + err.Error() + "\n", -1}
}

// searchPath is where programs are looked for, as for a unit of systemd's.
var searchPath = []string{"/usr/sbin", "/usr/bin", "/sbin", "/bin"}

// start starts a program of the root. It does not outlive the root.
func (r *root) start(ctx context.Context, c command, stdout, stderr io.Writer) (process, error) {
	var cmd *exec.Cmd
	err := r.do(func() error {
		path, err := lookup(c.argv[0])
		if err != nil {
			return err
		}
		cmd = exec.CommandContext(ctx, path, c.argv[1:]...)
		cmd.Env = append([]string{"PATH=" + strings.Join(searchPath, ":"), "LC_ALL=C.UTF-8", "HOME=/root", "TZ=UTC", "SYSTEMD_LOG_TARGET=console"}, c.env...)
		cmd.Dir = "/"
		if c.stdin != "" {
			cmd.Stdin = strings.NewReader(c.stdin)
		}
		cmd.Stdout, cmd.Stderr = stdout, stderr
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
		if c.user != "" {
			if cmd.SysProcAttr.Credential, err = credential(c.user); err != nil {
				return err
			}
		}
		return cmd.Start()
	})
	return process{cmd}, err
}

// process is a program that was started in the root.
type process struct{ cmd *exec.Cmd }

func (p process) wait() error { return p.cmd.Wait() }

func (p process) interrupt() { _ = p.cmd.Process.Signal(os.Interrupt) }

// lookup finds a program as the root's PATH does. Only to be called inside the root.
func lookup(name string) (string, error) {
	if filepath.IsAbs(name) {
		return name, nil
	}
	for _, dir := range searchPath {
		if info, err := os.Stat(dir + "/" + name); err == nil && !info.IsDir() {
			return dir + "/" + name, nil
		}
	}
	return "", fmt.Errorf("%s: no such program", name)
}

// credential is a user of the root, with the groups that the root gives it. Only to be called inside the root.
func credential(user string) (*syscall.Credential, error) {
	uid, gid, err := userOf(user)
	if err != nil {
		return nil, err
	}
	groups, err := os.ReadFile("/etc/group")
	if err != nil {
		return nil, err
	}
	c := &syscall.Credential{Uid: uid, Gid: gid}
	for line := range strings.Lines(string(groups)) {
		f := strings.Split(strings.TrimSpace(line), ":")
		if len(f) == 4 && strings.Contains(","+f[3]+",", ","+user+",") {
			if id, err := strconv.ParseUint(f[2], 10, 32); err == nil {
				c.Groups = append(c.Groups, uint32(id))
			}
		}
	}
	return c, nil
}

func userOf(user string) (uid, gid uint32, err error) {
	passwd, err := os.ReadFile("/etc/passwd")
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(passwd)) {
		f := strings.Split(line, ":")
		if len(f) == 7 && f[0] == user {
			u, err1 := strconv.ParseUint(f[2], 10, 32)
			g, err2 := strconv.ParseUint(f[3], 10, 32)
			return uint32(u), uint32(g), errors.Join(err1, err2)
		}
	}
	return 0, 0, fmt.Errorf("no user %s", user)
}

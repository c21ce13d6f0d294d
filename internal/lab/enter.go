package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// makePosition writes what a program sees of the lab when it runs in one of the operator's positions: the lab's DNS, its
// authorities beside the machine's own, and its ssh key.
func (l *Lab) makePosition() error {
	dir := filepath.Join(l.dir, "operator")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	trusted, err := os.ReadFile("/etc/ssl/certs/ca-certificates.crt")
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	ours, err := os.ReadFile(authoritiesFile(l.dir))
	if err != nil {
		return err
	}
	hosts := []byte("hosts: files dns\n")
	order, err := os.ReadFile("/etc/nsswitch.conf")
	if err == nil {
		hosts = regexp.MustCompile(`(?m)^hosts:.*$`).ReplaceAll(order, []byte("hosts: files dns"))
	}
	for name, data := range map[string][]byte{
		"ca-certificates.crt": append(trusted, ours...),
		"resolv.conf":         []byte("nameserver " + worldAddress + "\n"),
		"nsswitch.conf":       hosts,
		"odoogen-lab.conf":    fmt.Appendf(nil, "IdentityFile %s\n", filepath.Join(l.dir, "keys", "operator")),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// seen is what a program in a position sees in place of the machine's own.
var seen = map[string]string{
	"/etc/ssl/certs/ca-certificates.crt": "ca-certificates.crt",
	"/etc/resolv.conf":                   "resolv.conf",
	"/etc/nsswitch.conf":                 "nsswitch.conf",
}

// take puts the calling thread, for good, into a position of the operator.
func (l *Lab) take(position string) error {
	pid := supervisorPid(l.dir)
	if pid == 0 {
		return fmt.Errorf("no lab runs for %s\nhint: odoogen lab up", l.spec)
	}
	if !slices.Contains([]string{Office, VPN, Stranger}, position) {
		return fmt.Errorf("the lab has no position %q\nhint: it has %s, %s and %s", position, Office, VPN, Stranger)
	}
	space, err := os.Open(fmt.Sprintf("/proc/%d/root/run/netns/%s", pid, position))
	if err != nil {
		return err
	}
	defer space.Close()
	if err := unix.Setns(int(space.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("network of %s: %w", position, err)
	}
	if err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNS); err != nil {
		return err
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	for name, file := range seen {
		if _, err := os.Stat(name); err != nil {
			continue // a machine without it has nothing to hide
		}
		if err := unix.Mount(filepath.Join(l.dir, "operator", file), name, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	const ssh = "/etc/ssh/ssh_config.d"
	if _, err := os.Stat(ssh); err != nil {
		return nil
	}
	if err := unix.Mount("tmpfs", ssh, "tmpfs", 0, "mode=0755"); err != nil {
		return err
	}
	data, err := os.ReadFile(filepath.Join(l.dir, "operator", "odoogen-lab.conf"))
	if err != nil {
		return err
	}
	return os.WriteFile(ssh+"/odoogen-lab.conf", data, 0o644)
}

// Variable tells a program in a position of which spec's directory the lab is that it runs in.
const Variable = "ODOOGEN_LAB"

// Sockets tells it of a directory below which it may keep the sockets of ssh connections that outlast it. They end with
// the lab.
const Sockets = "ODOOGEN_LAB_SOCKETS"

// Exec replaces this process by a program in a position of the operator. It returns only if that fails.
func (l *Lab) Exec(position string, argv []string) error {
	program, err := find(argv[0])
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	if err := l.take(position); err != nil {
		return err
	}
	sockets := filepath.Join(l.dir, "ssh", position) // a connection leads from there
	if err := os.MkdirAll(sockets, 0o700); err != nil {
		return err
	}
	return fmt.Errorf("%s: %w", program, syscall.Exec(program, argv, append(os.Environ(), Variable+"="+l.spec, Sockets+"="+sockets)))
}

// clearUp ends what of a lab outlasts its processes.
func clearUp(dir string) error {
	hangUp(dir)
	return removeCgroups(filepath.Base(dir))
}

// hangUp ends the connections that programs have left in a lab.
func hangUp(dir string) {
	sockets, _ := filepath.Glob(filepath.Join(dir, "ssh", "*", "*", "*"))
	for _, socket := range sockets {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		_ = run(ctx, "ssh", "-F", "none", "-S", socket, "-O", "exit", "host") // one that was killed has left its socket
		cancel()
	}
}

// SSH replaces this process by ssh to the host. Without a position it takes the first from which the host answers.
func (l *Lab) SSH(ctx context.Context, position, host string, argv []string) error {
	s, err := l.Status(ctx)
	if err != nil {
		return err
	}
	h, err := s.host(host)
	if err != nil {
		return err
	}
	position, address, err := l.reach(position, h)
	if err != nil {
		return err
	}
	return l.Exec(position, append(l.sshArgs(host, address), argv...))
}

func (s *Status) host(name string) (HostStatus, error) {
	if !s.Running {
		return HostStatus{}, fmt.Errorf("no lab runs for %s\nhint: odoogen lab up", s.Spec)
	}
	i := slices.IndexFunc(s.Hosts, func(h HostStatus) bool { return h.Name == name })
	if i < 0 {
		return HostStatus{}, fmt.Errorf("the lab has no host %q\nhint: odoogen lab status lists them", name)
	}
	return s.Hosts[i], nil
}

// sshArgs: the lab's keys only, whatever the user's own configuration says.
func (l *Lab) sshArgs(host, address string) []string {
	keys := filepath.Join(l.dir, "keys")
	return []string{"ssh", "-F", "none", "-i", keys + "/operator", "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=yes",
		"-o", "UserKnownHostsFile=" + keys + "/known_hosts", "-o", "HostKeyAlias=" + host, "-o", "LogLevel=ERROR",
		"-o", "ConnectTimeout=5", "root@" + address}
}

// reach finds a position and an address from which the host's ssh answers: the first that does.
func (l *Lab) reach(position string, h HostStatus) (string, string, error) {
	private, _, _ := strings.Cut(h.Private, "/")
	type way struct{ position, address string }
	ways := slices.DeleteFunc([]way{{VPN, private}, {Office, h.Public}, {Stranger, h.Public}}, func(w way) bool {
		return w.address == "" || position != "" && position != w.position
	})
	found := make(chan *way, len(ways))
	for _, w := range ways {
		go func() {
			if !l.answers(w.position, w.address+":22") {
				found <- nil
				return
			}
			found <- &w
		}()
	}
	for range ways {
		if w := <-found; w != nil {
			return w.position, w.address, nil
		}
	}
	return "", "", fmt.Errorf("%s answers on no address\nhint: odoogen lab enter %s needs no network", h.Name, h.Name)
}

// answers says whether something listens there, seen from the position.
func (l *Lab) answers(position, address string) bool {
	answered := make(chan bool)
	go func() {
		// The thread is spoilt for everything else: it is not unlocked, and so ends with this function.
		runtime.LockOSThread()
		answered <- l.take(position) == nil && dialHere(address, time.Second)
	}()
	return <-answered
}

// dialHere connects on this very thread: net.Dialer would use whichever.
func dialHere(address string, patience time.Duration) bool {
	a, err := net.ResolveTCPAddr("tcp4", address)
	if err != nil {
		return false
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	to := &unix.SockaddrInet4{Port: a.Port}
	copy(to.Addr[:], a.IP.To4())
	if err := unix.Connect(fd, to); err == nil {
		return true
	} else if !errors.Is(err, unix.EINPROGRESS) {
		return false
	}
	poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
	if n, err := unix.Poll(poll, int(patience.Milliseconds())); err != nil || n == 0 {
		return false
	}
	code, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	return err == nil && code == 0
}

// environment is what a program has that is run on a host.
var environment = []string{"HOME=/root", "USER=root", "LANG=C.UTF-8", "TERM=" + os.Getenv("TERM"),
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}

// Enter replaces this process by a program inside the host. It needs no network, as a console does not. On a machine the
// program has no terminal, and what it prints comes when it has ended.
func (l *Lab) Enter(ctx context.Context, host string, argv []string) error {
	h, err := l.on(ctx, host)
	if err != nil {
		return err
	}
	if h.Machine {
		return l.enterMachine(ctx, host, argv)
	}
	argv = l.console(h, argv)
	program, err := find(argv[0])
	if err != nil {
		return err
	}
	return fmt.Errorf("%s: %w", program, syscall.Exec(program, argv, os.Environ()))
}

// on is a host of the lab that is on.
func (l *Lab) on(ctx context.Context, host string) (HostStatus, error) {
	s, err := l.Status(ctx)
	if err != nil {
		return HostStatus{}, err
	}
	h, err := s.host(host)
	if err != nil {
		return HostStatus{}, err
	}
	if h.Init == 0 {
		return HostStatus{}, fmt.Errorf("%s is off\nhint: odoogen lab power-on %s", host, host)
	}
	return h, nil
}

func (l *Lab) enterMachine(ctx context.Context, host string, argv []string) error {
	if len(argv) == 0 {
		return fmt.Errorf("%s is a machine, where a command is wanted: its console has no terminal\nhint: odoogen lab ssh %s", host, host)
	}
	var stdin []byte
	if given, err := os.Stdin.Stat(); err == nil && given.Mode()&os.ModeCharDevice == 0 {
		if stdin, err = io.ReadAll(os.Stdin); err != nil {
			return err
		}
	}
	r, err := agent(agentSocket(l.dir, host)).run(ctx, stdin, argv...)
	if err != nil {
		return err
	}
	_, _ = os.Stdout.Write(r.Out)
	_, _ = os.Stderr.Write(r.Err)
	if r.Signal != 0 {
		os.Exit(128 + r.Signal)
	}
	os.Exit(r.Code)
	return nil
}

// Console is the command line that runs a program inside the host; without one, a shell.
func (l *Lab) Console(ctx context.Context, host string, argv []string) ([]string, error) {
	h, err := l.on(ctx, host)
	if err != nil {
		return nil, err
	}
	if h.Machine {
		return nil, fmt.Errorf("%s is a machine, which another kernel runs\nhint: odoogen lab enter %s", host, host)
	}
	return l.console(h, argv), nil
}

func (l *Lab) console(h HostStatus, argv []string) []string {
	spaces := fmt.Sprintf("/proc/%d/root/proc/%d/ns/", supervisorPid(l.dir), h.Init)
	if len(argv) == 0 {
		argv = []string{"/bin/bash", "-l"}
	}
	return slices.Concat([]string{"nsenter", "--mount=" + spaces + "mnt", "--uts=" + spaces + "uts", "--ipc=" + spaces + "ipc",
		"--net=" + spaces + "net", "--pid=" + spaces + "pid", "--", "/usr/bin/env", "-i"}, environment, argv)
}

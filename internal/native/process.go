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
	"strconv"
	"strings"
	"syscall"
)

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

package lab

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// children are the programs that this process has started and waits for. The supervisor is the first process of its
// namespace and so inherits every orphan: reap must leave these to their own Wait.
var children = struct {
	sync.Mutex
	pid map[int]bool
}{pid: map[int]bool{}}

// start starts a program of which wait says how it ended.
func start(cmd *exec.Cmd) error {
	children.Lock()
	defer children.Unlock()
	if err := cmd.Start(); err != nil {
		return err
	}
	children.pid[cmd.Process.Pid] = true
	return nil
}

func wait(cmd *exec.Cmd) error {
	err := cmd.Wait()
	children.Lock()
	defer children.Unlock()
	delete(children.pid, cmd.Process.Pid)
	return err
}

// program is a program to start and to leave running.
type program struct {
	argv   []string
	self   bool     // argv is this program's own arguments
	log    *os.File // what it says
	env    []string // nil: this process's
	attr   *syscall.SysProcAttr
	passed *os.File // its file descriptor 3
}

// child is a program that runs.
type child struct{ cmd *exec.Cmd }

func (p program) start() (child, error) {
	argv := p.argv
	if p.self {
		argv = append([]string{"/proc/self/exe"}, argv...)
	}
	// Not LookPath: a program may be looked for in another root.
	cmd := &exec.Cmd{Path: argv[0], Args: argv, Env: p.env, Dir: "/", Stdout: p.log, Stderr: p.log, SysProcAttr: p.attr}
	if p.self {
		cmd.Args[0] = "odoogen"
	}
	if p.passed != nil {
		cmd.ExtraFiles = []*os.File{p.passed}
	}
	return child{cmd}, start(cmd)
}

func (c child) pid() int { return c.cmd.Process.Pid }

func (c child) kill() { _ = c.cmd.Process.Kill() }

// wait waits for its end and returns its exit code, -1 for a signal.
func (c child) wait() (int, error) {
	err := wait(c.cmd)
	return c.cmd.ProcessState.ExitCode(), err
}

// find is where PATH has a program.
func find(name string) (string, error) { return exec.LookPath(name) }

// run runs a program to its end. The error of one that fails carries the end of what it said.
func run(ctx context.Context, argv ...string) error {
	_, err := output(ctx, argv...)
	return err
}

// output is what a program prints, without the white space around it.
func output(ctx context.Context, argv ...string) (string, error) {
	return outputOf(ctx, "", argv...)
}

// outputOf is what a program makes of an input.
func outputOf(ctx context.Context, stdin string, argv ...string) (string, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	cmd.WaitDelay = 5 * time.Second
	// A program does not outlive the one that waits for it. The signal comes when the thread ends that started it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	err := start(cmd)
	if err == nil {
		err = wait(cmd)
	}
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		err = fmt.Errorf("%s: %w%s", strings.Join(argv, " "), err, tail(stderr.String()))
	}
	return strings.TrimSpace(stdout.String()), err
}

// alone is the command line that runs a program in process and mount namespaces of its own: when it is interrupted, all
// that it started and mounted goes along.
func alone(argv ...string) []string {
	return slices.Concat([]string{"unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"}, argv)
}

// tail is the last lines of what a program said, for an error.
func tail(said string) string {
	const most = 12
	lines := strings.Split(strings.TrimSpace(said), "\n")
	lines = lines[max(0, len(lines)-most):]
	if len(lines) == 1 && lines[0] == "" {
		return ""
	}
	return "\n    " + strings.Join(lines, "\n    ")
}

// reap collects the orphans that have ended. Only the first process of a namespace needs it.
func reap() {
	children.Lock()
	defer children.Unlock()
	for _, p := range processes() {
		if p.parent == os.Getpid() && p.state == "Z" && !children.pid[p.pid] {
			if orphan, err := os.FindProcess(p.pid); err == nil {
				_, _ = orphan.Wait()
			}
		}
	}
}

// process is a line of /proc/PID/stat.
type process struct {
	pid, parent int
	state       string
	started     string // in clock ticks after the machine's boot: with the pid, the process's identity
}

// processes are all that this process can see.
func processes() []process {
	var all []process
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			if p, ok := processOf(pid); ok {
				all = append(all, p)
			}
		}
	}
	return all
}

// processOf reads one process; proc(5) says which field is which. The name in parentheses may hold anything.
func processOf(pid int) (process, bool) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return process{}, false
	}
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	if len(fields) < 20 {
		return process{}, false
	}
	parent, _ := strconv.Atoi(fields[1])
	return process{pid: pid, parent: parent, state: fields[0], started: fields[19]}, true
}

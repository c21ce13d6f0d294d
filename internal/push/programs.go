package push

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// program is an outside program, run to its end.
type program struct {
	argv  []string
	dir   string
	stdin io.Reader
	line  func(string) // told each line of stdout, as it comes
	log   func(string) // told each line that ssh logs to stderr; where set, those are no part of what it said
}

// packages are Debian's, of the programs that a push needs where it starts.
var packages = map[string]string{"ssh": "openssh-client", "git": "git"}

// failure is how a program failed.
type failure struct {
	argv []string
	code int    // -1 where it had none
	said string // the end of its stderr
	err  error
}

func (f *failure) Error() string {
	switch pkg := packages[f.argv[0]]; {
	case f.said != "":
		return f.said
	case errors.Is(f.err, exec.ErrNotFound) && pkg != "":
		return fmt.Sprintf("there is no %s on this machine\nhint: apt-get install %s", f.argv[0], pkg)
	}
	return fmt.Sprintf("%s: %v", f.argv[0], f.err)
}

func (f *failure) Unwrap() error { return f.err }

// run runs it; an error is a *failure, or the context's. A context that ends asks the program to end, and kills it a
// little later.
func (p program) run(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, p.argv[0], p.argv[1:]...)
	stderr := stderr{log: p.log}
	cmd.Dir, cmd.Stdin, cmd.Stderr = p.dir, p.stdin, &stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 3 * time.Second
	// Ctrl-C on a terminal goes to the whole process group: whoever runs programs decides himself what becomes of them.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	r, w := io.Pipe()
	cmd.Stdout = w
	read := make(chan struct{})
	go func() {
		defer close(read)
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, 64<<20)
		for lines.Scan() {
			if p.line != nil {
				p.line(lines.Text())
			}
		}
		_, _ = io.Copy(io.Discard, r)
	}()
	err := cmd.Run()
	w.Close()
	<-read
	if err == nil || errors.Is(err, exec.ErrWaitDelay) && cmd.ProcessState.Success() {
		return nil
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	code := -1
	if cmd.ProcessState != nil {
		code = cmd.ProcessState.ExitCode()
	}
	return &failure{argv: p.argv, code: code, said: stderr.String(), err: err}
}

// logged is what ssh says with LogLevel DEBUG1 and not with ERROR.
var logged = regexp.MustCompile(`^(debug1: |Authenticated to |Transferred: |Bytes per second: )`)

// stderr is what a program says there, but for what it logs.
type stderr struct {
	log  func(string)
	said bytes.Buffer
	line []byte // that has not ended yet
}

func (s *stderr) Write(p []byte) (int, error) {
	if s.log == nil {
		return s.said.Write(p)
	}
	for part := range bytes.Lines(p) {
		if s.line = append(s.line, part...); !bytes.HasSuffix(part, []byte("\n")) {
			break
		}
		if text := strings.TrimSpace(string(s.line)); logged.MatchString(text) {
			s.log(strings.TrimPrefix(text, "debug1: "))
		} else {
			s.said.WriteString(text + "\n")
		}
		s.line = nil
	}
	return len(p), nil
}

func (s *stderr) String() string { return strings.TrimSpace(s.said.String() + string(s.line)) }

// output is what a program prints.
func output(ctx context.Context, dir string, argv ...string) (string, error) {
	var all strings.Builder
	err := program{argv: argv, dir: dir, line: func(l string) { all.WriteString(l + "\n") }}.run(ctx)
	return all.String(), err
}

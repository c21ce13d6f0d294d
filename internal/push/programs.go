package push

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// program is an outside program, run to its end.
type program struct {
	argv   []string
	dir    string
	stdin  io.Reader
	line   func(string) // told each line of stdout, as it comes
	stdout io.Writer    // takes stdout as it is, instead of line
}

// failure is how a program failed.
type failure struct {
	argv []string
	code int    // -1 where it had none
	said string // the end of its stderr
	err  error
}

func (f *failure) Error() string {
	if f.said != "" {
		return f.said
	}
	return fmt.Sprintf("%s: %v", f.argv[0], f.err)
}

func (f *failure) Unwrap() error { return f.err }

// run runs it; an error is a *failure, or the context's. A context that ends asks the program to end, and kills it a
// little later.
func (p program) run(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, p.argv[0], p.argv[1:]...)
	var stderr bytes.Buffer
	cmd.Dir, cmd.Stdin, cmd.Stderr = p.dir, p.stdin, &stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 3 * time.Second
	// Ctrl-C on a terminal goes to the whole process group: whoever runs programs decides himself what becomes of them.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	r, w := io.Pipe()
	if cmd.Stdout = w; p.stdout != nil {
		cmd.Stdout = p.stdout
	}
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
	return &failure{argv: p.argv, code: code, said: strings.TrimSpace(stderr.String()), err: err}
}

// output is what a program prints.
func output(ctx context.Context, dir string, argv ...string) (string, error) {
	var all strings.Builder
	err := program{argv: argv, dir: dir, line: func(l string) { all.WriteString(l + "\n") }}.run(ctx)
	return all.String(), err
}

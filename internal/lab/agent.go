package lab

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"time"
)

// agent is the unix socket of a machine's guest agent, which runs programs in it without a network:
// https://www.qemu.org/docs/master/interop/qemu-ga-ref.html. It serves one client at a time; who asks holds its lock.
type agent string

// ran is how a program in a machine ended.
type ran struct {
	Exited bool   `json:"exited"`
	Code   int    `json:"exitcode"`
	Signal int    `json:"signal"`
	Out    []byte `json:"out-data"`
	Err    []byte `json:"err-data"`
}

// run runs a program to its end. What it prints comes when it has ended, the first 16 MB of it.
func (a agent) run(ctx context.Context, stdin []byte, argv ...string) (*ran, error) {
	var started struct {
		PID int `json:"pid"`
	}
	// It has no other way to look a program up, and gives it no environment of its own.
	exec := map[string]any{"path": "/usr/bin/env", "arg": append([]string{"-i"}, append(environment, argv...)...), "capture-output": true}
	if len(stdin) > 0 {
		exec["input-data"] = stdin
	}
	if err := a.ask(ctx, "guest-exec", exec, &started); err != nil {
		return nil, err
	}
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		r := &ran{}
		if err := a.ask(ctx, "guest-exec-status", map[string]any{"pid": started.PID}, r); err != nil {
			return nil, err
		}
		if r.Exited {
			return r, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// output is what a program prints, without the white space around it.
func (a agent) output(ctx context.Context, argv ...string) (string, error) {
	r, err := a.run(ctx, nil, argv...)
	if err != nil {
		return "", err
	}
	out := strings.TrimSpace(string(r.Out))
	if r.Code != 0 || r.Signal != 0 {
		return out, fmt.Errorf("%s: exit code %d%s", strings.Join(argv, " "), r.Code, tail(string(r.Err)))
	}
	return out, nil
}

// patience is for one answer: an emulated machine that is busy takes its time.
const patience = 20 * time.Second

func (a agent) ask(ctx context.Context, command string, arguments, result any) error {
	lock, err := lockFile(string(a)+".lock", true)
	if err != nil {
		return err
	}
	defer lock.Close()
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", string(a))
	if err != nil {
		return err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	// Answers to who asked before and left may still come; the byte 0xff, which no answer has, ends them.
	id := rand.Int64N(1 << 50)
	var same int64
	r := bufio.NewReader(conn)
	if err := tell(conn, "guest-sync-delimited", map[string]any{"id": id}, "\xff"); err != nil {
		return err
	}
	for same != id {
		if _, err := r.ReadBytes(0xff); err != nil {
			return errors.Join(errors.New("the machine's guest agent does not answer"), err)
		}
		if err := hear(r, &same); err != nil {
			return err
		}
	}
	if err := tell(conn, command, arguments, ""); err != nil {
		return err
	}
	return hear(r, result)
}

func tell(conn net.Conn, command string, arguments any, before string) error {
	data, err := json.Marshal(map[string]any{"execute": command, "arguments": arguments})
	if err != nil {
		return err
	}
	_, err = conn.Write(append(append([]byte(before), data...), '\n'))
	return err
}

func hear(r *bufio.Reader, result any) error {
	line, err := r.ReadBytes('\n')
	if err != nil {
		return err
	}
	var answer struct {
		Return json.RawMessage `json:"return"`
		Error  struct {
			Desc string `json:"desc"`
		} `json:"error"`
	}
	if err := json.Unmarshal(bytes.TrimSpace(line), &answer); err != nil {
		return fmt.Errorf("the machine's guest agent answered %q: %w", line, err)
	}
	if answer.Return == nil {
		return fmt.Errorf("the machine's guest agent: %s", answer.Error.Desc)
	}
	return json.Unmarshal(answer.Return, result)
}

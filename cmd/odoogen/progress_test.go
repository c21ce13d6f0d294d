package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"odoogen/internal/artifact"
)

func TestProgressOnATerminalWritesOver(t *testing.T) {
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "1")
	master, terminal := openTerminal(t, 40, 24)
	p := newProgress(terminal)
	p.say("tests", "lease")
	p.say("ci", "lease")
	p.say("tests", "restart postgresql@15-main.service, and much more than fits")
	resize(t, terminal, 30, 24)
	p.say("ci", "confirmed 2-df395ddf85dd")
	p.close()
	p.say("tests", "revert")
	seconds := regexp.MustCompile(`\d+\.\ds`)
	got := seconds.ReplaceAllString(screen(t, master, terminal), "0.0s")
	want := "tests    0.0s  restart postgr\nci       0.0s  confirmed 2-df\n   0.0s tests: revert\n"
	if got != want {
		t.Errorf("the screen is\n%s\nwant\n%s", got, want)
	}
}

func TestProgressInColor(t *testing.T) {
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	master, terminal := openTerminal(t, 80, 24)
	p := newProgress(terminal)
	p.say("ci", "confirmed 2-df395ddf85dd")
	p.close()
	if got := read(t, master, terminal); !strings.Contains(got, "\x1b[32mci ") {
		t.Errorf("no green in %q", got)
	}
}

func TestProgressElsewhereIsALinePerStep(t *testing.T) {
	var out bytes.Buffer
	p := newProgress(&out)
	p.say("tests", "lease")
	p.say("tests", "check")
	p.close()
	if got := out.String(); !regexp.MustCompile(`^ +0\.0s tests: lease\n +0\.0s tests: check\n$`).MatchString(got) {
		t.Errorf("says %q", got)
	}
}

func TestProgressOfMoreHostsThanRowsScrolls(t *testing.T) {
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "1")
	master, terminal := openTerminal(t, 80, 4)
	p := newProgress(terminal)
	for i := range 6 {
		p.say(fmt.Sprintf("host%d", i), "lease")
	}
	p.close()
	if got := screen(t, master, terminal); !strings.Contains(got, "s host5: lease\n") {
		t.Errorf("the screen is\n%s", got)
	}
}

// Who is told that somebody else has pushed meanwhile sees both plans, and below each what was done. A stand-in for ssh answers
// as a host does.
func TestAPlanThatIsMadeAgainStandsBelowTheFirst(t *testing.T) {
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "1")
	t.Setenv("HOME", t.TempDir())
	t.Setenv("PATH", filepath.Join(repository, "cmd/odoogen/testdata/stand-in")+":"+os.Getenv("PATH"))
	t.Chdir(t.TempDir())
	host := artifact.File{Path: artifact.HostName, Mode: 0o444, Data: []byte(`{"host": "tests", "routes": [{"name": "public", "address": "203.0.113.10"}]}`)}
	const before, now = "generation\t4-3f9ab2c41d07\ndrift\treadme\n", "generation\t5-5ee1b2c41d07\ndrift\treadme\n"
	for name, text := range map[string]string{
		"built/tests/HOST.json": string(host.Data),
		"built/tests/MANIFEST":  string((&artifact.Tree{Host: "tests", Files: []artifact.File{host}}).Manifest()),
		"tests/observe":         before,
		"tests/observe.next":    now,
		"tests/lease":           "leased\n" + now,
		"tests/standing":        "armed\n",
	} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o777), os.WriteFile(name, []byte(text), 0o444)); err != nil {
			t.Fatal(err)
		}
	}
	master, terminal := openTerminal(t, 80, 24)
	push := newRoot()
	push.SetArgs([]string{"push", "--yes", "--unreviewed", "--overwrite-drift", "--built", "built"})
	push.SetOut(terminal)
	push.SetErr(terminal)
	if err := push.ExecuteContext(t.Context()); err != nil {
		t.Error(err)
	}
	varies := regexp.MustCompile(`\d+\.\ds|( #?[567])[- ][0-9a-f]+`)
	got := varies.ReplaceAllString(screen(t, master, terminal), "$1")
	const does = "  changed by hand: readme\n  felt by: nobody\n  no file changes\n  then daemon-reload\n  then start odoogen.target\n"
	want := "tests: #4 3f9a, becomes #5 (unreviewed)\n" + does +
		"tests      lease\n" +
		"tests: the host has changed since the plan was made\nno host was turned\nso it is planned again\n\n" +
		"tests: #5, becomes #6 (unreviewed)\n" + does +
		"tests      confirmed 6\n"
	if got != want {
		t.Errorf("the screen is\n%s\nwant\n%s", got, want)
	}
}

// openTerminal is a terminal of that size, and what a person sees of it.
func openTerminal(t *testing.T, columns, rows uint16) (master, terminal *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		terminal, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	resize(t, terminal, columns, rows)
	return master, terminal
}

func resize(t *testing.T, terminal *os.File, columns, rows uint16) {
	t.Helper()
	if err := unix.IoctlSetWinsize(int(terminal.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: columns, Row: rows}); err != nil {
		t.Fatal(err)
	}
}

// read is all that was written to a terminal.
func read(t *testing.T, master, terminal *os.File) string {
	t.Helper()
	fmt.Fprint(terminal, "\x00")
	var all []byte
	for buf := make([]byte, 4096); !bytes.Contains(all, []byte{0}); {
		n, err := master.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, buf[:n]...)
	}
	before, _, _ := bytes.Cut(all, []byte{0})
	return string(before)
}

// screen is what a terminal shows in the end, of what this program sends: lines, their beginning, up, and erase.
func screen(t *testing.T, master, terminal *os.File) string {
	t.Helper()
	lines, row := []string{""}, 0
	for part := range strings.SplitSeq(strings.ReplaceAll(read(t, master, terminal), "\r\n", "\n"), "\n") {
		for up := regexp.MustCompile(`^\x1b\[(\d+)A`); ; {
			m := up.FindStringSubmatch(part)
			if m == nil {
				break
			}
			n, _ := strconv.Atoi(m[1])
			row, part = row-n, part[len(m[0]):]
		}
		lines[row] = strings.TrimSuffix(strings.TrimPrefix(part, "\r"), "\x1b[K")
		if row++; row == len(lines) {
			lines = append(lines, "")
		}
	}
	return strings.Join(lines[:len(lines)-1], "\n")
}

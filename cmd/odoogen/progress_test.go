package main

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
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

package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

// progress shows what a push does on each host: on a terminal one line per host, written over in place; elsewhere a line
// for each step.
type progress struct {
	out   io.Writer
	began time.Time
	color bool

	mu    sync.Mutex
	fd    int // of the terminal; -1 where there is none
	hosts []*hostLine
	drawn int // lines on the screen
	stop  chan struct{}
}

type hostLine struct {
	name, text string
	at         time.Time
	over       bool // the text is what became of the host
}

func newProgress(out io.Writer) *progress {
	p := &progress{out: out, began: time.Now(), fd: -1, color: os.Getenv("NO_COLOR") == ""}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" {
		p.fd = int(f.Fd())
	}
	return p
}

// say notes what a host does now.
func (p *progress) say(host, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fd < 0 {
		fmt.Fprintf(p.out, "%6.1fs %s: %s\n", time.Since(p.began).Seconds(), host, text)
		return
	}
	p.line(host, text)
	p.draw()
	if p.stop == nil {
		p.stop = make(chan struct{})
		go p.tick(p.stop)
	}
}

func (p *progress) line(host, text string) {
	line := &hostLine{name: host}
	for _, h := range p.hosts {
		if h.name == host {
			line = h
		}
	}
	if line.text == "" {
		p.hosts = append(p.hosts, line)
	}
	line.text, line.at, line.over = text, time.Now(), strings.HasPrefix(text, "confirmed ")
}

// tick lets the seconds run.
func (p *progress) tick(stop chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-time.After(100 * time.Millisecond):
			p.mu.Lock()
			p.draw()
			p.mu.Unlock()
		}
	}
}

// draw writes all lines over those on the screen. It asks for the terminal's size each time, and cuts what is longer: a
// line that wraps could not be written over. More hosts than rows scroll by instead.
func (p *progress) draw() {
	width, height, err := term.GetSize(p.fd)
	if err != nil || width < 20 || len(p.hosts) >= height {
		width = 1 << 10
		p.drawn = 0
		p.fd = -1
	}
	wide := 0
	for _, h := range p.hosts {
		wide = max(wide, len(h.name))
	}
	var b strings.Builder
	if p.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", p.drawn)
	}
	for _, h := range p.hosts {
		end := time.Now()
		if h.over {
			end = h.at
		}
		line := []rune(fmt.Sprintf("%-*s %6.1fs  %s", wide, h.name, end.Sub(p.began).Seconds(), h.text))
		text := string(line[:min(len(line), width-1)])
		switch {
		case !p.color:
		case h.over:
			text = "\x1b[32m" + text + "\x1b[0m"
		case strings.HasPrefix(h.text, "revert"):
			text = "\x1b[31m" + text + "\x1b[0m"
		}
		b.WriteString("\r" + text + "\x1b[K\n")
	}
	p.drawn = len(p.hosts)
	_, _ = io.WriteString(p.out, b.String())
}

// close leaves the lines as they are: what follows is written below them.
func (p *progress) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stop != nil {
		close(p.stop)
		p.stop = nil
		if p.fd >= 0 {
			p.draw()
		}
		p.fd = -1
	}
}

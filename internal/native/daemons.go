package native

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"time"
)

// The daemons of systemd have no option that only reads their configuration. Here each starts for real, in the
// root's own network and without its runtime directories, and is stopped as soon as it has read its files.

// networkd reads .netdev and .network files. It says "Enumeration completed" after it has read them and looked at
// the links.
func networkd(c *check) { c.daemon("/lib/systemd/systemd-networkd", "Enumeration completed") }

// timesyncd reads its configuration before it looks for its state and the network.
func timesyncd(c *check) {
	c.daemon("/lib/systemd/systemd-timesyncd", "The system is configured to read the RTC", "Network configuration", "systemd-timesyncd running as pid")
}

// journald ends by itself in a root without control groups, after it has read its configuration.
func journald(c *check) { c.daemon("/lib/systemd/systemd-journald") }

// patience is how long a daemon may take to read its files: far more than it needs.
const patience = 20 * time.Second

// daemon starts a program and stops it once it has said a sign, or lets it end by itself. What it said of the tree's
// files is a problem, and so is one that neither ends nor says a sign: it may not have read them.
func (c *check) daemon(program string, signs ...string) {
	ctx, stop := context.WithTimeout(c.ctx, patience)
	defer stop()
	said := &watched{signs: signs, seen: stop}
	p, err := c.root.start(ctx, command{argv: []string{program}, env: []string{"SYSTEMD_LOG_LEVEL=debug"}}, said, said)
	if err != nil {
		c.fail("", 0, "%s: %v", program, err)
		return
	}
	_ = p.wait() // it was stopped, or cannot go on here: whatever it thinks of that
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		c.fail("", 0, "%s has not read its configuration in %s", program, patience)
	}
	for line := range strings.Lines(said.text.String()) {
		if path, _ := c.locate(line); path != "" {
			c.complaint(strings.TrimSpace(line))
		}
	}
}

// watched is an output that calls seen when a sign has come. It is one pipe's: written by one goroutine, and read
// when that has ended.
type watched struct {
	text  bytes.Buffer
	signs []string
	seen  func()
}

func (w *watched) Write(p []byte) (int, error) {
	w.text.Write(p)
	for _, s := range w.signs {
		if bytes.Contains(w.text.Bytes(), []byte(s)) {
			w.seen()
		}
	}
	return len(p), nil
}

package native

import (
	"bytes"
	"context"
	"strings"
	"sync"
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

// daemon starts a program and ends it once it has said one of the signs, or, where it says none, after two seconds.
// What it says of the tree's files is a problem.
func (c *check) daemon(program string, signs ...string) {
	ctx, stop := context.WithTimeout(c.ctx, 2*time.Second)
	defer stop()
	said := &watched{signs: signs, seen: stop}
	p, err := c.root.start(ctx, command{argv: []string{program}, env: []string{"SYSTEMD_LOG_LEVEL=debug"}}, said, said)
	if err != nil {
		c.fail("", 0, "%s: %v", program, err)
		return
	}
	_ = p.wait() // it was killed: whatever it thinks of that
	for line := range strings.Lines(said.String()) {
		if path, _ := c.locate(line); path != "" && !strings.Contains(line, "Successfully") {
			c.complaint(strings.TrimSpace(line))
		}
	}
}

// watched is an output that calls seen when a sign has come.
type watched struct {
	mu    sync.Mutex
	text  bytes.Buffer
	signs []string
	seen  func()
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text.Write(p)
	for _, s := range w.signs {
		if bytes.Contains(w.text.Bytes(), []byte(s)) {
			w.seen()
		}
	}
	return len(p), nil
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

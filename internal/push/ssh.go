package push

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	_ "embed"

	"odoogen/internal/artifact"
)

//go:embed host.sh
var hostScript string

// errUnreachable is of a host that ssh cannot talk to.
var errUnreachable = errors.New("unreachable")

// network is OpenSSH's own ssh as one push uses it: with the user's configuration, agents and keys, but host keys from
// the trees alone, routes that were tried, and one connection per host. All of that stands in a configuration of its
// own, in a directory that goes with the push.
type network struct {
	dir   string
	trees map[string]*artifact.Host

	mu   sync.Mutex
	ways map[string]*way
}

// way is how a host is reached.
type way struct {
	once  sync.Once
	route artifact.Route
	jump  bool
	tries int // ways that were found before, and broke
	err   error
}

func newNetwork(trees []*artifact.Tree) (*network, error) {
	n := &network{trees: map[string]*artifact.Host{}, ways: map[string]*way{}}
	var known strings.Builder
	for _, t := range trees {
		h, err := readHost(t)
		if err != nil {
			return nil, err
		}
		n.trees[t.Host] = h
		for _, key := range h.HostKeys {
			fmt.Fprintf(&known, "%s %s\n", t.Host, key)
		}
	}
	var err error
	if n.dir, err = os.MkdirTemp("", "odoogen-"); err != nil { // short: it holds sockets
		return nil, err
	}
	return n, os.WriteFile(filepath.Join(n.dir, "known_hosts"), []byte(known.String()), 0o600)
}

// close ends the connections.
func (n *network) close() {
	var all sync.WaitGroup
	for _, kind := range []string{"mux", "fresh"} {
		sockets, _ := filepath.Glob(filepath.Join(n.dir, "*."+kind))
		for _, socket := range sockets {
			all.Go(func() {
				ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
				defer cancel()
				_, _ = output(ctx, "", "ssh", "-F", n.config(kind == "fresh"), "-S", socket, "-O", "exit", "odoogen")
			})
		}
	}
	all.Wait()
	_ = os.RemoveAll(n.dir)
}

// config is the configuration's name: of the connections that push, or of those that confirm.
func (n *network) config(fresh bool) string {
	if fresh {
		return filepath.Join(n.dir, "fresh")
	}
	return filepath.Join(n.dir, "config")
}

// write writes both, with the ways that are known. The user's own configuration comes last: the first value counts.
func (n *network) write() error {
	home, _ := os.UserHomeDir()
	for _, fresh := range []bool{false, true} {
		var b strings.Builder
		for name, w := range n.ways {
			if w.route.Address == "" {
				continue
			}
			fmt.Fprintf(&b, "Host %s\n\tHostName %s\n\tUser root\n\tHostKeyAlias %[1]s\n", name, w.route.Address)
			if w.jump {
				fmt.Fprintf(&b, "\tProxyJump %s\n", w.route.Jump)
			} else {
				b.WriteString("\tProxyJump none\n\tProxyCommand none\n")
			}
			// Two sockets, so that what confirms shares nothing with what pushed, not even on the way through a host.
			kind := "mux"
			if fresh {
				kind = "fresh"
			}
			fmt.Fprintf(&b, "\tControlMaster auto\n\tControlPath %s/%s.%d.%s\n\tControlPersist 60\n", n.dir, name, w.tries, kind)
		}
		fmt.Fprintf(&b, `Host *
	UserKnownHostsFile %s/known_hosts
	GlobalKnownHostsFile /dev/null
	StrictHostKeyChecking yes
	UpdateHostKeys no
	BatchMode yes
	ConnectTimeout 10
	ServerAliveInterval 5
	ServerAliveCountMax 6
	RequestTTY no
	ForwardAgent no
	ForwardX11 no
	PermitLocalCommand no
	RemoteCommand none
	LogLevel ERROR
Include "%s/.ssh/config"
Include /etc/ssh/ssh_config
`, n.dir, home)
		name := n.config(fresh)
		if err := os.WriteFile(name+".new", []byte(b.String()), 0o600); err != nil {
			return err
		}
		if err := os.Rename(name+".new", name); err != nil {
			return err
		}
	}
	return nil
}

// find finds the way to a host, once. Routes stand in the order of preference; they are tried at the same time, each a
// little later than the one before unless that one has failed, and the first that answers is taken.
func (n *network) find(ctx context.Context, name string) error {
	n.mu.Lock()
	w := n.ways[name]
	if w == nil {
		w = &way{}
		n.ways[name] = w
	}
	n.mu.Unlock()
	w.once.Do(func() {
		route, jump, err := n.race(ctx, n.trees[name], false)
		n.mu.Lock()
		defer n.mu.Unlock()
		if w.route, w.jump, w.err = route, jump, err; err == nil {
			w.err = n.write()
		}
	})
	return w.err
}

// findLasting finds a way that remains when the host is its tree: not the one of the first push.
func (n *network) findLasting(ctx context.Context, name string) error {
	n.mu.Lock()
	lasting := n.ways[name].route.Name != "bootstrap"
	n.mu.Unlock()
	if lasting {
		return nil
	}
	route, jump, err := n.race(ctx, n.trees[name], true)
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ways[name].route, n.ways[name].jump = route, jump
	return n.write()
}

// findAgain finds whatever way there is now: the one before is gone with the network that it went over.
func (n *network) findAgain(ctx context.Context, name string) error {
	route, jump, err := n.race(ctx, n.trees[name], false)
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	w := n.ways[name]
	w.route, w.jump, w.tries = route, jump, w.tries+1
	return n.write()
}

const (
	stagger  = 80 * time.Millisecond
	patience = 8 * time.Second
)

func (n *network) race(ctx context.Context, h *artifact.Host, lasting bool) (artifact.Route, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	type runner struct {
		route artifact.Route
		jump  bool
	}
	var runners []runner
	for _, r := range h.Routes {
		if lasting && r.Name == "bootstrap" {
			continue
		}
		runners = append(runners, runner{r, false})
		if r.Jump != "" {
			runners = append(runners, runner{r, true})
		}
	}
	won := make(chan *runner, len(runners))
	lost := make([]chan struct{}, len(runners)+1) // before each
	for i := range lost {
		lost[i] = make(chan struct{})
	}
	close(lost[0])
	for i, r := range runners {
		go func() {
			select {
			case <-ctx.Done():
			case <-lost[i]:
			case <-time.After(time.Duration(i) * stagger):
			}
			defer close(lost[i+1])
			if r.jump && !n.answersThrough(ctx, r.route) || !r.jump && !answers(ctx, r.route.Address) {
				won <- nil
				return
			}
			won <- &r
		}()
	}
	for range runners {
		if r := <-won; r != nil {
			return r.route, r.jump, nil
		}
	}
	var tried []string
	for _, r := range h.Routes {
		tried = append(tried, r.Name+" "+r.Address)
	}
	return artifact.Route{}, false, fmt.Errorf("%w: no ssh answers at %s", errUnreachable, strings.Join(tried, ", "))
}

// answers tells whether an sshd greets there.
func answers(ctx context.Context, address string) bool {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", net.JoinHostPort(address, "22"))
	if err != nil {
		return false
	}
	defer c.Close()
	if deadline, ok := ctx.Deadline(); ok {
		_ = c.SetDeadline(deadline)
	}
	greeting := make([]byte, 4)
	_, err = io.ReadFull(c, greeting)
	return err == nil && string(greeting) == "SSH-"
}

// answersThrough tells whether one greets behind another host.
func (n *network) answersThrough(ctx context.Context, r artifact.Route) bool {
	if n.trees[r.Jump] == nil || n.find(ctx, r.Jump) != nil {
		return false
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	greeted := false
	_ = program{argv: []string{"ssh", "-F", n.config(false), "-W", net.JoinHostPort(r.Address, "22"), r.Jump},
		line: func(line string) { greeted = strings.HasPrefix(line, "SSH-"); cancel() }}.run(ctx)
	return greeted
}

// word is what an argument of a verb may be: it passes through the host's shell.
var word = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]*$`)

// call has the host do a verb of the script, which goes along.
type call struct {
	host  string
	verb  string
	args  []string
	stdin io.Reader
	line  func([]string) // told each line of the answer, as its words
	fresh bool           // over a connection that was made after the flip
}

func (n *network) call(ctx context.Context, c call) error {
	for _, a := range append([]string{c.verb}, c.args...) {
		if !word.MatchString(a) {
			return fmt.Errorf("%q is no argument for a host", a)
		}
	}
	remote := fmt.Sprintf(`bash -c 'script=$(head -c %d); exec bash -c "$script" odoogen "$@"' odoogen %s`, len(hostScript),
		strings.Join(append([]string{c.verb}, c.args...), " "))
	stdin := io.Reader(strings.NewReader(hostScript))
	if c.stdin != nil {
		stdin = io.MultiReader(stdin, c.stdin)
	}
	err := program{argv: []string{"ssh", "-F", n.config(c.fresh), c.host, remote}, stdin: stdin, line: func(line string) {
		if c.line != nil {
			c.line(strings.Split(line, "\t"))
		}
	}}.run(ctx)
	var f *failure
	if errors.As(err, &f) && f.code == 255 {
		if f.said == "" {
			return fmt.Errorf("%w: the connection was lost", errUnreachable)
		}
		return fmt.Errorf("%w: %s", errUnreachable, f.said)
	}
	return err
}

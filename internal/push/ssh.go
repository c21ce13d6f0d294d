package push

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"odoogen/internal/artifact"
)

// errUnreachable is of a host that ssh cannot talk to.
var errUnreachable = errors.New("unreachable")

// network is OpenSSH's own ssh as one push uses it: with the user's configuration, agents and keys, but host keys from
// the trees alone, routes that were tried, and two connections per host: one that pushes, one that confirms. All of
// that stands in a configuration of its own, in a directory that goes with the push.
type network struct {
	dir    string
	keepIn string // the directory of connections that outlast a command; empty where none does
	trees  map[string]*artifact.Host

	life context.Context // of the connections
	end  context.CancelFunc
	open sync.WaitGroup

	anyWay bool // that answers suffices to confirm: hosts become what they were found as, and routes of theirs go

	mu   sync.Mutex
	ways map[connection]*way
	lost map[string]int // how often a host's connections were given up
}

// connection names one. They share nothing, not even on the way through a host.
type connection struct {
	host  string
	fresh bool // made after the flip, to confirm
}

func newNetwork(all []*wish, keepIn string) (*network, error) {
	n := &network{keepIn: keepIn, trees: map[string]*artifact.Host{}, ways: map[connection]*way{}, lost: map[string]int{}}
	n.life, n.end = context.WithCancel(context.Background())
	var known strings.Builder
	for _, w := range all {
		n.trees[w.name] = w.facts
		for _, key := range w.facts.HostKeys {
			fmt.Fprintf(&known, "%s %s\n", w.name, key)
		}
	}
	var err error
	if n.dir, err = os.MkdirTemp("", "odoogen-"); err != nil { // short: it holds sockets
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(n.dir, "known_hosts"), []byte(known.String()), 0o600); err != nil {
		return nil, err
	}
	return n, n.write()
}

// close ends the connections.
func (n *network) close() {
	n.end()
	n.open.Wait()
	// One that was lost ssh has made again by itself, and keeps in the background.
	sockets, _ := filepath.Glob(filepath.Join(n.dir, "*.socket"))
	for _, socket := range sockets {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		_, _ = output(ctx, "", "ssh", "-F", n.config(false), "-S", socket, "-O", "exit", "host")
		cancel()
	}
	_ = os.RemoveAll(n.dir)
}

// config is the configuration's name: of the connections that push, or of those that confirm.
func (n *network) config(fresh bool) string {
	if fresh {
		return filepath.Join(n.dir, "fresh")
	}
	return filepath.Join(n.dir, "config")
}

// write writes both, with the routes that are known. The user's own configuration comes last: the first value counts.
func (n *network) write() error {
	home, _ := os.UserHomeDir()
	for _, fresh := range []bool{false, true} {
		var b strings.Builder
		for name := range n.trees {
			if r := n.routeOf(connection{name, fresh}); r != nil {
				fmt.Fprintf(&b, "Host %s\n\t%s\n", name, strings.Join(r.options(n, connection{name, fresh}), "\n\t"))
				// For longer than one host waits for another: the way of the first push may be closed by now, and a new connection
				// would find no other. It outlives only a push that was killed.
				persist := "15m"
				if r.socket != "" && !fresh {
					persist = keepFor
				}
				b.WriteString("\tControlMaster auto\n\tControlPersist " + persist + "\n")
			}
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

// call does a call over the host's connection. The first call makes it, by the route that answers first.
func (n *network) call(ctx context.Context, c call) error {
	if first, err := n.connect(ctx, c); first || err != nil {
		return err
	}
	remote, err := c.remote()
	if err != nil {
		return err
	}
	return told(program{argv: []string{"ssh", "-F", n.config(c.fresh), c.host, remote}, stdin: c.stdin, line: c.say}.run(ctx), true)
}

// remote is the command line for the host. The script is in it, so that stdin is the verb's alone.
func (c *call) remote(before ...string) (string, error) {
	words := slices.Concat(before, []string{c.verb}, c.args)
	for _, a := range words {
		if !word.MatchString(a) {
			return "", fmt.Errorf("%q is no argument for a host", a)
		}
	}
	return fmt.Sprintf("bash -c '%s' odoogen %s", strings.ReplaceAll(hostScript(), "'", `'\''`), strings.Join(words, " ")), nil
}

func (c *call) say(line string) {
	if c.line != nil {
		c.line(strings.Split(line, "\t"))
	}
}

// told is the error of a call, over a connection that stood or was yet to be made. ssh exits with 255 where it is ssh that
// failed.
func told(err error, stood bool) error {
	var f *failure
	if !errors.As(err, &f) {
		return err
	}
	last := f.said[strings.LastIndex(f.said, "\n")+1:] // where it stood, of what a program on the host was telling
	switch {
	case endedHere(f.err) && (f.code == 255 || f.code == -1):
		if stood && last != "" {
			return givenUp{fmt.Errorf("%w; said last: %s", f.err, last)}
		}
		return givenUp{f.err}
	case f.code != 255:
		return err
	case f.said == "":
		return fmt.Errorf("%w: the connection was lost", errUnreachable)
	case strings.Contains(f.said, "Host key verification failed"):
		return fmt.Errorf("%w: %s", errUnreachable, stranger(f.said))
	case stood && last != f.said:
		return fmt.Errorf("%w: the connection was lost; said last: %s", errUnreachable, last)
	}
	return fmt.Errorf("%w: %s", errUnreachable, f.said)
}

var (
	otherKey = regexp.MustCompile(`The fingerprint for the (\S+) key sent by the remote host is\s+(SHA256:[A-Za-z0-9+/]+)`)
	newKind  = regexp.MustCompile(`No (\S+) host key is known for `)
)

// stranger says in a line what ssh says in fifteen, with a file that is gone by then: who answers is not who is meant.
func stranger(said string) string {
	shows := "another host key than hostKeys says"
	if m := otherKey.FindStringSubmatch(said); m != nil {
		shows = fmt.Sprintf("shows the host key %s (%s), and hostKeys says another", m[2], m[1])
	} else if m := newKind.FindStringSubmatch(said); m != nil {
		shows = fmt.Sprintf("shows a host key of the kind %s, and hostKeys has none of it", m[1])
	}
	return shows + "\nhint: a host that was installed anew has a new key; else somebody answers in its place"
}

package push

import (
	"bytes"
	"context"
	"reflect"
	"slices"
	"sync"

	"odoogen/internal/artifact"
)

// ahead is a push that began before its trees were there: it asks the hosts what they are, as an earlier build of theirs
// describes them.
type ahead struct {
	net  *network
	mu   sync.Mutex
	asks map[string]*ask
}

// ask is what was asked ahead of one host.
type ask struct {
	tree *artifact.Tree
	done chan struct{} // closed when the rest is known
	seen *Observation
	err  error
}

// Ahead connects to the hosts named, all when none is, and asks them what they are while their trees are still built. To
// ask, it takes an earlier build of the trees. Where that turns out to be what Start is given, as on every push of what
// was reviewed, the answers are there already; else they count for nothing.
func (p *Push) Ahead(ctx context.Context, earlier []*artifact.Tree, names []string) {
	net, err := newNetwork(earlier)
	if err != nil {
		return // Start says so, should the trees be these
	}
	p.ahead = &ahead{net: net, asks: map[string]*ask{}}
	slots := make(chan struct{}, parallel)
	for _, t := range earlier {
		if len(names) > 0 && !slices.Contains(names, t.Host) {
			continue
		}
		a := &ask{tree: t, done: make(chan struct{})}
		p.ahead.asks[t.Host] = a
		go func() {
			defer close(a.done)
			slots <- struct{}{}
			defer func() { <-slots }()
			a.seen, a.err = net.observe(ctx, t)
		}()
	}
}

// network is that of the trees: the one that stands already, where they name the same hosts, routes and keys.
func (a *ahead) network(trees []*artifact.Tree) (*network, error) {
	n, err := newNetwork(trees)
	if a == nil || err != nil {
		return n, err
	}
	same := len(n.trees) == len(a.net.trees)
	for name, h := range n.trees {
		was := a.net.trees[name]
		same = same && was != nil && reflect.DeepEqual(was.Routes, h.Routes) && slices.Equal(was.HostKeys, h.HostKeys)
	}
	if !same {
		a.close()
		return n, nil
	}
	n.close()
	return a.net, nil
}

// observation is what was asked ahead for that tree, once; nil where nothing was, or for another tree.
func (a *ahead) observation(tree *artifact.Tree) (*Observation, error) {
	if a == nil {
		return nil, nil
	}
	a.mu.Lock()
	ask := a.asks[tree.Host]
	delete(a.asks, tree.Host)
	a.mu.Unlock()
	if ask == nil {
		return nil, nil
	}
	<-ask.done
	if !bytes.Equal(ask.tree.Manifest(), tree.Manifest()) ||
		!bytes.Equal(ask.tree.File(artifact.HostName).Data, tree.File(artifact.HostName).Data) {
		return nil, nil
	}
	return ask.seen, ask.err
}

// close ends the connections, and what was asked.
func (a *ahead) close() {
	if a == nil {
		return
	}
	a.net.close()
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.asks)
}

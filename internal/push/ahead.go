package push

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
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
	*wish
	done chan struct{} // closed when the rest is known
	seen *Observation
	err  error
}

// Ahead connects to the hosts named, all when none is, and asks them what they are while their trees are still built. It
// asks about trees that were built before, of which it reads no more than that from dir: golden/, say. Where those turn
// out to be what Start is given, as on every push of what was reviewed, the answers are there already; else they count
// for nothing, and so does what is wrong with dir.
func (p *Push) Ahead(ctx context.Context, dir string, names []string) {
	earlier, err := wishesIn(dir)
	if err != nil || len(earlier) == 0 {
		return
	}
	net, err := newNetwork(earlier, p.KeepIn)
	if err != nil {
		return
	}
	p.ahead = &ahead{net: net, asks: map[string]*ask{}}
	slots := make(chan struct{}, parallel)
	for _, w := range earlier {
		if len(names) > 0 && !slices.Contains(names, w.name) {
			continue
		}
		a := &ask{wish: w, done: make(chan struct{})}
		p.ahead.asks[w.name] = a
		go func() {
			defer close(a.done)
			slots <- struct{}{}
			defer func() { <-slots }()
			a.seen, a.err = net.observe(ctx, w, p.LookAgain)
		}()
	}
}

// wishesIn reads of each tree in a directory what an observation needs.
func wishesIn(dir string) ([]*wish, error) {
	manifests, err := filepath.Glob(filepath.Join(dir, "*", artifact.ManifestName))
	if err != nil {
		return nil, err
	}
	var all []*wish
	for _, name := range manifests {
		w := &wish{name: filepath.Base(filepath.Dir(name)), facts: &artifact.Host{}}
		if w.manifest, err = os.ReadFile(name); err != nil {
			return nil, err
		}
		if w.text, err = os.ReadFile(filepath.Join(filepath.Dir(name), artifact.HostName)); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(w.text, w.facts); err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	return all, nil
}

// network is that of all hosts: the one that stands already, where they name the same hosts, routes and keys.
func (a *ahead) network(all []*wish, keepIn string) (*network, error) {
	if a != nil && a.leads(all) {
		return a.net, nil
	}
	a.close()
	return newNetwork(all, keepIn)
}

// leads tells whether the connections are to the hosts that are meant.
func (a *ahead) leads(all []*wish) bool {
	for _, w := range all {
		was := a.net.trees[w.name]
		if was == nil || !reflect.DeepEqual(was.Routes, w.facts.Routes) || !slices.Equal(was.HostKeys, w.facts.HostKeys) {
			return false
		}
	}
	return len(all) == len(a.net.trees)
}

// observation is what was asked ahead about that very wish, once; nil where nothing was.
func (a *ahead) observation(w *wish) (*Observation, error) {
	if a == nil {
		return nil, nil
	}
	a.mu.Lock()
	ask := a.asks[w.name]
	delete(a.asks, w.name)
	a.mu.Unlock()
	if ask == nil {
		return nil, nil
	}
	<-ask.done
	if !bytes.Equal(ask.manifest, w.manifest) || !bytes.Equal(ask.text, w.text) {
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

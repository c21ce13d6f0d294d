package push

import (
	"context"
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"odoogen/internal/artifact"
)

// Edited is a file as somebody has left it on a host.
type Edited struct {
	Host string
	Path string // of the tree; one that begins with / lies beside it
	Data []byte
	Gone bool // it is of the generation that runs, and was deleted
	Old  bool // the generation that runs has another version of it than the spec gives now
}

// Edited reads what the plans have reported as changed by hand, as far as it is files, from hosts that Plan has observed.
func (p *Push) Edited(ctx context.Context) ([]Edited, error) {
	var mu sync.Mutex
	byHost := map[string][]Edited{}
	err := each(p.hosts, func(h *host) error {
		if h.plan == nil { // it did not answer
			return nil
		}
		r, err := newReading(h)
		if err != nil || len(r.names) == 0 {
			return err
		}
		ask := strings.Join(slices.Sorted(maps.Keys(r.names)), "\n") + "\n"
		ctx, cancel := forAtMost(ctx, time.Minute)
		defer cancel()
		if err := p.net.call(ctx, call{host: h.name, verb: "contents", stdin: strings.NewReader(ask), line: r.line}); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		byHost[h.name], err = r.result()
		return err
	})
	var all []Edited
	for _, h := range p.hosts {
		all = append(all, byHost[h.name]...)
	}
	return all, err
}

// reading is what a host is asked for of its files, and what it has answered so far.
type reading struct {
	host  string
	tree  *artifact.Tree
	names map[string]string // where a file lies: what it is called
	runs  map[string]string // the digests of the generation that runs, by path
	found map[string][]byte // by name
	bad   error
}

func newReading(h *host) (*reading, error) {
	runs, err := artifact.ParseManifest(h.seen.Manifest)
	if err != nil {
		return nil, err
	}
	r := &reading{h.name, h.tree, map[string]string{}, map[string]string{}, map[string][]byte{}, nil}
	for _, e := range runs {
		r.runs[e.Path] = e.Digest
	}
	for _, path := range h.seen.Drift {
		r.names["/etc/odoogen/current/"+path] = path
	}
	for _, hand := range h.plan.Hands {
		if hand.Kind == "override" {
			r.names[hand.What] = hand.What
		}
	}
	return r, nil
}

// line takes in one line of the answer, as its words.
func (r *reading) line(w []string) {
	if len(w) != 3 || w[0] != "file" {
		return
	}
	data, err := base64.StdEncoding.DecodeString(w[2])
	if err != nil {
		r.bad = err
	}
	r.found[r.names[w[1]]] = data
}

// result are the files that were there, and those that are gone.
func (r *reading) result() ([]Edited, error) {
	var all []Edited
	for _, name := range slices.Sorted(maps.Values(r.names)) {
		data, there := r.found[name]
		now := ""
		if f := r.tree.File(name); f != nil {
			now = f.Digest()
		}
		if there || r.runs[name] != "" {
			all = append(all, Edited{r.host, name, data, !there, now != r.runs[name]})
		}
	}
	return all, r.bad
}

package push

import (
	"context"
	"encoding/base64"
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
	Old  bool // the generation that runs has another version of it than the spec gives now
}

// Edited reads what the plans have reported as changed by hand, as far as it is files, from hosts that Plan has observed.
func (p *Push) Edited(ctx context.Context) ([]Edited, error) {
	var mu sync.Mutex
	byHost := map[string][]Edited{}
	err := each(p.hosts, func(h *host) error {
		runs, err := artifact.ParseManifest(h.seen.Manifest)
		if err != nil {
			return err
		}
		digest := map[string]string{}
		for _, e := range runs {
			digest[e.Path] = e.Digest
		}
		names := map[string]string{} // where it lies: what it is called
		var ask strings.Builder
		want := func(at, name string) {
			names[at] = name
			ask.WriteString(at + "\n")
		}
		for _, path := range h.seen.Drift {
			want("/etc/odoogen/current/"+path, path)
		}
		for _, hand := range h.plan.Hands {
			if hand.Kind == "override" {
				want(hand.What, hand.What)
			}
		}
		if len(names) == 0 {
			return nil
		}
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		var bad error
		err = p.net.call(ctx, call{host: h.name, verb: "contents", stdin: strings.NewReader(ask.String()), line: func(w []string) {
			if len(w) != 3 || w[0] != "file" {
				return
			}
			data, err := base64.StdEncoding.DecodeString(w[2])
			if err != nil {
				bad = err
			}
			name := names[w[1]]
			now := ""
			if f := h.tree.File(name); f != nil {
				now = f.Digest()
			}
			mu.Lock()
			defer mu.Unlock()
			byHost[h.name] = append(byHost[h.name], Edited{h.name, name, data, now != digest[name]})
		}})
		if err == nil {
			err = bad
		}
		return err
	})
	var all []Edited
	for _, h := range p.hosts {
		all = append(all, byHost[h.name]...)
	}
	return all, err
}

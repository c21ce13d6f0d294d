package push

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"odoogen/internal/artifact"
)

// probes are what a host is asked when it is turned: whether all of its tree works, or what runs on when that leaves.
func (p *Push) probes(h *host) []artifact.Probe {
	if !p.found {
		return h.facts.Probes
	}
	var all []artifact.Probe
	for _, unit := range h.plan.stay {
		all = append(all, artifact.Probe{Kind: "unit", Unit: unit})
	}
	return all
}

// probe finds out whether what a host shall run works, seen from itself and from another host, within so many seconds. It
// returns how many probes that were: without another host, what only that can see is none of them. And why some were left
// out, each reason once: what they ask for is not there yet. seen is what the other host says, or that it does not answer.
func (p *Push) probe(ctx context.Context, h *host, probes []artifact.Probe, seconds int) (asked int, skipped []string, err, seen error) {
	var own, peer facts
	other := p.peer(h)
	for _, probe := range probes {
		if probe.From == "peer" && other == nil {
			continue
		}
		asked++
		f := &own
		if probe.From == "peer" {
			f = &peer
		}
		switch probe.Kind {
		case "unit":
			f.add("unit", probe.Unit)
		case "http":
			f.add("http", probe.URL, probe.Host, strconv.Itoa(probe.Status), probe.When, probe.Otherwise)
		case "tls":
			f.add("tls", probe.Address, probe.Name)
		case "tcp":
			f.add("tcp", probe.Address, strconv.Itoa(probe.Port))
		}
	}
	ctx, cancel := forAtMost(ctx, 2*time.Minute+time.Duration(seconds)*time.Second)
	defer cancel()
	args := []string{strconv.Itoa(seconds), "once"}
	if seconds > 0 && h.plan.replaces() {
		args[1] = "twice"
	}
	note := func(w []string) {
		if w[0] == "skipped" && len(w) == 2 && !slices.Contains(skipped, w[1]) {
			skipped = append(skipped, w[1])
		}
	}
	var both sync.WaitGroup
	if peer.b.Len() > 0 {
		both.Go(func() {
			if err := p.net.call(ctx, call{host: other.name, verb: "probe", args: args, stdin: peer.reader()}); err != nil {
				seen = fmt.Errorf("seen from %s: %w", other.name, err)
			}
		})
	}
	if own.b.Len() > 0 {
		err = p.net.call(ctx, call{host: h.name, verb: "probe", args: args, stdin: own.reader(), line: note})
	}
	both.Wait()
	return asked, skipped, err, seen
}

// Status is what a host is, and what of it is not as it should be.
type Status struct {
	Host       string   `json:"host"`
	Generation string   `json:"generation,omitempty"`
	Silent     bool     `json:"silent,omitempty"` // it does not say what it is: why is among what is wrong
	Probes     int      `json:"probes"`           // that were asked, or left out
	Wrong      []string `json:"wrong,omitempty"`
	Skipped    []string `json:"skipped,omitempty"` // why probes were left out: what they ask for comes later, or who would see it does not answer
	Orphans    []Kept   `json:"orphans,omitempty"` // what pushes made and neither the generation nor the spec has any more: what a purge removes
}

// Await asks the hosts again and again until nothing is wrong and no probe is left out, for so long at most. It returns
// what they said last.
func (p *Push) Await(ctx context.Context, atMost time.Duration) []*Status {
	for end := time.Now().Add(atMost); ; {
		all := p.Status(ctx)
		unsettled := slices.ContainsFunc(all, func(s *Status) bool { return len(s.Wrong)+len(s.Skipped) > 0 })
		if !unsettled || ctx.Err() != nil || !time.Now().Before(end) {
			return all
		}
		select {
		case <-ctx.Done():
		case <-time.After(2 * time.Second):
			p.net.forgetLost() // one that boots is there later
		}
	}
}

// Status asks the hosts. One that does not answer is among what is wrong.
func (p *Push) Status(ctx context.Context) []*Status {
	all := map[string]*Status{}
	var out []*Status
	for _, h := range p.hosts {
		s := &Status{Host: h.name}
		all[h.name], out = s, append(out, s)
	}
	wrong := func(h *host, err error) {
		all[h.name].Wrong = append(all[h.name].Wrong, strings.Split(err.Error(), "\n")...)
	}
	_ = each(p.hosts, func(h *host) error {
		h.seen = nil // what it was at an earlier look counts for nothing
		if err := p.observe(ctx, h); err != nil {
			all[h.name].Silent = h.seen == nil
			wrong(h, err)
			return nil
		}
		all[h.name].Generation, all[h.name].Orphans = h.seen.from(), orphans(h.plan.Left, h.facts)
		probes := h.facts.Probes
		switch {
		case h.seen.Ejected: // it runs on what was ejected, whatever the spec has become since
			probes = hostBefore(h.seen.Host).Probes
		case h.seen.AsFound:
			wrong(h, fmt.Errorf("runs nothing of its tree: odoogen push %s", h.name))
			return nil
		case h.seen.Generation == "":
			wrong(h, fmt.Errorf("no push yet"))
			return nil
		case h.seen.Unconfirmed:
			wrong(h, errors.New("not confirmed: goes back by itself, unless a push that still works confirms it"))
		case !h.plan.Empty():
			wrong(h, fmt.Errorf("differs from its tree: odoogen plan %s", h.name))
		}
		asked, skipped, err, seen := p.probe(ctx, h, probes, 0)
		if errors.Is(seen, errUnreachable) { // which is said of that host, and is no fault of this one
			seen, skipped = nil, append(skipped, p.unseen(h, probes)...)
		}
		all[h.name].Probes, all[h.name].Skipped = asked, skipped
		if err = errors.Join(err, seen); err != nil {
			wrong(h, err)
		}
		return nil
	})
	return out
}

// unseen is why each of a host's probes is left out that only another can see, where that does not answer.
func (p *Push) unseen(h *host, probes []artifact.Probe) []string {
	var all []string
	for _, probe := range probes {
		if probe.From == "peer" {
			all = append(all, fmt.Sprintf("port %d of %s is seen from %s, which does not answer", probe.Port, probe.Address, p.peer(h).name))
		}
	}
	return all
}

package push

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// Purgeable are the things of the only host of the push that a purge removes: what pushes made and neither the host's
// generation nor the spec asks for. With names, those of these names or of these instances alone.
func (p *Push) Purgeable(ctx context.Context, names []string) ([]Thing, error) {
	if len(p.hosts) != 1 {
		return nil, errors.New("a purge is of one host")
	}
	h := p.hosts[0]
	if err := p.observe(ctx, h); err != nil {
		return nil, fmt.Errorf("%s: %w", h.name, err)
	}
	return p.named(h, names)
}

// named are those of a host's left things that are meant.
func (p *Push) named(h *host, names []string) ([]Thing, error) {
	all := h.plan.Left
	meant := func(t Thing, name string) bool {
		return name == t.Name || name == t.String() || t.Of != "" && name == t.Of
	}
	for _, name := range names {
		if !slices.ContainsFunc(all, func(t Thing) bool { return meant(t, name) }) {
			var has []string
			for _, t := range all {
				has = append(has, t.String())
			}
			return nil, fmt.Errorf("%s: %q is no orphan\nhint: its orphans are: %s", h.name, name, cmp.Or(strings.Join(has, ", "), "none"))
		}
	}
	if len(names) > 0 {
		all = slices.DeleteFunc(slices.Clone(all), func(t Thing) bool {
			return !slices.ContainsFunc(names, func(name string) bool { return meant(t, name) })
		})
	}
	var waits []error
	for _, t := range all {
		if at := p.awaits(h.name, t); at != "" {
			waits = append(waits, fmt.Errorf("%s: %s: %s.moved says that data is to come from there\nhint: when it has come, take that out of the spec", h.name, t, at))
		}
	}
	return all, errors.Join(waits...)
}

// awaits is the path in the spec of what is said to be moved from a thing, if anything is.
func (p *Push) awaits(host string, t Thing) string {
	for _, h := range p.wanted {
		for _, c := range h.Clusters {
			if m := c.MovedFrom; m != nil && m.Host == host && slices.Contains([]string{t.Name, t.In}, fmt.Sprintf("%d/%s", m.Version, m.Name)) {
				return "clusters." + c.Name
			}
		}
		for _, i := range h.Instances {
			if m := i.MovedFrom; m != nil && (m.Name == t.Of || t.Kind == "cluster" && m.Cluster == path.Base(t.Name)) {
				return "instances." + i.Name
			}
		}
	}
	return ""
}

// Purge removes things from the host, which is held meanwhile like for a push. It ends at the first that cannot be
// removed; those that were are gone.
func (p *Push) Purge(ctx context.Context, all []Thing) error {
	h := p.hosts[0]
	if err := p.lease(ctx, h, nil); err != nil {
		return fmt.Errorf("%s: %w", h.name, err)
	}
	stop := p.beat([]*host{h})
	err := p.purge(ctx, h, all)
	stop()
	ctx, cancel := forAtMost(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	return errors.Join(err, p.net.call(ctx, call{host: h.name, verb: "abandon", args: []string{p.nonce}}))
}

func (p *Push) purge(ctx context.Context, h *host, all []Thing) error {
	if err := p.observe(ctx, h); err != nil {
		return err
	}
	if len(without(all, h.plan.Left)) > 0 {
		return fmt.Errorf("%s: the host has changed since its orphans were shown", h.name)
	}
	var f facts
	for _, t := range all {
		f.add(t.Kind, t.Name, t.In)
	}
	ctx, cancel := forAtMost(ctx, 10*time.Minute)
	defer cancel()
	return p.net.call(ctx, call{host: h.name, verb: "purge", args: []string{p.nonce}, stdin: f.reader(),
		line: func(w []string) { p.Say(h.name, strings.Join(w, " ")) }})
}

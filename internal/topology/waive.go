package topology

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// nameWaivers gives each waiver its path and place.
func (t *Topology) nameWaivers(o *Origins) {
	for n := range t.Accept {
		w := &t.Accept[n]
		w.Path = fmt.Sprintf("accept[%d]", n)
		w.Place = o.written(w.Path)
	}
}

// checkWaivers refuses waivers of rules that there are not, or that cannot be waived: what breaks those cannot be built,
// or would not run. Whether a waiver has ended is not asked here, as a build knows no day.
func checkWaivers(c *checker) {
	c.rule = "accept"
	ids := map[string]*rule{}
	for n := range rules {
		ids[rules[n].id] = &rules[n]
	}
	for n := range c.t.Accept {
		w := &c.t.Accept[n]
		switch r := ids[w.Rule]; {
		case r == nil:
			c.refuse(w.Path+".rule", nearest(w.Rule, ids), nil, "there is no rule %q", w.Rule)
		case !r.waivable:
			c.refuse(w.Path+".rule", "those that can be: "+strings.Join(waivableRules(), ", "), nil, "rule %s cannot be waived", w.Rule)
		}
		if _, err := time.Parse(time.DateOnly, w.Until); err != nil {
			c.refuse(w.Path+".until", "", nil, "there is no day %s", w.Until)
		}
		if strings.TrimSpace(w.Reason) == "" {
			c.refuse(w.Path+".reason", "", nil, "says nothing")
		}
		if w.At != "" && !c.o.has(w.At) {
			c.refuse(w.Path+".at", "the path that the message names, or what holds it: \"hosts.tests\"", nil, "there is no %s", w.At)
		}
	}
}

func waivableRules() []string {
	var ids []string
	for _, r := range rules {
		if r.waivable {
			ids = append(ids, r.id)
		}
	}
	return ids
}

// waive notes a problem with the first waiver that holds for it, and tells whether there is one.
func (t *Topology) waive(p Problem) bool {
	for n := range t.Accept {
		if w := &t.Accept[n]; w.covers(p) {
			if !slices.ContainsFunc(w.Problems, func(q Problem) bool { return q.Path == p.Path && q.Message == p.Message }) {
				w.Problems = append(w.Problems, p)
			}
			return true
		}
	}
	return false
}

func (w *Waiver) covers(p Problem) bool {
	for at := p.Path; w.Rule == p.Rule; at = parent(at) {
		if at == w.At || w.At == "" {
			return true
		}
		if at == "" {
			break
		}
	}
	return false
}

// WaiversOf are the waivers that concern a host, each with what it waives there. What is no host's own, such as the cost
// of a month, concerns all of them; a waiver that waives nothing, none.
func (t *Topology) WaiversOf(h *Host) []Waiver {
	var all []Waiver
	for _, w := range t.Accept {
		w.Problems = slices.DeleteFunc(slices.Clone(w.Problems), func(p Problem) bool { return !t.concerns(p, h) })
		if len(w.Problems) > 0 {
			all = append(all, w)
		}
	}
	return all
}

// concerns tells whether a problem is one of a host: its path lies in the host or in what runs there, or in nothing
// that is one host's.
func (t *Topology) concerns(p Problem, h *Host) bool {
	hosts := map[string]*Host{}
	for _, o := range t.Hosts {
		hosts[o.Path] = o
		if o.Window != nil {
			hosts[o.Window.Path] = o
		}
	}
	for _, c := range t.Clusters {
		hosts[c.Path] = c.Host
	}
	for _, c := range t.Classes {
		hosts[c.Path] = c.Cluster.Host
	}
	for _, i := range t.Instances {
		hosts[i.Path] = i.Host
	}
	for at := p.Path; at != ""; at = parent(at) {
		if of := hosts[at]; of != nil {
			return of == h
		}
	}
	return true
}

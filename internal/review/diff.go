// Package review says what a change means before it is made: it compares trees with those that were reviewed, and prints
// diffs and plans for those who sign them, as text, Markdown and JSON. Nothing in it talks to a host.
package review

import (
	"fmt"
	"slices"

	"odoogen/internal/artifact"
	"odoogen/internal/push"
)

// Diff is what trees would do to hosts that are exactly as reviewed.
type Diff struct {
	Commit  string         `json:"commit"` // that holds the reviewed trees; short
	Author  string         `json:"author"`
	Hosts   []*push.Plan   `json:"hosts"`          // that change
	Same    []string       `json:"same"`           // that do not
	Gone    []Gone         `json:"gone,omitempty"` // that left the spec
	Cost    Cost           `json:"cost"`
	Felt    Count          `json:"felt"`
	Refused []push.Refusal `json:"refused,omitempty"` // what may not be pushed

	before, after map[string]*artifact.Tree
}

// Count says of how many instances the service breaks.
type Count struct {
	Instances []string `json:"instances"` // that were there before, and are restarted, cut off or stopped
	Of        int      `json:"of"`
}

// Gone is a host that left the spec: no push reaches it any more.
type Gone struct {
	Host      string   `json:"host"`
	Files     int      `json:"files"`
	Clusters  []string `json:"clusters"`
	Instances []string `json:"instances"`
}

// Cost is what a month costs, with the buffer, in hundredths of the currency.
type Cost struct {
	Currency string           `json:"currency"`
	Before   *artifact.Booked `json:"before,omitempty"`
	After    artifact.Booked  `json:"after"`
}

// Empty tells whether nothing differs.
func (d *Diff) Empty() bool { return len(d.Hosts)+len(d.Gone) == 0 }

// Compare says what the trees would do to hosts that are as past has them.
func Compare(past *push.Past, trees []*artifact.Tree) (*Diff, error) {
	d := &Diff{Commit: past.Commit, Author: past.Author, Hosts: []*push.Plan{}, Same: []string{}, Felt: Count{Instances: []string{}},
		before: map[string]*artifact.Tree{}, after: map[string]*artifact.Tree{}}
	for _, t := range past.Trees {
		d.before[t.Host] = t
	}
	for _, t := range trees {
		d.after[t.Host] = t
		seen, err := push.AsReviewed(d.before[t.Host], t)
		if err != nil {
			return nil, err
		}
		plan, err := push.NewPlan(t, seen, nil)
		if err != nil {
			return nil, err
		}
		if plan.Empty() {
			d.Same = append(d.Same, t.Host)
		} else {
			plan.To = "" // it has no number before it is pushed
			d.Hosts = append(d.Hosts, plan)
		}
	}
	instances := map[string]bool{}
	var before, after []*artifact.Host
	for _, t := range trees {
		h, err := push.ReadHost(t)
		if err != nil {
			return nil, err
		}
		after = append(after, h)
	}
	for _, t := range past.Trees {
		h, err := push.ReadHost(t)
		if err != nil {
			return nil, fmt.Errorf("golden/%w", err)
		}
		before = append(before, h)
		for _, i := range h.Instances {
			instances[i.Name] = true
		}
		if d.after[t.Host] == nil {
			d.Gone = append(d.Gone, gone(t, h))
		}
	}
	var moves []push.Move
	moves, d.Refused = push.Moved(before, after, true)
	d.Felt.Of = len(instances)
	for _, p := range d.Hosts {
		for _, m := range moves {
			if m.Host == p.Host {
				p.Moves = append(p.Moves, m)
			}
		}
		for _, f := range p.Felt {
			for _, name := range f.By {
				if instances[name] && !slices.Contains(d.Felt.Instances, name) {
					d.Felt.Instances = append(d.Felt.Instances, name)
				}
			}
		}
	}
	slices.Sort(d.Felt.Instances)
	var err error
	d.Cost, err = cost(past.Trees, trees)
	return d, err
}

func gone(t *artifact.Tree, h *artifact.Host) Gone {
	g := Gone{Host: t.Host, Files: len(t.Files), Clusters: []string{}, Instances: []string{}}
	for _, c := range h.Clusters {
		g.Clusters = append(g.Clusters, c.ID())
	}
	for _, i := range h.Instances {
		g.Instances = append(g.Instances, i.Name)
	}
	return g
}

// cost compares what a month costs, which every host's tree says of all of them.
func cost(before, after []*artifact.Tree) (Cost, error) {
	read := func(trees []*artifact.Tree) (artifact.Cost, error) {
		if len(trees) == 0 {
			return artifact.Cost{}, nil
		}
		h, err := push.ReadHost(trees[0])
		if err != nil {
			return artifact.Cost{}, err
		}
		return h.Budgets.Cost, nil
	}
	was, err := read(before)
	if err != nil {
		return Cost{}, err
	}
	is, err := read(after)
	c := Cost{Currency: is.Currency, After: is.Cents}
	if was.Currency == is.Currency {
		c.Before = &was.Cents
	}
	return c, err
}

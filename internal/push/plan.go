// Package push makes hosts be their trees: atomically, checked, confirmed, or rolled back. It sees trees and what
// hosts say of themselves, never the topology. A plan is data: what `odoogen plan` prints is what `odoogen push`
// executes.
package push

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"odoogen/internal/artifact"
)

// Observation is what a host says of itself in one round trip.
type Observation struct {
	Generation string   // the name of what current leads to, "42-3f9a..."; empty on a host that had no push yet
	Confirmed  string   // the generation that a boot returns to
	Manifest   []byte   // of the current generation
	Host       []byte   // its HOST.json
	Drift      []string // files of the current generation that are not what its MANIFEST says
	Doors      []string // doors that are missing or not as they should be
	Packages   []string // of those that the new tree needs, what is not installed
	Clusters   []string // PostgreSQL clusters that exist, "15/main"
	Owed       []string // actions that a push before this one began and did not end
}

// Plan is what a push does on one host, in order.
type Plan struct {
	Host     string             `json:"host"`
	From     string             `json:"from,omitempty"` // the generation that runs
	Digest   string             `json:"digest"`         // of the tree that shall run
	Packages []string           `json:"packages,omitempty"`
	Clusters []artifact.Cluster `json:"clusters,omitempty"`
	Doors    []string           `json:"doors,omitempty"`
	Files    []artifact.Change  `json:"files,omitempty"`
	Actions  []Action           `json:"actions,omitempty"`
	Drift    []string           `json:"drift,omitempty"`
}

// Empty tells whether the host is already what it shall be.
func (p *Plan) Empty() bool {
	return len(p.Packages)+len(p.Clusters)+len(p.Doors)+len(p.Files)+len(p.Actions)+len(p.Drift) == 0
}

// Action is one thing that the host does after the flip.
type Action struct {
	Verb string `json:"verb"` // stop, daemon-reload, run, reload, restart or start
	Unit string `json:"unit,omitempty"`
}

func (a Action) String() string { return strings.TrimSuffix(a.Verb+" "+a.Unit, " ") }

// NewPlan compares what a host is with what it shall be.
func NewPlan(tree *artifact.Tree, seen *Observation) (*Plan, error) {
	host, err := tree.ReadHost()
	if err != nil {
		return nil, err
	}
	before, err := artifact.ParseManifest(seen.Manifest)
	if err != nil {
		return nil, fmt.Errorf("%s: the host's own %w", tree.Host, err)
	}
	plan := &Plan{Host: tree.Host, From: seen.Generation, Digest: tree.Digest(),
		Packages: seen.Packages, Doors: seen.Doors, Drift: seen.Drift}
	for _, c := range host.Clusters {
		if !slices.Contains(seen.Clusters, fmt.Sprintf("%d/%s", c.Version, c.Name)) {
			plan.Clusters = append(plan.Clusters, c)
		}
	}
	owed := map[Action]bool{}
	for _, text := range seen.Owed {
		verb, unit, _ := strings.Cut(text, " ")
		owed[Action{verb, unit}] = true
	}
	plan.Files = changes(before, tree, owed)
	for _, unit := range left(seen.Host, host) {
		owed[Action{"stop", unit}] = true
	}
	if len(plan.Files) > 0 || len(seen.Owed) > 0 {
		owed[Action{"start", "odoogen.target"}] = true
	}
	for a := range owed {
		plan.Actions = append(plan.Actions, a)
	}
	slices.SortFunc(plan.Actions, func(a, b Action) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), strings.Compare(a.Unit, b.Unit), strings.Compare(a.Verb, b.Verb))
	})
	plan.Actions = withoutRedundant(plan.Actions)
	return plan, nil
}

// changes lists the files that differ, and gathers what they make the host do.
func changes(before []artifact.Entry, tree *artifact.Tree, owed map[Action]bool) []artifact.Change {
	old := map[string]artifact.Entry{}
	for _, e := range before {
		old[e.Path] = e
	}
	var out []artifact.Change
	note := func(kind byte, path string, effects []artifact.Effect) {
		out = append(out, artifact.Change{Kind: kind, Path: path})
		for _, e := range effects {
			verb, unit, _ := strings.Cut(string(e), ":")
			if kind == 'D' && verb != "daemon-reload" && verb != "reload" {
				continue // what left is stopped, not restarted
			}
			owed[Action{verb, unit}] = true
		}
	}
	for i := range tree.Files {
		f := &tree.Files[i]
		e, ok := old[f.Path]
		delete(old, f.Path)
		switch {
		case !ok:
			note('A', f.Path, f.Effects)
		case e.Digest != f.Digest() || e.Mode != f.Mode:
			note('M', f.Path, f.Effects)
		}
	}
	for path, e := range old {
		note('D', path, e.Effects)
	}
	slices.SortFunc(out, func(a, b artifact.Change) int { return strings.Compare(a.Path, b.Path) })
	return out
}

// left are the units that the host ran and shall run no more.
func left(before []byte, now *artifact.Host) []string {
	if len(before) == 0 {
		return nil
	}
	old, err := (&artifact.Tree{Files: []artifact.File{{Path: artifact.HostName, Data: before}}}).ReadHost()
	if err != nil {
		return nil // written by another odoogen; `status` shows what still runs
	}
	return slices.DeleteFunc(old.Units, func(u string) bool { return slices.Contains(now.Units, u) })
}

// ranks are the fixed order of actions: what others stand on comes first. systemd reads its units before any of
// them starts, for a new unit's text must be the one that runs.
var ranks = []struct {
	verb, prefix string
}{
	{"stop", ""},
	{"daemon-reload", ""},
	{"run", "odoogen-users"},
	{"", "systemd-sysctl"},
	{"", "systemd-networkd"},
	{"", "odoogen-vswitch"},
	{"", "odoogen-nftables"},
	{"", "postgresql@"},
	{"", "odoogen-postgres@"},
	{"", "odoo-"},
	{"", "nginx"},
}

func (a Action) rank() int {
	if a.Verb == "start" {
		return len(ranks) + 2 // the target, when all else stands
	}
	for i, r := range ranks {
		if (r.verb == "" || r.verb == a.Verb) && strings.HasPrefix(a.Unit, r.prefix) {
			return i
		}
	}
	if strings.HasSuffix(a.Unit, ".timer") {
		return len(ranks) + 1
	}
	return len(ranks)
}

// withoutRedundant drops what another action does already: a reload of what is restarted or stopped.
func withoutRedundant(actions []Action) []Action {
	has := map[Action]bool{}
	for _, a := range actions {
		has[a] = true
	}
	return slices.DeleteFunc(actions, func(a Action) bool {
		stopped := has[Action{"stop", a.Unit}] && a.Verb != "stop"
		return stopped || a.Verb == "reload" && has[Action{"restart", a.Unit}]
	})
}

// Package push makes hosts be their trees: atomically, checked, confirmed, or rolled back. It sees trees and what
// hosts say of themselves, never the topology. A plan is data: what `odoogen plan` prints is what `odoogen push`
// executes.
package push

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"odoogen/internal/artifact"
)

// Observation is what a host says of itself in one round trip.
type Observation struct {
	Commit      string   // that the current generation is of, and who pushed it, as the ledger says
	Generation  string   // the name of what current leads to, "42-3f9a..."; empty on a host that had no push yet
	Confirmed   string   // the generation that a boot returns to
	Unconfirmed bool     // a push has armed the way back from it, and may be at work still
	Stored      []string // all generations that the host has
	TakenBack   []string // those that the host was taken back from by hand, and that have not come back since
	Manifest    []byte   // of the current generation
	Host        []byte   // its HOST.json
	Drift       []string // files of the current generation that are not what its MANIFEST says
	Hands       []Hand   // what was done by hand beside those files
	Doors       []string // doors that are missing or not as they should be
	Packages    []string // of those that the new tree needs, what is not installed
	Clusters    []string // PostgreSQL clusters that exist, "15/main"
	Owed        []string // actions that a push before this one began and did not end
	Covered     []string // what lies in directories that are where doors shall be
	Theirs      []string // what is where doors shall be, or where nothing shall be, and is not odoogen's
	Frozen      string   // since when the host accepts no push, and why
	Ejected     bool     // its configuration is plain files, which were a generation once
	AsFound     bool     // it was taken back to what it was found as
	Was         []string // units that ran when it was found
	Going       []string // doors that are not there any more when it is again what it was found as
	Aside       []string // files of somebody else's that were in the way, and are set aside in generation 0

	Made    []Thing               // what pushes have made that outlives generations
	Secrets map[string]SecretFile // of those that the new tree's units read, the files that are there
	Given   map[string]Given      // by name, what pushes have brought
	Same    map[string]bool       // secrets whose value, given anew, is the one that the host has already
}

// Plan is what a push does on one host, in order.
type Plan struct {
	Host        string             `json:"host"`
	From        string             `json:"from,omitempty"`        // the generation that runs; empty before any push, 0 as it was found, "ejected"
	Ran         string             `json:"ran,omitempty"`         // the commit that it is of, and who pushed it, as the ledger says
	To          string             `json:"to,omitempty"`          // the generation that shall run
	Commit      string             `json:"commit,omitempty"`      // the commit that To is of, and its author; or of which generation it is a rollback
	Digest      string             `json:"digest"`                // of the tree that shall run; empty where the host becomes what it was found as
	Unconfirmed bool               `json:"unconfirmed,omitempty"` // From goes back by itself, unless the push confirms it that turned the host to it
	Frozen      string             `json:"frozen,omitempty"`      // since when the host accepts no push, and why
	Packages    []string           `json:"packages,omitempty"`
	Clusters    []artifact.Cluster `json:"clusters,omitempty"`
	Doors       []string           `json:"doors,omitempty"`
	Aside       []string           `json:"aside,omitempty"`    // files of somebody else's that are in the way, and are kept in generation 0
	Replaced    []string           `json:"replaced,omitempty"` // what somebody put into the place of a door, and is kept in set-aside
	Covered     []string           `json:"covered,omitempty"`  // what lies in directories of somebody else's that a link would take the place of
	Closed      []string           `json:"closed,omitempty"`   // doors of the generation that runs, which the new one does not have
	Back        []string           `json:"back,omitempty"`     // files of generation 0 that come back into their places
	Files       []artifact.Change  `json:"files,omitempty"`
	Actions     []Action           `json:"actions,omitempty"`
	Drift       []string           `json:"drift,omitempty"` // changed by hand, and taken back
	Hands       []Hand             `json:"hands,omitempty"` // done by hand, and left alone
	Secrets     []SecretChange     `json:"secrets,omitempty"`
	Missing     []string           `json:"missing,omitempty"` // secrets that nobody has: nothing can be pushed
	Left        []Thing            `json:"left,omitempty"`    // orphans that neither this nor the generation which runs has: a purge removes them
	Meaning

	made []Thing  // that the host has noted
	undo []Action // of the way back
	run  []string // units that shall run
	stay []string // units that run on, of a host that becomes what it was found as
}

// Empty tells whether the host is already what it shall be, and stays so.
func (p *Plan) Empty() bool {
	return !p.Unconfirmed && len(p.Packages)+len(p.Clusters)+len(p.Doors)+len(p.Closed)+len(p.Files)+len(p.Secrets)+len(p.Missing)+len(p.Actions)+len(p.Drift) == 0
}

// Hand is something that was done by hand beside the files of a generation, by systemctl or in a place of the
// administrator's.
type Hand struct {
	Kind string `json:"kind"` // override, door, masked, stopped, enabled, disabled or firewall
	What string `json:"what"` // the file of an override or a door, a table of the firewall whose rules are others, else a unit
}

func (h Hand) String() string { return h.Kind + " " + h.What }

// heedHands sorts what was done by hand: a push makes doors anew or takes them away, starts a unit that was stopped, loads the
// firewall's rules, and takes nothing else back. Where a push before this one was cut off, nobody knows who stopped a unit or
// whose the rules are.
func (p *Plan) heedHands(seen *Observation, after []artifact.Entry, owed map[Action]bool) {
	for _, h := range p.besideDoors(seen.Hands) {
		switch {
		case h.Kind != "stopped" && h.Kind != "firewall":
			p.Hands = append(p.Hands, h)
		case len(seen.Owed) == 0:
			p.Drift = append(slices.Clone(p.Drift), h.String())
			if h.Kind == "firewall" {
				loadFirewall(after, owed)
			}
		}
	}
}

// besideDoors takes doors that were changed by hand for drift, and returns what else was done by hand.
func (p *Plan) besideDoors(hands []Hand) []Hand {
	var others []Hand
	for _, h := range hands {
		if h.Kind == "door" {
			p.changedDoor(h.What)
		} else {
			others = append(others, h)
		}
	}
	return others
}

// loadFirewall has the host do what a change of the firewall's rules would have it do.
func loadFirewall(after []artifact.Entry, owed map[Action]bool) {
	for _, e := range after {
		if e.Path != "nftables/odoogen.nft" {
			continue
		}
		for _, effect := range e.Effects {
			owed[actionOf(effect)] = true
		}
	}
}

// masked are the units that somebody keeps from running, and that shall run or do something.
func (p *Plan) masked() []string {
	var all []string
	for _, h := range p.Hands {
		is := func(unit string) bool {
			name, _, instance := strings.Cut(unit, "@")
			return unit == h.What || instance && name+"@"+path.Ext(unit) == h.What
		}
		wanted := slices.ContainsFunc(p.run, is) || slices.ContainsFunc(p.Actions, func(a Action) bool { return a.Verb != "stop" && is(a.Unit) })
		if h.Kind == "masked" && wanted && !slices.Contains(all, h.What) {
			all = append(all, h.What)
		}
	}
	return all
}

// Action is one thing that the host does after the flip.
type Action struct {
	Verb string `json:"verb"` // stop, daemon-reload, run, reload, restart or start
	Unit string `json:"unit,omitempty"`
}

// actionOf is what a change of a file with that effect has the host do.
func actionOf(e artifact.Effect) Action {
	verb, unit, _ := strings.Cut(string(e), ":")
	return Action{verb, unit}
}

func (a Action) String() string { return strings.TrimSuffix(a.Verb+" "+a.Unit, " ") }

// NewPlan compares what a host is with what it shall be. Of secrets it is told the digests that the operator has.
func NewPlan(tree *artifact.Tree, seen *Observation, digests map[string]string) (*Plan, error) {
	host, err := ReadHost(tree)
	if err != nil {
		return nil, err
	}
	before, err := artifact.ParseManifest(seen.Manifest)
	if err != nil {
		return nil, fmt.Errorf("%s: the host's own %w", tree.Host, err)
	}
	after, err := artifact.ParseManifest(tree.Manifest())
	if err != nil {
		return nil, err
	}
	plan := &Plan{Host: tree.Host, From: seen.from(), Ran: seen.Commit, To: seen.next(tree.Digest()), Digest: tree.Digest(),
		Unconfirmed: seen.Unconfirmed, Frozen: seen.Frozen, Packages: seen.Packages, Doors: seen.Doors, Drift: seen.Drift, run: host.Units}
	for _, c := range host.Clusters {
		if !slices.Contains(seen.Clusters, c.ID()) {
			plan.Clusters = append(plan.Clusters, c)
		}
	}
	was := hostBefore(seen.Host)
	stay := slices.Concat(host.Units, othersOf(seen.Was, before)) // what ran before odoogen came runs on when it leaves the spec
	forth, back := turning{before, after, was.Units, stay}, turning{after, before, host.Units, was.Units}
	owed, undo := map[Action]bool{}, map[Action]bool{}
	for _, text := range seen.Owed {
		verb, unit, _ := strings.Cut(text, " ")
		owed[Action{verb, unit}] = true
	}
	plan.Files = forth.gather(owed, seen.Drift)
	back.gather(undo, nil)
	plan.compareDoors(was, host, seen)
	plan.heedHands(seen, after, owed)
	reloadBehind(host, seen.Doors, after, owed)
	plan.compareSecrets(host, seen, digests)
	plan.restartConsumers(host, seen, owed)
	plan.restartConsumers(was, seen, undo)
	if !plan.Empty() || len(seen.Owed) > 0 {
		// systemd takes every unit that it reached through the flipped link for changed, until it has read them again.
		owed[Action{"daemon-reload", ""}], undo[Action{"daemon-reload", ""}] = true, true
		owed[Action{"start", target}] = true
		back.end(undo)
	}
	plan.Actions, plan.undo = inOrder(owed), inOrder(undo)
	plan.made, plan.Left = seen.Made, unasked(seen.Made, was, host)
	plan.Meaning = plan.meaning(was, host)
	plan.Access = append(plan.Access, seen.lockedOut(was, host)...)
	return plan, nil
}

// lockedOut says of clusters of somebody else's that become odoogen's whom they let in no more: who is in no line of pg_hba.conf.
func (o *Observation) lockedOut(was, host *artifact.Host) []string {
	var all []string
	if !slices.Contains(host.Manage, "postgresql") {
		return nil
	}
	for _, c := range host.Clusters {
		ran := slices.ContainsFunc(was.Clusters, func(w artifact.Cluster) bool { return w.ID() == c.ID() }) && slices.Contains(was.Manage, "postgresql")
		if slices.Contains(o.Clusters, c.ID()) && !ran && !within(Thing{Kind: "cluster", Name: c.ID()}, o.Made) {
			all = append(all, fmt.Sprintf("cluster %s, which was there before, restarts: its socket lets in the roles that the spec names; all others, and TCP, are refused", c.ID()))
		}
	}
	return all
}

// replaces tells whether something that runs goes on as something new: what it was may still answer for a moment.
func (p *Plan) replaces() bool {
	return slices.ContainsFunc(p.Actions, func(a Action) bool { return a.Verb != "daemon-reload" && a.Verb != "start" })
}

// target wants all that runs.
const target = "odoogen.target"

// turning is a host that goes from one generation to another, either way.
type turning struct {
	before, after []artifact.Entry
	ran, run      []string // units that the target wanted, and wants
}

// gather lists the files that differ, those that drifted among them, and notes what they make the host do.
func (t turning) gather(owed map[Action]bool, drift []string) []artifact.Change {
	old := map[string]artifact.Entry{}
	for _, e := range t.before {
		old[e.Path] = e
	}
	left := map[string]bool{}
	for _, unit := range t.ran {
		if !slices.Contains(t.run, unit) {
			left[unit] = true
			owed[Action{"stop", unit}] = true
		}
	}
	var out []artifact.Change
	note := func(kind byte, e artifact.Entry) {
		out = append(out, artifact.Change{Kind: kind, Path: e.Path})
		for _, effect := range e.Effects {
			a := actionOf(effect)
			if left[a.Unit] || kind == 'D' && a.Verb == "run" {
				continue // what left is stopped, and what is no more cannot be run
			}
			owed[a] = true
		}
	}
	for _, e := range t.after {
		was, ok := old[e.Path]
		delete(old, e.Path)
		switch {
		case !ok:
			note('A', e)
		case was.Digest != e.Digest || was.Mode != e.Mode || slices.Contains(drift, e.Path):
			note('M', e)
		}
	}
	for _, e := range old {
		note('D', e)
	}
	slices.SortFunc(out, func(a, b artifact.Change) int { return strings.Compare(a.Path, b.Path) })
	return out
}

// othersOf are the units whose files are not a generation's own.
func othersOf(units []string, generation []artifact.Entry) []string {
	own := map[string]bool{}
	for _, e := range generation {
		if unit, is := strings.CutPrefix(e.Path, "systemd/system/"); is {
			own[unit] = true
		}
	}
	var all []string
	for _, unit := range units {
		name, _, instance := strings.Cut(unit, "@")
		if !own[unit] && !(instance && own[name+"@"+path.Ext(unit)]) {
			all = append(all, unit)
		}
	}
	return all
}

// end is what a way back ends with: the target wants what it wanted, or is no more.
func (t turning) end(owed map[Action]bool) {
	if len(t.run) > 0 {
		owed[Action{"start", target}] = true
	} else {
		owed[Action{"stop", target}] = true
	}
}

// ReadHost reads a tree's HOST.json. It may be another odoogen's: what it says beside is not heeded.
func ReadHost(t *artifact.Tree) (*artifact.Host, error) {
	h := &artifact.Host{}
	f := t.File(artifact.HostName)
	if f == nil {
		return nil, fmt.Errorf("%s: no %s", t.Host, artifact.HostName)
	}
	if err := json.Unmarshal(f.Data, h); err != nil {
		return nil, fmt.Errorf("%s/%s: %w", t.Host, artifact.HostName, err)
	}
	return h, nil
}

// hostBefore is the HOST.json of the generation that a host runs; an empty one of a bare host.
func hostBefore(data []byte) *artifact.Host {
	host, err := ReadHost(&artifact.Tree{Files: []artifact.File{{Path: artifact.HostName, Data: data}}})
	if err != nil {
		return &artifact.Host{}
	}
	return host
}

// inOrder sorts actions, without those that others do already.
func inOrder(set map[Action]bool) []Action {
	var all []Action
	for a := range set {
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b Action) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), strings.Compare(a.Unit, b.Unit), strings.Compare(a.Verb, b.Verb))
	})
	return withoutRedundant(all)
}

// ranks are the fixed order of actions: what others stand on comes first. systemd reads its units before any of
// them starts, for a new unit's text must be the one that runs.
var ranks = []struct {
	verb, prefix string
}{
	{"daemon-reload", ""},
	{"run", "odoogen-users"},
	{"", "systemd-sysctl"},
	{"", "systemd-networkd"},
	{"", "odoogen-vswitch"},
	{"", "odoogen-nftables"},
	{"", "postgresql@"},
	{"", "odoogen-postgres@"},
	{"run", "odoogen-venv@"},
	{"", "odoo-"},
	{"run", "odoogen-certificates"},
	{"", "nginx"},
}

// rank is an action's place in that order. What others stand on stops last.
func (a Action) rank() int {
	if a.Verb == "stop" {
		return -Action{"restart", a.Unit}.rank()
	}
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

package push

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"odoogen/internal/artifact"
)

// Meaning is what a plan does beyond files: to units, to those who use the host, and to data. `odoogen diff` and
// `odoogen plan` announce the same, for it follows from the actions that a push executes.
type Meaning struct {
	Units      Units     `json:"units"`
	Felt       []Felt    `json:"felt,omitempty"`
	Comes      []string  `json:"comes,omitempty"`        // instances that were not there before
	Later      []string  `json:"later,omitempty"`        // instances whose limits bind at once, and what Odoo derives from them at its next start
	Moves      []Move    `json:"moves,omitempty"`        // data whose place the spec has changed
	Refused    []Refusal `json:"refused,omitempty"`      // what may not be pushed
	Lasting    []Kept    `json:"lasting,omitempty"`      // what comes, and no rollback takes away
	Orphans    []Kept    `json:"orphans,omitempty"`      // what pushes made and the spec no longer has: it stays until it is purged
	Unneeded   []string  `json:"unneeded,omitempty"`     // packages that nothing needs any more, and that stay installed
	NeedsNew   []string  `json:"needsSecrets,omitempty"` // secrets that the host did not have to have before
	Access     []string  `json:"access,omitempty"`       // who gets in otherwise than before, and where
	Accepted   []Waived  `json:"accepted,omitempty"`     // rules that the spec breaks knowingly, and those that it did
	Layers     []string  `json:"layers,omitempty"`       // of the host, that come to odoogen or leave it
	Unmodelled []string  `json:"unmodelled,omitempty"`   // paths of the spec whose words odoogen does not know, in what changes
	Budgets    []Budget  `json:"budgets,omitempty"`
}

// Units are what becomes of those that a plan touches, each in one list.
type Units struct {
	Stop    []string `json:"stop,omitempty"`
	Start   []string `json:"start,omitempty"` // that did not belong to the host before
	Restart []string `json:"restart,omitempty"`
	Reload  []string `json:"reload,omitempty"`
	Run     []string `json:"run,omitempty"`
	Reread  []string `json:"reread,omitempty"` // that systemd reads again, and that go on: limits
}

// Felt is a break that somebody notices.
type Felt struct {
	By    []string `json:"by"`
	Cause string   `json:"cause"`
	Means string   `json:"means"`
}

// Kept is something on a host that a push makes or leaves behind, and never removes.
type Kept struct {
	Kind string   `json:"kind"` // package, or instance, or a Thing's
	Name string   `json:"name"`
	Data []string `json:"data,omitempty"` // of an orphan, what stays of it
}

// Waived is a rule that is broken knowingly, and since when: "" before this plan too, "new" from it on, "over" no longer.
type Waived struct {
	artifact.Accepted
	Change string `json:"change,omitempty"`
}

// Budget is one of a host's budgets, before and after. Before is nil on a new host.
type Budget struct {
	What   string           `json:"what"`
	Unit   string           `json:"unit"` // MiB, or empty for a plain number
	Before *artifact.Booked `json:"before,omitempty"`
	After  artifact.Booked  `json:"after"`
}

// meaning reads a plan for those who decide about it. before is empty for a bare host.
func (p *Plan) meaning(before, after *artifact.Host) Meaning {
	m := Meaning{Units: p.units(before, after), Budgets: budgets(before, after)}
	m.Felt = felt(m.Units, before, after)
	for _, i := range after.Instances {
		if !slices.ContainsFunc(before.Instances, func(b artifact.Instance) bool { return b.Name == i.Name }) {
			m.Comes = append(m.Comes, i.Name)
		}
		if slices.Contains(m.Units.Reread, i.Unit) {
			m.Later = append(m.Later, i.Name)
		}
	}
	m.Lasting = p.lasting(before, after)
	m.Orphans = orphans(unasked(p.made, after), after)
	for _, pkg := range before.Packages {
		if !slices.ContainsFunc(after.Packages, func(a artifact.Pkg) bool { return a.Name == pkg.Name }) {
			m.Unneeded = append(m.Unneeded, pkg.Name)
		}
	}
	for _, s := range after.Secrets {
		if !slices.ContainsFunc(before.Secrets, func(b artifact.Secret) bool { return b.Name == s.Name }) {
			m.NeedsNew = append(m.NeedsNew, s.Name)
		}
	}
	m.Access = p.access(before, after)
	m.Accepted = accepted(before.Accepted, after.Accepted)
	if p.From != "" {
		m.Layers = layers(before.Manage, after.Manage)
	}
	m.Unmodelled = p.unmodelled(before, after)
	return m
}

// accepted are the waivers in force on a host, and those that were.
func accepted(before, after []artifact.Accepted) []Waived {
	var all []Waived
	for _, a := range after {
		w := Waived{Accepted: a}
		if !slices.Contains(before, a) {
			w.Change = "new"
		}
		all = append(all, w)
	}
	for _, b := range before {
		same := func(a artifact.Accepted) bool { return a.Rule == b.Rule && a.At == b.At }
		if !slices.ContainsFunc(after, same) {
			all = append(all, Waived{b, "over"})
		}
	}
	return all
}

// layers are those of a host that come to odoogen, and those that it leaves to somebody else.
func layers(before, after []string) []string {
	var all []string
	for _, l := range after {
		if !slices.Contains(before, l) {
			all = append(all, l+": odoogen's from now on; what is in its way is set aside")
		}
	}
	for _, l := range before {
		if !slices.Contains(after, l) {
			all = append(all, l+": handed back: what odoogen runs there stops, and what its doors had replaced returns")
		}
	}
	return all
}

// units sorts the actions by what they are to the units. An action is a restart only of what belonged to the host before:
// what comes is started, whatever its files ask for.
func (p *Plan) units(before, after *artifact.Host) Units {
	u, ran := Units{}, before.Units
	waits := func(unit string) bool {
		return slices.ContainsFunc(after.Instances, func(i artifact.Instance) bool { return i.Unit == unit && held(before, i) })
	}
	for _, unit := range after.Units {
		if !slices.Contains(ran, unit) {
			u.Start = append(u.Start, unit)
		}
	}
	for _, a := range p.Actions {
		switch {
		case slices.Contains(u.Start, a.Unit) || slices.Contains(after.Disabled, a.Unit):
		case a.Verb == "stop", a.Verb == "restart" && waits(a.Unit): // which ends it, and does not start it again
			u.Stop = append(u.Stop, a.Unit)
		case a.Verb == "restart":
			u.Restart = append(u.Restart, a.Unit)
		case a.Verb == "reload":
			u.Reload = append(u.Reload, a.Unit)
		case a.Verb == "run":
			u.Run = append(u.Run, a.Unit)
		}
	}
	for _, c := range p.Files {
		rest, is := strings.CutPrefix(c.Path, "systemd/system/")
		unit, dropIn, _ := strings.Cut(rest, "/")
		unit = strings.TrimSuffix(unit, ".d")
		goesOn := c.Kind == 'M' || dropIn != "" && slices.Contains(ran, unit)
		if !is || !goesOn || path.Ext(unit) == ".target" || slices.Contains(u.Reread, unit) ||
			slices.ContainsFunc([][]string{u.Stop, u.Start, u.Restart}, func(l []string) bool { return slices.Contains(l, unit) }) {
			continue
		}
		u.Reread = append(u.Reread, unit)
	}
	return u
}

// felt says which instances notice the plan, and for how long. How long a start takes is the instance's own affair, so
// it is not put into numbers; how long a stop may take is a limit of its unit.
func felt(u Units, before, after *artifact.Host) []Felt {
	var all []Felt
	add := func(by []string, cause, format string, args ...any) {
		if len(by) > 0 {
			all = append(all, Felt{by, cause, fmt.Sprintf(format, args...)})
		}
	}
	stayed := func(in func(artifact.Instance) bool) []string {
		var names []string
		for _, i := range after.Instances {
			if in(i) && slices.ContainsFunc(before.Instances, func(b artifact.Instance) bool { return b.Name == i.Name }) {
				names = append(names, i.Name)
			}
		}
		return names
	}
	for _, c := range after.Clusters {
		if slices.Contains(u.Restart, c.Unit) {
			add(stayed(func(i artifact.Instance) bool { return i.Cluster == c.Name }), "PostgreSQL "+c.Name+" restarts",
				"sessions are cut; requests fail for some seconds")
		}
	}
	var stops []int
	for _, i := range after.Instances {
		if !slices.Contains(stops, i.StopSeconds) {
			stops = append(stops, i.StopSeconds)
		}
	}
	for _, stop := range stops {
		add(stayed(func(i artifact.Instance) bool {
			return i.StopSeconds == stop && slices.Contains(u.Restart, i.Unit)
		}), "Odoo restarts",
			"requests that run may end, for %s at most; new ones fail from then until Odoo is up again, some seconds", time.Duration(stop)*time.Second)
	}
	add(stayed(func(i artifact.Instance) bool { return held(before, i) }), "moved", "stopped until the data has been moved, and started by hand")
	if slices.Contains(u.Restart, "nginx.service") {
		add(stayed(func(artifact.Instance) bool { return true }), "nginx restarts", "connections are cut; a second without an answer")
	}
	for _, was := range before.Instances {
		i := slices.IndexFunc(after.Instances, func(a artifact.Instance) bool { return a.Name == was.Name })
		switch {
		case i < 0 && slices.Contains(u.Stop, was.Unit):
			add([]string{was.Name}, "left the spec", "stopped, and answers no more")
		case i >= 0 && after.Instances[i].Domain != was.Domain:
			add([]string{was.Name}, "another domain", "answers as %s; browsers warn until its certificate is issued", after.Instances[i].Domain)
		}
	}
	if slices.Contains(u.Restart, "jenkins.service") {
		add([]string{"Jenkins"}, "Jenkins restarts", "no page and no build until it is up again")
	}
	return all
}

// held tells whether an instance begins to wait for data that is to be moved.
func held(before *artifact.Host, i artifact.Instance) bool {
	return i.HeldUntil != "" && !slices.ContainsFunc(before.Instances, func(b artifact.Instance) bool { return b.HeldUntil == i.HeldUntil })
}

// lasting is what the plan makes and no rollback takes away.
func (p *Plan) lasting(before, after *artifact.Host) []Kept {
	var all []Kept
	add := func(kind, name string) { all = append(all, Kept{Kind: kind, Name: name}) }
	for _, name := range p.Packages {
		add("package", name)
	}
	for _, user := range after.Users {
		if !slices.Contains(before.Users, user) {
			add("user", user)
		}
	}
	for _, c := range p.Clusters {
		add("cluster", c.ID())
	}
	for _, i := range after.Instances {
		if !slices.ContainsFunc(before.Instances, i.SameRole) {
			add("role", i.Role+" in "+i.Cluster)
		}
		if !slices.ContainsFunc(before.Instances, i.SameDatabase) {
			add("database", i.Database+" in "+i.Cluster)
		}
	}
	return all
}

// access is what changes in who gets in: ports that are not the host's own, and keys.
func (p *Plan) access(before, after *artifact.Host) []string {
	var all []string
	ports := func(word string, of, other []artifact.Listener) {
		for _, l := range of {
			if l.Reach != "loopback" && !slices.Contains(other, l) {
				all = append(all, fmt.Sprintf("%s: port %d, %s, %s", word, l.Port, l.Reach, l.What))
			}
		}
	}
	ports("opens", after.Listeners, before.Listeners)
	ports("closes", before.Listeners, after.Listeners)
	sources := func(word string, of, other []artifact.Source) {
		for _, s := range of {
			if !slices.Contains(other, s) {
				all = append(all, fmt.Sprintf("%s: %s, %s", word, s.From, s.Who))
			}
		}
	}
	sources("may reach ssh", after.Whitelist, before.Whitelist)
	sources("may no longer reach ssh", before.Whitelist, after.Whitelist)
	if p.From == "" {
		return all // of a new host, every key is new
	}
	for _, c := range p.Files {
		if user, is := strings.CutPrefix(c.Path, "ssh/authorized_keys/"); is {
			all = append(all, map[byte]string{'A': "may log in: ", 'M': "logs in with other keys: ", 'D': "may no longer log in: "}[c.Kind]+user)
		}
	}
	return all
}

// unmodelled are the paths of the spec whose words odoogen passes on without knowing them, where they come, go, or stand
// in a file that changes.
func (p *Plan) unmodelled(before, after *artifact.Host) []string {
	named := func(all []artifact.Unmodelled, path string) bool {
		return slices.ContainsFunc(all, func(u artifact.Unmodelled) bool { return u.Path == path })
	}
	var all []string
	for _, u := range after.Unmodelled {
		changed := slices.ContainsFunc(p.Files, func(c artifact.Change) bool { return slices.Contains(u.Files, c.Path) })
		if changed || !named(before.Unmodelled, u.Path) {
			all = append(all, u.Path)
		}
	}
	for _, u := range before.Unmodelled {
		if !named(after.Unmodelled, u.Path) {
			all = append(all, u.Path)
		}
	}
	return all
}

// budgets are those of the host, before and after.
func budgets(before, after *artifact.Host) []Budget {
	var all []Budget
	add := func(what, unit string, b, a artifact.Booked) {
		if a == (artifact.Booked{}) {
			return
		}
		one := Budget{what, unit, nil, a}
		if b != (artifact.Booked{}) {
			one.Before = &b
		}
		all = append(all, one)
	}
	add("RAM", "MiB", before.Budgets.RAM, after.Budgets.RAM)
	add("disk", "MiB", before.Budgets.Disk, after.Budgets.Disk)
	for _, c := range after.Budgets.Connections {
		add("connections of "+c.Cluster, "", before.Budgets.ConnectionsOf(c.Cluster), c.Booked)
	}
	return all
}

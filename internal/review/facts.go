package review

import (
	"fmt"
	"slices"
	"strings"

	"odoogen/internal/artifact"
	"odoogen/internal/push"
)

// fact is one line of what a plan means: a label, and words. Words that are code are names to be typed or found.
type fact struct {
	label string
	words []string
	code  bool
	steps []string // instead of words, commands in their order
}

// facts are what a reader wants to know of a plan, the most important first. Text and Markdown say the same.
func facts(p *push.Plan) []fact {
	var all []fact
	add := func(label string, words ...string) {
		if len(words) > 0 {
			all = append(all, fact{label: label, words: words})
		}
	}
	code := func(label string, words []string) {
		if len(words) > 0 {
			all = append(all, fact{label: label, words: words, code: true})
		}
	}
	all = append(all, standing(p)...)
	code("changed by hand", p.Drift)
	code("secrets missing", p.Missing)
	for _, s := range p.Secrets {
		add("secret", s.String())
	}
	for _, r := range p.Refused {
		add("refused", r.Path+": "+r.Why+": "+r.Hint)
	}
	for _, m := range p.Moves {
		add("moved", fmt.Sprintf("%s: %s -> %s; its data stays there until it is moved", m.What, m.From, m.To))
		if len(m.Steps) > 0 {
			all = append(all, fact{label: "then by hand, as root", steps: m.Steps})
		}
	}
	for _, f := range p.Felt {
		add("felt by "+strings.Join(f.By, ", "), f.Cause+": "+f.Means)
	}
	if len(p.Felt) == 0 && p.From != "" {
		add("felt by", "nobody")
	}
	add("comes", comes(p.Comes)...)
	code("stops", p.Units.Stop)
	code("starts", p.Units.Start)
	code("restarts", p.Units.Restart)
	code("reloads", p.Units.Reload)
	code("runs", p.Units.Run)
	code("goes on, read again by systemd", p.Units.Reread)
	if len(p.Later) > 0 {
		add("limits", strings.Join(p.Later, ", ")+": they bind at once; what Odoo derives from them follows when Odoo next starts")
	}
	for _, a := range p.Access {
		add("access", a)
	}
	code("needs the secrets", p.NeedsNew)
	unit := func(door string) bool { return !strings.HasPrefix(door, "/") }
	if p.From != "" {
		code("doors", slices.DeleteFunc(slices.Clone(p.Doors), unit))
	}
	code("stops, and starts no more with the host", slices.DeleteFunc(slices.Clone(p.Doors), func(door string) bool { return !unit(door) }))
	code("set aside in generation 0", p.Aside)
	code("set aside in /etc/odoogen/set-aside", p.Replaced)
	code("to be moved first, out of the way of a link", p.Covered)
	code("closed doors", p.Closed)
	code("comes back", p.Back)
	add("not undone by a rollback", kinds(p.Lasting)...)
	all = append(all, orphans(p.Orphans)...)
	code("stays installed, though nothing needs it", p.Unneeded)
	for _, a := range p.Accepted {
		at := fmt.Sprintf("rule %s at %s", a.Rule, a.At)
		switch a.Change {
		case "new":
			add("newly accepted", fmt.Sprintf("%s until %s: %s", at, a.Until, a.Reason))
		case "over":
			add("kept again", at)
		default:
			add("accepted", fmt.Sprintf("%s until %s: %s", at, a.Until, a.Reason))
		}
	}
	for _, l := range p.Layers {
		add("layer", l)
	}
	code("unmodelled, on the spec's word alone", p.Unmodelled)
	return all
}

// Orphans are what stays on a host until it is purged, each in a line.
func Orphans(all []push.Kept) []string {
	var lines []string
	for _, f := range orphans(all) {
		lines = append(lines, f.label+": "+f.words[0])
	}
	return lines
}

func orphans(kept []push.Kept) []fact {
	var all []fact
	for _, o := range kept {
		stays := "kept until it is purged"
		switch o.Kind {
		case "instance":
			stays = "stopped and kept until it is purged"
		case "cluster":
			stays = "stopped and kept with all its databases until it is purged"
		}
		if len(o.Data) > 0 {
			stays += ": " + strings.Join(o.Data, ", ")
		}
		all = append(all, fact{label: "orphan", words: []string{fmt.Sprintf("%s %s, %s", o.Kind, o.Name, stays)}})
	}
	return all
}

// standing is what a host is whether or not there is anything to do: a push leaves it so.
func standing(p *push.Plan) []fact {
	var all []fact
	if p.Unconfirmed {
		all = append(all, fact{label: "not confirmed", words: []string{"goes back by itself, unless a push that still works confirms it"}})
	}
	if p.Frozen != "" {
		all = append(all, fact{label: "frozen since", words: []string{p.Frozen}})
	}
	for _, h := range p.Hands {
		all = append(all, fact{label: "by hand, and stays", words: []string{h.String()}, code: true})
	}
	return all
}

// most is how many names of one kind are read; of more, their number is.
const most = 20

// comes says of new instances what becomes of them.
func comes(names []string) []string {
	if len(names) == 0 {
		return nil
	}
	return []string{strings.Join(names, ", ") + ": runs when it has its first release, which it gets by itself after the push"}
}

// kinds are things by their kind: "packages a, b".
func kinds(things []push.Kept) []string {
	var order []string
	names := map[string][]string{}
	for _, t := range things {
		if names[t.Kind] == nil {
			order = append(order, t.Kind)
		}
		names[t.Kind] = append(names[t.Kind], t.Name)
	}
	var all []string
	for _, kind := range order {
		switch n := len(names[kind]); {
		case n > most:
			all = append(all, count(n, kind))
		case n > 1:
			all = append(all, kind+"s "+strings.Join(names[kind], ", "))
		default:
			all = append(all, kind+" "+names[kind][0])
		}
	}
	return all
}

// Generation is how people name one: "42-3f9ab2..." is #42 3f9a. A tree that was never on a host has no number.
func Generation(name string) string {
	n, digest, numbered := strings.Cut(name, "-")
	switch {
	case name == "":
		return "bare"
	case name == "0":
		return "as found (#0)"
	case name == "ejected":
		return name
	case !numbered:
		return fmt.Sprintf("%.4s", name)
	}
	return fmt.Sprintf("#%s %.4s", n, digest)
}

// size is an amount as people read it, rounded up: "57.36G".
func size(n int64, unit string) string {
	if unit != "MiB" {
		return fmt.Sprint(n)
	}
	if n < 1024 || n%1024 == 0 {
		if n < 1024 {
			return fmt.Sprintf("%dM", n)
		}
		return fmt.Sprintf("%dG", n/1024)
	}
	hundredths := (n*100 + 1023) / 1024
	return strings.TrimRight(fmt.Sprintf("%d.%02d", hundredths/100, hundredths%100), "0") + "G"
}

// budget is a budget before and after, "57.36G of 64G" each; the same where it stays.
func budget(b push.Budget) (before, after string) {
	say := func(x artifact.Booked) string { return size(x.Used, b.Unit) + " of " + size(x.Of, b.Unit) }
	if b.Before == nil {
		return "", say(b.After)
	}
	return say(*b.Before), say(b.After)
}

// money is a month's cost of a budget, "127.05 of 130".
func money(b artifact.Booked) string {
	amount := func(cents int64) string {
		if cents%100 == 0 {
			return fmt.Sprint(cents / 100)
		}
		return fmt.Sprintf("%d.%02d", cents/100, cents%100)
	}
	return amount(b.Used) + " of " + amount(b.Of)
}

// counted says how many files come, change and go: "5 files: 1 added, 4 changed", "8 files changed".
func counted(files []artifact.Change) string {
	if len(files) == 0 {
		return "no file changes"
	}
	n := map[byte]int{}
	for _, c := range files {
		n[c.Kind]++
	}
	var words []string
	for _, k := range []struct {
		kind byte
		word string
	}{{'A', "added"}, {'M', "changed"}, {'D', "deleted"}} {
		if n[k.kind] > 0 {
			words = append(words, fmt.Sprintf("%d %s", n[k.kind], k.word))
		}
	}
	if len(words) == 1 {
		_, verb, _ := strings.Cut(words[0], " ")
		return count(len(files), "file") + " " + verb
	}
	return count(len(files), "file") + ": " + strings.Join(words, ", ")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

package topology

import (
	"fmt"
	"slices"
	"strings"
)

// How many days before an end it is worth a word.
const (
	soon       = 183 // an upgrade of Odoo or Debian takes a season
	waiverSoon = 30  // what was put off is done in a sprint
)

// Warnings are what is no mistake of the spec, but will be somebody's trouble: what it runs and is no longer
// maintained on that day, or not for much longer. Only a caller that knows the day asks; a build does not.
func Warnings(t *Topology, o *Origins, today Date) Problems {
	w := &warner{o: o, today: today, uses: map[string][]string{}}
	for _, i := range t.Instances {
		w.uses["Odoo "+i.Version] = append(w.uses["Odoo "+i.Version], i.Path+".version")
	}
	for _, h := range t.Hosts {
		name := fmt.Sprintf("Debian %d", h.Debian)
		w.uses[name] = append(w.uses[name], h.Path+".debian")
	}
	for _, c := range t.Clusters {
		name := fmt.Sprintf("PostgreSQL %d", c.Version)
		w.uses[name] = append(w.uses[name], c.Path+".version")
	}
	if t.CI != nil {
		name := fmt.Sprintf("Java %d", javaVersion(t.Java()))
		w.uses[name] = append(w.uses[name], t.javaPath())
	}
	var odoo, debian, postgresql, java []release
	for _, r := range t.Compatibility.Odoo {
		odoo = append(odoo, release{"Odoo " + r.Name, r.Path, r.Ends})
	}
	for _, r := range t.Compatibility.Debian {
		debian = append(debian, release{"Debian " + r.Name, r.Path, r.Ends})
	}
	for _, r := range t.Compatibility.PostgreSQL {
		postgresql = append(postgresql, release{"PostgreSQL " + r.Name, r.Path, r.Ends})
	}
	for _, r := range t.Compatibility.Java {
		java = append(java, release{"Java " + r.Name, r.Path, r.Ends})
	}
	for _, rows := range [][]release{odoo, debian, postgresql, java} {
		w.ends(rows)
	}
	for _, r := range t.Compatibility.Debian {
		w.longTerm(r)
	}
	w.waivers(t.Accept)
	return w.problems.sorted()
}

// Ended are the broken rules whose waiver has ended on that day. Only a caller that knows the day asks; a build does
// not, so that nothing stops a rollback or a repair on the day after.
func (t *Topology) Ended(today Date) Problems {
	var problems Problems
	for _, w := range t.Accept {
		if Date(w.Until) >= today {
			continue
		}
		for _, p := range w.Problems {
			p.Also = append([]Also{{Place: w.Place, Message: w.Path + ": accepted until " + w.Until + ": " + w.Reason}}, p.Also...)
			problems = append(problems, p)
		}
	}
	return problems.sorted()
}

// waivers warns of those that are in use and end soon.
func (w *warner) waivers(accept []Waiver) {
	for _, a := range accept {
		if days := w.today.days(Date(a.Until)); days >= 0 && days <= waiverSoon && len(a.Problems) > 0 {
			w.problems = append(w.problems, Problem{Place: a.Place, Path: a.Path, Warning: true,
				Message: fmt.Sprintf("rule %s is waived until %s, %s", a.Rule, a.Until, inDays(days)),
				Hint:    "afterwards it is a mistake again: " + a.Reason})
		}
	}
}

// release is a row of a table, and its last day.
type release struct {
	name string
	path string
	ends Date
}

type warner struct {
	o        *Origins
	today    Date
	uses     map[string][]string // paths of what is of a release
	problems Problems
}

// ends warns of the releases of one kind that end soon, or have ended.
func (w *warner) ends(rows []release) {
	for _, r := range rows {
		switch days := w.today.days(r.ends); {
		case days < 0:
			w.warn(r, ".ends", w.later(rows, r), "%s is not maintained any more, since %s", r.name, r.ends)
		case days <= soon:
			w.warn(r, ".ends", w.later(rows, r), "%s is maintained until %s, %s", r.name, r.ends, inDays(days))
		}
	}
}

// longTerm warns of a Debian release that the security team leaves to the LTS team. What the latter's end is near
// to, or behind, has its own warning.
func (w *warner) longTerm(r *DebianRelease) {
	row := release{"Debian " + r.Name, r.Path, r.Security}
	if w.today.days(r.Ends) <= soon || r.Security >= r.Ends {
		return
	}
	hint := fmt.Sprintf("the LTS team goes on until %s, for the most used packages", r.Ends)
	switch days := w.today.days(r.Security); {
	case days < 0:
		w.warn(row, ".security", hint, "Debian's security team left %s on %s", row.name, r.Security)
	case days <= soon:
		w.warn(row, ".security", hint, "Debian's security team leaves %s on %s, %s", row.name, r.Security, inDays(days))
	}
}

// warn adds a warning at the first place that uses the release; further ones and the row stand beside it.
func (w *warner) warn(r release, field, hint, format string, args ...any) {
	paths := w.uses[r.name]
	if len(paths) == 0 {
		return
	}
	type use struct {
		path  string
		place Place
	}
	var uses []use
	for _, p := range paths {
		if at := w.o.written(p); !slices.ContainsFunc(uses, func(u use) bool { return u.place == at }) {
			uses = append(uses, use{p, at})
		}
	}
	slices.SortStableFunc(uses, func(a, b use) int { return comparePlaces(a.place, b.place) })
	p := Problem{Place: uses[0].place, Path: uses[0].path, Warning: true, Message: fmt.Sprintf(format, args...), Hint: hint}
	for _, u := range uses[1:] {
		p.Also = append(p.Also, Also{Place: u.place, Message: u.path + ": the same"})
	}
	if at, ok := w.o.Of(r.path + field); ok && !w.o.ours(at) {
		p.Also = append(p.Also, Also{Place: at, Message: r.path + field + ": " + string(r.ends)})
	}
	w.problems = append(w.problems, p)
}

// later is the hint: the releases that are maintained for longer than the season to come.
func (w *warner) later(rows []release, r release) string {
	var names []string
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b release) int { return strings.Compare(string(a.ends), string(b.ends)) })
	for _, other := range rows {
		if other.ends > r.ends && w.today.days(other.ends) > soon {
			names = append(names, fmt.Sprintf("%s until %s", other.name, other.ends))
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "maintained: " + strings.Join(names, ", ")
}

// inDays words a number of days from now.
func inDays(n int) string {
	switch n {
	case 0:
		return "today"
	case 1:
		return "tomorrow"
	}
	return fmt.Sprintf("in %d days", n)
}

// javaPath is what decides the Java of the CI host.
func (t *Topology) javaPath() string {
	name := t.Java()
	for _, v := range t.Packages.Vendors {
		for _, p := range v.Packages {
			if p.Name == name {
				return p.Path
			}
		}
	}
	return t.CI.Host.Path + ".debian"
}

package topology

import (
	"cmp"
	"slices"
	"strings"

	"odoogen/internal/vocabulary"
)

// ownLimits are settings of units that the rules count with: they are said where the rules see them.
var ownLimits = words("CPUQuota CPUWeight IOWeight MemoryMax Slice")

var unitName = lazily(`^[A-Za-z0-9:_.@\\-]+\.[a-z]+$`)

// checkDropIns refuses drop-ins of units that the host does not have, and what systemd would ignore in them.
func checkDropIns(c *checker) {
	for _, h := range c.t.Hosts {
		own := c.t.ownUnits(h)
		for _, d := range h.Units {
			sections := vocabulary.UnitSections[d.kind()]
			limits, known := own[d.Name]
			switch ours := strings.HasPrefix(d.Name, "odoo") || strings.HasPrefix(d.Name, "postgresql@"); {
			case !unitName().MatchString(d.Name) || sections == nil:
				c.refuse(d.Path, "a unit's full name: \"odoo-qa17.service\"", nil, "%q is no unit that odoogen knows to extend", d.Name)
				continue
			case ours && !known:
				c.refuse(d.Path, nearest(d.Name, own), nil, "%s has no unit %s", h.Name, d.Name)
				continue
			case d.Effect == "restart" && !d.restartable():
				c.refuse(d.Path+".effect", "daemon-reload", nil, "%s has nothing to restart", d.Name)
			}
			if c.t.runsOneCommand(h, d.Name) {
				c.oneCommand(d)
			}
			for _, s := range d.Sections {
				if !slices.Contains(sections, s.Name) {
					c.refuse(s.Path, "there is "+strings.Join(sections, ", "), nil, "a drop-in of a %s has no section %q", d.kind(), s.Name)
					continue
				}
				for _, set := range s.Settings {
					c.unitSetting(h, s, set, limits)
				}
			}
		}
	}
}

// unitSetting holds one setting against those of its section. Where limits is not empty, that is where the unit's own are
// said, or the time of a timer.
func (c *checker) unitSetting(h *Host, s *Section, set *UnitSetting, limits string) {
	known := vocabulary.UnitSettings(s.Name, h.Debian)
	switch {
	case limits != "" && set.counted(s.Name):
		c.refuse(set.Path, "say it in "+limits, nil, "odoogen sets it, and the rules count with it")
		return
	case !slices.Contains(known, set.Name):
		hint := ""
		if best := closest(set.Name, known); best != "" {
			hint = "did you mean " + best + "?"
		}
		c.refuse(set.Path, hint, c.also(h.At("debian"), "%d", h.Debian), "systemd has no such setting in [%s]", s.Name)
		return
	}
	for _, v := range set.Values {
		if text := string(v); text != strings.TrimSpace(text) || strings.HasSuffix(text, `\`) {
			c.refuse(set.Path, "", nil, "%q: systemd drops white space at the ends, and joins lines at a backslash", text)
		}
	}
}

// counted tells whether the rules count with a setting of a section: a limit, or when a timer starts its service.
func (set *UnitSetting) counted(section string) bool {
	if section == "Timer" {
		return strings.HasPrefix(set.Name, "On")
	}
	return slices.Contains(ownLimits, set.Name)
}

// runsOneCommand tells whether a unit of the host is a service with one ExecStart=, which stays. Of others it is not known:
// Type=oneshot may have several (systemd.service(5)).
func (t *Topology) runsOneCommand(h *Host, unit string) bool {
	own := strings.HasPrefix(unit, "odoogen-") || !strings.HasSuffix(unit, ".service")
	return !own && (unit == "ssh.service" || slices.ContainsFunc(t.Units(h), func(w Wanted) bool { return w.Unit == unit }))
}

// oneCommand refuses a drop-in by which such a service would have two: systemd would not load it.
func (c *checker) oneCommand(d *DropIn) {
	for _, s := range d.Sections {
		if slices.ContainsFunc(s.Settings, func(set *UnitSetting) bool { return set.Name == "Type" }) {
			continue
		}
		for _, set := range s.Settings {
			commands := 1 // the unit's own
			for _, v := range set.Values {
				if commands++; v == "" {
					commands = 0
				}
			}
			if set.Name == "ExecStart" && commands > 1 {
				c.refuse(set.Path, `["", "/usr/bin/..."] puts one in the place of the unit's own`, nil, "%s would have %d commands, and may have one", d.Name, commands)
			}
		}
	}
}

// ownUnits are the units that odoogen brings to the host or limits there, and where the spec says the limits of each, or the time of
// a timer.
func (t *Topology) ownUnits(h *Host) map[string]string {
	own := map[string]string{}
	for _, w := range t.Units(h) {
		own[w.Unit] = ""
	}
	for _, u := range []string{Target, JobsSlice, UsersUnit, Firewall, PatchUnit} {
		own[u] = ""
	}
	if h.RunsOdoo() {
		for _, u := range []string{OdooSlice, CertificatesUnit, IssueUnit, MirrorUnit, VenvTemplate, FirstReleaseUnit} {
			own[u] = ""
		}
	}
	if t.Observability != nil {
		own[MetricsUnit] = ""
	}
	if t.Backup.Ping != nil {
		own[PingTemplate] = ""
	}
	for _, i := range h.Instances {
		for _, u := range []string{i.Service(), i.Slice(), i.Updater()} {
			own[u] = i.Path
		}
	}
	for _, c := range h.Clusters {
		own[c.Unit()], own[c.SQLUnit()], own[PostgresTemplate] = c.Path+".limits", "", ""
	}
	for _, j := range t.Jobs(h) {
		if j.Unit != "" {
			own[j.Unit], own[Timer(j.Unit)] = j.LimitsPath, j.Path+".at"
			if j.Every > 0 {
				own[Timer(j.Unit)] = j.Path + ".every"
			}
		}
	}
	if h.CI != nil {
		own[JenkinsUnit] = "ci.jenkins.limits"
		for _, a := range h.CI.Agents.List() {
			own[a.Slice()] = "ci.agents.limits"
		}
	}
	return own
}

// kind is what the unit is: service, slice, timer.
func (d *DropIn) kind() string { return d.Name[strings.LastIndexByte(d.Name, '.')+1:] }

// restartable tells whether there is something to restart: not of a slice, a target, or a template.
func (d *DropIn) restartable() bool {
	return d.kind() != "slice" && d.kind() != "target" && !strings.Contains(d.Name, "@.")
}

// Restarts tells whether a change of the drop-in restarts the unit.
func (d *DropIn) Restarts() bool {
	return cmp.Or(d.Effect, map[bool]string{true: "restart", false: "daemon-reload"}[d.restartable()]) == "restart"
}

// File is the drop-in's place in a tree: after odoogen's own, so that it has the last word.
func (d *DropIn) File() string { return "systemd/system/" + d.Name + ".d/80-extra.conf" }

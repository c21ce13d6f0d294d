package native

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"odoogen/internal/artifact"
)

// systemdUnits has systemd load every unit, alone and with its drop-ins, and every unit of the distribution that the
// tree extends. systemd-analyze verify exits 0 for keys and values that it ignores, so its silence is what counts.
func systemdUnits(c *check) {
	all := append(own(c.tree, c.files), extended(c.tree, c.files)...)
	argv := []string{"systemd-analyze", "verify", "--man=no", "--recursive-errors=no"}
	for _, unit := range all {
		// To verify, a colon begins an alias of the unit: another instance of the template stands for this one.
		argv = append(argv, strings.ReplaceAll(unit, ":", "-"))
	}
	res := c.run(argv...)
	for line := range strings.Lines(res.stderr) {
		line = strings.TrimSpace(line)
		name, _, _ := strings.Cut(line, ":")
		if file := "systemd/system/" + template(name); c.tree.File(file) != nil {
			c.fail(file, 0, "%s", line)
		} else if line != "" {
			c.complaint(line)
		}
	}
	c.calendars()
	c.exposure(all)
}

// own are the units that the files bring. A template is taken as the instances that the tree speaks of.
func own(t *artifact.Tree, files []*artifact.File) []string {
	var all []string
	for _, f := range files {
		name, ok := strings.CutPrefix(f.Path, "systemd/system/")
		if !ok || strings.Contains(name, "/") {
			continue
		}
		if kind := path.Ext(name); strings.HasSuffix(strings.TrimSuffix(name, kind), "@") {
			all = append(all, instances(t, name)...)
		} else {
			all = append(all, name)
		}
	}
	return all
}

// instances are those of a template that the tree's units name; "x" where they name none, as when the template is
// started by hand or by Jenkins.
func instances(t *artifact.Tree, name string) []string {
	kind := path.Ext(name)
	instance := regexp.MustCompile(regexp.QuoteMeta(strings.TrimSuffix(name, kind)) + `[A-Za-z0-9:_.\\-]+` + regexp.QuoteMeta(kind))
	var all []string
	for _, f := range t.Files {
		if strings.HasPrefix(f.Path, "systemd/system/") {
			all = append(all, instance.FindAllString(string(f.Data), -1)...)
		}
	}
	if len(all) == 0 {
		return []string{strings.TrimSuffix(name, kind) + "x" + kind}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// extended are units of others that the files are drop-ins for, such as nginx.service and postgresql@15-main.service.
func extended(t *artifact.Tree, files []*artifact.File) []string {
	var all []string
	for _, f := range files {
		name, ok := strings.CutPrefix(f.Path, "systemd/system/")
		dir, _, below := strings.Cut(name, "/")
		unit, dropIn := strings.CutSuffix(dir, ".d")
		if !ok || !below || !dropIn || strings.HasSuffix(strings.TrimSuffix(unit, path.Ext(unit)), "-") {
			continue // "odoo-.slice.d" is for every unit whose name begins so
		}
		if t.File("systemd/system/"+unit) == nil && t.File("systemd/system/"+template(unit)) == nil {
			all = append(all, unit)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// template is the unit file of an instance: postgresql@.service of postgresql@15-main.service.
func template(unit string) string {
	if name, _, ok := strings.Cut(unit, "@"); ok {
		return name + "@" + path.Ext(unit)
	}
	return unit
}

// calendars has every OnCalendar= computed: a date that never comes is refused too.
func (c *check) calendars() {
	for _, f := range c.files {
		for n, line := range strings.Split(string(f.Data), "\n") {
			when, ok := strings.CutPrefix(line, "OnCalendar=")
			if !ok || when == "" {
				continue
			}
			res := c.run("systemd-analyze", "calendar", when)
			if res.code != 0 || strings.Contains(res.stdout, "Next elapse: never") {
				c.fail(f.Path, n+1, "OnCalendar=%s: %s", when, strings.TrimSpace(res.stderr+lastLine(res.stdout)))
			}
		}
	}
}

// odooExposure is the most that systemd-analyze security may say of a unit that runs Odoo.
const odooExposure = 2.5

// exposure notes what each service could still do to the host, from 0 to 10, and refuses an Odoo unit that could do
// more than it needs.
func (c *check) exposure(all []string) {
	argv := []string{"systemd-analyze", "security", "--offline=true"}
	for _, unit := range all {
		if strings.HasSuffix(unit, ".service") {
			argv = append(argv, unit)
		}
	}
	if len(argv) == 3 {
		return
	}
	res := c.run(argv...)
	verdicts := exposureLine().FindAllStringSubmatch(res.stdout, -1)
	if len(verdicts) != len(argv)-3 {
		c.fail("", 0, "systemd-analyze security spoke of %d of %d services: %s", len(verdicts), len(argv)-3, strings.TrimSpace(res.stderr))
	}
	for _, m := range verdicts {
		c.Notes = append(c.Notes, "exposure "+m[2]+" "+m[1])
		if level, err := strconv.ParseFloat(m[2], 64); strings.HasPrefix(m[1], "odoo-") && (err != nil || level > odooExposure) {
			c.fail("systemd/system/"+template(m[1]), 0, "exposure %s is above %.1f (systemd-analyze security --offline=true)", m[2], odooExposure)
		}
	}
}

var exposureLine = lazily(`Overall exposure level for (\S+): ([0-9.]+)`)

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

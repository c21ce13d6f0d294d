package topology

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// checkVersions holds what runs together against the table of versions. A row that has a mistake says nothing.
func checkVersions(c *checker) {
	if c.broken.below("compatibility") {
		return
	}
	checkRows(c)
	for _, v := range c.t.Sources.Versions {
		if c.t.Compatibility.odoo(v.Name) == nil {
			c.refuse(v.Path, fmt.Sprintf("a version of %s, or compatibility: odoo: %q: {...}",
				names(c.t.Compatibility.Odoo, func(r *OdooRelease) string { return r.Name }), v.Name),
				nil, "the table of versions has no Odoo %s", v.Name)
		}
	}
	for _, h := range c.t.Hosts {
		debian := c.t.Compatibility.debian(h.Debian)
		if debian == nil {
			continue // refused by the schema
		}
		checkOdooVersions(c, h, debian)
		for _, cl := range h.Clusters {
			checkPostgreSQLVersion(c, h, cl, debian)
		}
		if h.CI != nil && !c.broken.hit("packages") {
			checkJava(c, h, debian)
		}
		if h.RunsOdoo() && c.t.Sources.Wkhtmltopdf == nil && !debian.Wkhtmltopdf {
			c.refuse("sources", "sources: wkhtmltopdf: {version: ..., url: ..., sha256: ...}", c.also(h.Path+".debian", "Debian %d has no wkhtmltopdf", h.Debian),
				"no wkhtmltopdf on host %s: reports would not print", h.Name)
		}
	}
}

// checkRows holds the names of the table's rows: one that no version has would never be looked at.
func checkRows(c *checker) {
	table := &c.t.Compatibility
	check := func(path, name, example string, is func() *regexp.Regexp) {
		if !is().MatchString(name) {
			c.refuse(path, "", nil, "%q names no version; want one such as %q", name, example)
		}
	}
	for _, r := range table.Odoo {
		check(r.Path, r.Name, "20.0", odooName)
	}
	for _, r := range table.Debian {
		check(r.Path, r.Name, "14", oneNumber)
	}
	for _, r := range table.PostgreSQL {
		check(r.Path, r.Name, "19", oneNumber)
	}
	for _, r := range table.Java {
		check(r.Path, r.Name, "29", oneNumber)
	}
	for _, r := range table.Jenkins {
		check(r.Path, r.Name, "2.600", twoNumbers)
	}
}

var (
	odooName   = lazily(`^(1[7-9]|[2-9][0-9])\.0$`)
	oneNumber  = lazily(`^[1-9][0-9]$`)
	twoNumbers = lazily(`^[1-9][0-9]?\.[0-9]{1,4}$`)
)

// checkOdooVersions holds a host's instances against its Python and their clusters' PostgreSQL, each pair once.
func checkOdooVersions(c *checker, h *Host, debian *DebianRelease) {
	said := map[string]bool{}
	once := func(i *Instance, what string) bool {
		before := said[i.Version+what]
		said[i.Version+what] = true
		return !before
	}
	for _, i := range h.Instances {
		odoo := c.t.Compatibility.odoo(i.Version)
		if odoo == nil {
			continue // refused among the sources
		}
		switch {
		case debian.Python < odoo.Python.From && once(i, "python"):
			c.refuse(i.Path+".version", c.otherDebian(odoo), c.also(h.Path+".debian", "Debian %d has Python %s", h.Debian, debian.Python),
				"Odoo %s begins at Python %s", i.Version, odoo.Python.From)
		case debian.Python > odoo.Python.To && once(i, "python"):
			c.refuse(i.Path+".version", c.otherDebian(odoo), c.also(h.Path+".debian", "Debian %d has Python %s", h.Debian, debian.Python),
				"Odoo %s ends at Python %s", i.Version, odoo.Python.To)
		}
		if cl := i.Cluster; cl.Version < odoo.PostgreSQL && once(i, cl.Name) {
			c.refuse(i.Path+".version", fmt.Sprintf("a cluster of version %d or later", odoo.PostgreSQL),
				c.also(cl.Path+".version", "PostgreSQL %d", cl.Version), "Odoo %s needs PostgreSQL %d or later", i.Version, odoo.PostgreSQL)
		}
	}
}

// otherDebian is the hint for an Odoo version that a host's Python does not fit.
func (c *checker) otherDebian(odoo *OdooRelease) string {
	for _, d := range c.t.Compatibility.Debian {
		if d.Python >= odoo.Python.From && d.Python <= odoo.Python.To {
			return "a host with Debian " + d.Name
		}
	}
	return fmt.Sprintf("compatibility: odoo: %q: python: {...}, if you know that it runs", odoo.Name)
}

func checkPostgreSQLVersion(c *checker, h *Host, cl *Cluster, debian *DebianRelease) {
	if c.t.Compatibility.postgresql(cl.Version) == nil {
		c.refuse(cl.Path+".version", fmt.Sprintf("a version of %s, or compatibility: postgresql: \"%d\": {...}",
			names(c.t.Compatibility.PostgreSQL, func(r *PostgreSQLRelease) string { return r.Name }), cl.Version),
			nil, "the table of versions has no PostgreSQL %d", cl.Version)
		return
	}
	if name := fmt.Sprintf("postgresql-%d", cl.Version); cl.Version != debian.PostgreSQL && !c.vendor(name) && !c.broken.hit("packages") {
		c.refuse(cl.Path+".version", fmt.Sprintf("version: %d, or a vendor of %s in packages.vendors", debian.PostgreSQL, name),
			c.also(h.Path+".debian", "Debian %d has PostgreSQL %d", h.Debian, debian.PostgreSQL), "no %s on host %s", name, h.Name)
	}
	// PostgreSQL 15 brought the methods lz4 and zstd (its release notes).
	if method := cl.Settings.WALCompression; cl.Version < 15 && (method == "lz4" || method == "zstd") {
		c.refuse(cl.Path+".version", `settings: wal_compression: "on"`,
			c.also(cl.Path+".settings.wal_compression", "%s", method), "wal_compression %s needs PostgreSQL 15", method)
	}
}

// checkJava holds the Java that the CI host would get against its Debian and its Jenkins.
func checkJava(c *checker, h *Host, debian *DebianRelease) {
	name := c.t.Java()
	version := javaVersion(name)
	fromDebian := c.also(h.Path+".debian", "Debian %d has Java %s", h.Debian, oneOf(debian.Java))
	if !c.vendor(name) && !slices.Contains(debian.Java, version) {
		c.refuse("packages.vendors", javaHint, fromDebian, "Jenkins needs Java %d, and no vendor has it", version)
		return
	}
	jenkins, at := c.t.jenkinsPin()
	row := c.t.Compatibility.jenkins(jenkins)
	switch {
	case at == "": // no vendor has Jenkins, which the rule vendors says
	case row == nil:
		c.refuse(at, "a later Jenkins, or a row of compatibility.jenkins", nil, "the table of versions has no Jenkins %s", jenkins)
	case !slices.Contains(row.Java, version):
		c.refuse("packages.vendors", javaHint, append(c.also(at, "%s", jenkins), fromDebian...),
			"Jenkins needs Java %s, and host %s would get %s", oneOf(row.Java), h.Name, name)
	}
}

const javaHint = "a vendor of temurin-21-jre, such as packages.adoptium.net"

// jenkinsPin is the version that Jenkins is held at, and the path of the pin; both empty where no vendor has Jenkins.
func (t *Topology) jenkinsPin() (version, path string) {
	for _, v := range t.Packages.Vendors {
		for _, p := range v.Packages {
			if p.Name == "jenkins" {
				return p.Version, p.Path
			}
		}
	}
	return "", ""
}

// names lists the rows of a table: "17.0, 18.0, 19.0".
func names[T any](rows []*T, name func(*T) string) string {
	all := make([]string, len(rows))
	for n, r := range rows {
		all[n] = name(r)
	}
	return strings.Join(all, ", ")
}

// oneOf lists versions: "21 or 25".
func oneOf(versions []int) string {
	words := make([]string, len(versions))
	for n, v := range versions {
		words[n] = strconv.Itoa(v)
	}
	return strings.Join(words, " or ")
}

func checkVendors(c *checker) {
	if ci := c.t.CI; ci != nil && !c.vendor("jenkins") {
		c.refuse("packages.vendors", "vendors: jenkins: #Vendor & {...}", c.also("ci.jenkins", "needs it"), "no vendor has the package jenkins")
	}
	if o := c.t.Observability; o != nil && o.Grafana != nil && !c.vendor("alloy") {
		c.refuse("packages.vendors", "vendors: grafana: #Vendor & {...}", c.also("observability.grafana", "needs it"), "no vendor has the package alloy")
	}
	held := unique[string]{}
	for _, v := range c.t.Packages.Vendors {
		for _, p := range v.Packages {
			if first, second, taken := held.second(c, p.Name, p.Path); taken {
				c.refuse(second, "", c.also(first, "%s", p.Name), "%s comes from another vendor already", p.Name)
			}
		}
	}
}

// packages are those that come from vendors.
func (c *checker) packages() []string {
	names := map[string]bool{}
	for _, v := range c.t.Packages.Vendors {
		for _, p := range v.Packages {
			names[p.Name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

func (c *checker) vendor(name string) bool { return slices.Contains(c.packages(), name) }

package topology

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
)

// release is what a Debian release ships of what the rules ask for.
type release struct {
	name        string
	python      int // 3.x
	postgres    int
	java        int
	wkhtmltopdf bool
}

var releases = map[int]release{
	12: {"bookworm", 11, 15, 17, true},
	13: {"trixie", 13, 17, 21, false},
}

// newestPython is the last Python 3.x that each Odoo version supports (odoo/release.py, odoo/__init__.py).
var newestPython = map[int]int{17: 12, 19: 13}

// newJava is the name of a Java that Jenkins runs on: 21 and later.
var newJava = regexp.MustCompile(`-(2[1-9]|[3-9][0-9])-`)

func checkVersions(c *checker) {
	for _, h := range c.t.Hosts {
		debian := releases[h.Debian]
		said := map[int]bool{}
		for _, i := range h.Instances {
			newest, known := newestPython[i.Major()]
			if known && debian.python > newest && !said[i.Major()] {
				said[i.Major()] = true
				c.refuse(i.Path+".version", "a host with Debian 12", c.also(h.Path+".debian", "Debian %d has Python 3.%d", h.Debian, debian.python),
					"Odoo %s ends at Python 3.%d", i.Version, newest)
			}
		}
		for _, cl := range h.Clusters {
			if name := fmt.Sprintf("postgresql-%d", cl.Version); cl.Version != debian.postgres && !c.vendor(name) && !c.broken.hit("packages") {
				c.refuse(cl.Path+".version", fmt.Sprintf("version: %d, or a vendor of %s in packages.vendors", debian.postgres, name),
					c.also(h.Path+".debian", "Debian %d has PostgreSQL %d", h.Debian, debian.postgres), "no %s on host %s", name, h.Name)
			}
		}
		for _, cl := range h.Clusters {
			// PostgreSQL 15 brought the methods lz4 and zstd (its release notes).
			if method := cl.Settings.WALCompression; cl.Version < 15 && (method == "lz4" || method == "zstd") {
				c.refuse(cl.Path+".version", `settings: wal_compression: "on"`,
					c.also(cl.Path+".settings.wal_compression", "%s", method), "wal_compression %s needs PostgreSQL 15", method)
			}
		}
		java := c.t.Java()
		if h.CI != nil && !c.broken.hit("packages") && (!newJava.MatchString(java) || java == debianJava && debian.java < 21 && !c.vendor(java)) {
			c.refuse("packages.vendors", "a vendor of temurin-21-jre, such as packages.adoptium.net", c.also(h.Path+".debian", "Debian %d has Java %d", h.Debian, debian.java),
				"Jenkins needs Java 21, and host %s would get %s", h.Name, java)
		}
		if h.RunsOdoo() && c.t.Sources.Wkhtmltopdf == nil && !debian.wkhtmltopdf {
			c.refuse("sources", "sources: wkhtmltopdf: {version: ..., url: ..., sha256: ...}", c.also(h.Path+".debian", "Debian %d has no wkhtmltopdf", h.Debian),
				"no wkhtmltopdf on host %s: reports would not print", h.Name)
		}
	}
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

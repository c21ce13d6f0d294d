package topology

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // the same zones on every machine
	"unicode"
)

// naming is what the names of one map may look like. The length stands apart: as a count in the pattern it would make
// every start of the program slower by milliseconds.
type naming struct {
	is      *regexp.Regexp
	longest int
	want    string
}

func (n *naming) allows(name string) bool {
	return len(name) <= n.longest && n.is.MatchString(name)
}

var (
	hostName     = naming{regexp.MustCompile(`^[a-z]([a-z0-9-]*[a-z0-9])?$`), 32, "a host's name is lower case letters, digits and \"-\", 32 at most, and begins with a letter"}
	clusterName  = naming{regexp.MustCompile(`^[a-z][a-z0-9_]*$`), 31, "a cluster's name is lower case letters, digits and \"_\", 31 at most, and begins with a letter (Debian forbids \"-\" in it)"}
	className    = naming{regexp.MustCompile(`^[a-z][a-z0-9_-]*$`), 31, "a class's name is lower case letters, digits, \"_\" and \"-\", 31 at most, and begins with a letter"}
	instanceName = naming{regexp.MustCompile(`^[a-z][a-z0-9_]*$`), 26, "an instance's name is lower case letters, digits and \"_\", 26 at most, and begins with a letter (systemd would nest slices by \"-\")"}
	loginName    = naming{regexp.MustCompile(`^[a-z][a-z0-9_-]*$`), 31, "a login name is lower case letters, digits, \"_\" and \"-\", 31 at most, and begins with a letter"}
	folderName   = naming{regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*$`), 63, "want lower case letters, digits, \".\", \"_\" and \"-\", 63 at most"}
	jobName      = naming{regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`), 63, "a pipeline's name is letters, digits, \".\", \"_\" and \"-\", 63 at most"}
	pluginName   = naming{regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`), 63, "want a plugin's id, such as \"job-dsl\""}
	serverName   = naming{regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`), 253, "want a host name, as in the repositories' addresses"}
	packageNamed = naming{regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]+$`), 63, "want the name of a Debian package"}
)

// systemUsers are logins that Debian, or what odoogen installs, has already.
var systemUsers = []string{"root", "daemon", "bin", "sys", "sync", "games", "man", "lp", "mail", "news", "uucp", "proxy",
	"www-data", "backup", "list", "irc", "gnats", "nobody", "systemd-network", "systemd-resolve", "systemd-timesync",
	"messagebus", "sshd", "postgres", "jenkins", "prometheus", "alloy", "odoo", "odoogen"}

func checkNames(c *checker) {
	t := c.t
	name := func(n naming, kind, name, path string) bool {
		if !n.allows(name) {
			c.refuse(path, n.want, nil, "%q is no name for %s", name, kind)
			return false
		}
		return true
	}
	for _, h := range t.Hosts {
		if name(hostName, "a host", h.Name, h.Path) && h.Name == "localhost" {
			c.refuse(h.Path, "", nil, "localhost is every host's name for itself")
		}
	}
	for _, cl := range t.Clusters {
		name(clusterName, "a cluster", cl.Name, cl.Path)
	}
	for _, cl := range t.Classes {
		name(className, "a class", cl.Name, cl.Path)
	}
	for _, i := range t.Instances {
		name(instanceName, "an instance", i.Name, i.Path)
	}
	for _, r := range t.Sources.Repositories {
		name(folderName, "a repository", r.Name, r.Path)
	}
	for _, k := range t.Sources.KnownHosts {
		name(serverName, "a server", k.Name, k.Path)
	}
	for _, a := range t.Access.Admins {
		if name(loginName, "a login", a.Name, a.Path) {
			c.login(a.Name, a.Path)
		}
	}
	c.login(t.Access.Deploy.User, "access.deploy.user")
	for _, v := range t.Packages.Vendors {
		name(folderName, "a vendor", v.Name, v.Path)
		for _, p := range v.Packages {
			name(packageNamed, "a package", p.Name, p.Path)
		}
	}
	if t.CI != nil {
		for _, j := range t.CI.Jobs {
			name(jobName, "a pipeline", j.Name, j.Path)
		}
		for _, p := range t.CI.Jenkins.Plugins {
			name(pluginName, "a plugin", p.Name, p.Path)
		}
	}
}

// login refuses the name of a person or of the deploy account that somebody else has.
func (c *checker) login(name, path string) {
	switch {
	case slices.Contains(systemUsers, name) || strings.HasPrefix(name, "odoo-") || strings.HasPrefix(name, "odoogen-"):
		c.refuse(path, "", nil, "%s is a user of the system itself", name)
	case name == c.t.Access.Deploy.User && path != "access.deploy.user":
		c.refuse(path, "", c.also("access.deploy.user", "%s, which may do nothing but deploy", name), "%s is the name of the deploy account", name)
	}
}

// checkText walks over every text of the model.
func checkText(c *checker) {
	c.walkText(reflect.ValueOf(c.t).Elem(), "")
	if n := c.t.Backup.None; n != nil && strings.TrimSpace(n.Reason) == "" && !c.broken.hit("backup.none") {
		c.refuse("backup.none.reason", "", nil, "says nothing")
	}
}

func (c *checker) walkText(v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			c.walkText(v.Elem(), path)
		}
	case reflect.String:
		if r, bad := unprintable(v.String()); bad {
			c.refuse(path, "one line of plain text goes into every file that quotes it", nil, "has %s in it", nameOf(r))
		}
	case reflect.Slice:
		for i := range v.Len() {
			entry := v.Index(i)
			at := fmt.Sprintf("%s[%d]", path, i)
			if entry.Kind() == reflect.Pointer {
				at = entry.Elem().FieldByName("Path").String()
			}
			c.walkText(entry, at)
		}
	case reflect.Struct:
		for _, f := range fields(v.Type()) {
			at := path
			switch f.kind {
			case "path":
				continue
			case "":
				at = strings.TrimPrefix(path+"."+f.name, ".")
			}
			c.walkText(v.Field(f.index), at)
		}
	}
}

// unprintable is the first character of a text that a line cannot show as it is.
func unprintable(s string) (rune, bool) {
	for _, r := range s {
		if ' ' <= r && r <= '~' { // as nearly all are
			continue
		}
		if unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control) || r == unicode.ReplacementChar {
			return r, true
		}
	}
	return 0, false
}

func nameOf(r rune) string {
	switch r {
	case '\n':
		return "a line break"
	case '\t':
		return "a tab"
	}
	return fmt.Sprintf("the character U+%04X", r)
}

func checkTime(c *checker) {
	t := c.t
	if zone := t.Network.Time.Zone; zone != "" {
		if _, err := time.LoadLocation(zone); err != nil {
			c.refuse("network.time.zone", "one of the IANA database, such as \"Europe/Berlin\"", nil, "there is no time zone %q", zone)
		}
	}
	b := &t.Backup
	c.calendar(b.Nightly.At, b.Nightly.MaxDuration, "backup.nightly")
	c.calendar(b.Maintenance.At, b.Maintenance.MaxDuration, "backup.maintenance")
	c.calendar(b.Drill.At, b.Drill.MaxDuration, "backup.drill")
	for _, w := range t.Patching.Windows {
		c.calendar(w.At, w.MaxDuration, w.Path)
	}
	if t.CI != nil {
		for _, j := range t.CI.Jobs {
			c.calendar(j.At, j.MaxDuration, j.Path)
		}
	}
}

// calendar refuses what never starts, or would start while it still runs.
func (c *checker) calendar(at Calendar, length Span, path string) {
	if at == "" || c.broken.hit(path) {
		return
	}
	days, _ := c.calendars.starts(at)
	if days == nil || days.first() < 0 {
		c.refuse(path+".at", "", nil, "%q never comes", at)
		return
	}
	shortest, _ := days.gaps()
	if length > Span(shortest)*86400 {
		c.refuse(path+".maxDuration", "", c.also(path+".at", "it starts again after %s", Span(shortest)*86400), "%s is longer than the time to its next start", length)
	}
}

// privateZones are the ends of names that no public authority certifies (RFC 6761, RFC 6762, ICANN on .internal).
var privateZones = []string{".internal", ".local", ".localhost", ".test", ".invalid", ".example", ".lan", ".home.arpa"}

func checkDomains(c *checker) {
	domains := unique[string]{}
	for _, i := range c.t.Instances {
		names := append([]string{i.Domain}, i.Aliases...)
		for n, d := range names {
			path := i.Path + ".domain"
			if n > 0 {
				path = i.Path + ".aliases[" + strconv.Itoa(n-1) + "]"
			}
			private := slices.ContainsFunc(privateZones, func(z string) bool { return strings.HasSuffix(d, z) })
			switch {
			case private || !strings.Contains(d, "."):
				c.refuse(path, "a name below a domain that you own", nil, "%s can get no public certificate", d)
			case len(d) > 253:
				c.refuse(path, "", nil, "a name has at most 253 characters, this one %d", len(d))
			}
			if first, second, taken := domains.second(c, d, path); taken {
				c.refuse(second, "each instance has names of its own", c.also(first, "%s", d), "%s is taken", d)
			}
		}
	}
	fqdns := unique[string]{}
	for _, h := range c.t.Hosts {
		if first, second, taken := fqdns.second(c, h.FQDN, h.Path+".fqdn"); taken {
			c.refuse(second, "", c.also(first, "%s", h.FQDN), "%s is taken", h.FQDN)
		}
	}
}

// databasesOfPostgres are in every cluster.
var databasesOfPostgres = []string{"postgres", "template0", "template1"}

// wordsOfOdoo are read as what they say, whatever the option of odoo.conf (odoo/tools/config.py).
var wordsOfOdoo = []string{"true", "false", "none"}

func checkDatabases(c *checker) {
	type key struct{ where, name string }
	databases, roots, drills := unique[key]{}, unique[key]{}, unique[key]{}
	for _, i := range c.t.Instances {
		drills[key{i.Cluster.Name, i.DrillDatabase()}] = i.Path
	}
	for _, i := range c.t.Instances {
		path := i.Path
		if c.t.set[i.Path+".database"] {
			path += ".database"
		}
		if slices.Contains(databasesOfPostgres, i.Database) {
			c.refuse(path, "", nil, "%s is a database of PostgreSQL itself", i.Database)
		}
		if slices.Contains(wordsOfOdoo, i.Database) {
			c.refuse(path, "database: another name", nil, "Odoo reads no database in the word %s, but what it says", i.Database)
		}
		if first, second, taken := databases.second(c, key{i.Cluster.Name, i.Database}, path); taken {
			c.refuse(second, "each instance has a database of its own", c.also(first, "%s", i.Database),
				"database %s of cluster %s is taken", i.Database, i.Cluster.Name)
		}
		if path, taken := drills[key{i.Cluster.Name, i.Database}]; taken && path != i.Path {
			c.refuse(i.Path, "another name for one of them", c.also(path, "its restore drill makes it"), "database %s of cluster %s is that of a drill", i.Database, i.Cluster.Name)
		}
		if first, second, taken := roots.second(c, key{i.Host.Name, i.Root()}, i.Path); taken {
			c.refuse(second, "another name for one of them", c.also(first, "%s", i.Root()),
				"release folder %s of host %s is taken", i.Root(), i.Host.Name)
		}
	}
}

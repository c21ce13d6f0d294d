package topology

import (
	"fmt"
	"slices"
	"strings"
)

// rule is something that no part of a spec can break by itself, or that the schema's language cannot say.
type rule struct {
	id    string
	doc   string // what it holds and why; docs/rules.md prints it
	check func(*checker)

	// alone: the rule looks at names and texts, not at what they lead to.
	alone bool
	// waivable: accept may waive it, since a topology that breaks it can be built and run. What it costs is the user's
	// to judge.
	waivable bool
	// needs are the sections whose mistakes would make the rule speak of consequences.
	needs []string
}

// rules is every rule, in the order in which a reader of docs/rules.md wants them.
var rules = []rule{
	{id: "names", alone: true, check: checkNames,
		doc: "A name becomes a user, a unit, a path or a database: it has the letters that those can carry. An instance's name has no \"-\", since systemd nests slices by it (`odoo-a-b.slice` would lie inside `odoo-a.slice` and share its limits), and at most 26 characters, since its user is `odoo-<name>` and Linux allows 31. A cluster's has none either (pg_createcluster(1))."},
	{id: "text", alone: true, check: checkText,
		doc: "Text is one line that shows what it is: no control characters, line separators or marks that change its direction."},
	{id: "time", alone: true, check: checkTime,
		doc: "The time zone is one of the IANA database, and every calendar comes round: there is no month 13 and no 30 February. What starts by a calendar ends before it starts again."},
	{id: "references",
		doc: "Every name that stands for something leads somewhere: host, cluster, class, repository, version, jump, window."},
	{id: "keys", alone: true, check: checkKeys,
		doc: "A public key is whole, of the kind that it says, and one that sshd takes (RSA from 1024 bits on): ssh and sshd pass over others without a word."},
	{id: "sources", alone: true, check: checkSources,
		doc: "A repository that is fetched over SSH comes from a server whose key sources.knownHosts pins; a deploy key belongs to an SSH address. Its folders of modules are inside it."},
	{id: "domains", alone: true, check: checkDomains,
		doc: "A domain or alias belongs to one instance, and can get a public certificate: it is no name under .internal, .local, .test and the like. A host's fqdn is its own."},
	{id: "databases", check: checkDatabases,
		doc: "A database of a cluster belongs to one instance, is none of PostgreSQL's own, no word that Odoo reads otherwise (true, false, none), and none that a restore drill makes. No two instances share a release folder."},
	{id: "ports", check: checkPorts,
		doc: "A port of a host has one listener: instances, clusters, exporters, nginx, Jenkins, and places that are kept free."},
	{id: "public", waivable: true, check: checkPublic, needs: []string{"instances", "classes", "clusters", "hosts", "ci"},
		doc: "What listens publicly is in the host's `open`, and what is in `open` is served, on a host with a public address."},
	{id: "addresses", check: checkAddresses,
		doc: "Addresses are addresses; private ones lie in network.vswitch.subnet, public ones outside of it; each belongs to one host; the whitelist does not hold the whole world."},
	{id: "mtu", waivable: true, check: checkMTU,
		doc: "The VLAN's MTU fits the uplink of each host; on Hetzner's vSwitch (VLAN 4000 to 4091) it is 1400 at most."},
	{id: "interface", check: checkInterface,
		doc: "The VLAN's interface has a name that is not the uplink's."},
	{id: "route", check: checkRoute, needs: []string{"hosts", "access", "network"},
		doc: "Every host can be reached: through a public address and the whitelist (or 22 in `open`), or through a jump host on the private network, without a circle. An administrator has a key, and so has Jenkins where there is CI."},
	{id: "isolation", check: checkIsolation,
		doc: "The CI host runs neither instances nor clusters: a nightly pipeline would starve them. One host for everything is a topology without `ci`."},
	{id: "ram", waivable: true, check: checkRAM,
		doc: "On each host all memory that may be used at once fits: the slices of the instances (MemoryMax of instance and update), of each cluster shared_buffers + max_connections x work_mem + autovacuum_max_workers x autovacuum_work_mem + maintenance_work_mem, the jobs that can run together, controller and all agents of CI, and reserve.ram. The clusters' own `ram` fits as well."},
	{id: "memory", waivable: true, check: checkMemory,
		doc: "An instance's MemoryMax holds its processes (110 MiB each when idle), and its limit_memory_soft an idle worker's virtual memory (320 MiB), else each request ends a worker; an update gets 512 MiB at least. Jenkins' heap is 256 MiB at least, and leaves 512 MiB of its MemoryMax to the rest of Java; a job gets 64 MiB at least."},
	{id: "cpu", waivable: true, check: checkCPU,
		doc: "On each host the CPUQuota of all instances, of each cluster, and of controller and agents together, is no more than the host's threads."},
	{id: "cpu-night", waivable: true, check: checkNight,
		doc: "The jobs of a host that can run at the same time by `at` and `maxDuration` have no more CPUQuota together than the host's threads."},
	{id: "disk", waivable: true, check: checkDisk,
		doc: "The disks as RAID joins them hold databases, filestores, releases (keep + 1 that is being made), max_wal_size of each cluster, one dump, the drill's copy of the largest instance, the mirror, Jenkins, the registry's place and reserve.disk."},
	{id: "connections", waivable: true, check: checkConnections,
		doc: "max_connections of each cluster holds the pools of its instances (processes x db_maxconn, and db_maxconn_gevent), one update and three clients of each, the drill, a dump, the exporter (2) and superuser_reserved_connections."},
	{id: "bounds", check: checkBounds,
		doc: "A cluster's settings are within PostgreSQL's own bounds (pg_settings; twice wal_segment_size for the sizes of the WAL), its ram is enough for any shared_buffers, and superuser_reserved_connections are fewer than max_connections: else it does not start."},
	{id: "hugepages", waivable: true, check: checkHugePages,
		doc: "Where clusters insist on huge pages (huge_pages: \"on\"), their host reserves as many as they take, by the sysctl vm.nr_hugepages: else PostgreSQL does not start."},
	{id: "backup", waivable: true, check: checkBackup, needs: []string{"backup"},
		doc: "Every instance is backed up, to a repository that keeps something and is large enough (databases and filestores once, and a tenth more for each further snapshot), or nothing is, by `backup: none: reason`. That there is a repository cannot be waived."},
	{id: "patching", waivable: true, check: checkPatching, needs: []string{"hosts", "patching"},
		doc: "Every host has a patch window, outside of its jobs. Hosts that need each other are never patched together: any two of a topology of up to 8 hosts, and of a larger one a host and its jump host, or the CI host and a host of instances."},
	{id: "ci", check: checkCI,
		doc: "There are no fewer agents than are always connected, and no job wants more than there are."},
	{id: "versions", check: checkVersions,
		doc: "What runs together fits, by the table `compatibility`: Odoo and its host's Python (17.0 ends at Python 3.12, Debian 13 has 3.13), Odoo and its cluster's PostgreSQL, PostgreSQL and Debian or a vendor, Jenkins and its Java (21 or 25 from 2.545 on); and wkhtmltopdf comes from somewhere. A version that the table does not have is refused: the spec can add its row."},
	{id: "vendors", check: checkVendors, needs: []string{"packages"},
		doc: "What Debian does not have comes from a declared vendor (jenkins, alloy), and each package from one."},
	{id: "cost", waivable: true, check: checkCost, needs: []string{"hosts", "budget", "backup"},
		doc: "The prices of hosts and backup storage, with budget.buffer on top, are no more than budget.monthly."},
	{id: "manage", check: checkManage,
		doc: "A layer that something else on the host stands on is not left to somebody else: instances and Jenkins need units and users, clusters postgresql, units users, and packages units, for the patch window."},
	{id: "extra", check: checkExtra,
		doc: "A further setting (`extra` of odoo.conf and PostgreSQL, `sysctl`) is one that its program knows in that version, that odoogen does not set itself, and no secret."},
	{id: "drop-ins", check: checkDropIns,
		doc: "A drop-in extends a unit that the host has, by sections and settings that systemd knows, gives no service a second command, and leaves the limits and times that the rules count with to the spec."},
	{id: "files", check: checkFiles,
		doc: "A file that the spec carries to a host is text beside the spec, and goes where files are meant to be added: no file of the distribution or of odoogen is replaced."},
	{id: "snippets", check: checkSnippets,
		doc: "What is added to a vhost is whole directives, and none that odoogen sets in every vhost."},
	{id: "targets", waivable: true, check: checkTargets,
		doc: "Targets agree: half of the deploys are no slower than 95 of 100."},
	{id: "accept", // checkWaivers, which asks the other rules
		doc: "What `accept` waives is one of the rules that can be waived, until a day that exists, for a reason."},
}

// checker is one pass of the rules over a topology.
type checker struct {
	t         *Topology
	o         *Origins
	broken    pathSet
	calendars *calendars
	rule      string
	firm      bool // nothing is waived
	problems  Problems
}

// check holds the topology against every rule. Nothing is said of what has a mistake already: a rule would only
// speak of its consequences.
func check(t *Topology, o *Origins, broken pathSet) Problems {
	c := &checker{t: t, o: o, broken: broken, calendars: newCalendars()}
	run := func(alone bool) {
		for _, r := range rules {
			if r.check == nil || r.alone != alone || slices.ContainsFunc(r.needs, c.broken.hit) {
				continue
			}
			c.rule = r.id
			r.check(c)
		}
	}
	checkWaivers(c)
	run(true)
	c.broken = c.broken.with(c.problems)
	if len(c.broken) > 0 {
		t.leaveOut()
	}
	run(false)
	return c.problems
}

// refuse reports that a rule is broken at a path, unless that or the other side has a mistake already.
func (c *checker) refuse(path, hint string, also []Also, format string, args ...any) {
	if c.broken.hit(path) || slices.ContainsFunc(also, func(a Also) bool { return c.broken.hit(a.path) }) {
		return
	}
	p := Problem{Place: c.o.written(path), Path: path, Rule: c.rule, Message: fmt.Sprintf(format, args...), Also: also, Hint: hint}
	if c.firm || !c.t.waive(p) {
		c.problems = append(c.problems, p)
	}
}

// insist is refuse for what no waiver waives, although it may waive other parts of the rule.
func (c *checker) insist(path, hint string, also []Also, format string, args ...any) {
	c.firm = true
	c.refuse(path, hint, also, format, args...)
	c.firm = false
}

// also is the other place of a problem.
func (c *checker) also(path, format string, args ...any) []Also {
	place, _ := c.o.Of(path)
	return []Also{{place, path + ": " + fmt.Sprintf(format, args...), path}}
}

// unique reports every key that comes a second time. The later one in the files is wrong.
type unique[K comparable] map[K]string // key -> path

// second tells whether a key at path is taken, and puts the two paths in the order of their places.
func (u unique[K]) second(c *checker, key K, path string) (first, second string, taken bool) {
	before, taken := u[key]
	if !taken {
		u[key] = path
		return "", path, false
	}
	first, second = c.inOrder(before, path)
	return first, second, true
}

// inOrder puts two paths in the order in which a reader meets them; a default comes before what the user wrote.
func (c *checker) inOrder(a, b string) (string, string) {
	pa, _ := c.o.Of(a)
	pb, _ := c.o.Of(b)
	da, db := c.o.ours(pa), c.o.ours(pb)
	if da == db && comparePlaces(pa, pb) > 0 || db && !da {
		return b, a
	}
	return a, b
}

// part is one of the things that a sum is made of.
type part struct {
	kind   string
	path   string
	amount int64
	what   string // how the amount comes about, or empty
}

// parts is a sum.
type parts []part

func (ps parts) sum() int64 {
	total := int64(0)
	for _, p := range ps {
		total += p.amount
	}
	return total
}

// byKind is the sum as arithmetic, "instances 28G + reserve 4G", in the order in which the kinds first came.
func (ps parts) byKind(format func(int64) string) string {
	var kinds []string
	sums := map[string]int64{}
	for _, p := range ps {
		if _, ok := sums[p.kind]; !ok {
			kinds = append(kinds, p.kind)
		}
		sums[p.kind] += p.amount
	}
	words := make([]string, len(kinds))
	for i, k := range kinds {
		words[i] = k + " " + format(sums[k])
	}
	return strings.Join(words, " + ")
}

// largest are the places of the four largest parts.
func (ps parts) largest(c *checker, format func(int64) string) []Also {
	sorted := slices.Clone(ps)
	slices.SortStableFunc(sorted, func(a, b part) int {
		switch {
		case a.amount > b.amount:
			return -1
		case a.amount < b.amount:
			return 1
		}
		return strings.Compare(a.path, b.path)
	})
	var also []Also
	for _, p := range sorted[:min(4, len(sorted))] {
		what := p.what
		if what != "" {
			what = ": " + what
		}
		also = append(also, c.also(p.path, "%s%s", format(p.amount), what)...)
	}
	return also
}

// amount is a size as a person reads it, rounded up: "10.25G".
func amount(n int64) string {
	if s := Size(n); s < GiB || s%GiB == 0 {
		return s.String()
	}
	hundredths := (n*100 + int64(GiB) - 1) / int64(GiB)
	return strings.TrimRight(fmt.Sprintf("%d.%02d", hundredths/100, hundredths%100), "0") + "G"
}

func percent(n int64) string { return Percent(n).String() }

func plain(n int64) string { return fmt.Sprint(n) }

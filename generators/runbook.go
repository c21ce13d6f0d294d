package generators

import (
	"fmt"
	"math"
	"net/url"
	"strings"

	"odoogen/internal/artifact"
	"odoogen/internal/conf"
	"odoogen/internal/topology"
)

// Runbook writes RUNBOOK.md: what a person needs who stands before this host at night without odoogen. Every command
// in it is plain systemd, PostgreSQL, restic, or a script that lies on the host.
func Runbook(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	m := conf.NewMarkdown(h.Path, "RUNBOOK of "+h.Name, "What runs on "+h.Name+", and what to type when it does not.")
	b := &runbook{Markdown: m, t: t, h: h}
	b.para("Nothing on this host needs odoogen to run: it is plain systemd, nginx and PostgreSQL. All commands are root's (%s).", conf.Code("sudo -i"))
	b.left()
	b.what()
	b.routes()
	b.firewall()
	b.places()
	b.units()
	if h.RunsOdoo() {
		b.odoo()
	}
	if len(h.Clusters) > 0 {
		b.postgres()
	}
	if h.RunsOdoo() {
		b.releases()
	}
	if h.ServesWeb() {
		b.certificates()
	}
	b.backups()
	b.disk()
	b.lost()
	if h.CI != nil {
		b.ci()
	}
	b.calendar()
	b.observability()
	b.generation()
	b.limits()
	b.accepted()
	b.unmodelled()
	b.money()
	b.promises()
	out.add("RUNBOOK.md", &m.Text)
	return out.result()
}

// runbook is the text as it grows.
type runbook struct {
	*conf.Markdown
	t *topology.Topology
	h *topology.Host
}

func (b *runbook) para(format string, args ...any) { b.Para(nil, format, args...) }

// from is a list of origins.
func from(paths ...string) []string { return paths }

// left are the layers that are somebody else's: what is said below of them does not hold here.
func (b *runbook) left() {
	if len(b.h.Manage) == len(topology.Layers) {
		return
	}
	b.Heading("What is not odoogen's here")
	for _, l := range topology.Layers {
		if !b.h.Manages(l.Layer) {
			b.Item(from(b.h.At("manage")), "%s: %s.", string(l.Layer), l.Left)
		}
	}
}

func (b *runbook) what() {
	h, hw := b.h, &b.h.Hardware
	b.Heading("What runs here")
	b.Para(from(h.Path), "%s is %s: %s, %s, %d threads, %s RAM, %d disks of %d GB in RAID %d, Debian %d.", h.Name, h.FQDN, hw.Model, hw.CPU,
		hw.Threads, hw.RAM, hw.Disks.Count, hw.Disks.SizeGB, hw.Disks.RAID, h.Debian)
	if h.RunsOdoo() {
		b.Table("instance", "Odoo", "address", "unit", "database", "ports (HTTP, websocket)")
		for _, i := range h.Instances {
			b.Row(from(i.Path, i.Class.Path, i.Cluster.Path+".port", i.At("http_port"), i.At("gevent_port")), i.Name, i.Version, "https://"+i.Domain,
				conf.Code(i.Service()), fmt.Sprintf("%s, port %d", i.Database, i.Cluster.Port), fmt.Sprintf("%d, %d", i.HTTPPort, i.GeventPort))
		}
	}
	if len(h.Clusters) > 0 {
		b.Table("cluster", "PostgreSQL", "port", "unit", "data", "for")
		for _, c := range h.Clusters {
			b.Row(from(c.Path), c.Name, c.Version, c.Port, conf.Code(c.Unit()), conf.Code(c.DataDir()), c.Workload)
		}
	}
	if ci := h.CI; ci != nil {
		b.Para(from("ci.jenkins.url", "ci.agents.max", "ci.mirror"), "Jenkins at %s (%s), %d agents, and mirrors of all git repositories in %s.",
			ci.Jenkins.URL, conf.Code(topology.JenkinsUnit), ci.Agents.Max, conf.Code(topology.MirrorDir))
	}
	owner := map[string]string{} // whose unit it is: a port may follow from any of the owner's fields
	for _, i := range h.Instances {
		owner[i.Service()] = i.Path
	}
	for _, c := range h.Clusters {
		owner[c.Unit()], owner[c.ExporterUnit()] = c.Path, c.Path
	}
	b.Table("port", "reach", "what", "unit")
	for _, l := range b.t.Listeners(h) {
		unit := any(conf.Code(l.Unit))
		if l.Unit == "" {
			unit = "none: kept free"
		}
		paths := from(l.Path)
		if o := owner[l.Unit]; o != "" {
			paths = append(paths, o)
		}
		b.Row(paths, l.Port, string(l.Reach), l.What, unit)
	}
}

func (b *runbook) routes() {
	h, t := b.h, b.t
	b.Heading("Ways in")
	if h.Private != "" && t.Network.VSwitch != nil {
		b.Item(from(h.At("private"), "network.vswitch"), "Private: %s, on VLAN %d (%s).", conf.Code(h.Private), t.Network.VSwitch.VLAN, conf.Code(t.Network.VSwitch.Interface))
	}
	for _, a := range []struct{ address, path string }{{h.Public, "public"}, {h.Public6, "public6"}} {
		if a.address != "" {
			b.Item(from(h.At(a.path)), "Public: %s. Port 22 is open there to the whitelist alone.", conf.Code(a.address))
		}
	}
	if h.Jump != "" {
		b.Item(from(h.At("jump"), h.At("fqdn")), "Through %s: %s", h.Jump, conf.Code("ssh -J "+h.Jump+" "+h.FQDN))
	}
	if len(t.Access.Whitelist) > 0 && (h.Public != "" || h.Public6 != "") {
		b.Table("whitelist", "whose")
		for n, s := range t.Access.Whitelist {
			b.Row(from(fmt.Sprintf("access.whitelist[%d]", n), h.Path), conf.Code(s.From), s.Who)
		}
	}
	if t.Network.VSwitch == nil || h.Private == "" {
		return
	}
	b.para("When the private network is down:")
	look, paths := []string{"ip address show dev " + t.Network.VSwitch.Interface}, from("network.vswitch.interface", h.At("private"))
	if o := b.other(); o != nil {
		look = append(look, "ip route get "+o.Private+" # "+o.Name, "ip neighbour show dev "+t.Network.VSwitch.Interface)
		paths = append(paths, h.Path, o.Path, o.At("private"))
	}
	b.Commands(paths, look...)
	if h.VLANByUnit(t) {
		b.Commands(from("network.vswitch", h.At("uplink.manager")), "systemctl status "+topology.VSwitchUnit, "systemctl restart "+topology.VSwitchUnit)
	}
	switch {
	case h.Jump != "":
		b.Para(from(h.At("jump")), "Then there is no way in but the vendor's console. What runs here goes on; nothing can be deployed from here over the private network.")
	case h.Public != "" && h.RunsOdoo():
		b.Para(from(h.At("public"), "access.whitelist", "access.deploy.user"), "Users notice nothing. A deploy then takes the public address, from a place of the whitelist: %s",
			conf.Code("ssh "+t.Access.Deploy.User+"@"+h.Public+" release list "+h.Instances[0].Name))
	}
}

// other is a host on the other side of the private network: the one that leads here, or else the first.
func (b *runbook) other() *topology.Host {
	var first *topology.Host
	for _, o := range b.t.Hosts {
		switch {
		case o == b.h || o.Private == "":
		case o.Name == b.h.Jump:
			return o
		case first == nil:
			first = o
		}
	}
	return first
}

// firewall is for who stands at the console and is let in nowhere else.
func (b *runbook) firewall() {
	h := b.h
	if !h.Manages(topology.FirewallLayer) {
		return
	}
	b.Heading("Locked out by the firewall")
	b.para("At the vendor's console: odoogen sets no password, root has one only if somebody gave it. What is let in, and what was dropped:")
	b.Commands(nil, "nft list table inet odoogen", "journalctl -k -g 'odoogen drop' -n 20")
	b.para("To let one address reach ssh until the firewall is loaded again:")
	b.Commands(from(h.Path, "access.whitelist"), b.letIn("ip", "ADDRESS"))
	if h.Public6 != "" {
		b.Commands(from(h.Path, h.At("public6"), "access.whitelist"), b.letIn("ip6", "ADDRESS6"))
	}
	b.para("To drop nothing at all. All that listens on a public address is then open to the world, but for what another table or the vendor drops:")
	b.Commands(nil, "systemctl stop "+topology.Firewall)
	b.para("Back to what the spec says, after the one or the other; the next boot does it, too. Until then %s tells of it, and a push is refused unless it is told to overwrite:",
		conf.Code("odoogen-host status"))
	b.Commands(nil, "systemctl reload-or-restart "+topology.Firewall)
	b.para("No password for the console: in the vendor's rescue system, with this host's root on /mnt, %s lets it boot without; afterwards %s.",
		conf.Code("systemctl --root=/mnt mask "+topology.Firewall), conf.Code("systemctl unmask "+topology.Firewall+"; systemctl start "+topology.Firewall))
}

// letIn adds an address to those of the whitelist, or a rule where the firewall has no such set (see whitelist).
func (b *runbook) letIn(family, address string) string {
	for _, s := range b.t.Access.Whitelist {
		if b.h.Jump == "" && strings.Contains(s.From, ":") == (family == "ip6") {
			return "nft add element inet odoogen " + adminSets[family] + " '{ " + address + " }'"
		}
	}
	return "nft insert rule inet odoogen input " + family + " saddr " + address + " tcp dport 22 accept"
}

func (b *runbook) places() {
	h := b.h
	b.Heading("Where things are")
	b.Table("what", "where")
	place := func(what, where string, paths ...string) { b.Row(paths, what, conf.Code(where)) }
	place("the configuration that runs, read-only; this file, too", topology.Current)
	place("earlier and newer generations of it", "/etc/odoogen/generations")
	place("what outlives them: backups' records, certificates, secrets", topology.State)
	place("secrets, a file each (root alone; units get copies)", topology.Secrets)
	place("scripts", topology.Bin)
	place("what turns the host, for the night (odoogen-host help)", "/usr/local/sbin/odoogen-host")
	if h.RunsOdoo() {
		place("code of an instance: a folder for each release, and a link to the one that runs", h.Instances[0].Root()+"/{releases,current}", h.Instances[0].Path)
		place("attachments and sessions of an instance", h.Instances[0].DataDir(), h.Instances[0].Path)
	}
	for _, c := range h.Clusters {
		place("settings of cluster "+c.Name, fmt.Sprintf("%s/postgresql/%s", topology.Current, c.Name), c.Path)
	}
	if h.CI != nil {
		place("Jenkins: builds, plugins, keys", topology.JenkinsHome, "ci.jenkins")
		place("workspaces of the agents", topology.AgentsDir, "ci.agents")
		place("mirrors", topology.MirrorDir, "ci.mirror")
	}
	place("logs", "journalctl -u UNIT")
}

func (b *runbook) units() {
	b.Heading("Look, stop, start")
	b.Commands(nil, "systemctl --failed", "systemctl list-dependencies "+topology.Target, "systemctl list-timers", "systemd-cgtop", "df -h; cat /proc/mdstat")
	b.para("All of these start with the host. For each of them:")
	b.Commands(nil, "systemctl status UNIT", "journalctl -u UNIT -n 200", "systemctl stop UNIT", "systemctl start UNIT", "systemctl restart UNIT")
	for _, u := range b.t.Units(b.h) {
		b.Item(from(u.Path, b.h.Path), "%s", conf.Code(u.Unit))
	}
	b.para("What is stopped by hand starts again with the host. To keep a unit down: %s, and back: %s.",
		conf.Code("systemctl mask --now UNIT"), conf.Code("systemctl unmask UNIT; systemctl start UNIT"))
}

func (b *runbook) odoo() {
	i := b.h.Instances[0]
	b.Heading("Odoo: " + i.Name + " as an example")
	b.para("Does it answer, past nginx and from outside?")
	b.Commands(from(i.Path, i.At("http_port")), fmt.Sprintf("curl -s http://127.0.0.1:%d/web/health", i.HTTPPort),
		"curl -sI https://"+i.Domain+"/web/login")
	b.para("When it does not start: it has no release, its database does not let it in, or it was tried in vain for half an hour and is tried no more:")
	b.Commands(append(from(i.Path), i.FromCluster("port")...), "journalctl -u "+i.Service()+" -u "+topology.FirstReleaseUnit+" -n 100",
		"readlink "+i.Current(), fmt.Sprintf("sudo -u %s psql -p %d -d %s -c 'SELECT 1'", i.User(), i.Cluster.Port, i.Database),
		"systemctl reset-failed "+i.Service()+" && systemctl restart "+i.Service())
	b.para("More memory or CPU until the next boot, and back to what the spec says. Without %s it outlasts boots. Workers are ended by Odoo itself at what %s says, in %s; %s sets others from the next start on:",
		conf.Code("--runtime"), conf.Code("LIMITS"), conf.Code("systemctl cat "+i.Service()), conf.Code("systemctl edit "+i.Service()))
	b.Commands(from(i.Path), "systemctl set-property --runtime "+i.Service()+" MemoryMax=6G CPUQuota=400%",
		"systemctl set-property --runtime "+i.Slice()+" MemoryMax=8G CPUQuota=400%",
		"systemctl revert "+i.Service()+" "+i.Slice())
	b.para("What was killed for want of memory, and who uses it now:")
	b.Commands(from(i.Path), "journalctl -k -g 'oom|Out of memory' -n 50", "systemctl show -p MemoryCurrent -p MemoryMax "+i.Service())
}

func (b *runbook) postgres() {
	b.Heading("PostgreSQL")
	for _, c := range b.h.Clusters {
		b.Para(from(c.Path), "Cluster %s (%s):", c.Name, c.Workload)
		psql := fmt.Sprintf("sudo -u postgres psql -p %d", c.Port)
		b.Commands(from(c.Path),
			"pg_lsclusters",
			psql+" -c 'SELECT datname, state, count(*) FROM pg_stat_activity GROUP BY 1, 2 ORDER BY 3 DESC'",
			psql+" -c 'SELECT pid, datname, now() - xact_start AS open, pg_blocking_pids(pid), left(query, 60) FROM pg_stat_activity WHERE xact_start IS NOT NULL ORDER BY xact_start'",
			psql+" -c 'SELECT pg_terminate_backend(PID)' # ends one connection",
			"systemctl restart "+c.Unit()+" # ends all of them; Odoo connects again by itself",
			fmt.Sprintf("tail -n 100 /var/log/postgresql/postgresql-%d-%s.log", c.Version, c.Name))
		b.Para(from(c.Path), "When %s does not start: that log says why, or else its unit; the last line says which setting it refuses:", c.Name)
		b.Commands(from(c.Path),
			"journalctl -u "+c.Unit()+" -n 50",
			fmt.Sprintf("pg_ctlcluster %d %s status", c.Version, c.Name),
			fmt.Sprintf("sudo -u postgres /usr/lib/postgresql/%d/bin/postgres -C shared_buffers -D /etc/postgresql/%[1]d/%[2]s >/dev/null", c.Version, c.Name))
	}
}

func (b *runbook) releases() {
	i := b.h.Instances[0]
	b.Heading("Code: roll a release back")
	b.Para(from("sources.releases.keep"), "The last %d good releases of each instance are on disk.", b.t.Sources.Releases.Keep)
	b.Commands(from(i.Path), topology.Bin+"/release list "+i.Name, topology.Bin+"/release rollback "+i.Name)
	b.para("By hand, when that script is what is broken (FOLDER is one of releases/):")
	b.Commands(from(i.Path), "ls "+i.Root()+"/releases; readlink "+i.Current(),
		"ln -s releases/FOLDER "+i.Current()+".new && mv -T "+i.Current()+".new "+i.Current(),
		"systemctl restart "+i.Service())
	b.Para(from("targets.recovery"), "Code alone goes back so. A release that updated the database needs its data back as well (below). The target for both is %s.", b.t.Targets.Recovery)
}

func (b *runbook) certificates() {
	i := b.h.Instances[0]
	b.Heading("Certificates")
	b.Commands(from(i.Path), "certbot certificates", "systemctl list-timers certbot.timer "+topology.Timer(topology.IssueUnit),
		"openssl x509 -noout -enddate -issuer -in "+i.CertificateDir()+"/fullchain.pem", "nginx -t && systemctl reload nginx")
	b.para("One that is missing or self-signed is issued, and one that is due or has expired is renewed, by the first; the second renews alone, as the timer does. Both want port 80 of a name that points here, and the authority takes few failures in an hour:")
	b.Commands(from("network.acme"), "systemctl start "+topology.IssueUnit, "systemctl start certbot.service",
		"journalctl -u "+topology.IssueUnit+" -u certbot.service -n 100", "tail -n 50 /var/log/letsencrypt/letsencrypt.log")
}

func (b *runbook) backups() {
	p, h := &b.t.Backup, b.h
	repository, reach := resticByHand(b.t, h)
	b.Heading("Backups")
	if p.None != nil {
		b.Para(from("backup.none.reason"), "**Nothing on this host is backed up.** The reason given: %s", p.None.Reason)
		return
	}
	if !h.Manages(topology.UnitsLayer) {
		b.Para(from(h.At("manage")), "None of odoogen's: what runs here is somebody else's.")
		return
	}
	b.Para(from("backup.keep", "backup.repository"), "restic keeps %d daily, %d weekly and %d monthly snapshots in %s.", p.Keep.Daily, p.Keep.Weekly, p.Keep.Monthly, conf.Code(repository))
	b.Commands(nil, "systemctl start "+topology.BackupUnit, "journalctl -u "+topology.BackupUnit+" -n 100")
	var without, paths []string
	for _, i := range h.Instances {
		if !i.Backup {
			without, paths = append(without, i.Name), append(paths, i.At("backup"), i.Path)
		}
	}
	if len(without) > 0 {
		b.Para(paths, "**Not backed up:** %s.", strings.Join(without, ", "))
	}
	if h.RunsOdoo() {
		i := h.Instances[0]
		b.Para(from("targets.restore"), "Data of an instance, from the newest snapshot or a named one (target: %s). It replaces what is there, which stays beside it until the next restore:", b.t.Targets.Restore)
		b.Commands(from(i.Path), topology.Bin+"/restore --list "+i.Name, topology.Bin+"/restore "+i.Name, topology.Bin+"/restore "+i.Name+" SNAPSHOT")
		b.para("Whether a backup can be restored is tried here, beside everything that runs:")
		b.Commands(nil, "systemctl start "+topology.DrillUnit, "journalctl -u "+topology.DrillUnit+" -n 100")
	}
	b.para("restic by hand, when the scripts are what is broken. Once in each shell:")
	b.Commands(from("backup", h.Path), "restic() { command restic -r "+repository+" --password-file "+topology.SecretFile(p.Password)+reach+` "$@"; }`)
	b.para("Whether the repository is reached, and the password opens it; what holds it locked and is gone; what there is:")
	b.Commands(nil, "restic cat config", "restic unlock", "restic snapshots")
	if h.RunsOdoo() {
		i := h.Instances[0]
		b.para("An instance. What it had stays beside what comes back, under names that end in broken:")
		b.Commands(append(from("backup", i.Path), i.FromCluster("version", "port")...), append([]string{"restic snapshots --tag instance:" + i.Name,
			"install -d -m 0711 " + restored, "restic restore SNAPSHOT --tag instance:" + i.Name + " --target " + restored}, putBack(i)...)...)
	}
	b.ownFiles()
	if p.Storage != nil {
		b.Para(from("backup.storage"), "The repository lies on a %s of %g TB. The password is also with the spec's secrets: without it nobody reads the backups.", p.Storage.Product, p.Storage.SizeTB)
	}
}

// ownFiles are the commands that bring back what is saved beside instances: see hostPaths.
func (b *runbook) ownFiles() {
	h := b.h
	paths := []string{topology.State}
	if h.RunsOdoo() {
		paths = append(paths, "/etc/letsencrypt")
	}
	if h.CI != nil {
		paths = append(paths, topology.JenkinsHome)
	}
	b.Para(from(h.Path), "The host's own files are in snapshots of the tag host: %s, without secrets and what is made again.", strings.Join(paths, ", "))
	b.Commands(nil, "restic snapshots --tag host", "install -d -m 0700 "+restored, "restic restore SNAPSHOT --tag host --target "+restored)
	if h.ServesWeb() {
		b.para("Certificates, and the account at the authority:")
		b.Commands(from("network.acme", h.Path), swap("/etc/letsencrypt"), "systemctl restart "+topology.IssueUnit+" # takes them to nginx",
			"rm -rf /etc/letsencrypt.broken # when all is as it should be")
	}
	if h.CI != nil {
		home := topology.JenkinsHome
		b.para("Jenkins' home. Plugins are not saved: those that were there go along, or they are installed as below:")
		b.Commands(from("ci.jenkins", h.Path), "systemctl stop "+topology.JenkinsUnit, swap(home), "chown -R jenkins: "+home,
			"mv -T "+home+".broken/plugins "+home+"/plugins", "systemctl start "+topology.JenkinsUnit, "rm -rf "+home+".broken # when all is as it should be")
	}
	b.para("Of %s nothing goes back on a new host: it tells what was pushed and deployed.", conf.Code(topology.State))
	read := []string{"tail -n 3 " + restored + topology.State + "/ledger"}
	if h.RunsOdoo() {
		read = append(read, "tail -n 3 "+restored+topology.State+"/releases/*.log")
	}
	b.Commands(from(h.Path), append(read, "rm -rf "+restored)...)
}

// swap sets a directory aside for the one that restic has restored.
func swap(dir string) string {
	return "mv -T " + dir + " " + dir + ".broken; mv -T " + restored + dir + " " + dir
}

// disk is what may go when there is no room.
func (b *runbook) disk() {
	h := b.h
	b.Heading("When the disk is full")
	b.para("What is large; and what may go at any time, the last where no restore by hand is under way:")
	b.Commands(nil, "du -xhd 3 /var /opt /srv /home | sort -h | tail -n 30", "journalctl --vacuum-size=1G", "apt-get clean", "rm -rf "+restored)
	for _, c := range h.Clusters {
		b.Para(from(c.Path), "Databases of cluster %s:", c.Name)
		b.Commands(from(c.Path), fmt.Sprintf("sudo -u postgres psql -p %d -c 'SELECT datname, pg_size_pretty(pg_database_size(datname)) FROM pg_database ORDER BY pg_database_size(datname)'", c.Port))
	}
	if h.RunsOdoo() {
		i := h.Instances[0]
		b.para("What a restore has replaced stays until the next one, under names that end in before, or by hand in broken. It may go when all is as it should be. Leave databases that end in _deploy (a deploy that was cut off goes back to it) and in _drill (the next drill or restore drops it):")
		b.Commands(append(from(i.Path), i.FromCluster("port")...), "du -sh /var/lib/odoo/*/filestore/*",
			fmt.Sprintf("sudo -u postgres dropdb -p %d --if-exists %s; rm -rf %s.before", i.Cluster.Port, aside(i, "before"), i.DataDir()+"/filestore/"+i.Database))
		b.para("A release (OLD) that does not run and to which nobody goes back; what it shares with others it does not free:")
		b.Commands(from(i.Path), "du -sh "+i.Releases()+"/*; readlink "+i.Current(), "rm -rf "+i.Releases()+"/OLD")
	}
	if h.CI != nil {
		b.para("Workspaces, of an agent on which nothing builds; builds make them anew:")
		b.Commands(from("ci.agents", "ci.jenkins"), "du -xhd 2 "+topology.AgentsDir+" "+topology.JenkinsHome+"/jobs | sort -h | tail -n 30", "rm -rf "+topology.AgentsDir+"/AGENT/workspace")
	}
	if len(h.Clusters) > 0 {
		b.Para(from(h.Path), "Delete nothing in a cluster's data directory, pg_wal least of all. A cluster that stopped for want of room starts when there is some.")
	}
}

// lost is for a host that is no more.
func (b *runbook) lost() {
	h, p := b.h, &b.t.Backup
	b.Heading("When this host is lost")
	b.Para(from(h.Path), "This text is in golden/%s of the spec's repository, too. A bare host with Debian %d, root's key, its new host key and addresses in the spec, and a push make all but the data, secrets included.", h.Name, h.Debian)
	if p.None == nil && h.Manages(topology.UnitsLayer) {
		timers := topology.Timer(topology.BackupUnit)
		if h.RunsOdoo() {
			timers += " " + topology.Timer(topology.DrillUnit)
		}
		b.para("After the push, at once, or what is empty is saved as the newest:")
		b.Commands(from(h.Path), "systemctl stop "+timers)
		b.para("Then bring the host's own files back, as above.")
		if h.RunsOdoo() {
			b.Para(from(h.Path), "Each instance gets the code that the spec pins, and then its newest data; where what was empty has been saved, restore that one again from a SNAPSHOT:")
			b.Commands(from(h.Path), "systemctl start --wait "+topology.FirstReleaseUnit,
				"grep -v '^#' "+topology.Current+"/restic/instances | xargs -n 1 "+topology.Bin+"/restore")
		}
		b.para("And backups again:")
		b.Commands(from(h.Path), "systemctl start "+timers)
	}
	b.Para(from(h.Path, "backup"), "Without odoogen, golden/%s has every file that was below %s, and HOST.json the packages, clusters, links and units to make by hand.%s",
		h.Name, topology.Current, b.without())
}

// without is what is left when the spec's repository is gone as well.
func (b *runbook) without() string {
	if b.t.Backup.None != nil || !b.h.Manages(topology.UnitsLayer) {
		return ""
	}
	left := " Backups hold no configuration. Where that repository is gone, too, restic as above brings the data to any Debian"
	if b.h.RunsOdoo() {
		left += " with PostgreSQL and Odoo's code"
	}
	left += ", if somebody has the password and the storage's key"
	if len(b.t.Hosts) > 1 {
		left += ": each host of the spec has them, and there another's repository is the same but for the name at its end"
	}
	return left + "."
}

// restored is where restic puts a snapshot by hand.
const restored = "/var/tmp/restored"

// putBack are the commands that make a restored snapshot the data of an instance, as bin/restore does; what is there is set aside.
func putBack(i *topology.Instance) []string {
	database, filestore := i.Cluster, i.DataDir()+"/filestore/"+i.Database
	broken := aside(i, "broken")
	as := "sudo -u " + i.User() + " "
	return []string{
		fmt.Sprintf("mv -T %s%s/%s %[1]s/%[3]s && chown -R %s: %[1]s/%[3]s", restored, topology.Dumps, i.Name, i.User()),
		"systemctl stop " + i.Service(),
		fmt.Sprintf("sudo -u postgres psql -p %d -c 'ALTER DATABASE \"%s\" RENAME TO \"%s\"'", database.Port, i.Database, broken),
		"systemctl start " + database.SQLUnit() + " # makes it anew, empty, with its owner and extensions",
		fmt.Sprintf("pg_restore --list %s/%s/dump | grep -v ' COMMENT - EXTENSION ' >%[1]s/list", restored, i.Name),
		as + fmt.Sprintf("pg_restore -p %d -d %s --no-owner --exit-on-error --use-list %s/list %[3]s/%s/dump", database.Port, i.Database, restored, i.Name),
		as + fmt.Sprintf("mv -T %s %[1]s.broken; "+as+"mv -T %s/%s/filestore %[1]s", filestore, restored, i.Name),
		"systemctl start " + i.Service(),
		fmt.Sprintf("sudo -u postgres dropdb -p %d %s; rm -rf %s.broken %s # when all is as it should be", database.Port, broken, filestore, restored),
	}
}

// aside is what a database is called while another is in its place. PostgreSQL cuts names at 63 bytes without a word.
func aside(i *topology.Instance, as string) string {
	return i.Database[:min(len(i.Database), 50)] + "_" + as
}

// resticByHand is the host's repository, and how restic reaches it with the secrets where they lie: outside a unit
// there are no credentials, which the scripts' own ssh_config wants.
func resticByHand(t *topology.Topology, h *topology.Host) (repository, options string) {
	b := &t.Backup
	repository = strings.TrimRight(b.Repository, "/") + "/" + h.Name
	at, err := url.Parse(repository)
	if err != nil || b.Storage == nil {
		return repository, ""
	}
	port := "22"
	if at.Port() != "" {
		port = at.Port()
	}
	return repository, " -o sftp.command='ssh -p " + port + " -i " + topology.SecretFile(b.Storage.Credential) +
		" -o UserKnownHostsFile=" + topology.Current + "/restic/known_hosts " + at.User.Username() + "@" + at.Hostname() + " -s sftp'"
}

func (b *runbook) ci() {
	ci := b.h.CI
	b.Heading("Jenkins")
	b.Para(from("ci.jenkins"), "Its configuration is in %s, read at each start; what is changed in the web interface is lost then. The login is %s, its password in %s.",
		conf.Code(topology.JenkinsCasC), conf.Code("admin"), conf.Code(topology.SecretFile(ci.Jenkins.Admin)))
	agent := ci.Agents.List()[0]
	b.Para(from("ci.agents"), "Other limits until the next boot, and back to what the spec says, for Jenkins and for all that %s runs. Without %s they outlast boots. Java's own is in JAVA_OPTS, in %s:",
		agent.Name, conf.Code("--runtime"), conf.Code("systemctl cat "+topology.JenkinsUnit))
	b.Commands(from("ci.jenkins", "ci.agents"), "systemctl set-property --runtime "+topology.JenkinsUnit+" CPUQuota=200% MemoryMax=6G",
		"systemctl set-property --runtime "+agent.Slice()+" CPUQuota=100% MemoryMax=4G",
		"systemctl revert "+topology.JenkinsUnit+" "+agent.Slice())
	b.para("It is not started without its plugins: a push says that Jenkins has none yet. They are put in place with Jenkins' own plugin installation manager (from github.com/jenkinsci/plugin-installation-manager-tool), as /var/tmp/jenkins-plugin-manager.jar:")
	b.Commands(from("packages.vendors", "ci.jenkins"), "chmod 0644 /var/tmp/jenkins-plugin-manager.jar",
		"sudo -u jenkins "+b.t.JavaHome()+"/bin/java -jar /var/tmp/jenkins-plugin-manager.jar --war /usr/share/java/jenkins.war --plugin-file "+
			topology.Current+"/jenkins/plugins.txt --plugin-download-directory "+topology.JenkinsHome+"/plugins",
		topology.Bin+"/jenkins-plugins", "systemctl restart "+topology.JenkinsUnit)
	b.Table("agent", "connected", "slice, with all that its builds run", "end all of it")
	for _, a := range ci.Agents.List() {
		when := "on demand"
		if a.Always {
			when = "always"
		}
		b.Row(from("ci.agents"), a.Name, when, conf.Code(a.Slice()), conf.Code("loginctl terminate-user "+a.Name))
	}
	for _, j := range ci.Jobs {
		b.Item(from(j.Path), "%s starts at %s and is ended after %s: %s of %s.", conf.Code(j.Name), string(j.At), j.MaxDuration, conf.Code(j.Script), j.RepositoryName)
	}
	if r := ci.Registry; r != nil {
		b.Para(from("ci.registry"), "A place for a Docker registry is kept for a second phase: port %d and %s of disk. Nothing runs there, and nothing else may take it.", r.Port, r.Disk)
	}
}

func (b *runbook) calendar() {
	b.Heading("By the calendar")
	b.Para(from("network.time.zone"), "Times are those of %s.", b.t.Network.Time.Zone)
	b.Table("what", "when", "ended after", "unit")
	for _, j := range b.t.Jobs(b.h) {
		when := string(j.At)
		if j.Every != 0 {
			when = "every " + j.Every.String()
		}
		unit := any(conf.Code(j.Unit))
		if j.Unit == "" {
			unit = "Jenkins"
		}
		b.Row(from(j.Path), j.Name, when, j.Max, unit)
	}
	if w := b.h.Window; w != nil {
		b.Para(from(w.Path, "patching.reboot"), "Security updates are installed in the patch window, and only there%s. Now, by hand: %s",
			map[bool]string{true: "; a reboot that they ask for is made there, too", false: "; it never reboots the host"}[b.t.Patching.Reboot],
			conf.Code("systemctl start "+topology.PatchUnit))
	}
}

func (b *runbook) observability() {
	o := b.t.Observability
	if o == nil {
		return
	}
	b.Heading("Metrics, logs, alarms")
	b.Commands(from("observability.exporters.node"), fmt.Sprintf("curl -s http://%s/metrics | grep ^odoogen_", topology.Local(o.Exporters.Node)))
	if g := o.Grafana; g != nil {
		b.Para(from("observability.grafana"), "Alloy (%s, its own page at %s) sends metrics and the journal to Grafana Cloud. Above %d series or %d GB of logs a month the plan throws away what comes.",
			conf.Code(topology.AlloyUnit), conf.Code("http://"+topology.Local(g.Alloy)), g.Plan.Series, g.Plan.LogsGB)
	}
	b.para("Alarms are in %s, to be loaded with Grafana's mimirtool; the same rules with %s serve a Prometheus of one's own.",
		conf.Code(topology.Current+"/alerts/rules.yaml"), conf.Code("alerts/prometheus.yaml"))
	if b.h.RunsOdoo() {
		b.para("Dashboards, one for each instance, are in %s, to be imported into Grafana.", conf.Code(topology.Current+"/dashboards"))
	}
}

func (b *runbook) generation() {
	b.Heading("The configuration before this one")
	b.para("What stands, what was changed by hand, what does not run, and what was pushed:")
	b.Commands(nil, "odoogen-host status", "odoogen-host ledger")
	b.para("Back to the generation before, or to the one of a number (0 is the host as it was found, before any push), without network or pusher:")
	b.Commands(nil, "odoogen-host rollback", "odoogen-host rollback NUMBER")
	b.para("A push that waits for its confirmation goes back by itself. To keep it, or to end it now:")
	b.Commands(nil, "odoogen-host confirm", "odoogen-host revert")
	b.para("To have no push come between, and to let them come again; the second also ends the hold of a push that died:")
	b.Commands(nil, "odoogen-host freeze REASON", "odoogen-host unlock")
	b.para("A link says which generation runs, and another where a push that fails goes back to. To turn both when odoogen-host is what is broken (N-DIGEST is a folder of generations/):")
	b.Commands(nil, "ls -lt /etc/odoogen/generations; readlink "+topology.Current,
		"ln -sfn generations/N-DIGEST /etc/odoogen/.current.new && mv -T /etc/odoogen/.current.new /etc/odoogen/current",
		"ln -sfn generations/N-DIGEST /etc/odoogen/.confirmed.new && mv -T /etc/odoogen/.confirmed.new /etc/odoogen/confirmed",
		"systemctl daemon-reload", "systemctl restart UNIT # of what differs: diff -r two generations")
	b.para("Packages, databases, data and secrets do not go back with it. What was changed by hand beside the generation stays: %s lists it, %s takes it back for a unit.",
		conf.Code("odoogen-host status"), conf.Code("systemctl revert UNIT"))
	b.para("To have all of this as plain files, and no push any more; nothing restarts, and a later push adopts the host again:")
	b.Commands(nil, "odoogen-host eject")
}

// limits are what each thing on the host may use.
func (b *runbook) limits() {
	h := b.h
	b.Heading("Who may use what")
	b.Table("what", "CPU", "RAM", "disk")
	b.Row(from(h.At("hardware")), "the host", fmt.Sprintf("%d%%", h.Hardware.Threads*100), h.Hardware.RAM, fmt.Sprintf("%d x %d GB, RAID %d", h.Hardware.Disks.Count, h.Hardware.Disks.SizeGB, h.Hardware.Disks.RAID))
	b.Row(from(h.At("reserve")), "the system, kept free", "", h.Reserve.RAM, h.Reserve.Disk)
	for _, c := range h.Clusters {
		b.Row(from(c.Path), "cluster "+c.Name, c.Limits.CPUQuota, c.RAM, "")
	}
	for _, i := range h.Instances {
		b.Row(from(i.Path, i.At("CPUQuota"), i.At("MemoryMax"), i.At("update.MemoryMax"), i.At("disk.database"), i.At("disk.filestore"), i.At("disk.release"), "sources.releases.keep"),
			i.Name, i.CPUQuota, fmt.Sprintf("%s, and %s for an update", i.MemoryMax, i.Update.MemoryMax),
			fmt.Sprintf("%s database, %s attachments, %d releases of %s", i.Disk.Database, i.Disk.Filestore, b.t.Sources.Releases.Keep, i.Disk.Release))
	}
	if ci := h.CI; ci != nil {
		b.Row(from("ci.jenkins.limits", "ci.disk"), "Jenkins", ci.Jenkins.Limits.CPUQuota, ci.Jenkins.Limits.MemoryMax, ci.Disk)
		b.Row(from("ci.agents"), fmt.Sprintf("each of %d agents", ci.Agents.Max), ci.Agents.Limits.CPUQuota, ci.Agents.Limits.MemoryMax, "")
		b.Row(from("ci.mirror"), "git mirrors", ci.Mirror.Limits.CPUQuota, ci.Mirror.Limits.MemoryMax, ci.Mirror.Disk)
	}
	for _, j := range b.t.Jobs(h) {
		if j.Unit != "" && j.Limits.MemoryMax != 0 && j.Unit != topology.MirrorUnit {
			b.Row(from(j.Path), j.Name, j.Limits.CPUQuota, j.Limits.MemoryMax, "")
		}
	}
}

// accepted are the rules that the spec breaks knowingly: here what a rule promises does not hold.
func (b *runbook) accepted() {
	waivers := b.t.WaiversOf(b.h)
	if len(waivers) == 0 {
		return
	}
	b.Heading("What is accepted against the rules")
	b.Table("rule", "where", "until", "why")
	for _, w := range waivers {
		for _, p := range w.Problems {
			b.Row(from(w.Path), w.Rule, conf.Code(p.Path), w.Until, w.Reason)
		}
	}
}

// unmodelled is what was added to what odoogen knows, and may be what is wrong.
func (b *runbook) unmodelled() {
	all := b.t.UnmodelledOn(b.h)
	if len(all) == 0 {
		return
	}
	b.Heading("What odoogen does not know")
	b.para("These parts of the configuration are the spec's own words, which no rule was held against:")
	b.Table("said at", "in")
	for _, u := range all {
		files := any("a package")
		if len(u.Files) > 0 {
			files = conf.Code(strings.Join(u.Files, ", "))
		}
		b.Row(from(u.Path), conf.Code(u.Path), files)
	}
}

func (b *runbook) money() {
	t := b.t
	var sum float64
	paths := from("budget", "hosts")
	for _, h := range t.Hosts {
		sum += h.Hardware.Monthly
	}
	if s := t.Backup.Storage; s != nil {
		sum += s.Monthly
		paths = append(paths, "backup.storage.monthly")
	}
	// In cents, upwards, as the rule on the budget counts.
	buffered := math.Ceil(math.Round(sum*100)*float64(100+t.Budget.Buffer)/100) / 100
	b.Heading("Money")
	b.Para(paths, "This host costs %g %s a month; all hosts and the storage %g, with a buffer of %s %.2f, of a budget of %g.",
		b.h.Hardware.Monthly, t.Budget.Currency, sum, t.Budget.Buffer, buffered, t.Budget.Monthly)
}

func (b *runbook) promises() {
	t, p := b.t, &b.t.Targets
	b.Heading("What was promised, and what was decided")
	b.Item(from("targets.deployP50", "targets.deployP95"), "Half of all deploys take less than %s, 95 of 100 less than %s.", p.DeployP50, p.DeployP95)
	b.Item(from("targets.recovery"), "From a failed deploy to the old state: less than %s.", p.Recovery)
	b.Item(from("targets.restore"), "From the backup to a working Odoo with data: less than %s.", p.Restore)
	b.Item(from("targets.isolationDays"), "No load of one environment is felt in another: not once in %d days.", p.IsolationDays)
	for n, d := range t.Decisions {
		path := fmt.Sprintf("decisions[%d]", n)
		b.Para(from(path), "**%s.** Instead of: %s. Because: %s.", d.Title, d.Instead, strings.TrimSuffix(d.Because, "."))
	}
}

package generators

import (
	"strings"

	"odoogen/internal/artifact"
	"odoogen/internal/conf"
	"odoogen/internal/topology"
)

// Backup writes the scripts, settings and units that save a host with restic, look after its repository, and restore
// from it, for trial and in earnest. With backup.none there is only a file that says so.
func Backup(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	if t.Backup.None != nil {
		w := conf.NewWords("backup.none", "Nothing of this host is backed up.")
		w.Comment("Why: "+t.Backup.None.Reason, "backup.none.reason")
		out.add("restic/NONE", &w.Text)
		return out.result()
	}
	for _, name := range []string{"backup", "backup-maintenance"} {
		out.script(name)
	}
	out.constant("bin/restic.sh", "bin/restic.sh", readable)
	out.add("restic/backup.env", backupEnv(t, h))
	out.add("restic/ssh_config", storageConfig(&t.Backup))
	if t.Backup.Storage != nil {
		out.add("restic/known_hosts", storageKey(&t.Backup))
	}
	out.add("restic/instances", backedUp(h))
	out.add("restic/host.paths", hostPaths(h))
	out.constant("restic/host.exclude", "restic/host.exclude", readable)
	if t.Backup.Ping != nil {
		out.script("ping")
		out.add("systemd/system/"+pingUnit, ping(&t.Backup), artifact.DaemonReload)
		out.harden(pingUnit, "ping")
	}
	backupJob(&out, t, h, topology.BackupUnit, "Backup of "+h.Name, "backup")
	backupJob(&out, t, h, topology.BackupCare, "Retention and check of the backups of "+h.Name, "backup-maintenance")
	if h.RunsOdoo() {
		out.script("restore")
		out.script("drill")
		out.constant("bin/data.sh", "bin/data.sh", readable)
		backupJob(&out, t, h, topology.DrillUnit, "Restore drill on "+h.Name, "drill")
	}
	return out.result()
}

// backupJob is a job that uses the repository. Its end is told by systemd, which knows of a timeout or a kill what
// the script itself could not tell; a ping that fails changes nothing. It is told from a unit of its own: ExecStopPost=
// gets no credentials in systemd 252.
func backupJob(out *output, t *topology.Topology, h *topology.Host, unit, description, script string) {
	j, _ := jobOf(t, h, unit)
	u := conf.NewUnit(j.Path, description+".")
	jobUnit(u, description, h.Clusters...)
	if t.Backup.Ping != nil {
		// Not one unit for both: systemd would not tell it whose end it was.
		u.Set("OnSuccess", strings.Replace(pingUnit, "@", "@"+script+":success", 1), "backup.ping")
		u.Set("OnFailure", strings.Replace(pingUnit, "@", "@"+script+":failure", 1), "backup.ping")
	}
	jobService(u, j)
	runScript(u, "ExecStart", script)
	b := &t.Backup
	credential(u, "password", b.Password, "backup.password")
	if b.Storage != nil {
		credential(u, "storage", b.Storage.Credential, "backup.storage.credential")
	}
	if b.Ping != nil {
		credential(u, "ping", b.Ping.Key, "backup.ping.key")
		u.Line("ExecStartPre=-"+topology.Bin+"/ping "+script+":start", "backup.ping")
	}
	privileges := map[string]string{topology.BackupUnit: "backup", topology.BackupCare: "maintenance", topology.DrillUnit: "drill"}
	out.job(t, j, u, privileges[unit])
}

// pingUnit tells how a job ended: odoogen-ping@backup:success.service.
const pingUnit = topology.PingTemplate

func ping(b *topology.Backup) *conf.Text {
	u := conf.NewUnit("backup.ping", "Tells how a job ended: odoogen-ping@backup:success.service.")
	u.Section("Unit")
	u.SetSpecifiers("Description", "Ping of %i")
	u.Section("Service")
	u.Set("Type", "oneshot")
	u.Set("Slice", topology.JobsSlice)
	u.Set("TimeoutStartSec", "2min")
	u.SetSpecifiers("ExecStart", topology.Bin+"/ping %i")
	credential(u, "ping", b.Ping.Key, "backup.ping.key")
	return &u.Text
}

func backupEnv(t *topology.Topology, h *topology.Host) *conf.Text {
	b := &t.Backup
	e := conf.NewEnv("backup", "The backup repository of "+h.Name+".")
	e.Set("RESTIC_REPOSITORY", b.RepositoryOf(h), "backup.repository", h.Path)
	e.Set("RESTIC_CACHE_DIR", "/var/cache/restic")
	e.Set("PASSWORD_FILE", topology.SecretFile(b.Password), "backup.password")
	if b.Storage != nil {
		e.Set("STORAGE_KEY_FILE", topology.SecretFile(b.Storage.Credential), "backup.storage.credential")
	}
	e.Set("KEEP_DAILY", itoa(b.Keep.Daily), "backup.keep.daily")
	e.Set("KEEP_WEEKLY", itoa(b.Keep.Weekly), "backup.keep.weekly")
	e.Set("KEEP_MONTHLY", itoa(b.Keep.Monthly), "backup.keep.monthly")
	e.Set("CHECK_PARTS", itoa(b.CheckParts), "backup.checkParts")
	if b.Ping != nil {
		e.Set("PING_URL", b.Ping.URL, "backup.ping.url")
	}
	return &e.Text
}

// storageConfig is how ssh reaches the machine of the repository. The key is the unit's credential.
func storageConfig(b *topology.Backup) *conf.Text {
	user, host, port := b.Place()
	c := conf.NewSSHConfig("backup.repository", "The way to the backup repository.")
	c.Set("Host", "storage")
	c.Set("HostName", host)
	c.Set("Port", itoa(port))
	c.Set("User", user)
	if b.Storage != nil {
		c.Line("IdentityFile ${CREDENTIALS_DIRECTORY}/storage", "backup.storage")
		c.Set("IdentitiesOnly", "yes", "backup.storage")
		c.Set("UserKnownHostsFile", topology.Current+"/restic/known_hosts", "backup.storage")
	}
	c.Set("StrictHostKeyChecking", "yes")
	c.Set("BatchMode", "yes")
	c.Set("ConnectTimeout", "30")
	c.Set("ServerAliveInterval", "60")
	c.Set("ServerAliveCountMax", "240")
	return &c.Text
}

func storageKey(b *topology.Backup) *conf.Text {
	_, host, port := b.Place()
	k := conf.NewKnownHosts("backup.storage", "What the machine of the backup repository must prove to be.")
	k.Host(host, port, b.Storage.HostKey, "backup.storage.hostKey", "backup.repository")
	return &k.Text
}

// backedUp names the instances that are saved, a snapshot each.
func backedUp(h *topology.Host) *conf.Text {
	w := conf.NewWords(h.Path, "The instances of "+h.Name+" that are backed up.")
	for _, i := range h.BackedUp() {
		w.Add([]string{i.Name}, i.Path, i.At("backup"))
	}
	return &w.Text
}

// hostPaths are what else cannot be made again from the spec, for restic's --files-from.
func hostPaths(h *topology.Host) *conf.Text {
	w := conf.NewWords(h.Path, "What is saved of "+h.Name+" beside its instances, less what host.exclude names.")
	w.Add([]string{topology.State})
	if h.RunsOdoo() {
		w.Add([]string{"/etc/letsencrypt"}, "network.acme")
	}
	if h.CI != nil {
		w.Add([]string{topology.JenkinsHome}, "ci.jenkins")
	}
	return &w.Text
}

package generators

import (
	"odoogen/internal/artifact"
	"odoogen/internal/conf"
	"odoogen/internal/topology"
)

// Jobs writes what the scripts of a host share: their library, and where the host keeps what.
func Jobs(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	e := conf.NewEnv(h.Path, "Where the scripts of "+h.Name+" find what they share.")
	e.Set("HOST", h.Name)
	e.Set("STATE", topology.State)
	e.Set("DUMPS", topology.Dumps)
	e.Set("METRICS", topology.Metrics)
	e.Set("LOCKS", locks)
	e.Set("START_SECONDS", "120") // in which Odoo must serve its login page: beyond, a deploy or restore has failed
	e.Set("JOBS_SLICE", topology.JobsSlice)
	out.add("jobs.env", &e.Text)
	out.constant("bin/lib.sh", "bin/lib.sh", readable)
	out.constant("tmpfiles.d/odoogen-jobs.conf", "tmpfiles.d/odoogen-jobs.conf", readable, artifact.Run(topology.UsersUnit))
	return out.result()
}

// locks holds a file per lock: the host's (shared by jobs and deploys, taken alone by push and reboot), one per
// instance, and the repository's. /run/lock is empty after a boot, as locks are.
const locks = "/run/lock/odoogen"

// script puts a constant script into the tree. It is read anew at each run: a change of it has no effect by itself.
func (o *output) script(name string) { o.constant("bin/"+name, "bin/"+name, executable) }

// job puts the units of a job into the tree: its service with limits and hardening in drop-ins of their own, and
// its timer. What a service needs beyond the common hardening stands in the constant file NAME-privileges.conf.
func (o *output) job(t *topology.Topology, j topology.HostJob, service *conf.Unit, privileges string) {
	dir := "systemd/system/" + j.Unit
	o.add(dir, &service.Text, artifact.DaemonReload)
	o.add(dir+".d/10-limits.conf", jobLimits(j), artifact.DaemonReload)
	o.harden(j.Unit, privileges)
	timer := topology.Timer(j.Unit)
	o.add("systemd/system/"+timer, jobTimer(t, j), artifact.DaemonReload, artifact.Restart(timer))
}

// harden adds the drop-ins that take from a service of root's what it does not need.
func (o *output) harden(unit, privileges string) {
	dir := "systemd/system/" + unit + ".d/"
	o.constant(dir+"20-hardening.conf", "systemd/job-hardening.conf", readable, artifact.DaemonReload)
	if privileges != "" {
		o.constant(dir+"30-privileges.conf", "systemd/"+privileges+"-privileges.conf", readable, artifact.DaemonReload)
	}
}

// jobUnit says what a job is and what it waits for: the network, and the clusters, since a missed run is made up for
// right after a boot.
func jobUnit(u *conf.Unit, description string, clusters ...*topology.Cluster) {
	u.Section("Unit")
	u.Set("Description", description)
	u.Set("Wants", "network-online.target")
	u.Set("After", "network-online.target")
	for _, c := range clusters {
		u.Set("After", c.Unit(), c.Path)
	}
}

// jobService begins the service of a job: it runs to its end, in the slice of all jobs, and is ended after
// maxDuration. RuntimeMaxSec= would do nothing here: for a oneshot service the whole run is its start
// (systemd.service(5)).
func jobService(u *conf.Unit, j topology.HostJob) {
	u.Section("Service")
	u.Set("Type", "oneshot")
	u.Set("Slice", topology.JobsSlice)
	u.Set("TimeoutStartSec", j.Max.String(), j.Path+".maxDuration")
}

func jobLimits(j topology.HostJob) *conf.Text {
	u := conf.NewUnit(j.Path, "Limits of the "+j.Name+".")
	u.Section("Service")
	u.Set("CPUQuota", j.Limits.CPUQuota.String(), j.Path+".limits.CPUQuota")
	u.Set("MemoryMax", j.Limits.MemoryMax.String(), j.Path+".limits.MemoryMax")
	u.Set("IOWeight", itoa(j.Limits.IOWeight), j.Path+".limits.IOWeight")
	return &u.Text
}

// jobTimer starts a job by the calendar, and once after a boot where its hour was missed; or at once, and again and
// again, so long after the last run has ended.
func jobTimer(t *topology.Topology, j topology.HostJob) *conf.Text {
	u := conf.NewUnit(j.Path, "When the "+j.Name+" starts.")
	u.Section("Unit")
	u.Set("Description", "When the "+j.Name+" starts")
	u.Section("Timer")
	if j.Every != 0 {
		u.Set("OnActiveSec", "5s")
		u.Set("OnUnitInactiveSec", j.Every.String(), j.Path+".every")
		u.Set("AccuracySec", "1s")
	} else {
		u.Set("OnCalendar", inZone(t, j.At), j.Path+".at", "network.time.zone")
		u.Set("Persistent", "yes")
		u.Set("AccuracySec", "1min")
	}
	return &u.Text
}

// inZone says in which zone a time is one: the host's own may be another, as its provider or its administrator has it.
func inZone(t *topology.Topology, at topology.Calendar) string {
	return string(at) + " " + t.Network.Time.Zone
}

// jobOf is the host's job that a unit runs.
func jobOf(t *topology.Topology, h *topology.Host, unit string) (topology.HostJob, bool) {
	for _, j := range t.Jobs(h) {
		if j.Unit == unit {
			return j, true
		}
	}
	return topology.HostJob{}, false
}

// credential hands a secret to a service under a name that does not vary, so that scripts need not know the spec's.
func credential(u *conf.Unit, id, secret, from string) {
	u.Set("LoadCredential", id+":"+topology.SecretFile(secret), from)
}

// runScript is the command line of one of the tree's scripts.
func runScript(u *conf.Unit, key, name string, arguments ...string) {
	u.Exec(key, append([]string{topology.Bin + "/" + name}, arguments...))
}

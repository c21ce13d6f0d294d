package generators

import (
	"fmt"
	"strconv"
	"strings"

	"odoogen/internal/artifact"
	"odoogen/internal/conf"
	"odoogen/internal/topology"
)

// OdooUnits writes, for each instance, its slice, its service and its updater. Limits stand in drop-ins of their
// own: systemd applies them with daemon-reload alone, nothing restarts.
func OdooUnits(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	for _, i := range h.Instances {
		slice, service, updater := "systemd/system/"+i.Slice(), "systemd/system/"+i.Service(), "systemd/system/"+i.Updater()

		out.add(slice, odooSlice(i), artifact.DaemonReload)
		out.add(slice+".d/10-limits.conf", odooSliceLimits(i), artifact.DaemonReload)

		restart := artifact.Restart(i.Service())
		out.add(service, odooService(i), artifact.DaemonReload, restart)
		out.add(service+".d/10-limits.conf", odooLimits(i), artifact.DaemonReload)
		out.constant(service+".d/20-hardening.conf", "systemd/odoo-hardening.conf", readable, artifact.DaemonReload, restart)

		out.add(updater, odooUpdater(i), artifact.DaemonReload)
		out.add(updater+".d/10-limits.conf", odooUpdaterLimits(i), artifact.DaemonReload)
		out.constant(updater+".d/20-hardening.conf", "systemd/odoo-hardening.conf", readable, artifact.DaemonReload)
	}
	if h.RunsOdoo() {
		out.constant("bin/odoo-update", "bin/odoo-update", executable)
	}
	return out.result()
}

func odooSlice(i *topology.Instance) *conf.Text {
	u := conf.NewUnit(i.Path, "Holds instance "+i.Name+" and all that works for it: its limits bind them together.")
	u.Section("Unit")
	u.Set("Description", "Odoo instance "+i.Name)
	return &u.Text
}

func odooSliceLimits(i *topology.Instance) *conf.Text {
	u := conf.NewUnit(i.Path, "Limits of instance "+i.Name+", its updates included.")
	u.Section("Slice")
	u.Set("CPUQuota", i.CPUQuota.String(), i.From("CPUQuota")...)
	u.Comment("The instance's "+i.MemoryMax.String()+" and its update's "+i.Update.MemoryMax.String()+".", i.From("slice")...)
	u.Set("MemoryMax", i.SliceMemoryMax().String(), i.From("slice")...)
	u.Set("IOWeight", itoa(i.IOWeight), i.From("IOWeight")...)
	return &u.Text
}

func odooService(i *topology.Instance) *conf.Text {
	u := conf.NewUnit(i.Path, "Odoo "+i.Version+", instance "+i.Name+".")
	u.Section("Unit")
	u.Set("Description", "Odoo "+i.Version+", instance "+i.Name, i.Path+".version")
	// Wanted, not required: a package upgrade stops a cluster and starts it, and would leave the instance stopped. Odoo
	// connects again by itself, or it ends and is started again until the cluster answers.
	u.Set("Wants", i.Cluster.Unit(), i.FromCluster("version")...)
	u.Set("After", "network.target "+i.Cluster.Unit(), i.FromCluster("version")...)
	u.Comment("Nothing to run before the first deploy.")
	u.Set("ConditionPathExists", i.Current(), i.Path+".version")
	if file := i.HeldUntil(); file != "" {
		u.Comment("Nor before its data has come from where it was.", i.Path+".moved", i.Cluster.Path+".moved")
		u.Set("ConditionPathExists", file, i.Path+".moved", i.Cluster.Path+".moved")
	}
	u.Comment("Tries for ten minutes and more: a cluster that recovers from a crash refuses connections as long.")
	u.Set("StartLimitIntervalSec", "30min")
	u.Set("StartLimitBurst", "120")

	u.Section("Service")
	u.Set("Type", "exec")
	odooProcess(u, i)
	u.ExecWith("ExecStart", []string{i.Venv() + "/bin/python", i.Program(), "-c", i.ConfigFile()}, limitsVariable,
		i.Path+".version", i.Code.Path+".community")
	if i.Major() >= 19 && i.Workers > 0 {
		u.Comment("A new release without a refused request; Odoo 17 would close its port.")
		u.SetSpecifiers("ExecReload", "/bin/kill -HUP $MAINPID", append([]string{i.Path + ".version"}, i.From("workers")...)...)
	}
	u.Comment("SIGTERM for the master alone: it lets requests end; a worker would drop its own.")
	u.Set("KillMode", "mixed")
	u.Comment("A request's limit_time_real and a little: the master waits as long for its workers.", i.From("limit_time_real")...)
	u.Set("TimeoutStopSec", i.StopTimeout().String(), i.From("limit_time_real")...)
	u.Comment("The master starts a killed worker again.")
	u.Set("OOMPolicy", "continue")
	u.Comment("Also after a SIGHUP that came too early, which systemd takes for a wish to end.")
	u.Set("Restart", "always")
	u.Set("RestartSec", "5s")
	return &u.Text
}

func odooLimits(i *topology.Instance) *conf.Text {
	u := conf.NewUnit(i.Path, "Limits of instance "+i.Name+".")
	u.Section("Service")
	u.Set("CPUQuota", i.CPUQuota.String(), i.From("CPUQuota")...)
	u.Set("MemoryMax", i.MemoryMax.String(), i.From("MemoryMax")...)
	u.Set("IOWeight", itoa(i.IOWeight), i.From("IOWeight")...)
	u.Comment("What follows from them for Odoo, from its next start on.")
	odooLimitsComment(u, i)
	var options, from []string
	for _, p := range odooProcesses(i) {
		if !p.said {
			options = append(options, "--"+strings.ReplaceAll(p.option, "_", "-")+"="+strconv.FormatInt(p.value, 10))
			from = append(from, p.from...)
		}
	}
	u.Environment(limitsVariable, strings.Join(options, " "), from...)
	return &u.Text
}

// limitsVariable holds the options that follow from an instance's limits. Its name begins like none that Odoo reads.
const limitsVariable = "LIMITS"

func odooLimitsComment(u *conf.Unit, i *topology.Instance) {
	if !i.Says("workers") {
		u.Comment(fmt.Sprintf("Processes by Odoo's rule: 2 x %s CPU + 1 = %d, of which %d for cron; at least 2 workers.",
			i.CPUQuota, i.RuleOfThumb(), i.MaxCronThreads), i.From("CPUQuota", "workers", "max_cron_threads")...)
	}
	from := i.From("workers", "max_cron_threads", "db_maxconn", "db_maxconn_gevent")
	if i.Workers > 0 {
		u.Comment(fmt.Sprintf("Connections at most: (%d workers + %d cron + 1 master) x %d + %d for websockets = %d.",
			i.Workers, i.MaxCronThreads, i.DBMaxconn, i.DBMaxconnGevent, i.MaxConnections()), from...)
	} else {
		u.Comment(fmt.Sprintf("Connections at most: %d, of one process.", i.MaxConnections()), from...)
	}
	u.Comment("Virtual memory of one process, in bytes: with more than a third of MemoryMax it ends after its request, more\n"+
		"than half it never gets. MemoryMax itself counts what is resident, of all processes together.", i.From("MemoryMax")...)
}

func odooUpdater(i *topology.Instance) *conf.Text {
	u := conf.NewUnit(i.Path, "Updates modules of instance "+i.Name+". Started by a deploy, which says what to do in\n"+i.UpdateRequest()+".")
	u.Section("Unit")
	u.Set("Description", "Update of modules, instance "+i.Name)
	u.Set("Requires", i.Cluster.Unit(), i.FromCluster("version")...)
	u.Set("After", i.Cluster.Unit(), i.FromCluster("version")...)

	u.Section("Service")
	u.Set("Type", "oneshot")
	odooProcess(u, i)
	u.Environment("PYTHON", i.Venv()+"/bin/python", i.Path+".version")
	u.Environment("PROGRAM", i.Program(), i.Code.Path+".community", i.Path+".version")
	u.Environment("CONFIG", i.ConfigFile())
	u.Environment("DATABASE", i.Database, i.From("database")...)
	u.Environment("SOCKETS", topology.SocketDir)
	u.Environment("PORT", itoa(i.Cluster.Port), i.FromCluster("port")...)
	u.Set("EnvironmentFile", i.UpdateRequest())
	u.Exec("ExecStart", []string{topology.Bin + "/odoo-update"})
	u.Comment("Updating all modules of a large database takes hours.")
	u.Set("TimeoutStartSec", "infinity")
	return &u.Text
}

func odooUpdaterLimits(i *topology.Instance) *conf.Text {
	u := conf.NewUnit(i.Path, "Limits of an update of instance "+i.Name+". Its CPU is bound by the slice.")
	u.Section("Service")
	u.Set("MemoryMax", i.Update.MemoryMax.String(), i.From("update.MemoryMax")...)
	u.Set("IOWeight", itoa(i.IOWeight), i.From("IOWeight")...)
	return &u.Text
}

// odooProcess says as whom and where Odoo runs. The environment must not carry PG* or ODOO_*: Odoo 19 prefers them
// to odoo.conf.
func odooProcess(u *conf.Unit, i *topology.Instance) {
	u.Set("User", i.User())
	u.Set("Group", i.User())
	u.Set("Slice", i.Slice())
	u.Set("WorkingDirectory", i.DataDir())
	// A reload runs "python" again (odoo/service/server.py, _reexec): it has to find its own.
	u.Environment("PATH", i.Venv()+"/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", i.Path+".version")
	u.Environment("HOME", i.DataDir())
	u.Environment("LANG", "C.UTF-8")
	u.List("ReadWritePaths", []string{i.DataDir()})
}

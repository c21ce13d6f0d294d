package generators

import (
	"odoogen/internal/artifact"
	"odoogen/internal/conf"
	"odoogen/internal/topology"
)

// OdooUnits writes, for each instance, its slice, its service and its updater. Limits stand in drop-ins of their
// own: systemd applies them with daemon-reload alone, nothing restarts.
func OdooUnits(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	for _, i := range h.Instances {
		out.add("systemd/system/"+i.Service(), odooService(i), artifact.DaemonReload, artifact.Restart(i.Service()))
		out.constant("systemd/system/"+i.Service()+".d/20-hardening.conf", "systemd/odoo-hardening.conf", readable,
			artifact.DaemonReload, artifact.Restart(i.Service()))
		out.add("systemd/system/"+i.Service()+".d/10-limits.conf", odooLimits(i), artifact.DaemonReload)
	}
	return out.result()
}

func odooService(i *topology.Instance) *conf.Text {
	u := conf.NewUnit(i.Path, "Odoo "+i.Version+", instance "+i.Name)
	u.Section("Unit")
	u.Set("Description", "Odoo "+i.Version+" "+i.Name, i.At("version"))
	u.Set("After", i.Cluster.Unit(), i.Class.Path+".cluster")
	u.Set("Requires", i.Cluster.Unit(), i.Class.Path+".cluster")
	u.Section("Service")
	u.Set("User", i.User())
	u.Set("Slice", i.Slice())
	u.Exec("ExecStart", []string{i.Venv() + "/bin/python", i.Current() + "/odoo17/odoo-bin", "-c", i.ConfigFile()})
	return &u.Text
}

func odooLimits(i *topology.Instance) *conf.Text {
	u := conf.NewUnit(i.Path, "Limits of instance "+i.Name)
	u.Section("Service")
	u.Set("CPUQuota", i.CPUQuota.String(), i.At("CPUQuota"))
	u.Set("MemoryMax", i.MemoryMax.String(), i.At("MemoryMax"))
	u.Set("IOWeight", itoa(i.IOWeight), i.At("IOWeight"))
	return &u.Text
}

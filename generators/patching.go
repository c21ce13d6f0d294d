package generators

import (
	"odoogen/internal/artifact"
	"odoogen/internal/conf"
	"odoogen/internal/topology"
)

// Patching writes the job of the host's patch window: security updates, restarts of what uses old libraries, and a
// reboot where a package asks for one. Debian's own timer for installing is kept from doing so at its own hour.
func Patching(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	out.constant("systemd/system/apt-daily-upgrade.service.d/odoogen.conf", "systemd/apt-daily-upgrade.conf", readable, artifact.DaemonReload)
	w := h.Window
	if w == nil {
		return out.result()
	}
	timer := topology.Timer(topology.PatchUnit)
	out.constant("bin/patch", "bin/patch", executable)
	out.add("patching/window.env", patchEnv(t, w))
	out.constant("systemd/system/"+topology.PatchUnit, "systemd/"+topology.PatchUnit, readable, artifact.DaemonReload)
	out.add("systemd/system/"+topology.PatchUnit+".d/10-window.conf", patchLimit(w), artifact.DaemonReload)
	out.add("systemd/system/"+timer, patchTimer(t, w), artifact.DaemonReload, artifact.Restart(timer))
	return out.result()
}

func patchEnv(t *topology.Topology, w *topology.Window) *conf.Text {
	e := conf.NewEnv(w.Path, "The patch window")
	e.Set("WINDOW_SECONDS", itoa(int(w.MaxDuration)), w.Path+".maxDuration")
	reboot := "no"
	if t.Patching.Reboot {
		reboot = "yes"
	}
	e.Set("REBOOT", reboot, "patching.reboot")
	return &e.Text
}

// patchLimit ends the job with its window. It ends by itself long before, unless something hangs.
func patchLimit(w *topology.Window) *conf.Text {
	u := conf.NewUnit(w.Path, "The patch job ends with its window")
	u.Section("Service")
	u.Set("TimeoutStartSec", w.MaxDuration.String(), w.Path+".maxDuration")
	return &u.Text
}

func patchTimer(t *topology.Topology, w *topology.Window) *conf.Text {
	u := conf.NewUnit(w.Path, "The patch window of "+w.Name)
	u.Section("Unit")
	u.Set("Description", "Patch window")
	u.Section("Timer")
	u.Set("OnCalendar", inZone(t, w.At), w.Path+".at", "network.time.zone")
	u.Set("AccuracySec", "1min")
	u.Comment("A window that was missed is not made up for at the next boot, in the middle of a day.")
	u.Set("Persistent", "no")
	return &u.Text
}

package generators

import (
	"slices"

	"odoogen/internal/artifact"
	"odoogen/internal/conf"
	"odoogen/internal/topology"
)

// Mirror writes the git mirrors. The CI host fetches all repositories by the clock and serves them on its private
// address. A host of instances has mirrors that are pushed to, so that no deploy key lies there; without a CI host it
// fetches them itself, before each deploy.
func Mirror(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	if h.CI == nil && !h.RunsOdoo() {
		return out.result()
	}
	out.script("mirror")
	e := conf.NewEnv(h.Path, "Where the git mirrors of "+h.Name+" lie.")
	e.Set("MIRROR", topology.MirrorDir)
	out.add("mirror/mirror.env", &e.Text)
	var effects []artifact.Effect
	j, scheduled := jobOf(t, h, topology.MirrorUnit)
	switch {
	case !t.Fetches(h):
		effects = append(effects, artifact.Run(topology.MirrorUnit)) // makes new mirrors; takes no time, no network
	case scheduled:
		effects = append(effects, artifact.Restart(topology.Timer(topology.MirrorUnit))) // fetches at once, outside of the verdict
	}
	out.add("mirror/repositories", mirrors(t, h), effects...)
	if t.Fetches(h) {
		out.add("mirror/known_hosts", gitServers(t))
	}
	if !scheduled {
		out.add("systemd/system/"+topology.MirrorUnit, mirrorOnDemand(t, h), artifact.DaemonReload)
		out.constant("systemd/system/"+topology.MirrorUnit+".d/10-limits.conf", "systemd/mirror-limits.conf", readable, artifact.DaemonReload)
		out.harden(topology.MirrorUnit, "mirror")
		return out.result()
	}
	u := conf.NewUnit(j.Path, "Git mirrors of all repositories.")
	jobUnit(u, "Git mirrors of all repositories")
	jobService(u, j)
	mirrorService(u, t, h)
	out.job(t, j, u, "mirror")
	out.add("systemd/system/"+topology.GitDaemon, gitDaemon(t, h), artifact.DaemonReload, artifact.Restart(topology.GitDaemon))
	out.constant("systemd/system/"+topology.GitDaemon+".d/20-hardening.conf", "systemd/job-hardening.conf", readable,
		artifact.DaemonReload, artifact.Restart(topology.GitDaemon))
	out.constant("systemd/system/"+topology.GitDaemon+".d/30-privileges.conf", "systemd/git-daemon-privileges.conf", readable,
		artifact.DaemonReload, artifact.Restart(topology.GitDaemon))
	return out.result()
}

// mirrors lists what is mirrored: name, branch, address and deploy key, "-" for what there is none of.
func mirrors(t *topology.Topology, h *topology.Host) *conf.Text {
	w := conf.NewWords("sources.repositories", "The git mirrors of "+h.Name+": name, branch, address, deploy key.")
	for _, r := range t.Mirrors(h) {
		url, key := "-", "-"
		from := []string{r.Path + ".branch"}
		if h.CI == nil {
			from = append(from, namedBy(t, h, r)...)
		}
		if t.Fetches(h) {
			url = r.Git
			from = append(from, r.Path+".git")
			if r.Credential != "" {
				key = r.Credential
				from = append(from, r.Path+".credential")
			}
		}
		w.Add([]string{r.Name, r.Branch, url, key}, from...)
	}
	return &w.Text
}

// namedBy are the versions that make the host want a repository.
func namedBy(t *topology.Topology, h *topology.Host, r *topology.Repository) []string {
	var paths []string
	for _, v := range t.VersionsOf(h) {
		if slices.Contains(v.Repositories, r) {
			paths = append(paths, v.Path)
		}
	}
	return paths
}

// gitServers lists the keys of the git servers, for each port at which a repository is fetched from them.
func gitServers(t *topology.Topology) *conf.Text {
	k := conf.NewKnownHosts("sources.knownHosts", "What the git servers must prove to be.")
	for _, s := range t.Sources.KnownHosts {
		done := map[int]bool{}
		for _, r := range t.Sources.Repositories {
			host, port := r.SSH()
			if host != s.Name || done[port] {
				continue
			}
			done[port] = true
			for n, key := range s.Keys {
				k.Host(host, port, key, s.Path+"["+itoa(n)+"]", r.Path+".git")
			}
		}
	}
	return &k.Text
}

// mirrorService completes the service that makes the mirrors: their owner's, with the keys that they need.
func mirrorService(u *conf.Unit, t *topology.Topology, h *topology.Host) {
	runScript(u, "ExecStart", "mirror")
	u.Set("User", mirrorUser(t, h), mirrorUserPath(h))
	if !t.Fetches(h) {
		return
	}
	given := map[string]bool{}
	for _, r := range t.Mirrors(h) {
		if r.Credential != "" && !given[r.Credential] {
			given[r.Credential] = true
			credential(u, r.Credential, r.Credential, r.Path+".credential")
		}
	}
}

func mirrorOnDemand(t *topology.Topology, h *topology.Host) *conf.Text {
	u := conf.NewUnit(h.Path, "Makes the git mirrors of "+h.Name+".")
	u.Section("Unit")
	u.Set("Description", "Git mirrors of "+h.Name)
	u.Section("Service")
	u.Set("Type", "oneshot")
	u.Set("Slice", topology.JobsSlice)
	u.Set("TimeoutStartSec", "30min")
	mirrorService(u, t, h)
	return &u.Text
}

// mirrorUser owns the mirrors: where they are pushed to, the user who pushes; git trusts no folder of another's.
func mirrorUser(t *topology.Topology, h *topology.Host) string {
	if h.CI != nil {
		return topology.GitUser
	}
	return t.Access.Deploy.User
}

func mirrorUserPath(h *topology.Host) string {
	if h.CI != nil {
		return "ci.mirror"
	}
	return "access.deploy.user"
}

// gitDaemon serves the mirrors for reading, without a password and in clear: to the private network alone.
func gitDaemon(t *topology.Topology, h *topology.Host) *conf.Text {
	address, at := h.CI.Address(), h.CI.AddressPath()
	u := conf.NewUnit("ci.mirror", "Serves the git mirrors.")
	u.Section("Unit")
	u.Set("Description", "Git mirrors at "+address, at)
	u.Set("Wants", "network-online.target")
	u.Set("After", "network-online.target")
	if h.VLANByUnit(t) {
		u.Set("After", topology.VSwitchUnit, "network.vswitch", h.At("uplink.manager"))
	}
	u.Section("Service")
	// Not through `git daemon`, which leaves the service a child of a process that only waits.
	u.Exec("ExecStart", []string{"/usr/lib/git-core/git-daemon", "--base-path=" + topology.MirrorDir, "--export-all",
		"--reuseaddr", "--listen=" + address, "--port=" + itoa(h.CI.Mirror.Port), topology.MirrorDir}, "ci.mirror.port", at)
	u.Set("User", topology.GitUser)
	u.Set("Slice", topology.JobsSlice)
	u.Set("Restart", "on-failure")
	u.Set("RestartSec", "5s")
	return &u.Text
}

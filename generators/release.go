package generators

import (
	"fmt"
	"path"

	"odoogen/internal/artifact"
	"odoogen/internal/conf"
	"odoogen/internal/topology"
)

// Release writes what puts Odoo's code on a host: the release script, one settings file and one list of pinned
// repositories per instance, the Python environment of each Odoo version that the host runs, and the job that deploys what
// has no release yet.
func Release(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	if !h.RunsOdoo() {
		return out.result()
	}
	out.script("release")
	out.add("releases/releases.env", releasesEnv(t, h))
	for _, i := range h.Instances {
		out.add("instances/"+i.Name+".env", instanceEnv(i))
		out.add("instances/"+i.Name+".repositories", pins(i))
	}
	timer := topology.Timer(topology.FirstReleaseUnit)
	out.script("first-release")
	out.add("releases/instances", instanceNames(h), artifact.Restart(timer))
	out.constant("systemd/system/"+topology.FirstReleaseUnit, "systemd/"+topology.FirstReleaseUnit, readable, artifact.DaemonReload)
	out.harden(topology.FirstReleaseUnit, "first-release")
	out.constant("systemd/system/"+timer, "systemd/"+timer, readable, artifact.DaemonReload, artifact.Restart(timer))
	out.script("venv")
	out.constant("systemd/system/"+venvTemplate, "systemd/"+venvTemplate, readable, artifact.DaemonReload)
	out.harden(venvTemplate, "")
	for _, v := range versionsOf(h) {
		major := itoa(v[0].Major())
		// The environment first, then the instances that have it loaded.
		effects := []artifact.Effect{artifact.Run(venvUnit(v[0]))}
		for _, i := range v {
			effects = append(effects, artifact.Restart(i.Service()))
		}
		out.add("python/"+major+".txt", requirements(v[0].Code), effects...)
		out.add("python/"+major+".env", venvEnv(v[0]))
	}
	return out.result()
}

// versionsOf are the host's instances by Odoo version, the versions in their order.
func versionsOf(h *topology.Host) [][]*topology.Instance {
	var versions [][]*topology.Instance
	at := map[*topology.Version]int{}
	for _, i := range h.Instances {
		n, ok := at[i.Code]
		if !ok {
			n = len(versions)
			at[i.Code] = n
			versions = append(versions, nil)
		}
		versions[n] = append(versions[n], i)
	}
	return versions
}

const venvTemplate = topology.VenvTemplate

// venvUnit is the job that makes the Python environment of the instance's version.
func venvUnit(i *topology.Instance) string { return fmt.Sprintf("odoogen-venv@%d.service", i.Major()) }

func requirements(v *topology.Version) *conf.Text {
	w := conf.NewWords(v.Path, "Packages from PyPI for Odoo "+v.Name+", over Debian's.")
	for n, p := range v.Pip {
		w.Line(p, fmt.Sprintf("%s.pip[%d]", v.Path, n))
	}
	return &w.Text
}

func venvEnv(i *topology.Instance) *conf.Text {
	e := conf.NewEnv(i.Code.Path, "Where the Python environment of Odoo "+i.Version+" lies.")
	e.Set("VENV", i.Venv())
	return &e.Text
}

func releasesEnv(t *topology.Topology, h *topology.Host) *conf.Text {
	e := conf.NewEnv(h.Path, "What the releases of all instances share.")
	e.Set("KEEP", itoa(t.Sources.Releases.Keep), "sources.releases.keep")
	e.Set("MIRROR", topology.MirrorDir)
	e.Set("MIRROR_USER", mirrorUser(t, h), "access.deploy.user")
	e.Set("MIRROR_UNIT", topology.MirrorUnit)
	e.Set("FETCH", yesNo(t.Fetches(h)))
	e.Set("FIRST_SECONDS", "600") // in which the code of a first release is asked for again and again
	source, from := firstSource(t, h)
	e.Set("SOURCE", source, from...)
	return &e.Text
}

// firstSource is where a host that is pushed to finds the code of first releases: the CI host's mirrors, over the
// private network that both are in, or nowhere.
func firstSource(t *topology.Topology, h *topology.Host) (string, []string) {
	if t.CI == nil || t.Fetches(h) || h.Private == "" || t.CI.Host.Private == "" {
		return "", nil
	}
	return t.CI.MirrorsURL(), []string{"ci.mirror.port", t.CI.AddressPath()}
}

// instanceNames lists those that shall have a release.
func instanceNames(h *topology.Host) *conf.Text {
	w := conf.NewWords(h.Path, "Instances of "+h.Name+".")
	for _, i := range h.Instances {
		w.Add([]string{i.Name}, i.Path)
	}
	return &w.Text
}

// instanceEnv is all that a script must know of an instance.
func instanceEnv(i *topology.Instance) *conf.Text {
	code := []string{i.Path + ".version", i.Code.Path}
	e := conf.NewEnv(i.Path, "What scripts must know of instance "+i.Name+".")
	e.Set("MAJOR", itoa(i.Major()), i.Path+".version")
	e.Set("DOMAIN", i.Domain, i.Path+".domain")
	e.Set("HTTP_PORT", itoa(i.HTTPPort), i.From("http_port")...)
	e.Set("SERVICE", i.Service())
	e.Set("UPDATER", i.Updater())
	e.Set("UPDATE_REQUEST", i.UpdateRequest())
	e.Set("ODOO_USER", i.User())
	e.Set("ODOO_CONF", i.ConfigFile())

	e.Set("DATABASE", i.Database, i.From("database")...)
	e.Set("COPY", i.DrillDatabase(), i.From("database")...)
	e.Set("FILESTORE", i.DataDir()+"/filestore/"+i.Database, i.From("database")...)
	e.Set("PG_BIN", fmt.Sprintf("/usr/lib/postgresql/%d/bin", i.Cluster.Version), i.FromCluster("version")...)
	e.Set("PG_SOCKET", topology.SocketDir)
	e.Set("PG_PORT", itoa(i.Cluster.Port), i.FromCluster("port")...)
	e.Set("SQL_UNIT", i.Cluster.SQLUnit(), i.FromCluster("version")...)
	e.Set("EXTENSIONS", i.Cluster.Folder()+"/extensions.sql", i.Class.Path+".cluster")

	e.Set("ROOT", i.Root(), i.Path+".version")
	e.Set("VENV", i.Venv(), i.Path+".version")
	e.Set("VENV_UNIT", venvUnit(i), i.Path+".version")
	e.Set("ODOO_BIN", i.Code.Community+"/odoo-bin", append([]string{i.Code.Path + ".community"}, code...)...)
	from := code
	var addons []string
	for _, r := range i.Code.Repositories {
		for _, p := range r.Paths {
			addons = append(addons, path.Join(r.Name, p))
		}
		from = append(from, r.Path+".paths")
	}
	e.List("ADDONS", addons, from...)
	e.List("MODULES_WANTED", i.Modules, i.Path+".modules")
	return &e.Text
}

// pins are the commits that a release is made of unless a deploy names others, in the order of addons_path.
func pins(i *topology.Instance) *conf.Text {
	w := conf.NewWords(i.Path, "Repositories of instance "+i.Name+", and the commit of each that is deployed.")
	for _, r := range i.Code.Repositories {
		w.Add([]string{r.Name, r.Rev}, r.Path+".rev", i.Code.Path, i.Path+".version")
	}
	return &w.Text
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

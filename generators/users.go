package generators

import (
	"path"
	"strings"

	"odoogen/internal/artifact"
	"odoogen/internal/conf"
	"odoogen/internal/topology"
)

// Users writes sysusers.d and tmpfiles.d: every user and every directory that a unit or a script of the tree needs
// and no package brings. An instance has files of its own, so that a new one changes no other's. Nothing is ever
// removed here: users and data outlive the spec.
func Users(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	out.constant("systemd/system/"+topology.UsersUnit, "systemd/"+topology.UsersUnit, readable, artifact.DaemonReload)

	common := newAccounts(h.Path, "Users of odoogen's own and of those who administer it.", "Directories of odoogen's own.")
	common.directory(topology.State, "0755", "root")
	common.directory(topology.Secrets, "0700", "root")
	for _, a := range t.Access.Admins {
		common.login(a.Name, "", "Administrator "+a.Name, topology.Home+"/"+a.Name, a.Path)
	}
	deploy := t.Access.Deploy.User
	common.login(deploy, "", "Deploys releases", topology.Home+"/"+deploy, "access.deploy.user")
	if h.RunsOdoo() {
		common.forOdoo(t)
	}
	if h.CI != nil {
		common.user(topology.GitUser, "Git mirrors", topology.MirrorDir, "ci.mirror")
		common.directory(topology.MirrorDir, "0755", topology.GitUser, "ci.mirror")
		common.directory(topology.AgentsDir, "0755", "root", "ci.agents")
		for _, a := range h.CI.Agents.List() {
			common.login(a.Name, itoa(a.UID), "Build agent", a.Home(), "ci.agents.max")
		}
	}
	common.write(&out, "odoogen")

	for _, i := range h.Instances {
		own := newAccounts(i.Path, "The user of instance "+i.Name+".", "Directories of instance "+i.Name+".")
		own.user(i.User(), "Odoo "+i.Name, i.DataDir())
		own.directory(i.DataDir(), "0750", i.User())
		own.directory(i.Root(), "0755", "root", i.Path, i.Path+".version")
		own.directory(i.Releases(), "0755", "root", i.Path, i.Path+".version")
		own.write(&out, "odoo-"+i.Name)
	}
	return out.result()
}

// forOdoo adds what a host of instances needs beside the instances' own.
func (a *accounts) forOdoo(t *topology.Topology) {
	for _, dir := range []string{"/var/lib/odoo", "/opt/odoo", "/opt/odoo/instances", "/opt/odoo/venv", topology.TLS, topology.Webroot} {
		a.directory(dir, "0755", "root")
	}
	a.directory(path.Dir(topology.Requests), "0755", "root")
	a.directory(topology.Requests, "0755", "root")
	// A deploy over the public route pushes its commits here: the host needs no way back to CI.
	a.directory(topology.MirrorDir, "0755", t.Access.Deploy.User, "access.deploy.user")
	if t.Backup.None == nil {
		a.directory(topology.Dumps, "0711", "root", "backup.nightly") // each instance has a folder of its own in it
	}
}

// accounts are users and directories as they gather: sysusers.d(5) and tmpfiles.d(5).
type accounts struct {
	users, directories *conf.Fields
}

func newAccounts(owner, users, directories string) *accounts {
	return &accounts{users: conf.NewFields(owner, users), directories: conf.NewFields(owner, directories)}
}

// user adds a user that nobody logs in as, and its group.
func (a *accounts) user(name, who, home string, from ...string) {
	a.users.Add([]string{"u", name, "", who, home, "/usr/sbin/nologin"}, from...)
}

// login adds a user with a shell and a home directory. One that is there already stays as it is.
func (a *accounts) login(name, uid, who, home string, from ...string) {
	a.users.Add([]string{"u", name, uid, who, home, "/bin/bash"}, from...)
	a.directories.Add([]string{"d", home, ":0750", ":" + name, ":" + name}, from...)
}

// directory adds a directory; its group is its owner's. One that is there already, and may be somebody else's, stays as it is:
// that of a Git user of his own, or of an Odoo that was there before. odoogen's own places are always as they shall be.
func (a *accounts) directory(path, mode, owner string, from ...string) {
	if !strings.HasPrefix(path, topology.State+"/") && !strings.HasPrefix(path, "/run/") {
		mode, owner = ":"+mode, ":"+owner
	}
	a.directories.Add([]string{"d", path, mode, owner, owner}, from...)
}

func (a *accounts) write(out *output, name string) {
	out.add("sysusers.d/"+name+".conf", &a.users.Text, artifact.Run(topology.UsersUnit))
	out.add("tmpfiles.d/"+name+".conf", &a.directories.Text, artifact.Run(topology.UsersUnit))
}

package generators

import (
	"fmt"

	"odoogen/internal/artifact"
	"odoogen/internal/conf"
	"odoogen/internal/topology"
)

// SSH writes sshd's settings and the keys that the spec gives to each login: the same on all hosts. Keys are
// root's files, read at each login: a changed key needs no reload.
func SSH(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	reload := artifact.Reload(topology.SSHUnit)
	out.constant("ssh/odoogen.conf", "ssh/sshd.conf", readable, reload)
	out.add("ssh/odoogen-deploy.conf", deployLogin(t.Access.Deploy), reload)
	out.constant("bin/deploy-login", "bin/deploy-login", executable)
	for _, a := range t.Access.Admins {
		out.add(authorizedKeys(a.Name), keys(a.Path, "Keys of "+a.Name, "", a.Keys, a.Path))
	}
	d := t.Access.Deploy
	out.add(authorizedKeys(d.User), keys("access.deploy", "Keys that deploy releases", "restrict", d.Keys, "access.deploy.user"))
	return out.result()
}

// authorizedKeys is where sshd looks for a user's keys (files/ssh/sshd.conf).
func authorizedKeys(user string) string { return "ssh/authorized_keys/" + user }

// deployLogin binds the deploy user to one program, whatever its keys and its home say.
func deployLogin(d topology.Deploy) *conf.Text {
	s := conf.NewSSHD("access.deploy", "The login that deploys releases")
	s.Match(d.User, "access.deploy.user")
	s.Set("AuthorizedKeysFile", topology.Current+"/ssh/authorized_keys/"+d.User, "access.deploy.user")
	s.Set("ForceCommand", topology.Bin+"/deploy-login")
	s.Set("PermitTTY", "no")
	s.Set("AllowTcpForwarding", "no")
	s.Set("PermitUserRC", "no")
	return &s.Text
}

// keys are a user's: the file's name is the user's, hence user, the path that says it.
func keys(owner, what, options string, all []string, user string) *conf.Text {
	k := conf.NewAuthorizedKeys(owner, what)
	for n, key := range all {
		k.Add(options, key, fmt.Sprintf("%s.keys[%d]", owner, n), user)
	}
	return &k.Text
}

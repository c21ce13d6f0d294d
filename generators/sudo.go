package generators

import (
	"odoogen/internal/artifact"
	"odoogen/internal/conf"
	"odoogen/internal/topology"
)

// Sudo writes who may become root, the same on all hosts: administrators for everything, the deploy user for one
// program, which is root's, read-only, and judges its own arguments (a pattern in sudoers would match blanks too:
// sudoers(5), Wildcards). Nobody is asked for a password, since nobody has one: logins are by key alone.
func Sudo(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	s := conf.NewSudoers("access", "Who may become root")
	for _, a := range t.Access.Admins {
		s.Allow(a.Name, "ALL:ALL", "ALL", a.Path)
	}
	s.Allow(t.Access.Deploy.User, "root", topology.Bin+"/release", "access.deploy.user")
	out.guarded("sudoers.d/odoogen", &s.Text)
	return out.result()
}

package generators

import (
	"odoogen/internal/artifact"
	"odoogen/internal/topology"
)

// SSH writes sshd.
func SSH(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	return out.result()
}

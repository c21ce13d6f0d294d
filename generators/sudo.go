package generators

import (
	"odoogen/internal/artifact"
	"odoogen/internal/topology"
)

// Sudo writes sudoers.
func Sudo(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	return out.result()
}

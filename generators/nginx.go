package generators

import (
	"odoogen/internal/artifact"
	"odoogen/internal/topology"
)

// Nginx writes vhosts.
func Nginx(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	return out.result()
}

package generators

import (
	"odoogen/internal/artifact"
	"odoogen/internal/topology"
)

// Target writes odoogen.target, slices and what is wanted.
func Target(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	return out.result()
}

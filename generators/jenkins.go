package generators

import (
	"odoogen/internal/artifact"
	"odoogen/internal/topology"
)

// Jenkins writes the CI host.
func Jenkins(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	return out.result()
}

package generators

import (
	"odoogen/internal/artifact"
	"odoogen/internal/topology"
)

// Mirror writes git mirrors.
func Mirror(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	return out.result()
}

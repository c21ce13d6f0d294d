package generators

import (
	"odoogen/internal/artifact"
	"odoogen/internal/topology"
)

// Alloy writes shipping of metrics and logs.
func Alloy(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	return out.result()
}

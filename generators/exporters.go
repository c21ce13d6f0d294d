package generators

import (
	"odoogen/internal/artifact"
	"odoogen/internal/topology"
)

// Exporters writes exporters of metrics.
func Exporters(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	return out.result()
}

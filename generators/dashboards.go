package generators

import (
	"odoogen/internal/artifact"
	"odoogen/internal/topology"
)

// Dashboards writes a dashboard per instance.
func Dashboards(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	return out.result()
}

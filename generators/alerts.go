package generators

import (
	"odoogen/internal/artifact"
	"odoogen/internal/topology"
)

// Alerts writes alert rules.
func Alerts(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	return out.result()
}

package generators

import (
	"odoogen/internal/artifact"
	"odoogen/internal/topology"
)

// Apt writes package sources, pins and unattended upgrades.
func Apt(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	return out.result()
}

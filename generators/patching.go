package generators

import (
	"odoogen/internal/artifact"
	"odoogen/internal/topology"
)

// Patching writes patch and reboot window.
func Patching(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	return out.result()
}

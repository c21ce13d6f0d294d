package generators

import (
	"odoogen/internal/artifact"
	"odoogen/internal/topology"
)

// Release writes deploy, rollback, restore and drill.
func Release(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	return out.result()
}

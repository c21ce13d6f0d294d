package generators

import (
	"odoogen/internal/artifact"
	"odoogen/internal/topology"
)

// Users writes sysusers.d and tmpfiles.d.
func Users(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	return out.result()
}

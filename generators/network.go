package generators

import (
	"odoogen/internal/artifact"
	"odoogen/internal/topology"
)

// Network writes the VLAN interface.
func Network(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	return out.result()
}

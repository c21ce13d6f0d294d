package generators

import (
	"odoogen/internal/artifact"
	"odoogen/internal/topology"
)

// Firewall writes nftables.
func Firewall(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	return out.result()
}

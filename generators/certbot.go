package generators

import (
	"odoogen/internal/artifact"
	"odoogen/internal/topology"
)

// Certbot writes certificates.
func Certbot(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	return out.result()
}

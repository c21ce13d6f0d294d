package generators

import (
	"odoogen/internal/artifact"
	"odoogen/internal/topology"
)

// HostJSON writes HOST.json.
func HostJSON(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	return out.result()
}

package generators

import (
	"odoogen/internal/artifact"
	"odoogen/internal/topology"
)

// System writes time sync, journald, sysctl: what every host has.
func System(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	return out.result()
}

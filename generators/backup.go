package generators

import (
	"odoogen/internal/artifact"
	"odoogen/internal/topology"
)

// Backup writes restic.
func Backup(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	return out.result()
}

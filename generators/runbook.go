package generators

import (
	"odoogen/internal/artifact"
	"odoogen/internal/topology"
)

// Runbook writes RUNBOOK.md.
func Runbook(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	return out.result()
}

package generators

import (
	"odoogen/internal/artifact"
	"odoogen/internal/topology"
)

// Postgres writes settings, pg_hba, SQL and drop-ins of each cluster.
func Postgres(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	return out.result()
}

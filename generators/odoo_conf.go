package generators

import (
	"odoogen/internal/artifact"
	"odoogen/internal/topology"
)

// OdooConf writes odoo.conf of each instance.
func OdooConf(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	return out.result()
}

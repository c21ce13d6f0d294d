package topology

import "fmt"

// Unit is the cluster's unit, a template instance of postgresql-common.
func (c *Cluster) Unit() string { return fmt.Sprintf("postgresql@%d-%s.service", c.Version, c.Name) }

// DataDir is the cluster's data directory, where postgresql-common expects it.
func (c *Cluster) DataDir() string {
	return fmt.Sprintf("/var/lib/postgresql/%d/%s", c.Version, c.Name)
}

// SocketDir is where all clusters of a host have their sockets, apart by port.
const SocketDir = "/run/postgresql"

// SharedBuffers is a quarter of the RAM that is the cluster's own.
func (c *Cluster) SharedBuffers() Size { return c.RAM / 4 / MiB * MiB }

// EffectiveCacheSize is what the planner may expect to be cached: three quarters of that RAM.
func (c *Cluster) EffectiveCacheSize() Size { return c.RAM / 4 * 3 / MiB * MiB }

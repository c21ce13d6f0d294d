package topology

import "fmt"

// Unit is the cluster's unit, a template instance of postgresql-common.
func (c *Cluster) Unit() string { return fmt.Sprintf("postgresql@%d-%s.service", c.Version, c.Name) }

// ExporterUnit is the unit of the cluster's exporter: an own template, since Debian's package has one unit only.
func (c *Cluster) ExporterUnit() string { return "odoogen-postgres-exporter@" + c.Name + ".service" }

// DataDir is the cluster's data directory, where postgresql-common expects it.
func (c *Cluster) DataDir() string {
	return fmt.Sprintf("/var/lib/postgresql/%d/%s", c.Version, c.Name)
}

// SharedBuffers is a quarter of the RAM that is the cluster's own.
func (c *Cluster) SharedBuffers() Size { return c.RAM / 4 / MiB * MiB }

// EffectiveCacheSize is what the planner may expect to be cached: three quarters of that RAM.
func (c *Cluster) EffectiveCacheSize() Size { return c.RAM / 4 * 3 / MiB * MiB }

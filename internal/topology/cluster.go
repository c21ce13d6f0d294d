package topology

import "fmt"

// ID is the cluster's name as systemd has it in postgresql@ID.service: "15-main".
func (c *Cluster) ID() string { return fmt.Sprintf("%d-%s", c.Version, c.Name) }

// Unit is the cluster's unit, a template instance of postgresql-common.
func (c *Cluster) Unit() string { return "postgresql@" + c.ID() + ".service" }

// SQLUnit is the job that makes the cluster's roles and databases.
func (c *Cluster) SQLUnit() string { return "odoogen-postgres@" + c.ID() + ".service" }

// ExporterUnit is the unit of the cluster's exporter: an own template, since Debian's package has one unit only.
func (c *Cluster) ExporterUnit() string { return "odoogen-postgres-exporter@" + c.Name + ".service" }

// DataDir is the cluster's data directory, where postgresql-common expects it.
func (c *Cluster) DataDir() string {
	return fmt.Sprintf("/var/lib/postgresql/%d/%s", c.Version, c.Name)
}

// Folder holds the cluster's files in a tree, and below Current on a host.
func (c *Cluster) Folder() string { return "postgresql/" + c.Name }

// CreateArguments are those of pg_createcluster(1). Odoo's databases bring their own collation (databases.sql); the
// locale decides about letters and messages. Checksums find a corrupted page when it is read or dumped. It starts with the
// host only when the push that brings it has started it.
func (c *Cluster) CreateArguments() []string {
	return []string{
		"--port", fmt.Sprint(c.Port),
		"--datadir", c.DataDir(),
		"--socketdir", SocketDir,
		"--encoding", "UTF8",
		"--locale", "C.UTF-8",
		"--start-conf", "manual",
		fmt.Sprint(c.Version), c.Name,
		"--", "--data-checksums",
	}
}

// From are the paths that decide one of the cluster's fields: its own, and the workload where that gives its default.
func (c *Cluster) From(field string) []string {
	from := []string{c.Path + "." + field}
	if byWorkload[field] {
		from = append(from, c.Path+".workload")
	}
	return from
}

// byWorkload are the fields of _workloads in schema/postgres.cue.
var byWorkload = map[string]bool{
	"limits.CPUQuota": true, "limits.CPUWeight": true, "limits.IOWeight": true,
	"settings.max_connections": true, "settings.work_mem": true, "settings.maintenance_work_mem": true,
	"settings.autovacuum_work_mem": true, "settings.max_wal_size": true, "settings.min_wal_size": true,
	"settings.checkpoint_timeout": true, "settings.max_parallel_workers_per_gather": true,
	"settings.idle_in_transaction_session_timeout": true,
}

// SharedBuffers is a quarter of the RAM that is the cluster's own.
func (c *Cluster) SharedBuffers() Size { return c.RAM / 4 / MiB * MiB }

// EffectiveCacheSize is what the planner may expect to be cached: three quarters of that RAM.
func (c *Cluster) EffectiveCacheSize() Size { return c.RAM / 4 * 3 / MiB * MiB }

package generators

import (
	"fmt"

	"odoogen/internal/artifact"
	"odoogen/internal/conf"
	"odoogen/internal/topology"
)

// Postgres writes, for each cluster, two files of settings (those that need a restart, and the others), who may
// connect to what, its roles and databases as SQL, and its unit's limits.
func Postgres(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	if len(h.Clusters) == 0 {
		return out.result()
	}
	for _, c := range h.Clusters {
		reload, apply := artifact.Reload(c.Unit()), artifact.Run(c.SQLUnit())
		folder := c.Folder() + "/"
		out.add(folder+"postmaster.conf", postmasterSettings(c), artifact.Restart(c.Unit()))
		out.add(folder+"reload.conf", reloadSettings(c), reload)
		out.add(folder+"pg_hba.conf", hba(t, h), reload)
		out.constant(folder+"pg_ident.conf", "postgresql/pg_ident.conf", readable, reload)
		out.add(folder+"roles.sql", rolesSQL(t, c), apply)
		out.add(folder+"databases.sql", databasesSQL(c), apply)
		out.constant(folder+"extensions.sql", "postgresql/extensions.sql", readable, apply)

		unit := "systemd/system/" + c.Unit() + ".d/"
		out.add(unit+"10-limits.conf", clusterLimits(c), artifact.DaemonReload)
		out.constant(unit+"15-oom.conf", "systemd/postgresql-oom.conf", readable, artifact.DaemonReload)
		out.constant(unit+"20-hardening.conf", "systemd/postgresql-hardening.conf", readable, artifact.DaemonReload, artifact.Restart(c.Unit()))
	}
	out.constant("systemd/system/odoogen-postgres@.service", "systemd/odoogen-postgres@.service", readable, artifact.DaemonReload)
	out.constant("bin/postgres-apply", "bin/postgres-apply", executable)
	return out.result()
}

// postmasterSettings are those of context "postmaster" in pg_settings: read at the start alone.
func postmasterSettings(c *topology.Cluster) *conf.Text {
	p := conf.NewPostgres(c.Path, "Settings of cluster "+c.Name+" that need a restart.")
	p.Comment("On the socket alone: nothing connects over TCP.")
	p.Set("listen_addresses", "")
	p.Int("port", c.Port, c.Path+".port")
	p.Set("unix_socket_directories", topology.SocketDir)
	p.Set("cluster_name", fmt.Sprintf("%d/%s", c.Version, c.Name), c.Path+".version")
	p.Set("hba_file", topology.Current+"/"+c.Folder()+"/pg_hba.conf")
	p.Set("ident_file", topology.Current+"/"+c.Folder()+"/pg_ident.conf")
	p.Blank()
	p.Comment("A quarter of the cluster's own RAM, "+c.RAM.String()+".", c.Path+".ram")
	p.Set("shared_buffers", c.SharedBuffers().Postgres(), c.Path+".ram")
	s := &c.Settings
	p.Set("huge_pages", s.HugePages, c.From("settings.huge_pages")...)
	p.Int("max_connections", s.MaxConnections, c.From("settings.max_connections")...)
	p.Int("superuser_reserved_connections", s.SuperuserReservedConnections, c.From("settings.superuser_reserved_connections")...)
	p.Int("max_locks_per_transaction", s.MaxLocksPerTransaction, c.From("settings.max_locks_per_transaction")...)
	p.Int("max_worker_processes", s.MaxWorkerProcesses, c.From("settings.max_worker_processes")...)
	p.Int("autovacuum_max_workers", s.AutovacuumMaxWorkers, c.From("settings.autovacuum_max_workers")...)
	postgresExtra(p, c, "postmaster.conf")
	return &p.Text
}

// postgresExtra writes what the spec adds in PostgreSQL's own words and belongs into the file.
func postgresExtra(p *conf.Postgres, c *topology.Cluster, file string) {
	said := false
	for _, s := range c.Extra {
		if c.SettingsFile(s) != c.Folder()+"/"+file {
			continue
		}
		if !said {
			p.Blank()
			p.Comment(unmodelled)
			said = true
		}
		p.Set(s.Name, s.Value.Switch(), s.Path)
	}
}

// reloadSettings are the others: a reload applies them, and no session ends.
func reloadSettings(c *topology.Cluster) *conf.Text {
	p := conf.NewPostgres(c.Path, "Settings of cluster "+c.Name+" that a reload applies.")
	p.Comment("Three quarters of the cluster's own RAM, "+c.RAM.String()+".", c.Path+".ram")
	p.Set("effective_cache_size", c.EffectiveCacheSize().Postgres(), c.Path+".ram")
	s := &c.Settings
	set := func(name, value string) { p.Set(name, value, c.From("settings."+name)...) }
	set("work_mem", s.WorkMem.String())
	set("maintenance_work_mem", s.MaintenanceWorkMem.String())
	set("autovacuum_work_mem", s.AutovacuumWorkMem.String())
	p.Blank()
	set("max_wal_size", s.MaxWALSize.String())
	set("min_wal_size", s.MinWALSize.String())
	set("wal_compression", s.WALCompression)
	set("checkpoint_timeout", s.CheckpointTimeout)
	p.Float("checkpoint_completion_target", s.CheckpointCompletionTarget, c.From("settings.checkpoint_completion_target")...)
	p.Blank()
	p.Float("random_page_cost", s.RandomPageCost, c.From("settings.random_page_cost")...)
	p.Int("effective_io_concurrency", s.EffectiveIOConcurrency, c.From("settings.effective_io_concurrency")...)
	p.Int("max_parallel_workers_per_gather", s.MaxParallelWorkersPerGather, c.From("settings.max_parallel_workers_per_gather")...)
	set("jit", s.JIT)
	p.Blank()
	set("idle_in_transaction_session_timeout", s.IdleInTransactionSessionTimeout)
	set("log_lock_waits", s.LogLockWaits)
	set("log_min_duration_statement", s.LogMinDurationStatement)
	p.Set("log_line_prefix", "%m [%p] %q%u@%d ")
	p.Comment("Nothing to encrypt on a socket.")
	p.Set("ssl", "off")
	postgresExtra(p, c, "reload.conf")
	return &p.Text
}

// hba is the same text for every cluster of the host: who may connect to what, each by the name that the kernel
// vouches for. A role that a cluster does not have cannot connect there anyway.
func hba(t *topology.Topology, h *topology.Host) *conf.Text {
	f := conf.NewHBA(h.Path, "Who may connect to the clusters of "+h.Name+".")
	f.Comment("Administration, backups and restores; root becomes postgres for them.")
	f.Local(nil, "postgres", "peer")
	if t.Observability != nil {
		f.Comment("The exporters.")
		f.Local([]string{"postgres"}, topology.PrometheusUser, "peer", "observability")
	}
	if h.RunsOdoo() {
		f.Comment("An instance: its database, the copy of a restore drill, and postgres, where Odoo looks for cron's signals.")
	}
	for _, i := range h.Instances {
		names := []string{i.Database, "postgres"}
		if t.Backup.None == nil {
			names = []string{i.Database, i.DrillDatabase(), "postgres"}
		}
		f.Local(names, i.User(), "peer", append(i.From("database"), "backup")...)
	}
	f.Comment("Nobody else, and nobody over TCP.")
	f.Local(nil, "", "reject")
	f.RejectHosts()
	return &f.Text
}

// rolesSQL makes the cluster's roles. None may make databases: Odoo would answer a mistyped name with a new one.
func rolesSQL(t *topology.Topology, c *topology.Cluster) *conf.Text {
	s := conf.NewSQL(c.Path, "Roles of cluster "+c.Name+". To be run again and again; drops nothing.")
	role := func(name string, connections int, from ...string) {
		s.Unless("SELECT FROM pg_roles WHERE rolname = "+s.Literal(name), "CREATE ROLE "+s.Name(name), from...)
		s.Run(fmt.Sprintf("ALTER ROLE %s LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT %d",
			s.Name(name), connections), from...)
	}
	if t.Observability != nil {
		role(topology.PrometheusUser, 5, "observability")
		s.Run("GRANT pg_monitor TO "+s.Name(topology.PrometheusUser), "observability")
	}
	for _, i := range c.Instances {
		role(i.User(), i.RoleConnections(), append(i.From("workers", "max_cron_threads", "db_maxconn", "db_maxconn_gevent"), i.Class.Path+".cluster")...)
	}
	return &s.Text
}

// databasesSQL makes the cluster's databases as Odoo itself makes them (odoo/service/db.py): collation C, by which an
// index serves LIKE too, and two extensions. Queries run in the database postgres alone: in its own, an instance could
// set a search_path that makes a superuser call what is not PostgreSQL's.
func databasesSQL(c *topology.Cluster) *conf.Text {
	s := conf.NewSQL(c.Path, "Databases of cluster "+c.Name+". To be run again and again; drops nothing.")
	for _, i := range c.Instances {
		name, owner := s.Name(i.Database), s.Name(i.User())
		from := append(i.From("database"), i.Class.Path+".cluster")
		s.Unless("SELECT FROM pg_database WHERE datname = "+s.Literal(i.Database),
			"CREATE DATABASE "+name+" OWNER "+owner+" TEMPLATE template0 ENCODING "+s.Literal("UTF8")+" LC_COLLATE "+s.Literal("C"), from...)
		s.Run("ALTER DATABASE "+name+" OWNER TO "+owner, from...)
		s.Run("REVOKE ALL ON DATABASE "+name+" FROM PUBLIC", from...)
	}
	for _, i := range c.Instances {
		from := append(i.From("database"), i.Class.Path+".cluster")
		s.Blank()
		s.Connect(i.Database, from...)
		s.Line(`\ir extensions.sql`, from...)
	}
	return &s.Text
}

func clusterLimits(c *topology.Cluster) *conf.Text {
	u := conf.NewUnit(c.Path, "Limits of cluster "+c.Name+". None of memory: a killed backend takes all others down with it.")
	u.Section("Service")
	u.Set("CPUQuota", c.Limits.CPUQuota.String(), append(c.From("limits.CPUQuota"), c.Path+".version")...)
	u.Set("CPUWeight", itoa(c.Limits.CPUWeight), append(c.From("limits.CPUWeight"), c.Path+".version")...)
	u.Set("IOWeight", itoa(c.Limits.IOWeight), append(c.From("limits.IOWeight"), c.Path+".version")...)
	return &u.Text
}

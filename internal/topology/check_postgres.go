package topology

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Connections that a cluster's own servants hold.
const (
	dumpConnections     = 1
	exporterConnections = 2
)

func checkConnections(c *checker) {
	for _, cl := range c.t.Clusters {
		var ps parts
		drill := 0
		for _, i := range cl.Instances {
			what := fmt.Sprintf("%d processes x %d + %d for websockets + %d for an update + 3 clients", i.Processes(), i.DBMaxconn, i.DBMaxconnGevent, i.DBMaxconn)
			if i.Workers == 0 {
				what = fmt.Sprintf("one process with %d + %d for an update + 3 clients", i.DBMaxconn, i.DBMaxconn)
			}
			ps = append(ps, part{"instances", i.Path, int64(i.RoleConnections()), what})
			drill = max(drill, i.DBMaxconn)
		}
		if c.t.Backup.None == nil && len(cl.Instances) > 0 {
			ps = append(ps, part{"dump", "backup.nightly", dumpConnections, ""},
				part{"drill", "backup.drill", int64(drill), ""})
		}
		if c.t.Observability != nil {
			ps = append(ps, part{"exporter", cl.Path + ".exporter", exporterConnections, ""})
		}
		ps = append(ps, part{"reserved", cl.Path + ".settings.superuser_reserved_connections", int64(cl.Settings.SuperuserReservedConnections), ""})
		cl.Connections = ps.booked(int64(cl.Settings.MaxConnections))
		if most := cl.Settings.MaxConnections; ps.sum() > int64(most) {
			c.refuse(cl.Path+".settings.max_connections", fmt.Sprintf("settings: max_connections: %d, or less db_maxconn", ps.sum()),
				ps.largest(c, plain), "%d, but %d may be wanted: %s", most, ps.sum(), ps.byKind(plain))
		}
	}
}

// pgSize and pgTime are settings with a unit, and the bounds that PostgreSQL has for them: pg_settings, and for the WAL what its
// start wants beside, twice wal_segment_size.
type pgSize struct {
	name               string
	value, least, most PGSize
}

type pgTime struct{ name, value, least, most string }

const (
	mostKB      = PGSize(math.MaxInt32) * PGSize(KiB)
	mostMB      = PGSize(math.MaxInt32) * PGSize(MiB)
	twoSegments = PGSize(32 * MiB)
)

func (s *ClusterSettings) sizes() []pgSize {
	return []pgSize{
		{"work_mem", s.WorkMem, PGSize(64 * KiB), mostKB},
		{"maintenance_work_mem", s.MaintenanceWorkMem, PGSize(MiB), mostKB},
		{"autovacuum_work_mem", s.AutovacuumWorkMem, PGSize(MiB), mostKB}, // less counts as that
		{"max_wal_size", s.MaxWALSize, twoSegments, mostMB},
		{"min_wal_size", s.MinWALSize, twoSegments, mostMB},
	}
}

func (s *ClusterSettings) times() []pgTime {
	return []pgTime{
		{"checkpoint_timeout", s.CheckpointTimeout, "30s", "1d"},
		{"idle_in_transaction_session_timeout", s.IdleInTransactionSessionTimeout, "0ms", "2147483647ms"},
		{"log_min_duration_statement", s.LogMinDurationStatement, "0ms", "2147483647ms"},
	}
}

func checkBounds(c *checker) {
	for _, cl := range c.t.Clusters {
		s := &cl.Settings
		for _, b := range s.sizes() {
			if b.value < b.least || b.value > b.most {
				c.refuse(cl.Path+".settings."+b.name, "", nil, "PostgreSQL takes %v to %v", b.least, b.most)
			}
		}
		for _, b := range s.times() {
			if value := milliseconds(b.value); value >= 0 && (value < milliseconds(b.least) || value > milliseconds(b.most)) {
				c.refuse(cl.Path+".settings."+b.name, "", nil, "PostgreSQL takes %s to %s", b.least, b.most)
			}
		}
		if cl.SharedBuffers() == 0 {
			c.refuse(cl.Path+".ram", "", nil, "a quarter of it is shared_buffers: 4M at least")
		}
		if s.SuperuserReservedConnections >= s.MaxConnections {
			c.refuse(cl.Path+".settings.superuser_reserved_connections", "", c.also(cl.Path+".settings.max_connections", "%d", s.MaxConnections),
				"%d leave none to anybody else", s.SuperuserReservedConnections)
		}
	}
}

// milliseconds are those of a time as PostgreSQL reads it; -1 of one without a unit, which stands for none (0, -1). What is
// longer than can be counted is as long as can be.
func milliseconds(text string) int64 {
	digits := strings.TrimRight(text, "smindh")
	unit := map[string]int64{"ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}[text[len(digits):]]
	n, err := strconv.ParseInt(digits, 10, 64)
	switch {
	case unit == 0:
		return -1
	case err != nil || n > math.MaxInt64/unit:
		return math.MaxInt64
	}
	return n * unit
}

// checkHugePages counts the pages of 2 MiB that a host reserves. What PostgreSQL insists on and does not get, it does not
// start without.
func checkHugePages(c *checker) {
	for _, h := range c.t.Hosts {
		var ps parts
		for _, cl := range h.Clusters {
			if cl.Settings.HugePages == "on" {
				ps = append(ps, part{cl.Name, cl.Path + ".settings.huge_pages", cl.hugePages(), ""})
			}
		}
		reserved, path := int64(0), h.Path
		if n := slices.IndexFunc(h.Sysctl, func(s *Setting) bool { return s.Name == "vm.nr_hugepages" }); n >= 0 {
			path = h.Sysctl[n].Path
			reserved, _ = strconv.ParseInt(string(h.Sysctl[n].Value), 10, 64) // what is no number reserves nothing
		}
		if ps.sum() > reserved {
			c.refuse(path, fmt.Sprintf("sysctl: \"vm.nr_hugepages\": %d, or huge_pages: \"try\"", ps.sum()), ps.largest(c, plain),
				"reserves %d huge pages, and its clusters insist on %d", reserved, ps.sum())
		}
	}
}

// hugePages is how many pages of 2 MiB the cluster's shared memory takes, or a little more: what postgres says with
// -C shared_memory_size_in_huge_pages, by what counts in it: shared_buffers, with 3% to know what is in them; 20 MiB; 24 KiB of each
// connection; and its locks, 430 bytes each.
func (c *Cluster) hugePages() int64 {
	buffers, connections := int64(c.SharedBuffers()), int64(c.Settings.MaxConnections)
	locks := int64(c.Settings.MaxLocksPerTransaction) * (connections + 20)
	bytes := buffers + buffers*3/100 + 20<<20 + connections*24<<10 + locks*430
	return (bytes + 2<<20 - 1) / (2 << 20)
}

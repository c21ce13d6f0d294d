package topology

import (
	"fmt"
	"slices"
	"strconv"
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
// -C shared_memory_size_in_huge_pages, by what counts in it: shared_buffers, with 2.5% to know what is in them; 16 MiB; 24 KiB of each
// connection; and its locks, 430 bytes each.
func (c *Cluster) hugePages() int64 {
	buffers, connections := int64(c.SharedBuffers()), int64(c.Settings.MaxConnections)
	locks := int64(c.Settings.MaxLocksPerTransaction) * (connections + 20)
	bytes := buffers + buffers*25/1000 + 16<<20 + connections*24<<10 + locks*430
	return (bytes + 2<<20 - 1) / (2 << 20)
}

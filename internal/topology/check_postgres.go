package topology

import "fmt"

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

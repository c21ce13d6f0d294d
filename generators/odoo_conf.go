package generators

import (
	"fmt"
	"regexp"

	"odoogen/internal/artifact"
	"odoogen/internal/conf"
	"odoogen/internal/topology"
)

// OdooConf writes odoo.conf of each instance. An option that keeps Odoo's default is left out: Odoo 19 takes False for
// a mistake where 17 takes it for "unset".
func OdooConf(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	for _, i := range h.Instances {
		out.add("odoo/"+i.Name+".conf", odooConf(i), artifact.Restart(i.Service()))
	}
	return out.result()
}

// lockedPassword is admin_passwd: no password fits it, since its checksum was chosen (SHA-512 of a sentence, see the
// test) and not computed. Odoo would take "admin" without one, and what is no hash for the password itself.
const lockedPassword = "$pbkdf2-sha512$600000$b2Rvb2dlbjogbG9ja2VkIQ$" +
	"LlrKUMPUZ6bNnKOoMCE6r6uS1LfffGb4ZAwmdW8uz6nFlZeRHzXn12KLPPD8U.CS2s44toczve4Tb3R.ovyffg"

func odooConf(i *topology.Instance) *conf.Text {
	f := conf.NewIni(i.Path, "Odoo "+i.Version+", instance "+i.Name+".", "options")

	f.Comment("nginx stands before both ports and says who the client is.")
	f.Set("http_interface", "127.0.0.1")
	f.Int("http_port", int64(i.HTTPPort), i.From("http_port")...)
	f.Int("gevent_port", int64(i.GeventPort), i.From("gevent_port")...)
	f.Bool("proxy_mode", true)

	f.Blank()
	f.Comment("Over the socket, as the user that it runs as: no password. One database, and no list of others.")
	f.Set("db_host", topology.SocketDir)
	f.Int("db_port", int64(i.Cluster.Port), i.FromCluster("port")...)
	f.Set("db_user", i.User())
	f.Set("db_name", i.Database, i.From("database")...)
	f.Set("dbfilter", "^"+regexp.QuoteMeta(i.Database)+"$", i.From("database")...)
	f.Bool("list_db", false)
	odooConnections(f, i)

	f.Blank()
	odooWorkers(f, i)

	f.Blank()
	f.Comment("Virtual memory of one process, in bytes: with more than a third of MemoryMax ("+i.MemoryMax.String()+
		") it ends after its request,\nmore than half it never gets. MemoryMax itself counts what is resident, of all processes together.",
		i.From("MemoryMax")...)
	soft, hard := int64(i.LimitMemorySoft()), int64(i.LimitMemoryHard())
	f.Int("limit_memory_soft", soft, i.From("MemoryMax")...)
	f.Int("limit_memory_hard", hard, i.From("MemoryMax")...)
	if i.Major() >= 19 {
		from := append(i.From("MemoryMax"), i.Path+".version")
		f.Int("limit_memory_soft_gevent", soft, from...)
		f.Int("limit_memory_hard_gevent", hard, from...)
	}
	f.Int("limit_time_cpu", int64(i.LimitTimeCPU), i.From("limit_time_cpu")...)
	f.Int("limit_time_real", int64(i.LimitTimeReal), i.From("limit_time_real")...)
	f.Int("limit_time_real_cron", int64(i.LimitTimeRealCron), i.From("limit_time_real_cron")...)

	f.Blank()
	f.Set("data_dir", i.DataDir())
	odooAddons(f, i)
	odooDemo(f, i)

	f.Blank()
	f.Comment("No password fits: databases are made and restored on the host, never over the web.")
	f.Set("admin_passwd", lockedPassword)
	return &f.Text
}

func odooConnections(f *conf.Ini, i *topology.Instance) {
	from := i.From("workers", "max_cron_threads", "db_maxconn", "db_maxconn_gevent")
	if i.Workers > 0 {
		f.Comment(fmt.Sprintf("Connections at most: (%d workers + %d cron + 1 master) x %d + %d for websockets = %d.",
			i.Workers, i.MaxCronThreads, i.DBMaxconn, i.DBMaxconnGevent, i.MaxConnections()), from...)
	} else {
		f.Comment(fmt.Sprintf("Connections at most: %d, of one process.", i.MaxConnections()), from...)
	}
	f.Int("db_maxconn", int64(i.DBMaxconn), i.From("db_maxconn")...)
	f.Int("db_maxconn_gevent", int64(i.DBMaxconnGevent), i.From("db_maxconn_gevent")...)
}

func odooWorkers(f *conf.Ini, i *topology.Instance) {
	from := i.From("workers", "max_cron_threads")
	if !i.Says("workers") {
		f.Comment(fmt.Sprintf("Processes by Odoo's rule: 2 x %s CPU + 1 = %d, of which %d for cron; at least 2 workers.",
			i.CPUQuota, i.RuleOfThumb(), i.MaxCronThreads), i.From("CPUQuota", "workers", "max_cron_threads")...)
	}
	f.Int("workers", int64(i.Workers), from...)
	f.Int("max_cron_threads", int64(i.MaxCronThreads), i.From("max_cron_threads")...)
}

// odooAddons writes addons_path through the link to the release that runs. Odoo resolves it once, at its start.
func odooAddons(f *conf.Ini, i *topology.Instance) {
	from := []string{i.Code.Path, i.Path + ".version"}
	for _, r := range i.Code.Repositories {
		from = append(from, r.Path+".paths")
	}
	f.List("addons_path", i.AddonsPath(), from...)
}

// odooDemo says whether a new database gets demonstration data: 17 gives it unless told not to, 19 only when told to.
func odooDemo(f *conf.Ini, i *topology.Instance) {
	from := append(i.From("demo"), i.Path+".version")
	switch {
	case i.Major() >= 19:
		f.Bool("with_demo", i.Demo, from...)
	case !i.Demo:
		f.Set("without_demo", "all", from...)
	default:
		f.Comment("A new database gets demonstration data.", from...)
	}
}

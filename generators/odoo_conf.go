package generators

import (
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
	f.Int("db_maxconn", int64(i.DBMaxconn), i.From("db_maxconn")...)
	f.Int("db_maxconn_gevent", int64(i.DBMaxconnGevent), i.From("db_maxconn_gevent")...)

	f.Blank()
	f.Comment("What follows from CPUQuota and MemoryMax stands beside them, in 10-limits.conf of the unit.")
	for _, p := range odooProcesses(i) {
		if p.said {
			f.Int(p.option, p.value, p.from...)
		}
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
	odooExtra(f, i)
	return &f.Text
}

// odooExtra writes what the spec adds in Odoo's own words.
func odooExtra(f *conf.Ini, i *topology.Instance) {
	if len(i.Extra) == 0 {
		return
	}
	f.Blank()
	f.Comment(unmodelled)
	for _, s := range i.Extra {
		from := []string{s.Path, i.Path + ".class"}
		switch value := s.Value.Odoo(); value {
		case "True", "False":
			f.Bool(s.Name, value == "True", from...)
		default:
			f.Set(s.Name, value, from...)
		}
	}
}

// unmodelled is said above what the spec adds in a program's own words.
const unmodelled = "Unmodelled: carried here as the spec has it. No rule knows what it does."

// processOption is an option of how many processes there are, and how large each gets.
type processOption struct {
	option string
	value  int64
	said   bool // by the spec; else it follows from the unit's limits
	from   []string
}

// odooProcesses are the options that follow from CPUQuota and MemoryMax unless the spec says them. What is said is an
// option like any other, and a change of it restarts the instance. What follows is handed over on the command line, by
// a variable that stands with the limits: those apply at once, and Odoo takes up its part when it next starts.
func odooProcesses(i *topology.Instance) []processOption {
	processes := i.From("workers", "max_cron_threads")
	return []processOption{
		{"workers", int64(i.Workers), i.Says("workers"), processes},
		{"max_cron_threads", int64(i.MaxCronThreads), i.Says("max_cron_threads"), processes},
		{"limit_memory_soft", int64(i.LimitMemorySoft()), false, i.From("MemoryMax")},
		{"limit_memory_hard", int64(i.LimitMemoryHard()), false, i.From("MemoryMax")},
	}
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

package topology

import (
	"fmt"
	"hash/fnv"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Major is the number of the instance's Odoo version: 17 for "17.0".
func (i *Instance) Major() int {
	n, _ := strconv.Atoi(strings.TrimSuffix(i.Version, ".0"))
	return n
}

// Service is the unit that runs the instance.
func (i *Instance) Service() string { return "odoo-" + i.Name + ".service" }

// Slice holds the instance and everything that works for it. Its limits bind all of them together.
func (i *Instance) Slice() string { return "odoo-" + i.Name + ".slice" }

// Updater is the unit that updates modules, in the instance's slice.
func (i *Instance) Updater() string { return "odoo-update-" + i.Name + ".service" }

// User is the instance's operating system user, its group, and its PostgreSQL role: peer authentication wants
// them to be one name.
func (i *Instance) User() string { return "odoo-" + i.Name }

// DataDir is Odoo's data_dir: filestore and sessions, outside every release.
func (i *Instance) DataDir() string { return "/var/lib/odoo/" + i.Name }

// Root holds the instance's release folders and the link to the current one.
func (i *Instance) Root() string {
	return fmt.Sprintf("/opt/odoo/instances/%s-%d", i.folder(), i.Major())
}

// folder is the instance's name without its version: qa of qa17, as the release folders are named {env}-{ver}.
func (i *Instance) folder() string {
	if env := strings.TrimSuffix(i.Name, strconv.Itoa(i.Major())); env != "" {
		return strings.TrimSuffix(env, "-")
	}
	return i.Name
}

// Current is the link to the release that runs.
func (i *Instance) Current() string { return i.Root() + "/current" }

// HeldUntil is the file without which the instance does not start, where it or its cluster was moved: the word that
// its data has come to where it is now. Another move is another file. Empty where nothing was moved.
func (i *Instance) HeldUntil() string {
	if i.Moved == nil && i.Cluster.Moved == nil {
		return ""
	}
	return fmt.Sprintf("%s/moved/%s-%s-%s", State, i.Name, i.Cluster.ID(), i.Database)
}

// Releases holds the release folders.
func (i *Instance) Releases() string { return i.Root() + "/releases" }

// Program is Odoo itself, in the release that runs.
func (i *Instance) Program() string { return i.Current() + "/" + i.Code.Community + "/odoo-bin" }

// AddonsPath are the folders that hold modules, in the release that runs: what comes first wins.
func (i *Instance) AddonsPath() []string {
	var folders []string
	for _, r := range i.Code.Repositories {
		for _, p := range r.Paths {
			folders = append(folders, path.Join(i.Current(), r.Name, p))
		}
	}
	return folders
}

// UpdateRequest is the KEY=value file that says what the updater is to do.
func (i *Instance) UpdateRequest() string { return Requests + "/" + i.Name + ".env" }

// Venv is the Python environment of the instance's release: outside of it, since a virtual environment that is
// reached through a link that turns is mixed from two releases.
func (i *Instance) Venv() string { return fmt.Sprintf("/opt/odoo/venv/%d", i.Major()) }

// ConfigFile is the instance's odoo.conf on the host.
func (i *Instance) ConfigFile() string { return Current + "/odoo/" + i.Name + ".conf" }

// CertificateDir holds fullchain.pem and privkey.pem of the instance's domain: self-signed at first, then filled
// by certbot's deploy hook.
func (i *Instance) CertificateDir() string { return TLS + "/" + i.Name }

// Upstream is the name of the instance's HTTP workers in nginx.
func (i *Instance) Upstream() string { return "odoo-" + i.Name }

// UpstreamWebsocket is the name of the instance's websocket process in nginx.
func (i *Instance) UpstreamWebsocket() string { return "odoo-" + i.Name + "-websocket" }

// SliceMemoryMax bounds the instance and its update together.
func (i *Instance) SliceMemoryMax() Size { return i.MemoryMax + i.Update.MemoryMax }

// LimitMemorySoft is the virtual memory at which a worker ends itself after a request: a third of MemoryMax
// (virtual size is 2.4 times the resident one of an idle worker).
func (i *Instance) LimitMemorySoft() Size { return i.MemoryMax / 3 / MiB * MiB }

// LimitMemoryHard is the virtual memory that no worker gets: half of MemoryMax, so that one process cannot use
// up what the unit may.
func (i *Instance) LimitMemoryHard() Size { return i.MemoryMax / 2 / MiB * MiB }

// Processes is how many processes hold a pool of connections: HTTP and cron workers and the master. The websocket
// process has a pool of its own size.
func (i *Instance) Processes() int { return i.Workers + i.MaxCronThreads + 1 }

// MaxConnections is the most that the instance's pools open.
func (i *Instance) MaxConnections() int {
	if i.Workers == 0 { // one threaded process, which has no websocket process beside it
		return i.DBMaxconn
	}
	return i.Processes()*i.DBMaxconn + i.DBMaxconnGevent
}

// DrillDatabase holds the copy that a restore drill makes, as the instance's own user. PostgreSQL cuts a name at 63
// bytes without a word.
func (i *Instance) DrillDatabase() string { return i.Database[:min(len(i.Database), 50)] + "_drill" }

// RoleConnections is the most that the instance's role may open: beside its pools, one process that updates modules,
// and three clients: the checks before and after an update, and a person's psql.
func (i *Instance) RoleConnections() int { return i.MaxConnections() + i.DBMaxconn + 3 }

// StopTimeout is how long the instance may take to stop: a request has limit_time_real to end, and only then are
// the workers killed (odoo/service/server.py, PreforkServer.stop).
func (i *Instance) StopTimeout() Span { return Span(i.LimitTimeReal) + 30 }

// At is the path that decides a field: the instance's own where it says it, else its class's; for what is computed
// from other fields, theirs, separated by spaces.
func (i *Instance) At(field string) string {
	for _, owner := range []string{i.Path, i.Class.Path} {
		if i.topology.set[owner+"."+field] {
			return owner + "." + field
		}
	}
	switch field {
	case "workers", "max_cron_threads":
		return i.At("CPUQuota")
	case "http_port":
		if i.Class.Port != 0 {
			return i.Class.Path + ".port " + i.Path + ".version"
		}
	case "gevent_port":
		return i.At("http_port")
	case "slice":
		return i.At("MemoryMax") + " " + i.At("update.MemoryMax")
	}
	return i.Path
}

// From are the paths that decide the fields, each once: At of each; where that is the class's, the choice of the class;
// where nobody says it, the instance and the class, which may.
func (i *Instance) From(fields ...string) []string {
	var from []string
	add := func(path string) {
		if !slices.Contains(from, path) {
			from = append(from, path)
		}
	}
	for _, f := range fields {
		for p := range strings.SplitSeq(i.At(f), " ") {
			add(p)
		}
	}
	if slices.ContainsFunc(from, func(p string) bool { return strings.HasPrefix(p, i.Class.Path+".") }) {
		add(i.Path + ".class")
	}
	if slices.ContainsFunc(fields, func(f string) bool { return f != "slice" && !i.Says(f) }) {
		add(i.Path)
		add(i.Class.Path)
	}
	return from
}

// FromCluster are the paths that decide fields of the instance's cluster: the cluster's own and the choice of it.
func (i *Instance) FromCluster(fields ...string) []string {
	var from []string
	for _, f := range fields {
		from = append(from, i.Cluster.Path+"."+f)
	}
	return append(from, i.Class.Path+".cluster", i.Path+".class")
}

// Says tells whether the instance or its class says a field; else it is derived.
func (i *Instance) Says(field string) bool {
	return i.topology.set[i.Path+"."+field] || i.topology.set[i.Class.Path+"."+field]
}

// RuleOfThumb is how many processes suit the CPU, cron included: 2 x CPU + 1 (Odoo documentation, deploy.rst).
func (i *Instance) RuleOfThumb() int { return 2*int(i.CPUQuota)/100 + 1 }

// derive computes what the instance did not say.
func (i *Instance) derive() {
	if !i.Says("max_cron_threads") {
		i.MaxCronThreads = 1
		if i.RuleOfThumb() >= 6 {
			i.MaxCronThreads = 2
		}
	}
	if !i.Says("workers") {
		// Never fewer than two: a report that Odoo prints asks its own server for assets.
		i.Workers = max(2, i.RuleOfThumb()-i.MaxCronThreads)
	}
	if i.Database == "" {
		i.Database = i.Name
	}
	switch {
	case i.Says("http_port"):
	case i.Class.Port != 0:
		i.HTTPPort = i.Class.Port + i.Major()
	default:
		// From the name alone, so that no instance moves when another comes.
		h := fnv.New32a()
		h.Write([]byte(i.Name))
		i.HTTPPort = 20000 + int(h.Sum32()%5000)*2
	}
	if !i.Says("gevent_port") {
		i.GeventPort = i.HTTPPort + 1
		if i.Class.Port != 0 && !i.Says("http_port") {
			i.GeventPort = i.HTTPPort + 50
		}
	}
}

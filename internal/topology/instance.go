package topology

import (
	"fmt"
	"hash/fnv"
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

// Venv is the Python environment of the instance's release: outside of it, since a virtual environment that is
// reached through a link that turns is mixed from two releases.
func (i *Instance) Venv() string { return fmt.Sprintf("/opt/odoo/venv/%d", i.Major()) }

// ConfigFile is the instance's odoo.conf on the host.
func (i *Instance) ConfigFile() string { return Current + "/odoo/" + i.Name + ".conf" }

// CertificateDir holds fullchain.pem and privkey.pem of the instance's domain: self-signed at first, then filled
// by certbot's deploy hook.
func (i *Instance) CertificateDir() string { return "/var/lib/odoogen/tls/" + i.Name }

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

// At is the path that decides a field: the instance's own where it says it, else its class's; for what is computed
// from other fields, theirs, separated by spaces.
func (i *Instance) At(field string) string {
	for _, path := range []string{i.Path, i.Class.Path} {
		if i.topology.set[path+"."+field] {
			return path + "." + field
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

// derive computes what the instance did not say.
func (i *Instance) derive() {
	said := func(field string) bool {
		return i.topology.set[i.Path+"."+field] || i.topology.set[i.Class.Path+"."+field]
	}
	// Odoo's rule of thumb: 2 x CPU + 1 processes, cron included (Odoo documentation, deploy.rst).
	processes := 2*int(i.CPUQuota)/100 + 1
	if !said("max_cron_threads") {
		i.MaxCronThreads = 1
		if processes >= 6 {
			i.MaxCronThreads = 2
		}
	}
	if !said("workers") {
		// Never fewer than two: a report that Odoo prints asks its own server for assets.
		i.Workers = max(2, processes-i.MaxCronThreads)
	}
	if i.Database == "" {
		i.Database = i.Name
	}
	switch {
	case said("http_port"):
	case i.Class.Port != 0:
		i.HTTPPort = i.Class.Port + i.Major()
	default:
		// From the name alone, so that no instance moves when another comes.
		h := fnv.New32a()
		h.Write([]byte(i.Name))
		i.HTTPPort = 20000 + int(h.Sum32()%5000)*2
	}
	if !said("gevent_port") {
		i.GeventPort = i.HTTPPort + 1
		if i.Class.Port != 0 && !said("http_port") {
			i.GeventPort = i.HTTPPort + 50
		}
	}
}

// Package generators turns a topology into the files of its hosts: one file of Go per kind of artifact, and one
// table. A generator is a pure function of the topology: no clock, environment, file system, randomness or map
// order reaches it, and it does not see what another generator wrote. Names that two of them share are methods of
// the topology; syntax and escaping are conf's; what never varies is a constant file in files/.
package generators

import (
	"embed"
	"fmt"
	"runtime"
	"sync"

	"odoogen/internal/artifact"
	"odoogen/internal/topology"
)

// Generator makes one kind of file for one host.
type Generator struct {
	Name     string
	Generate func(t *topology.Topology, h *topology.Host) ([]artifact.File, error)

	// Differs says why this kind differs between hosts. Empty: it is the same on every host, byte for byte.
	Differs string
}

// Table lists every kind of artifact.
var Table = []Generator{
	{"host", HostJSON, "names, routes, packages and units of the host"},
	{"target", Target, "each host wants its own units"},
	{"users", Users, "each host has the users of what it runs"},
	{"system", System, ""},
	{"ssh", SSH, ""},
	{"sudo", Sudo, ""},
	{"apt", Apt, ""},
	{"patching", Patching, "windows lie apart, so that the hosts are never patched together"},
	{"network", Network, "each host has its own addresses"},
	{"firewall", Firewall, "each host opens only what it serves"},
	{"postgresql", Postgres, "only the hosts of clusters run PostgreSQL"},
	{"odoo units", OdooUnits, "only the hosts of instances run Odoo"},
	{"odoo.conf", OdooConf, "only the hosts of instances run Odoo"},
	{"nginx", Nginx, "only the hosts of instances serve the web"},
	{"certbot", Certbot, "only the hosts of instances have certificates"},
	{"jobs", Jobs, "each host has a name"},
	{"releases", Release, "only the hosts of instances deploy releases"},
	{"backup", Backup, "each host saves what it holds"},
	{"mirror", Mirror, "the CI host fetches, the others are pushed to"},
	{"metrics", Metrics, "each host measures what it holds"},
	{"jenkins", Jenkins, "only the CI host runs Jenkins"},
	{"exporters", Exporters, "each host exports what it runs"},
	{"alloy", Alloy, "each host ships what it runs"},
	{"alerts", Alerts, "each host has the rules of what it runs"},
	{"dashboards", Dashboards, "a dashboard lies on its instance's host"},
	{"ways out", WaysOut, "each host has drop-ins and kernel settings of its own"},
	{"runbook", Runbook, "each host has the commands for what it runs"},
}

//go:embed files
var constants embed.FS

// Build compiles the topology into one tree per host, in the order of the hosts' names.
func Build(t *topology.Topology) ([]*artifact.Tree, error) {
	trees := make([]*artifact.Tree, len(t.Hosts))
	errs := make([]error, len(t.Hosts))
	var wg sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, h := range t.Hosts {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			trees[i], errs[i] = BuildHost(t, h)
		})
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.Hosts[i].Name, err)
		}
	}
	return trees, nil
}

// BuildHost compiles one host's tree.
func BuildHost(t *topology.Topology, h *topology.Host) (*artifact.Tree, error) {
	var files []artifact.File
	for _, g := range Table {
		more, err := g.Generate(t, h)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", g.Name, err)
		}
		files = append(files, more...)
	}
	return artifact.NewTree(h.Name, files)
}

// Package generators turns a topology into the files of its hosts: one file of Go per kind of artifact, and one
// table. A generator is a pure function of the topology: no clock, environment, file system, randomness or map
// order reaches it, and it does not see what another generator wrote. Names that two of them share are methods of
// the topology; syntax and escaping are conf's; what never varies is a constant file in files/.
package generators

import (
	"embed"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"odoogen/internal/artifact"
	"odoogen/internal/topology"
)

// Generator makes one kind of file for one host.
type Generator struct {
	Name     string
	Generate func(t *topology.Topology, h *topology.Host) ([]artifact.File, error)

	// Layer is the part of a host that the files belong to: where it is somebody else's, none are made.
	Layer topology.Layer

	// Differs says why this kind differs between hosts. Empty: it is the same on every host, byte for byte.
	Differs string
}

// Table lists every kind of artifact.
var Table = []Generator{
	{"host", HostJSON, topology.EverywhereLayer, "names, routes, packages and units of the host"},
	{"target", Target, topology.EverywhereLayer, "each host wants its own units"},
	{"users", Users, topology.UsersLayer, "each host has the users of what it runs"},
	{"time", Time, topology.TimeLayer, ""},
	{"journal", Journal, topology.JournalLayer, ""},
	{"sysctl", Sysctl, topology.SysctlLayer, ""},
	{"ssh", SSH, topology.SSHLayer, ""},
	{"sudo", Sudo, topology.SudoLayer, ""},
	{"apt", Apt, topology.PackagesLayer, ""},
	{"patching", Patching, topology.PackagesLayer, "windows lie apart, so that the hosts are never patched together"},
	{"network", Network, topology.NetworkLayer, "each host has its own addresses"},
	{"firewall", Firewall, topology.FirewallLayer, "each host opens only what it serves"},
	{"postgresql", Postgres, topology.PostgresLayer, "only the hosts of clusters run PostgreSQL"},
	{"odoo units", OdooUnits, topology.UnitsLayer, "only the hosts of instances run Odoo"},
	{"odoo.conf", OdooConf, topology.UnitsLayer, "only the hosts of instances run Odoo"},
	{"nginx", Nginx, topology.NginxLayer, "only the hosts of instances serve the web"},
	{"certbot", Certbot, topology.NginxLayer, "only the hosts of instances have certificates"},
	{"jobs", Jobs, topology.UnitsLayer, "each host has a name"},
	{"releases", Release, topology.UnitsLayer, "only the hosts of instances deploy releases"},
	{"backup", Backup, topology.UnitsLayer, "each host saves what it holds"},
	{"mirror", Mirror, topology.UnitsLayer, "the CI host fetches, the others are pushed to"},
	{"metrics", Metrics, topology.UnitsLayer, "each host measures what it holds"},
	{"jenkins", Jenkins, topology.UnitsLayer, "only the CI host runs Jenkins"},
	{"exporters", Exporters, topology.UnitsLayer, "each host exports what it runs"},
	{"alloy", Alloy, topology.UnitsLayer, "each host ships what it runs"},
	{"alerts", Alerts, topology.UnitsLayer, "each host has the rules of what it runs"},
	{"dashboards", Dashboards, topology.UnitsLayer, "a dashboard lies on its instance's host"},
	{"ways out", WaysOut, topology.EverywhereLayer, "each host has drop-ins and kernel settings of its own"},
	{"runbook", Runbook, topology.EverywhereLayer, "each host has the commands for what it runs"},
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

// BuildHost compiles one host's tree. Generators know nothing of each other, so all of them run at once.
func BuildHost(t *topology.Topology, h *topology.Host) (*artifact.Tree, error) {
	files := make([][]artifact.File, len(Table))
	errs := make([]error, len(Table))
	var wg sync.WaitGroup
	for i, g := range Table {
		if h.Manages(g.Layer) {
			wg.Go(func() { files[i], errs[i] = g.Generate(t, h) })
		}
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", Table[i].Name, err)
		}
	}
	return artifact.NewTree(h.Name, slices.Concat(files...))
}

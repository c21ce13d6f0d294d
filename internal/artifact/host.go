package artifact

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// HostName is the file of a tree that says what push must know of the host beside its files.
const HostName = "HOST.json"

// Host is HOST.json.
type Host struct {
	Host      string   `json:"host"`
	FQDN      string   `json:"fqdn"`
	Debian    int      `json:"debian"`
	Manage    []string `json:"manage"` // the layers that are odoogen's
	Network   Network  `json:"network"`
	Routes    []Route  `json:"routes"`
	HostKeys  []string `json:"hostKeys"`
	Timezone  string   `json:"timezone"`
	Vendors   []Vendor `json:"vendors"`
	Packages  []Pkg    `json:"packages"`
	Downloads []struct {
		Package string `json:"package"`
		Version string `json:"version"`
		URL     string `json:"url"`
		SHA256  string `json:"sha256"`
	} `json:"downloads"`
	Doors     []Door     `json:"doors"`
	Absent    []string   `json:"absent"`
	Disabled  []string   `json:"disabled"`
	Whitelist []Source   `json:"whitelist"`
	Users     []string   `json:"users"`
	Clusters  []Cluster  `json:"clusters"`
	Instances []Instance `json:"instances"`
	Units     []string   `json:"units"`
	Listeners []Listener `json:"listeners"`
	Probes    []Probe    `json:"probes"`
	Secrets   []Secret   `json:"secrets"`
	Jobs      []struct {
		Name       string `json:"name"`
		Timer      string `json:"timer"` // empty where Jenkins starts it
		At         string `json:"at"`
		Every      string `json:"every"`
		MaxSeconds int64  `json:"maxSeconds"`
		CPUQuota   string `json:"CPUQuota"`
		MemoryMax  string `json:"MemoryMax"`
		Reboots    bool   `json:"reboots"`
	} `json:"jobs"`
	Accepted   []Accepted   `json:"accepted"`
	Budgets    Budgets      `json:"budgets"`
	Unmodelled []Unmodelled `json:"unmodelled"`
}

// Budgets are what the spec gives away, and what there is to give.
type Budgets struct {
	RAM         Booked        `json:"ramMiB"`
	Disk        Booked        `json:"diskMiB"`
	Connections []Connections `json:"connections"`
	Cost        Cost          `json:"cost"`
}

// Connections is a cluster's budget.
type Connections struct {
	Cluster string `json:"cluster"`
	Booked
}

// Cost is of a month and of all hosts, with the buffer.
type Cost struct {
	Currency string `json:"currency"`
	Cents    Booked `json:"cents"`
}

// ConnectionsOf is the budget of a cluster; empty where there is none of that name.
func (b *Budgets) ConnectionsOf(cluster string) Booked {
	for _, c := range b.Connections {
		if c.Cluster == cluster {
			return c.Booked
		}
	}
	return Booked{}
}

// Booked is one budget: the most that can be used at once, and what there is.
type Booked struct {
	Used int64 `json:"used"`
	Of   int64 `json:"of"`
}

// Accepted is a rule that the spec breaks knowingly and for a time.
type Accepted struct {
	Rule   string `json:"rule"`
	At     string `json:"at"` // the CUE path of what breaks it
	Until  string `json:"until"`
	Reason string `json:"reason"`
}

// Unmodelled is something that the tree carries without knowing what it does.
type Unmodelled struct {
	Path  string   `json:"path"`  // the CUE path
	Files []string `json:"files"` // of the tree; none for a package
}

// Network is what the host's cards carry.
type Network struct {
	Uplink    string `json:"uplink"`
	Public    string `json:"public"`
	Public6   string `json:"public6"`
	Interface string `json:"interface"` // of the vSwitch; empty without one
	Private   string `json:"private"`   // with its prefix length
	VLAN      int    `json:"vlan"`
	MTU       int    `json:"mtu"`
}

// Route is a way to the host's sshd.
type Route struct {
	Name    string `json:"name"` // private, public or bootstrap
	Address string `json:"address"`
	Jump    string `json:"jump"` // the host to go through, by name
}

// Vendor is a package source whose key must have the fingerprint.
type Vendor struct {
	Name        string `json:"name"`
	Key         string `json:"key"`
	Fingerprint string `json:"fingerprint"`
	Keyring     string `json:"keyring"`
}

// Pkg is a Debian package that the host needs.
type Pkg struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Vendor  string `json:"vendor"`
}

// Door is a permanent way from where a daemon looks into the generation: a link, or a constant file.
type Door struct {
	Path    string `json:"path"`
	Link    string `json:"link"`
	Mode    string `json:"mode"`
	Content string `json:"content"`
}

// Cluster is a PostgreSQL cluster, and how it is made.
type Cluster struct {
	Name    string   `json:"name"`
	Version int      `json:"version"`
	Port    int      `json:"port"`
	Unit    string   `json:"unit"`
	DataDir string   `json:"dataDir"`
	Create  []string `json:"create"` // the arguments of pg_createcluster(1)

	// MovedFrom is where its data is until it has been moved.
	MovedFrom *struct {
		Name    string `json:"name"`
		Host    string `json:"host"`
		Version int    `json:"version"`
	} `json:"movedFrom,omitempty"`
}

// ID is the cluster as pg_lsclusters has it: "15/main".
func (c Cluster) ID() string { return fmt.Sprintf("%d/%s", c.Version, c.Name) }

// Instance is an Odoo instance, and where its data is.
type Instance struct {
	Name        string `json:"name"`
	Unit        string `json:"unit"`
	Domain      string `json:"domain"`
	Cluster     string `json:"cluster"`
	Database    string `json:"database"`
	Role        string `json:"role"`
	DataDir     string `json:"dataDir"`
	Releases    string `json:"releases"`
	StopSeconds int    `json:"stopSeconds"` // that a stop takes at most: a request may end

	// MovedFrom is where its data is until it has been moved. An empty cluster or database is not said.
	MovedFrom *struct {
		Name     string `json:"name"`
		Cluster  string `json:"cluster"`
		Database string `json:"database"`
	} `json:"movedFrom,omitempty"`
	HeldUntil string `json:"heldUntil,omitempty"` // the file that says that moved data has come: it does not start before
}

// SameDatabase tells whether another instance has the same database, by cluster and name.
func (i Instance) SameDatabase(o Instance) bool {
	return i.Cluster == o.Cluster && i.Database == o.Database
}

// SameRole tells whether another instance has the same role in the same cluster.
func (i Instance) SameRole(o Instance) bool { return i.Cluster == o.Cluster && i.Role == o.Role }

// Listener is a TCP port that the host holds.
type Listener struct {
	Port  int    `json:"port"`
	Reach string `json:"reach"` // loopback, private or public
	Unit  string `json:"unit"`
	What  string `json:"what"`
}

// Source is from where ssh can be reached over a public address, and whose it is.
type Source struct {
	From string `json:"from"`
	Who  string `json:"who"`
}

// Secret is a value that no tree holds, by name.
type Secret struct {
	Name      string   `json:"name"`
	File      string   `json:"file"`
	Consumers []string `json:"consumers"`
}

// Probe says how to find out that something works.
type Probe struct {
	Kind    string `json:"kind"` // unit, http, tls or tcp
	From    string `json:"from"` // peer, or empty for the host itself
	Unit    string `json:"unit"`
	URL     string `json:"url"`
	Host    string `json:"host"` // the Host header
	Status  int    `json:"status"`
	Name    string `json:"name"` // that a certificate must hold
	Address string `json:"address"`
	Port    int    `json:"port"`
	When    string `json:"when"` // a path that must exist, or the probe is left out

	Otherwise string `json:"otherwise"` // why it is left out, in a few words
}

// ReadHost reads the tree's HOST.json. A field that this odoogen does not know is an error: the tree was built by
// another.
func (t *Tree) ReadHost() (*Host, error) {
	f := t.File(HostName)
	if f == nil {
		return nil, fmt.Errorf("%s: no %s", t.Host, HostName)
	}
	d := json.NewDecoder(bytes.NewReader(f.Data))
	d.DisallowUnknownFields()
	var h Host
	if err := d.Decode(&h); err != nil {
		return nil, fmt.Errorf("%s/%s: %w", t.Host, HostName, err)
	}
	return &h, nil
}

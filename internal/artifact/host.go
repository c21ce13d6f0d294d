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
	Doors     []Door    `json:"doors"`
	Absent    []string  `json:"absent"`
	Disabled  []string  `json:"disabled"`
	Clusters  []Cluster `json:"clusters"`
	Databases []struct {
		Instance string `json:"instance"`
		Cluster  string `json:"cluster"`
		Database string `json:"database"`
		Role     string `json:"role"`
	} `json:"databases"`
	Units     []string `json:"units"`
	Listeners []struct {
		Port  int    `json:"port"`
		Reach string `json:"reach"`
		Unit  string `json:"unit"`
		What  string `json:"what"`
	} `json:"listeners"`
	Probes  []Probe `json:"probes"`
	Secrets []struct {
		Name      string   `json:"name"`
		File      string   `json:"file"`
		Consumers []string `json:"consumers"`
	} `json:"secrets"`
	Jobs []struct {
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
	Unmodelled []Unmodelled `json:"unmodelled"`
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
	Create  []string `json:"create"` // the arguments of pg_createcluster(1)
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

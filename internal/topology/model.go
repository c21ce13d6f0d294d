// Package topology is the typed model of a spec, and the only place that knows CUE. Load reads the user's
// directory, lets CUE check shape and fill defaults, decodes, resolves every reference, and refuses what the
// rules between entities forbid. What it returns is complete: generators look nothing up and decide nothing
// that two of them must agree on; names, ports and derived values that two files share are methods here.
package topology

// Topology is a whole spec, resolved. Slices are sorted by name.
type Topology struct {
	Hosts         []*Host        `cue:"hosts"`
	Network       Network        `cue:"network"`
	Access        Access         `cue:"access"`
	Clusters      []*Cluster     `cue:"clusters"`
	Classes       []*Class       `cue:"classes"`
	Instances     []*Instance    `cue:"instances"`
	Sources       Sources        `cue:"sources"`
	Packages      Packages       `cue:"packages"`
	Compatibility Compatibility  `cue:"compatibility"`
	Backup        Backup         `cue:"backup"`
	CI            *CI            `cue:"ci"`
	Observability *Observability `cue:"observability"`
	Patching      Patching       `cue:"patching"`
	Budget        Budget         `cue:"budget"`
	Targets       Targets        `cue:"targets"`
	Decisions     []Decision     `cue:"decisions"`
	Accept        []Waiver       `cue:"accept"`

	Cost Booked // of a month, in hundredths of the currency, with the buffer

	hosts    map[string]*Host
	clusters map[string]*Cluster
	set      map[string]bool // paths of the optional fields that the user set
}

// Host is a server, with what runs on it.
type Host struct {
	Name      string   `cue:",name"`
	Path      string   `cue:",path"`
	FQDN      string   `cue:"fqdn"`
	Debian    int      `cue:"debian"`
	Hardware  Hardware `cue:"hardware"`
	Private   string   `cue:"private"` // address on the vSwitch, or empty
	Public    string   `cue:"public"`
	Public6   string   `cue:"public6"`
	Open      []int    `cue:"open"`
	Jump      string   `cue:"jump"`
	Bootstrap string   `cue:"bootstrap"`
	HostKeys  []string `cue:"hostKeys"`
	Uplink    Uplink   `cue:"uplink"`
	Reserve   Reserve  `cue:"reserve"`

	Manage   []string    `cue:"manage"` // the layers that are odoogen\'s
	Sysctl   []*Setting  `cue:"sysctl"`
	Packages []string    `cue:"packages"`
	Units    []*DropIn   `cue:"units"`
	Files    []*HostFile `cue:"files"`

	Clusters  []*Cluster
	Instances []*Instance
	CI        *CI     // set on the CI host alone
	Window    *Window // its patch window
	Memory    Booked  // in bytes
	Storage   Booked  // in bytes
}

// Hardware is a machine as it is rented.
type Hardware struct {
	Model   string  `cue:"model"`
	CPU     string  `cue:"cpu"`
	Threads int     `cue:"threads"`
	RAM     Size    `cue:"ram"`
	Disks   Disks   `cue:"disks"`
	Monthly float64 `cue:"monthly"`
}

// Disks are a machine's disks and how they are joined.
type Disks struct {
	Count  int `cue:"count"`
	SizeGB int `cue:"sizeGB"`
	RAID   int `cue:"raid"`
}

// Uplink is the card that carries the public address and the VLAN.
type Uplink struct {
	Name        string `cue:"name"`
	Manager     string `cue:"manager"` // ifupdown or networkd
	NetworkFile string `cue:"networkFile"`
	MTU         int    `cue:"mtu"`
}

// Setting is a setting in a program's own words, which odoogen hands on without knowing what it does.
type Setting struct {
	Name  string `cue:",name"`
	Path  string `cue:",path"`
	Value Scalar `cue:",value"`
}

// Scalar is a text, a number, true or false, as text.
type Scalar string

// DropIn is what a drop-in adds to a unit.
type DropIn struct {
	Name     string     `cue:",name"` // the unit
	Path     string     `cue:",path"`
	Sections []*Section `cue:"dropin"`
	Effect   string     `cue:"effect"` // restart, daemon-reload, or empty for what the unit's kind suggests
}

// HostFile is a file that the spec carries to a host.
type HostFile struct {
	Name   string `cue:",name"` // its path there
	Path   string `cue:",path"`
	Source string `cue:"source"` // from the spec's directory
	Mode   string `cue:"mode"`   // octal
	Effect string `cue:"effect"` // as MANIFEST has it: none, or one effect

	Data   []byte
	unread error // why there is no Data
}

// Section is a section of a unit file.
type Section struct {
	Name     string         `cue:",name"`
	Path     string         `cue:",path"`
	Settings []*UnitSetting `cue:",value"`
}

// UnitSetting is one setting of a section, as often as it has values.
type UnitSetting struct {
	Name   string   `cue:",name"`
	Path   string   `cue:",path"`
	Values []Scalar `cue:",value"`
}

// Reserve is what the budgets leave to everything that odoogen does not describe.
type Reserve struct {
	RAM   Size  `cue:"ram"`
	Disk  Size  `cue:"disk"`
	Ports []int `cue:"ports"` // held by something else
}

// Network says how the hosts reach each other and the world.
type Network struct {
	VSwitch *VSwitch `cue:"vswitch"`
	ACME    ACME     `cue:"acme"`
	Time    Time     `cue:"time"`
}

// VSwitch is the private network, an 802.1Q VLAN on every host's uplink.
type VSwitch struct {
	Subnet    string `cue:"subnet"`
	VLAN      int    `cue:"vlan"`
	MTU       int    `cue:"mtu"`
	Interface string `cue:"interface"`
}

// ACME is the certificate authority.
type ACME struct {
	Email     string `cue:"email"`
	Directory string `cue:"directory"`
}

// Time is the time zone of the hosts and of all timers.
type Time struct {
	Zone    string   `cue:"zone"`
	Servers []string `cue:"servers"`
}

// Access says who may log in, and from where.
type Access struct {
	Admins    []*Admin `cue:"admins"`
	Whitelist []Source `cue:"whitelist"`
	Deploy    Deploy   `cue:"deploy"`
}

// Admin is a person with a login and sudo.
type Admin struct {
	Name string   `cue:",name"`
	Path string   `cue:",path"`
	Keys []string `cue:"keys"`
}

// Source is a public address or network that may reach port 22.
type Source struct {
	From string `cue:"from"`
	Who  string `cue:"who"`
}

// Deploy is the account that deploys releases.
type Deploy struct {
	User string   `cue:"user"`
	Keys []string `cue:"keys"`
}

// Cluster is one PostgreSQL cluster: one data directory, port and unit.
type Cluster struct {
	Name     string          `cue:",name"`
	Path     string          `cue:",path"`
	HostName string          `cue:"host"`
	Version  int             `cue:"version"`
	Port     int             `cue:"port"`
	Workload string          `cue:"workload"`
	RAM      Size            `cue:"ram"`
	Exporter int             `cue:"exporter"`
	Limits   ClusterLimits   `cue:"limits"`
	Settings ClusterSettings `cue:"settings"`
	Moved    *MovedCluster   `cue:"moved"`
	Extra    []*Setting      `cue:"extra"` // of postgresql.conf

	Host        *Host
	Instances   []*Instance
	Connections Booked
}

// MovedCluster says where a cluster's data is until it has been moved. What is empty is as it is now.
type MovedCluster struct {
	From struct {
		Name    string `cue:"name"`
		Host    string `cue:"host"`
		Version int    `cue:"version"`
	} `cue:"from"`
}

// ClusterLimits are what a cluster's unit may use.
type ClusterLimits struct {
	CPUQuota  Percent `cue:"CPUQuota"`
	CPUWeight int     `cue:"CPUWeight"`
	IOWeight  int     `cue:"IOWeight"`
}

// ClusterSettings are PostgreSQL's own, by its own names and in its own units.
type ClusterSettings struct {
	MaxConnections                  int     `cue:"max_connections"`
	SuperuserReservedConnections    int     `cue:"superuser_reserved_connections"`
	MaxLocksPerTransaction          int     `cue:"max_locks_per_transaction"`
	MaxWorkerProcesses              int     `cue:"max_worker_processes"`
	AutovacuumMaxWorkers            int     `cue:"autovacuum_max_workers"`
	HugePages                       string  `cue:"huge_pages"`
	WorkMem                         PGSize  `cue:"work_mem"`
	MaintenanceWorkMem              PGSize  `cue:"maintenance_work_mem"`
	AutovacuumWorkMem               PGSize  `cue:"autovacuum_work_mem"`
	MaxWALSize                      PGSize  `cue:"max_wal_size"`
	MinWALSize                      PGSize  `cue:"min_wal_size"`
	CheckpointTimeout               string  `cue:"checkpoint_timeout"`
	CheckpointCompletionTarget      float64 `cue:"checkpoint_completion_target"`
	WALCompression                  string  `cue:"wal_compression"`
	RandomPageCost                  float64 `cue:"random_page_cost"`
	EffectiveIOConcurrency          int     `cue:"effective_io_concurrency"`
	MaxParallelWorkersPerGather     int     `cue:"max_parallel_workers_per_gather"`
	JIT                             string  `cue:"jit"`
	IdleInTransactionSessionTimeout string  `cue:"idle_in_transaction_session_timeout"`
	LogLockWaits                    string  `cue:"log_lock_waits"`
	LogMinDurationStatement         string  `cue:"log_min_duration_statement"`
}

// Settings are what a class says and an instance may say again.
type Settings struct {
	CPUQuota          Percent `cue:"CPUQuota"`
	MemoryMax         Size    `cue:"MemoryMax"`
	IOWeight          int     `cue:"IOWeight"`
	Update            Update  `cue:"update"`
	Workers           int     `cue:"workers"`
	MaxCronThreads    int     `cue:"max_cron_threads"`
	DBMaxconn         int     `cue:"db_maxconn"`
	DBMaxconnGevent   int     `cue:"db_maxconn_gevent"`
	LimitTimeCPU      int     `cue:"limit_time_cpu"`  // seconds
	LimitTimeReal     int     `cue:"limit_time_real"` // seconds
	LimitTimeRealCron int     `cue:"limit_time_real_cron"`
	Upload            Size    `cue:"upload"`
	Demo              bool    `cue:"demo"`
	Backup            bool    `cue:"backup"`
	Disk              Disk    `cue:"disk"`

	Extra []*Setting `cue:"extra"` // of odoo.conf
}

// Update is what a module update may use beside its instance.
type Update struct {
	MemoryMax Size `cue:"MemoryMax"`
}

// Disk is what one instance is given.
type Disk struct {
	Database  Size `cue:"database"`
	Filestore Size `cue:"filestore"`
	Release   Size `cue:"release"`
}

// Class is a kind of instance.
type Class struct {
	Name        string `cue:",name"`
	Path        string `cue:",path"`
	ClusterName string `cue:"cluster"`
	Port        int    `cue:"port"`
	Settings    `cue:",inline"`

	Cluster *Cluster
}

// Instance is an Odoo instance; its Settings are its class's where it says nothing itself.
type Instance struct {
	Name       string         `cue:",name"`
	Path       string         `cue:",path"`
	ClassName  string         `cue:"class"`
	Version    string         `cue:"version"`
	Domain     string         `cue:"domain"`
	Aliases    []string       `cue:"aliases"`
	Database   string         `cue:"database"`
	HTTPPort   int            `cue:"http_port"`
	GeventPort int            `cue:"gevent_port"`
	Modules    []string       `cue:"modules"`
	Moved      *MovedInstance `cue:"moved"`
	Nginx      []string       `cue:"nginx"` // directives of its vhost
	Settings   `cue:",inline"`

	Class   *Class
	Cluster *Cluster
	Host    *Host
	Code    *Version

	topology *Topology
}

// MovedInstance says where an instance's data is until it has been moved. What is empty is as it is now.
type MovedInstance struct {
	From struct {
		Name     string `cue:"name"`
		Cluster  string `cue:"cluster"`
		Database string `cue:"database"`
	} `cue:"from"`
}

// Sources say where Odoo's code comes from.
type Sources struct {
	Repositories []*Repository `cue:"repositories"`
	KnownHosts   []*KnownHost  `cue:"knownHosts"`
	Versions     []*Version    `cue:"versions"`
	Wkhtmltopdf  *Wkhtmltopdf  `cue:"wkhtmltopdf"`
	Releases     Releases      `cue:"releases"`
}

// Repository is a git repository, pinned.
type Repository struct {
	Name       string   `cue:",name"`
	Path       string   `cue:",path"`
	Git        string   `cue:"git"`
	Branch     string   `cue:"branch"`
	Rev        string   `cue:"rev"`
	Paths      []string `cue:"paths"`
	Credential string   `cue:"credential"`
}

// Version is what an instance of one Odoo version is made of.
type Version struct {
	Name       string   `cue:",name"`
	Path       string   `cue:",path"`
	Community  string   `cue:"community"`
	Enterprise string   `cue:"enterprise"`
	Addons     []string `cue:"addons"`
	Pip        []string `cue:"pip"`
	Apt        []string `cue:"apt"`

	// Repositories are its own, in the order of addons_path: what comes first wins.
	Repositories []*Repository
}

// Wkhtmltopdf is the package with patched Qt.
type Wkhtmltopdf struct {
	Version string   `cue:"version"`
	URL     string   `cue:"url"`
	SHA256  string   `cue:"sha256"`
	Fonts   []string `cue:"fonts"`
}

// Releases are the release folders.
type Releases struct {
	Keep int `cue:"keep"`
}

// Packages are the Debian packages beyond those that odoogen needs itself.
type Packages struct {
	Vendors []*Vendor `cue:"vendors"`
	Extra   []string  `cue:"extra"`
}

// Vendor is a package source of a vendor.
type Vendor struct {
	Name        string          `cue:",name"`
	Path        string          `cue:",path"`
	URI         string          `cue:"uri"`
	Suite       string          `cue:"suite"`
	Components  []string        `cue:"components"`
	Key         string          `cue:"key"`
	Fingerprint string          `cue:"fingerprint"`
	Packages    []*NamedVersion `cue:"packages"`
}

// NamedVersion is a package or plugin and the version it is held at.
type NamedVersion struct {
	Name    string `cue:",name"`
	Path    string `cue:",path"`
	Version string `cue:",value"`
}

// Backup says what is saved and for how long. None is the visible choice to save nothing.
type Backup struct {
	None        *NoBackup `cue:"none"`
	Repository  string    `cue:"repository"`
	Storage     *Storage  `cue:"storage"`
	Password    string    `cue:"password"`
	Keep        Keep      `cue:"keep"`
	Nightly     Job       `cue:"nightly"`
	Maintenance Job       `cue:"maintenance"`
	CheckParts  int       `cue:"checkParts"`
	Drill       Job       `cue:"drill"`
	Ping        *Ping     `cue:"ping"`
}

// NoBackup is the reason to save nothing.
type NoBackup struct {
	Reason string `cue:"reason"`
}

// Storage is the machine behind the repository.
type Storage struct {
	Product    string  `cue:"product"`
	SizeTB     float64 `cue:"sizeTB"`
	Monthly    float64 `cue:"monthly"`
	HostKey    string  `cue:"hostKey"`
	Credential string  `cue:"credential"`
}

// Keep is what restic forget keeps.
type Keep struct {
	Daily   int `cue:"daily"`
	Weekly  int `cue:"weekly"`
	Monthly int `cue:"monthly"`
}

// Ping is the dead man's switch.
type Ping struct {
	URL string `cue:"url"`
	Key string `cue:"key"`
}

// Job is work that starts by the calendar.
type Job struct {
	At          Calendar `cue:"at"`
	MaxDuration Span     `cue:"maxDuration"`
	Limits      Limits   `cue:"limits"`
}

// Limits are what a unit may use.
type Limits struct {
	CPUQuota  Percent `cue:"CPUQuota"`
	MemoryMax Size    `cue:"MemoryMax"`
	IOWeight  int     `cue:"IOWeight"`
}

// CI is Jenkins, its agents and the git mirror.
type CI struct {
	HostName string    `cue:"host"`
	Jenkins  Jenkins   `cue:"jenkins"`
	Agents   Agents    `cue:"agents"`
	Mirror   Mirror    `cue:"mirror"`
	Jobs     []*CIJob  `cue:"jobs"`
	Disk     Size      `cue:"disk"`
	Registry *Registry `cue:"registry"`

	Host *Host
}

// Jenkins is the controller.
type Jenkins struct {
	Port      int             `cue:"port"`
	URL       string          `cue:"url"`
	Admin     string          `cue:"admin"`
	AgentKey  string          `cue:"agentKey"`
	DeployKey string          `cue:"deployKey"`
	Plugins   []*NamedVersion `cue:"plugins"`
	Limits    Limits          `cue:"limits"`
	Heap      Size            `cue:"heap"`
}

// Agents are the build agents.
type Agents struct {
	Min       int      `cue:"min"`
	Max       int      `cue:"max"`
	Executors int      `cue:"executors"`
	Labels    []string `cue:"labels"`
	Key       string   `cue:"key"`
	Limits    Limits   `cue:"limits"`
}

// Mirror is the git mirror.
type Mirror struct {
	Every       Span   `cue:"every"`
	MaxDuration Span   `cue:"maxDuration"`
	Port        int    `cue:"port"`
	Disk        Size   `cue:"disk"`
	Limits      Limits `cue:"limits"`
}

// CIJob is a pipeline that starts by the calendar.
type CIJob struct {
	Name           string   `cue:",name"`
	Path           string   `cue:",path"`
	At             Calendar `cue:"at"`
	MaxDuration    Span     `cue:"maxDuration"`
	Agents         int      `cue:"agents"`
	RepositoryName string   `cue:"repository"`
	Script         string   `cue:"script"`

	Repository *Repository
}

// Registry is the place kept for a Docker registry.
type Registry struct {
	Port int  `cue:"port"`
	Disk Size `cue:"disk"`
}

// Observability says where metrics and logs go.
type Observability struct {
	Exporters Exporters `cue:"exporters"`
	Grafana   *Grafana  `cue:"grafana"`
	Interval  Span      `cue:"interval"`
	Alerts    Alerts    `cue:"alerts"`
}

// Exporters are the exporters' ports.
type Exporters struct {
	Node        int `cue:"node"`
	Nginx       int `cue:"nginx"`
	NginxStatus int `cue:"nginxStatus"`
}

// Grafana is Grafana Cloud, reached through Alloy.
type Grafana struct {
	Metrics GrafanaEndpoint `cue:"metrics"`
	Logs    GrafanaEndpoint `cue:"logs"`
	Token   string          `cue:"token"`
	Alloy   int             `cue:"alloy"`
	Plan    GrafanaPlan     `cue:"plan"`
}

// GrafanaEndpoint is where one kind of data goes.
type GrafanaEndpoint struct {
	URL  string `cue:"url"`
	User string `cue:"user"`
}

// GrafanaPlan are the plan's limits.
type GrafanaPlan struct {
	Series int `cue:"series"`
	LogsGB int `cue:"logsGB"`
}

// Alerts say when to raise an alarm.
type Alerts struct {
	DiskPercent        int  `cue:"diskPercent"`
	CertificateDays    int  `cue:"certificateDays"`
	BackupAge          Span `cue:"backupAge"`
	ConnectionsPercent int  `cue:"connectionsPercent"`
}

// Patching says when each host is patched.
type Patching struct {
	Windows []*Window `cue:"windows"`
	Hold    []string  `cue:"hold"`
	Reboot  bool      `cue:"reboot"`
}

// Window is a host's patch window.
type Window struct {
	Name        string   `cue:",name"` // the host
	Path        string   `cue:",path"`
	At          Calendar `cue:"at"`
	MaxDuration Span     `cue:"maxDuration"`
}

// Budget is what a month may cost.
type Budget struct {
	Currency string  `cue:"currency"`
	Monthly  float64 `cue:"monthly"`
	Buffer   Percent `cue:"buffer"`
}

// Targets are what the topology is measured against.
type Targets struct {
	DeployP50     Span `cue:"deployP50"`
	DeployP95     Span `cue:"deployP95"`
	Recovery      Span `cue:"recovery"`
	Restore       Span `cue:"restore"`
	IsolationDays int  `cue:"isolationDays"`
}

// Decision is a decision and what lost against it.
type Decision struct {
	Title   string `cue:"title"`
	Instead string `cue:"instead"`
	Because string `cue:"because"`
}

// Waiver is a rule that is broken knowingly and for a time.
type Waiver struct {
	Rule   string `cue:"rule"`
	At     string `cue:"at"` // a CUE path that holds the places where it may be broken, or empty for all
	Reason string `cue:"reason"`
	Until  string `cue:"until"` // the last day, 2026-11-23

	Path     string
	Place    Place    // where the spec says it
	Problems Problems // what it waives; of none there is nothing to accept
}

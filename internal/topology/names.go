package topology

// Paths on a host that more than one file names.
const (
	// Current is the generation that the host runs.
	Current = "/etc/odoogen/current"
	// Bin holds the generation's scripts.
	Bin = Current + "/bin"
	// State is what outlives generations: ledger, secrets, certificates, dumps.
	State = "/var/lib/odoogen"
	// Secrets holds one file per secret, root's alone.
	Secrets = State + "/secrets"
	// Dumps is the staging area of backups: one raw dump at a time.
	Dumps = State + "/dumps"
	// TLS holds a folder per instance: its certificate and key.
	TLS = State + "/tls"
	// Metrics is where node_exporter's textfile collector reads (Debian's default).
	Metrics = "/var/lib/prometheus/node-exporter"
	// Webroot is where certbot answers the certificate authority.
	Webroot = "/var/www/acme"
	// MirrorDir holds the git mirrors: on the CI host those that it fetches, on the others those that a deploy
	// pushes to, so that a release needs no connection back to CI.
	MirrorDir = "/srv/git"
	// Requests is where a deploy says what an updater is to do; gone after a boot, as the deploy is.
	Requests = "/run/odoogen/update"
	// Home holds the home directories of persons and of the deploy user.
	Home = "/home"
	// SocketDir is where all clusters of a host have their sockets, apart by port.
	SocketDir = "/run/postgresql"
)

// Units of odoogen's own. Each runs below odoogen.target, which is all that is enabled on a host.
const (
	Target    = "odoogen.target"
	OdooSlice = "odoo.slice"         // all instances
	JobsSlice = "odoogen-jobs.slice" // work by the calendar

	UsersUnit    = "odoogen-users.service" // users, groups and directories, after a change of them
	Firewall     = "odoogen-nftables.service"
	VSwitchUnit  = "odoogen-vswitch.service" // where ifupdown owns the uplink
	BackupUnit   = "odoogen-backup.service"
	BackupCare   = "odoogen-backup-maintenance.service"
	DrillUnit    = "odoogen-drill.service"
	MirrorUnit   = "odoogen-mirror.service"
	GitDaemon    = "odoogen-git-daemon.service"
	PatchUnit    = "odoogen-patch.service"
	MetricsUnit  = "odoogen-metrics.service" // ages of backups and certificates, for node_exporter
	NodeExporter = "prometheus-node-exporter.service"
	NginxUnit    = "nginx.service"
	NginxMetrics = "prometheus-nginx-exporter.service"
	JenkinsUnit  = "jenkins.service"
	AlloyUnit    = "alloy.service"
	SSHUnit      = "ssh.service"

	PingTemplate     = "odoogen-ping@.service"     // tells how a job ended
	VenvTemplate     = "odoogen-venv@.service"     // makes the Python environment of a version
	PostgresTemplate = "odoogen-postgres@.service" // makes a cluster's roles and databases

	CertificatesUnit = "odoogen-certificates.service"       // self-signed, so that nginx starts
	FirstReleaseUnit = "odoogen-first-release.service"      // what an instance without a release runs
	IssueUnit        = "odoogen-certificates-issue.service" // from the certificate authority
)

// Users beside those of the instances.
const (
	// GitUser owns the mirrors on the CI host.
	GitUser = "odoogen-git"
	// PrometheusUser runs Debian's exporters, and is their role in every cluster.
	PrometheusUser = "prometheus"
)

// Timer is the timer of a service.
func Timer(service string) string { return service[:len(service)-len("service")] + "timer" }

// SecretFile is where a secret's value lies on a host: for LoadCredential, never for an environment.
func SecretFile(name string) string { return Secrets + "/" + name }

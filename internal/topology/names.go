package topology

// Paths on a host that more than one file names.
const (
	// Current is the generation that the host runs.
	Current = "/etc/odoogen/current"
	// State is what outlives generations: ledger, secrets, certificates.
	State = "/var/lib/odoogen"
	// Secrets holds one file per secret, root's alone.
	Secrets = State + "/secrets"
)

package topology

import (
	"net/url"
	"strconv"
	"strings"
)

// Place is the machine and the account of the repository, and its SSH port.
func (b *Backup) Place() (user, host string, port int) {
	u, err := url.Parse(b.Repository)
	if err != nil || u.User == nil {
		panic("topology: backup.repository is no address, which the schema refuses: " + b.Repository)
	}
	port = 22
	if n, err := strconv.Atoi(u.Port()); err == nil {
		port = n
	}
	return u.User.Username(), u.Hostname(), port
}

// RepositoryOf is the host's own repository: what prunes one must not wait for another, and no host can read or
// remove what is another's by mistake.
func (b *Backup) RepositoryOf(h *Host) string {
	return strings.TrimRight(b.Repository, "/") + "/" + h.Name
}

// BackedUp are the host's instances that are backed up.
func (h *Host) BackedUp() []*Instance {
	var saved []*Instance
	for _, i := range h.Instances {
		if i.Backup {
			saved = append(saved, i)
		}
	}
	return saved
}

package topology

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Secret is a value that the host needs and no tree holds.
type Secret struct {
	Name      string
	Path      string   // where the spec names it
	Consumers []string // the units that read it, restarted when it changes
	SSHKey    bool     // it is a private key of SSH, else a word
}

// SecretsOf are the secrets that the host needs, sorted by name.
func (t *Topology) SecretsOf(h *Host) []Secret {
	var all []Secret
	add := func(name, path string, consumers ...string) *Secret {
		for n := range all {
			if all[n].Name == name {
				for _, c := range consumers {
					if !slices.Contains(all[n].Consumers, c) {
						all[n].Consumers = append(all[n].Consumers, c)
					}
				}
				return &all[n]
			}
		}
		all = append(all, Secret{Name: name, Path: path, Consumers: consumers})
		return &all[len(all)-1]
	}
	addKey := func(name, path string, consumers ...string) { add(name, path, consumers...).SSHKey = true }
	if b := &t.Backup; b.None == nil {
		jobs := []string{BackupUnit, BackupCare}
		if h.RunsOdoo() {
			jobs = append(jobs, DrillUnit)
		}
		add(b.Password, "backup.password", jobs...)
		if b.Storage != nil {
			addKey(b.Storage.Credential, "backup.storage.credential", jobs...)
		}
		if b.Ping != nil {
			add(b.Ping.Key, "backup.ping.key", jobs...)
		}
	}
	if ci := h.CI; ci != nil {
		add(ci.Jenkins.Admin, "ci.jenkins.admin", JenkinsUnit)
		addKey(ci.Jenkins.AgentKey, "ci.jenkins.agentKey", JenkinsUnit)
		addKey(ci.Jenkins.DeployKey, "ci.jenkins.deployKey", JenkinsUnit)
	}
	if t.Fetches(h) {
		for _, r := range t.Mirrors(h) {
			if r.Credential != "" {
				addKey(r.Credential, r.Path+".credential", MirrorUnit)
			}
		}
	}
	if o := t.Observability; o != nil && o.Grafana != nil {
		add(o.Grafana.Token, "observability.grafana.token", AlloyUnit)
	}
	slices.SortFunc(all, func(a, b Secret) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Secrets are those of all hosts, sorted by name.
func (t *Topology) Secrets() []Secret {
	byName := map[string]Secret{}
	for _, h := range t.Hosts {
		for _, s := range t.SecretsOf(h) {
			if _, has := byName[s.Name]; !has {
				byName[s.Name] = s
			}
		}
	}
	return slices.SortedFunc(maps.Values(byName), func(a, b Secret) int { return strings.Compare(a.Name, b.Name) })
}

// Secret finds one by its name.
func (t *Topology) Secret(name string) (Secret, error) {
	known := map[string]Secret{}
	for _, s := range t.Secrets() {
		known[s.Name] = s
	}
	s, ok := known[name]
	if !ok {
		return Secret{}, fmt.Errorf("the spec names no secret %q\nhint: %s", name, nearest(name, known))
	}
	return s, nil
}

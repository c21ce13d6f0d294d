package push

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"odoogen/internal/artifact"
)

// Move is data whose place the spec has changed, and says so. A push brings up the new place, empty, and leaves the old
// one as it is, stopped; who moves the data is a person.
type Move struct {
	Host  string   `json:"host"` // that has the new place
	What  string   `json:"what"` // "instance qa17", "cluster main"
	From  string   `json:"from"`
	To    string   `json:"to"`
	Steps []string `json:"steps,omitempty"` // the commands that move it, for root on the new host
}

// Refusal is a change that would leave data behind without a word.
type Refusal struct {
	Path string `json:"path"` // of the spec
	Why  string `json:"why"`
	Hint string `json:"hint"`
}

// clusterAt is a cluster where it stands; its data directory is host, version and name.
type clusterAt struct {
	host string
	artifact.Cluster
}

func (c clusterAt) place() string { return c.host + ":" + c.ID() }

type instanceAt struct {
	host string
	artifact.Instance
}

func (i instanceAt) place() string {
	return fmt.Sprintf("%s: %s, database %s in %s", i.host, i.Name, i.Database, i.Cluster)
}

// moves compares where data is with where the spec wants it. A cluster is its host, version and name; an instance is its
// name, cluster and database. What was nowhere before is new and what is nowhere any more is an orphan; the same thing at
// another place must say `moved`.
type moves struct {
	clusters, wantedClusters   []clusterAt
	instances, wantedInstances []instanceAt
	now                        map[string]string // of clusters that were moved, "tests:15/main", to the name that they have now
	all                        bool              // before are all hosts: what they do not have was nowhere

	Moves   []Move
	Refused []Refusal
}

// Moved compares hosts as they are with hosts as they shall be. Those before are all that there were, or some, as a push
// sees them; those after are all.
func Moved(before, after []*artifact.Host, all bool) ([]Move, []Refusal) {
	m := &moves{now: map[string]string{}, all: all}
	for _, h := range before {
		for _, c := range h.Clusters {
			m.clusters = append(m.clusters, clusterAt{h.Host, c})
		}
		for _, i := range h.Instances {
			m.instances = append(m.instances, instanceAt{h.Host, i})
		}
	}
	for _, h := range after {
		for _, c := range h.Clusters {
			m.wantedClusters = append(m.wantedClusters, clusterAt{h.Host, c})
		}
		for _, i := range h.Instances {
			m.wantedInstances = append(m.wantedInstances, instanceAt{h.Host, i})
		}
	}
	for _, c := range m.wantedClusters {
		m.cluster(c)
	}
	for _, i := range m.wantedInstances {
		m.instance(i)
	}
	return m.Moves, m.Refused
}

func (m *moves) refuse(path, hint, format string, args ...any) {
	m.Refused = append(m.Refused, Refusal{path, fmt.Sprintf(format, args...), hint})
}

func (m *moves) cluster(c clusterAt) {
	spec := "clusters." + c.Name
	at := func(host, id string) int {
		return slices.IndexFunc(m.clusters, func(b clusterAt) bool { return b.host == host && b.ID() == id })
	}
	if at(c.host, c.ID()) >= 0 {
		return // where it was; a `moved` that is still there has been seen to
	}
	if from := c.MovedFrom; from != nil {
		id := fmt.Sprintf("%d/%s", from.Version, from.Name)
		was := at(from.Host, id)
		if was < 0 {
			if m.all {
				m.refuse(spec+".moved", "it had "+places(m.clusters), "there was no cluster %s on %s", id, from.Host)
			}
			return
		}
		m.now[m.clusters[was].place()] = c.Name
		m.Moves = append(m.Moves, Move{Host: c.host, What: "cluster " + c.Name, From: m.clusters[was].place(), To: c.place()})
		return
	}
	was := slices.IndexFunc(m.clusters, func(b clusterAt) bool { return b.Name == c.Name })
	if was < 0 {
		return // new
	}
	var said []string
	if b := m.clusters[was]; b.host != c.host {
		said = append(said, fmt.Sprintf("host: %q", b.host))
	}
	if b := m.clusters[was]; b.Version != c.Version {
		said = append(said, fmt.Sprintf("version: %d", b.Version))
	}
	m.refuse(spec, "its data stays where it is until it is moved: moved: from: {"+strings.Join(said, ", ")+"}",
		"its data is in %s, and it shall be %s", m.clusters[was].place(), c.place())
}

func places(all []clusterAt) string {
	words := make([]string, len(all))
	for i, c := range all {
		words[i] = c.place()
	}
	return strings.Join(words, ", ")
}

// clusterOf is the place of the cluster that an instance was in.
func (m *moves) clusterOf(i instanceAt) string {
	for _, c := range m.clusters {
		if c.host == i.host && c.Name == i.Cluster {
			return c.place()
		}
	}
	return ""
}

// clusterNow is the name that an instance's cluster has now.
func (m *moves) clusterNow(i instanceAt) string {
	if name, moved := m.now[m.clusterOf(i)]; moved {
		return name
	}
	return i.Cluster
}

func (m *moves) instance(i instanceAt) {
	spec := "instances." + i.Name
	named := func(name string) int {
		return slices.IndexFunc(m.instances, func(b instanceAt) bool { return b.Name == name })
	}
	was := named(i.Name)
	if was >= 0 && m.clusterNow(m.instances[was]) == i.Cluster && m.instances[was].Database == i.Database {
		if m.instances[was].host != i.host || m.instances[was].Cluster != i.Cluster {
			if _, said := m.now[m.clusterOf(m.instances[was])]; said {
				m.move(m.instances[was], i) // along with its cluster
			}
		}
		return
	}
	if i.MovedFrom != nil {
		m.said(i, spec, named(i.MovedFrom.Name))
		return
	}
	if was >= 0 {
		var said []string
		b := m.instances[was]
		if m.clusterNow(b) != i.Cluster {
			said = append(said, fmt.Sprintf("cluster: %q", b.Cluster))
		}
		if b.Database != i.Database {
			said = append(said, fmt.Sprintf("database: %q", b.Database))
		}
		m.refuse(spec, "its data stays where it is until it is moved: moved: from: {"+strings.Join(said, ", ")+"}",
			"its data is database %s in %s, and it shall be %s in %s", b.Database, b.Cluster, i.Database, i.Cluster)
		return
	}
	for _, b := range m.instances {
		left := !slices.ContainsFunc(m.wantedInstances, func(w instanceAt) bool { return w.Name == b.Name })
		sameData := m.clusterNow(b) == i.Cluster && b.Database == i.Database
		if left && (sameData || b.Domain == i.Domain) {
			what := "the domain"
			if sameData {
				what = "the database"
			}
			m.refuse(spec, fmt.Sprintf("moved: from: name: %q; or another domain and database, where it is another instance", b.Name),
				"it has %s of %s, which left the spec", what, b.Name)
			return
		}
	}
}

// said holds what an instance says of its move against where its data was.
func (m *moves) said(i instanceAt, spec string, was int) {
	from := i.MovedFrom
	if was < 0 {
		if m.all {
			m.refuse(spec+".moved", "", "there was no instance %s", from.Name)
		}
		return
	}
	b := m.instances[was]
	cluster := from.Cluster
	switch {
	case cluster == "" && m.clusterNow(b) != i.Cluster, cluster != "" && cluster != b.Cluster:
		m.refuse(spec+".moved", fmt.Sprintf("moved: from: cluster: %q", b.Cluster), "the data of %s is in %s", b.Name, b.Cluster)
	case from.Database == "" && from.Name == i.Name && b.Database != i.Database, from.Database != "" && from.Database != b.Database:
		m.refuse(spec+".moved", fmt.Sprintf("moved: from: database: %q", b.Database), "the data of %s is database %s", b.Name, b.Database)
	case slices.ContainsFunc(m.wantedInstances, func(w instanceAt) bool { return w.Name == from.Name && from.Name != i.Name }):
		m.refuse(spec+".moved", "", "%s is in the spec itself", from.Name)
	default:
		m.move(b, i)
	}
}

// move notes a move, and the commands for it.
func (m *moves) move(b, i instanceAt) {
	m.Moves = append(m.Moves, Move{Host: i.host, What: "instance " + i.Name, From: b.place(), To: i.place(), Steps: m.steps(b, i)})
}

// steps are the commands that move an instance's data, for root on its new host. Names in them are of the schema's
// letters: none needs a quote.
func (m *moves) steps(b, i instanceAt) []string {
	id := func(all []clusterAt, at instanceAt) string {
		for _, c := range all {
			if c.host == at.host && c.Name == at.Cluster {
				return c.ID()
			}
		}
		return at.Cluster
	}
	remote := ""
	if b.host != i.host {
		remote = "ssh " + b.host + " sudo "
	}
	dump := fmt.Sprintf("%srunuser -u postgres -- pg_dump --cluster %s --format custom %s", remote, id(m.clusters, b), b.Database)
	restore := fmt.Sprintf("runuser -u %s -- pg_restore --cluster %s --dbname %s --no-owner --no-comments --exit-on-error",
		i.Role, id(m.wantedClusters, i), i.Database)
	steps := []string{dump + " | " + restore}
	if _, left := m.now[m.clusterOf(b)]; left {
		file := "/root/" + b.Database + ".dump"
		steps = []string{"# before the push, which stops the cluster", remote + "systemctl stop " + b.Unit, dump + " >" + file,
			"# after it", restore + " <" + file}
	}
	copied := false
	tree := func(from, to string) {
		if copied = from != to || remote != ""; copied {
			steps = append(steps, fmt.Sprintf("mkdir -p %s && %star -C %s -c . | tar -C %s -x", to, remote, from, to))
		}
	}
	tree(path.Join(b.DataDir, "filestore", b.Database), path.Join(i.DataDir, "filestore", i.Database))
	if copied {
		steps = append(steps, fmt.Sprintf("chown -R %s: %s", i.Role, path.Join(i.DataDir, "filestore")))
	}
	tree(path.Dir(b.Releases), path.Dir(i.Releases))
	return append(steps, fmt.Sprintf("mkdir -p %s && touch %s", path.Dir(i.HeldUntil), i.HeldUntil), "systemctl start "+i.Unit)
}

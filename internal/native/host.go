package native

import (
	"encoding/json"
	"errors"
	"fmt"

	"odoogen/internal/artifact"
)

// host is what HOST.json says that the checkers need: what stands on the host beside the tree.
type host struct {
	FQDN      string
	Debian    int
	Doors     []door
	Absent    []string
	Clusters  []cluster
	Databases []database
	Vendors   []struct{ Keyring string }
	Units     []string

	taken []string // places of the spec's own files at which there is something else
}

// door is a permanent way from where a daemon looks into the generation: a link, or a file of constant content.
type door struct{ Path, Link, Content, Mode string }

// cluster is a PostgreSQL cluster, as pg_createcluster makes it.
type cluster struct {
	Name            string
	Version, Port   int
	SocketDirectory string
}

// database is one that a role owns, which is also the operating system's user that connects.
type database struct{ Cluster, Database, Role string }

// hostOf reads the tree's HOST.json.
func hostOf(t *artifact.Tree) (*host, error) {
	f := t.File("HOST.json")
	if f == nil {
		return nil, errors.New("the tree has no HOST.json")
	}
	var h host
	if err := json.Unmarshal(f.Data, &h); err != nil {
		return nil, fmt.Errorf("HOST.json: %w", err)
	}
	return &h, nil
}

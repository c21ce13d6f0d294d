package native

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"

	"odoogen/internal/artifact"
)

// Vetter runs the checkers over many trees, and has nothing read twice: the files of a class that stand in the same
// surroundings as some that were accepted are accepted.
type Vetter struct {
	lower string

	mu       sync.Mutex
	accepted map[digest][]string // what the checkers noted of them
	clusters map[int]string      // a new data directory of each version of PostgreSQL, as tar
}

// NewVetter makes one that works over a copy-on-write view of lower: "/" for this machine, or the directory of another
// Debian system.
func NewVetter(lower string) *Vetter {
	return &Vetter{lower: lower, accepted: map[digest][]string{}, clusters: map[int]string{}}
}

type digest [sha256.Size]byte

// reading is a class's files in one tree: what is left to be read, and by which digests it is known afterwards.
type reading struct {
	claimed
	of      int // how many files the class has
	digests []digest
	notes   []string // of those that were accepted before
}

// unread takes from a class the files that were accepted before, group by group.
func (v *Vetter) unread(h *host, t *artifact.Tree, c claimed) reading {
	r := reading{claimed: claimed{class: c.class}, of: len(c.files)}
	groups := [][]*artifact.File{c.files}
	if c.class.groups != nil {
		groups = c.class.groups(c.files)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, files := range groups {
		d := digestOf(h, t, c.class, files)
		if notes, known := v.accepted[d]; known {
			r.notes = append(r.notes, notes...)
			continue
		}
		for _, f := range files {
			if !slices.Contains(r.files, f) {
				r.files = append(r.files, f)
			}
		}
		r.digests = append(r.digests, d)
	}
	return r
}

// accept remembers what a checker found nothing wrong with.
func (v *Vetter) accept(r reading, res Result) {
	if len(res.Problems) > 0 {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, d := range r.digests {
		v.accepted[d] = res.Notes
	}
}

// fresh is the data directory of a cluster that nobody has started yet, as tar, if one was kept.
func (v *Vetter) fresh(version int) (tar string, known bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	tar, known = v.clusters[version]
	return tar, known
}

func (v *Vetter) keep(version int, tar string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.clusters[version] = tar
}

// digestOf stands for files of a class and all that their checker looks at beside them.
func digestOf(h *host, t *artifact.Tree, c *Class, files []*artifact.File) digest {
	sum := sha256.New()
	add := func(v ...any) { _ = json.NewEncoder(sum).Encode(v) }
	add(c.Name, h.Debian)
	for _, f := range files {
		add(f.Path, f.Mode, f.Data)
	}
	if c.beside != nil {
		c.beside(h, t, files, add)
	}
	return digest(sum.Sum(nil))
}

// Groups of a class's files that are judged by themselves.

// each file stands for itself.
func each(files []*artifact.File) [][]*artifact.File {
	groups := make([][]*artifact.File, len(files))
	for i, f := range files {
		groups[i] = []*artifact.File{f}
	}
	return groups
}

// byFolder groups the files of a folder, such as a cluster's, or a unit with its drop-ins. Files beside the folders are
// everybody's.
func byFolder(below string, name func(path string) string) func([]*artifact.File) [][]*artifact.File {
	return func(files []*artifact.File) [][]*artifact.File {
		var shared []*artifact.File
		folders := map[string][]*artifact.File{}
		for _, f := range files {
			if folder := name(strings.TrimPrefix(f.Path, below)); folder == "" {
				shared = append(shared, f)
			} else {
				folders[folder] = append(folders[folder], f)
			}
		}
		var groups [][]*artifact.File
		for _, folder := range slices.Sorted(maps.Keys(folders)) {
			groups = append(groups, slices.Concat(shared, folders[folder]))
		}
		if len(groups) == 0 {
			groups = append(groups, shared)
		}
		return groups
	}
}

// clusterOf is the folder that a file lies in, or empty.
func clusterOf(path string) string {
	folder, _, below := strings.Cut(path, "/")
	if !below {
		return ""
	}
	return folder
}

// unitOf is the unit that a file belongs to: its own name, or that of the folder of drop-ins.
func unitOf(path string) string {
	name, _, _ := strings.Cut(path, "/")
	return strings.TrimSuffix(name, ".d")
}

// What checkers look at beside the files of their class.

// doorsAndUsers are the doors that lead to the files, what is taken away, the users, and files of the spec's own, which
// a program may include.
func doorsAndUsers(h *host, t *artifact.Tree, files []*artifact.File, add func(...any)) {
	folders := map[string]bool{}
	for _, f := range files {
		folder, _, _ := strings.Cut(f.Path, "/")
		folders[current+"/"+folder] = true
	}
	for _, d := range h.Doors {
		for folder := range folders {
			if strings.Contains(d.Link+" "+d.Content, folder) {
				add(d)
			}
		}
	}
	add(h.Absent)
	for _, f := range t.Files {
		if strings.HasPrefix(f.Path, "sysusers.d/") || strings.HasPrefix(f.Path, "files/") {
			add(f.Path, f.Mode, f.Data)
		}
	}
}

// clustersAndUsers are the clusters whose files these are, and the instances on them.
func clustersAndUsers(h *host, t *artifact.Tree, files []*artifact.File, add func(...any)) {
	doorsAndUsers(h, t, nil, add)
	for _, c := range h.Clusters {
		if !slices.ContainsFunc(files, func(f *artifact.File) bool { return strings.HasPrefix(f.Path, "postgresql/"+c.Name+"/") }) {
			continue
		}
		add(c)
		for _, d := range h.Doors {
			if strings.HasPrefix(d.Path, "/etc/postgresql/") && strings.Contains(d.Path, "/"+c.Name+"/") {
				add(d)
			}
		}
		for _, i := range h.Instances {
			if i.Cluster == c.Name {
				add(i)
			}
		}
	}
}

// whatUnitsName are the files of the tree that units speak of, users that they run as, and the instances of templates.
func whatUnitsName(h *host, t *artifact.Tree, files []*artifact.File, add func(...any)) {
	for _, f := range files {
		for i := range t.Files {
			if other := &t.Files[i]; bytes.Contains(f.Data, []byte("/"+other.Path)) {
				add(other.Path)
			}
		}
		if name := unitOf(strings.TrimPrefix(f.Path, "systemd/system/")); strings.Contains(name, "@.") {
			add(instances(t, name))
		}
	}
}

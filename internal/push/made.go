package push

import (
	"fmt"
	"path"
	"slices"

	"odoogen/internal/artifact"
)

// Thing is something of a host that outlives every generation. A host keeps a record of those that a push has made: what
// was there before is somebody else's, whatever the spec says of it.
type Thing struct {
	Kind string `json:"kind"`         // cluster, database, role, user, directory, certificate or secret
	Name string `json:"name"`         // of a cluster "15/main", of a directory its path
	In   string `json:"in,omitempty"` // the cluster of a database or role, "15/main"
	Of   string `json:"of,omitempty"` // the instance that it was made for
}

func (t Thing) String() string {
	if t.In != "" {
		return fmt.Sprintf("%s %s in %s", t.Kind, t.Name, t.In)
	}
	return t.Kind + " " + t.Name
}

// same tells whether two are one, whoever they are for.
func (t Thing) same(o Thing) bool { return t.Kind == o.Kind && t.Name == o.Name && t.In == o.In }

// things are all that a host's HOST.json asks to have.
func things(h *artifact.Host) []Thing {
	var all []Thing
	ids := map[string]string{}
	for _, c := range h.Clusters {
		ids[c.Name] = c.ID()
		all = append(all, Thing{Kind: "cluster", Name: c.ID()})
	}
	for _, i := range h.Instances {
		all = append(all, Thing{"database", i.Database, ids[i.Cluster], i.Name}, Thing{"role", i.Role, ids[i.Cluster], i.Name},
			Thing{"directory", i.DataDir, "", i.Name}, Thing{"directory", path.Dir(i.Releases), "", i.Name}, Thing{"certificate", i.Name, "", i.Name}, Thing{"user", i.Role, "", i.Name})
	}
	for _, user := range h.Users {
		if t := (Thing{Kind: "user", Name: user}); !within(t, all) {
			all = append(all, t)
		}
	}
	return all
}

func within(t Thing, all []Thing) bool { return slices.ContainsFunc(all, t.same) }

// without are those that none of the others is.
func without(all, others []Thing) []Thing {
	return slices.DeleteFunc(slices.Clone(all), func(t Thing) bool { return within(t, others) })
}

// left are those of a host that neither the generation which runs nor the new one asks to have. What lies in a cluster
// that is left goes with it. A secret that a push has brought is not among them: the next one takes it away.
func left(seen *Observation, before, after *artifact.Host) []Thing {
	all := without(seen.Made, slices.Concat(things(before), things(after)))
	for _, name := range seen.Lying {
		_, given := seen.Given[name]
		read := slices.ContainsFunc(slices.Concat(before.Secrets, after.Secrets), func(s artifact.Secret) bool { return s.Name == name })
		if !given && !read {
			all = append(all, Thing{Kind: "secret", Name: name})
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(t Thing) bool { return t.In != "" && within(Thing{Kind: "cluster", Name: t.In}, all) })
}

// orphans are what the host has made and the spec no longer asks for, as people count it: an instance with all that is its
// own is one.
func orphans(made []Thing, after *artifact.Host) []Kept {
	wanted := things(after)
	var all []Kept
	at := map[string]int{} // of instances that left
	for _, t := range without(made, wanted) {
		cluster := path.Base(t.In)
		switch n, seen := at[t.Of]; {
		case t.Kind == "cluster":
			all = append(all, Kept{"cluster", t.Name, []string{"/var/lib/postgresql/" + t.Name}})
		case t.Of == "":
			all = append(all, Kept{Kind: t.Kind, Name: t.Name})
		case slices.ContainsFunc(after.Instances, func(i artifact.Instance) bool { return i.Name == t.Of }):
			if t.Kind == "database" {
				all = append(all, Kept{Kind: t.Kind, Name: t.Name + " in " + cluster})
			} else if t.Kind == "directory" {
				all = append(all, Kept{Kind: t.Kind, Name: t.Name})
			}
		default:
			if !seen {
				n = len(all)
				at[t.Of] = n
				all = append(all, Kept{Kind: "instance", Name: t.Of})
			}
			switch t.Kind {
			case "database":
				all[n].Data = append(all[n].Data, fmt.Sprintf("database %s in %s", t.Name, cluster))
			case "directory":
				all[n].Data = append(all[n].Data, t.Name)
			}
		}
	}
	return all
}

// layer is what of a host must be odoogen's that it makes such a thing, as HOST.json's manage has it.
func (t Thing) layer() string {
	switch t.Kind {
	case "user", "directory":
		return "users"
	case "certificate":
		return "nginx"
	}
	return "postgresql"
}

// made adds what the new generation makes and the host's record does not have: the host notes what of it is not there yet.
func (f *facts) made(h *artifact.Host, recorded []Thing) {
	for _, t := range without(things(h), recorded) {
		if slices.Contains(h.Manage, t.layer()) {
			f.add("made", t.Kind, t.Name, t.In, t.Of)
		}
	}
}

// parseThing reads the words of a line of the record.
func parseThing(words []string) (Thing, bool) {
	if len(words) != 4 {
		return Thing{}, false
	}
	full := func(w string) string {
		if w == "-" {
			return ""
		}
		return w
	}
	return Thing{words[0], words[1], full(words[2]), full(words[3])}, true
}

package push

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"odoogen/internal/artifact"
)

// Thing is something of a host that outlives every generation. A host keeps a record of those that a push has made: what
// was there before is somebody else's, whatever the spec says of it.
type Thing struct {
	Kind string `json:"kind"`         // cluster, database, role, user, directory or certificate
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

// unasked are those of a host's record that none of its HOST.jsons asks to have, in the order in which they can be removed: no role
// goes that owns a database. What lies in a cluster that is one goes with it.
func unasked(made []Thing, hosts ...*artifact.Host) []Thing {
	var asked []Thing
	for _, h := range hosts {
		asked = append(asked, things(h)...)
	}
	all := without(made, asked)
	left := slices.DeleteFunc(slices.Clone(all), func(t Thing) bool { return t.In != "" && within(Thing{Kind: "cluster", Name: t.In}, all) })
	owned := func(t Thing) bool { return t.Kind == "database" || t.Kind == "cluster" }
	return slices.Concat(slices.DeleteFunc(slices.Clone(left), func(t Thing) bool { return !owned(t) }), slices.DeleteFunc(left, owned))
}

// orphans are things that are unasked, as people count them: of an instance that the spec no longer has, all are one.
func orphans(unasked []Thing, after *artifact.Host) []Kept {
	var all []Kept
	at := map[string]int{} // of instances that left
	for _, t := range unasked {
		n, seen := at[t.Of]
		switch {
		case t.Kind == "cluster":
			all = append(all, Kept{t.Kind, t.Name, []string{"/var/lib/postgresql/" + t.Name}})
			continue
		case t.Of == "" || slices.ContainsFunc(after.Instances, func(i artifact.Instance) bool { return i.Name == t.Of }):
			all = append(all, Kept{Kind: t.Kind, Name: strings.TrimPrefix(t.String(), t.Kind+" ")})
			continue
		case !seen:
			n = len(all)
			at[t.Of] = n
			all = append(all, Kept{Kind: "instance", Name: t.Of})
		}
		all[n].Data = append(all[n].Data, t.String())
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

// makes are those of its things that odoogen makes on a host: not what is of a layer of somebody else's.
func makes(h *artifact.Host) []Thing {
	return slices.DeleteFunc(things(h), func(t Thing) bool { return !slices.Contains(h.Manage, t.layer()) })
}

// made adds what the new generation makes and the host's record does not have: the host notes what of it is not there yet.
func (f *facts) made(h *artifact.Host, recorded []Thing) {
	for _, t := range without(makes(h), recorded) {
		f.add("made", t.Kind, t.Name, t.In, t.Of)
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

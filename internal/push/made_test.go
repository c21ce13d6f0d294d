package push

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"odoogen/internal/artifact"
)

// What pushes have made is an orphan when the spec no longer asks for it, and can be purged when the generation that runs
// does not either. What somebody else has made is never in the record.
func TestOrphans(t *testing.T) {
	main := artifact.Cluster{Name: "main", Version: 15}
	qa := artifact.Instance{Name: "qa", Cluster: "main", Database: "qa", Role: "odoo-qa", DataDir: "/d/qa", Releases: "/r/qa/releases"}
	ba := artifact.Instance{Name: "ba", Cluster: "main", Database: "ba", Role: "odoo-ba", DataDir: "/d/ba", Releases: "/r/ba/releases"}
	other := qa
	other.Database = "qa-new"
	second, moved := artifact.Cluster{Name: "second", Version: 15}, qa
	moved.Cluster = "second"
	gone := []string{"database qa in 15/main", "role odoo-qa in 15/main", "directory /d/qa", "directory /r/qa", "certificate qa", "user odoo-qa"}
	whole := &artifact.Host{Clusters: []artifact.Cluster{main}, Instances: []artifact.Instance{qa, ba}, Users: []string{"anna", "odoo-qa", "odoo-ba"}}
	of := func(clusters []artifact.Cluster, users []string, instances ...artifact.Instance) *artifact.Host {
		return &artifact.Host{Clusters: clusters, Users: users, Instances: instances}
	}
	for _, c := range []struct {
		name          string
		made          []Thing
		before, after *artifact.Host
		orphans       []Kept
		left          []string
	}{
		{"all is asked for", things(whole), whole, whole, nil, nil},
		{"an instance is about to leave", things(whole), whole, of([]artifact.Cluster{main}, []string{"anna", "odoo-ba"}, ba),
			[]Kept{{"instance", "qa", gone}}, nil},
		{"an instance has left", things(whole), of([]artifact.Cluster{main}, nil, ba), of([]artifact.Cluster{main}, []string{"anna"}, ba),
			[]Kept{{"instance", "qa", gone}}, gone},
		{"what was there before is nobody's orphan", things(of([]artifact.Cluster{main}, nil, ba)), of(nil, nil), of(nil, nil),
			[]Kept{{"cluster", "15/main", []string{"/var/lib/postgresql/15/main"}}, {"instance", "ba", []string{"directory /d/ba", "directory /r/ba", "certificate ba", "user odoo-ba"}}},
			[]string{"cluster 15/main", "directory /d/ba", "directory /r/ba", "certificate ba", "user odoo-ba"}}, // with its databases
		{"an instance has another database", things(whole), of([]artifact.Cluster{main}, []string{"anna"}, other, ba), of([]artifact.Cluster{main}, []string{"anna"}, other, ba),
			[]Kept{{Kind: "database", Name: "qa in 15/main"}}, []string{"database qa in 15/main"}},
		{"an instance was restored, and has left", append(things(whole), Thing{"database", "qa_before", "15/main", "qa"}), of([]artifact.Cluster{main}, nil, ba), of([]artifact.Cluster{main}, []string{"anna"}, ba),
			[]Kept{{"instance", "qa", slices.Insert(slices.Clone(gone), 1, "database qa_before in 15/main")}}, slices.Insert(slices.Clone(gone), 1, "database qa_before in 15/main")}, // which its role owns
		{"an instance has another cluster", things(whole), of([]artifact.Cluster{main, second}, []string{"anna"}, moved, ba), of([]artifact.Cluster{main, second}, []string{"anna"}, moved, ba),
			[]Kept{{Kind: "database", Name: "qa in 15/main"}, {Kind: "role", Name: "odoo-qa in 15/main"}}, []string{"database qa in 15/main", "role odoo-qa in 15/main"}},
		{"a user has left", things(whole), of([]artifact.Cluster{main}, nil, qa, ba), of([]artifact.Cluster{main}, nil, qa, ba),
			[]Kept{{Kind: "user", Name: "anna"}}, []string{"user anna"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.orphans, orphans(unasked(c.made, c.after), c.after)); diff != "" {
				t.Errorf("orphans (-want +got)\n%s", diff)
			}
			var got []string
			for _, thing := range unasked(c.made, c.before, c.after) {
				got = append(got, thing.String())
			}
			if diff := cmp.Diff(c.left, got); diff != "" {
				t.Errorf("left (-want +got)\n%s", diff)
			}
		})
	}
}

// What a layer makes that is somebody else's, odoogen does not make.
func TestWhatAHostIsToNote(t *testing.T) {
	h := &artifact.Host{Manage: []string{"users"}, Users: []string{"anna", "ben"}, Clusters: []artifact.Cluster{{Name: "main", Version: 15}}}
	var f facts
	f.made(h, []Thing{{Kind: "user", Name: "anna"}})
	if got, want := f.b.String(), "made\tuser\tben\t-\t-\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Data that the spec says is to be moved from a place is not purged before that is done.
func TestWhatIsToBeMovedIsNotPurged(t *testing.T) {
	moving := artifact.Instance{Name: "qa", Cluster: "main", Database: "qa-new"}
	moving.MovedFrom = &struct {
		Name     string `json:"name"`
		Cluster  string `json:"cluster"`
		Database string `json:"database"`
	}{Name: "qa", Database: "qa"}
	p := &Push{wanted: []*artifact.Host{{Host: "tests", Instances: []artifact.Instance{moving}}}}
	h := &host{wish: &wish{name: "tests"}, plan: &Plan{Left: []Thing{{"database", "qa", "15/main", "qa"}, {"user", "anna", "", ""}}}}
	const want = "tests: database qa in 15/main: instances.qa.moved says that data is to come from there\nhint: when it has come, take that out of the spec"
	if _, err := p.named(h, nil); err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	moving.Cluster, moving.MovedFrom.Cluster = "second", "main"
	p.wanted[0].Instances[0] = moving
	whole := &host{wish: h.wish, plan: &Plan{Left: []Thing{{Kind: "cluster", Name: "15/main"}}}} // with the database in it
	const all = "tests: cluster 15/main: instances.qa.moved says that data is to come from there\nhint: when it has come, take that out of the spec"
	if _, err := p.named(whole, nil); err == nil || err.Error() != all {
		t.Errorf("got %v", err)
	}
	if all, err := p.named(h, []string{"anna"}); err != nil || len(all) != 1 {
		t.Errorf("anna: %v, %v", all, err)
	}
	if _, err := p.named(h, []string{"ben"}); err == nil || err.Error() != "tests: \"ben\" is no orphan\nhint: its orphans are: database qa in 15/main, user anna" {
		t.Errorf("ben: %v", err)
	}
}

// The host's own script keeps the record, and removes nothing that is not in it. It does so in a mount namespace of its own.
func TestAHostRemovesWhatItHasNoted(t *testing.T) {
	const want = "leased\n" +
		"made: user ours - -;directory /var/lib/ours - qa;\n" +
		"leased\n" +
		"no push has made the user theirs\n" +
		"no push has made the directory /var/lib/theirs\n" +
		"no push has made the directory /\n" +
		"purge\tuser\tours\n" +
		"purge\tdirectory\t/var/lib/ours\n" +
		"no push has made the secret by-hand\n" +
		"purged: \n" +
		"user theirs is there\n" +
		"directory theirs is there\n" +
		"by-hand\n" +
		"about to be: user late - -;directory /var/lib/late - qb;directory /var/lib/soon - qb;\n" +
		"taken back: directory /var/lib/soon - qb;\n" +
		"wanted again: directory /var/lib/soon - qb;directory /var/lib/late - qb;\n" +
		"and not: directory /var/lib/soon - qb;\n" +
		"booted: directory /var/lib/soon - qb;cluster 15/ours - -;database qb 15/ours qb;\n" +
		"asked again: directory /var/lib/soon - qb;cluster 15/ours - -;\n" +
		"confirmed\ttest\n" +
		"purged\tuser ours\n" +
		"purged\tdirectory /var/lib/ours\n" +
		"reverted\t-\n" +
		"reverted\t-\n" +
		"reverted at boot\t-\n"
	hostSays(t, "testdata/made.sh", want)
}

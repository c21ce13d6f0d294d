package push

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"odoogen/internal/artifact"
)

// placed reads hosts as a table has them: "tests | 15/main 15/staging | qa17@main qa19@staging/other". A database is named as
// its instance unless it is said; "<" begins what it was moved from: "qb17@main<name=qa17", "17/main<version=15".
func placed(t *testing.T, text string) []*artifact.Host {
	t.Helper()
	var all []*artifact.Host
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		parts := strings.Split(line, "|")
		host := strings.TrimSpace(parts[0])
		from := func(word string, known map[string]any) (string, map[string]any) {
			word, said, moved := strings.Cut(word, "<")
			if !moved {
				return word, nil
			}
			for pair := range strings.SplitSeq(said, ",") {
				k, v, _ := strings.Cut(pair, "=")
				known[k] = v
				if k == "version" {
					var n int
					fmt.Sscan(v, &n)
					known[k] = n
				}
			}
			return word, known
		}
		var clusters, instances []map[string]any
		for word := range strings.FieldsSeq(parts[1]) {
			version, name, _ := strings.Cut(word, "/")
			name, _, _ = strings.Cut(name, "<")
			var n int
			fmt.Sscan(version, &n)
			_, moved := from(word, map[string]any{"name": name, "host": host, "version": n})
			c := map[string]any{"name": name, "version": n}
			if moved != nil {
				c["movedFrom"] = moved
			}
			clusters = append(clusters, c)
		}
		for word := range strings.FieldsSeq(parts[2]) {
			name, _, _ := strings.Cut(word, "@")
			rest, moved := from(word, map[string]any{"name": name})
			_, rest, _ = strings.Cut(rest, "@")
			cluster, database, said := strings.Cut(rest, "/")
			if !said {
				database = name
			}
			i := map[string]any{"name": name, "cluster": cluster, "database": database, "domain": name + ".example.com", "role": "odoo-" + name,
				"unit": "odoo-" + name + ".service", "dataDir": "/var/lib/odoo/" + name, "releases": "/opt/odoo/instances/" + name + "/releases"}
			if moved != nil {
				i["movedFrom"], i["heldUntil"] = moved, "/var/lib/odoogen/moved/"+name
			}
			instances = append(instances, i)
		}
		data, err := json.Marshal(map[string]any{"host": host, "clusters": clusters, "instances": instances})
		if err != nil {
			t.Fatal(err)
		}
		h := &artifact.Host{}
		if err := json.Unmarshal(data, h); err != nil {
			t.Fatal(err)
		}
		all = append(all, h)
	}
	return all
}

func TestDataThatWouldBeLeftBehind(t *testing.T) {
	const before = "tests | 15/main 15/staging | qa17@main ba19@main/analysts staging17@staging\nci | |"
	for _, c := range []struct {
		name, after   string
		moves, refuse []string
	}{
		{name: "nothing moves", after: before},
		{name: "an instance more", after: "tests | 15/main 15/staging | qa17@main ba19@main/analysts staging17@staging qb17@main\nci | |"},
		{name: "an instance less", after: "tests | 15/main 15/staging | qa17@main staging17@staging\nci | |"},
		{name: "a cluster less", after: "tests | 15/main | qa17@main ba19@main/analysts\nci | |"},
		{name: "another cluster", after: "tests | 15/main 15/staging | qa17@staging ba19@main/analysts staging17@staging\nci | |",
			refuse: []string{`instances.qa17: its data is database qa17 in main, and it shall be qa17 in staging; its data stays where it is until it is moved: moved: from: {cluster: "main"}`}},
		{name: "another database", after: "tests | 15/main 15/staging | qa17@main/other ba19@main/analysts staging17@staging\nci | |",
			refuse: []string{`instances.qa17: its data is database qa17 in main, and it shall be other in main; its data stays where it is until it is moved: moved: from: {database: "qa17"}`}},
		{name: "another name with the same database", after: "tests | 15/main 15/staging | qa17@main people19@main/analysts staging17@staging\nci | |",
			refuse: []string{`instances.people19: it has the database of ba19, which left the spec; moved: from: name: "ba19"; or another domain and database, where it is another instance`}},
		{name: "another version of PostgreSQL", after: "tests | 17/main 15/staging | qa17@main ba19@main/analysts staging17@staging\nci | |",
			refuse: []string{`clusters.main: its data is in tests:15/main, and it shall be tests:17/main; its data stays where it is until it is moved: moved: from: {version: 15}`}},
		{name: "another host", after: "tests | 15/staging | staging17@staging\nmore | 15/main | qa17@main ba19@main/analysts\nci | |",
			refuse: []string{`clusters.main: its data is in tests:15/main, and it shall be more:15/main; its data stays where it is until it is moved: moved: from: {host: "tests"}`}},
		{name: "another cluster, and says so", after: "tests | 15/main 15/staging | qa17@staging<cluster=main ba19@main/analysts staging17@staging\nci | |",
			moves: []string{"instance qa17: tests: qa17, database qa17 in main -> tests: qa17, database qa17 in staging"}},
		{name: "another name, and says so", after: "tests | 15/main 15/staging | qa17@main people19@main<name=ba19 staging17@staging\nci | |",
			moves: []string{"instance people19: tests: ba19, database analysts in main -> tests: people19, database people19 in main"}},
		{name: "another host, and says so", after: "tests | 15/staging | staging17@staging\nmore | 15/main<host=tests | qa17@main ba19@main/analysts\nci | |",
			moves: []string{"cluster main: tests:15/main -> more:15/main",
				"instance qa17: tests: qa17, database qa17 in main -> more: qa17, database qa17 in main",
				"instance ba19: tests: ba19, database analysts in main -> more: ba19, database analysts in main"}},
		{name: "another name of a cluster, and says so", after: "tests | 15/prod<name=main 15/staging | qa17@prod ba19@prod/analysts staging17@staging\nci | |",
			moves: []string{"cluster prod: tests:15/main -> tests:15/prod",
				"instance qa17: tests: qa17, database qa17 in main -> tests: qa17, database qa17 in prod",
				"instance ba19: tests: ba19, database analysts in main -> tests: ba19, database analysts in prod"}},
		{name: "a move that has been reviewed before", after: strings.Replace(before, "qa17@main", "qa17@main<cluster=staging", 1)},
		{name: "says a wrong cluster", after: "tests | 15/main 15/staging 15/more | qa17@more<cluster=staging ba19@main/analysts staging17@staging\nci | |",
			refuse: []string{`instances.qa17.moved: the data of qa17 is in main; moved: from: cluster: "main"`}},
		{name: "says an instance that never was", after: "tests | 15/main 15/staging | qa17@main ba19@main/analysts staging17@staging new17@main<name=nobody\nci | |",
			refuse: []string{"instances.new17.moved: there was no instance nobody; "}},
		{name: "says an instance that is still there", after: "tests | 15/main 15/staging | qa17@main ba19@main/analysts staging17@staging new17@main<name=qa17\nci | |",
			refuse: []string{"instances.new17.moved: qa17 is in the spec itself; "}},
		{name: "says a cluster that never was", after: "tests | 15/main 15/staging 15/more<name=nobody | qa17@main ba19@main/analysts staging17@staging\nci | |",
			refuse: []string{"clusters.more.moved: there was no cluster 15/nobody on tests; it had tests:15/main, tests:15/staging"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			moves, refused := Moved(placed(t, before), placed(t, c.after), true)
			var gotMoves, gotRefused []string
			for _, m := range moves {
				gotMoves = append(gotMoves, m.What+": "+m.From+" -> "+m.To)
			}
			for _, r := range refused {
				gotRefused = append(gotRefused, r.Path+": "+r.Why+"; "+r.Hint)
			}
			if diff := cmp.Diff(c.moves, gotMoves); diff != "" {
				t.Errorf("moves (-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(c.refuse, gotRefused); diff != "" {
				t.Errorf("refused (-want +got)\n%s", diff)
			}
		})
	}
}

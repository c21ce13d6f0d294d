package generators

import (
	"bytes"
	"strings"
	"testing"

	"odoogen/internal/artifact"
)

// Another instance of any class restarts no instance and no cluster that is there: what they derive leaves room.
func TestAnotherInstanceRestartsNothing(t *testing.T) {
	before, err := Build(sample(t))
	if err != nil {
		t.Fatal(err)
	}
	const first = `instances: qa17: #Instance`
	for _, added := range []string{
		`instances: qb17: #Instance & {class: "qa", version: "17.0", http_port: 8027, domain: "qb17.example.com"}`,
		`instances: bb19: #Instance & {class: "ba", version: "19.0", http_port: 8129, domain: "bb19.example.com"}`,
		`instances: sb19: #Instance & {class: "staging", version: "19.0", http_port: 8229, domain: "sb19.example.com"}`,
	} {
		name := strings.Fields(added)[1]
		t.Run(strings.TrimSuffix(name, ":"), func(t *testing.T) {
			after, err := Build(sample(t, first, added+"\n"+first))
			if err != nil {
				t.Fatal(err)
			}
			for n, tree := range after {
				for _, f := range tree.Files {
					old := before[n].File(f.Path)
					if old == nil || bytes.Equal(old.Data, f.Data) {
						continue
					}
					for _, e := range f.Effects {
						if restarts(e) {
							t.Errorf("%s/%s changes: %s", tree.Host, f.Path, e)
						}
					}
				}
			}
		})
	}
}

// restarts tells whether an effect stops something that people or databases wait for; a timer is no such thing.
func restarts(e artifact.Effect) bool {
	return strings.HasPrefix(string(e), "restart:") && !strings.HasSuffix(string(e), ".timer")
}

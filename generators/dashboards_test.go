package generators

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"odoogen/internal/topology"
)

type grafanaPanel struct {
	ID      int
	Type    string
	Title   string
	GridPos struct{ X, Y, W, H int }
	Targets []struct{ Expr string }
}

type grafanaDashboard struct {
	UID    string
	Title  string
	Panels []grafanaPanel
}

func dashboards(t *testing.T, spec *topology.Topology, host string) map[string]grafanaDashboard {
	t.Helper()
	all := map[string]grafanaDashboard{}
	for path, text := range generated(t, Dashboards, spec, host) {
		var d grafanaDashboard
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all[path] = d
	}
	return all
}

// Each instance has its own, at an address that stays: Grafana takes 40 characters of a uid.
func TestDashboardOfEachInstance(t *testing.T) {
	spec := sampleTopology(t)
	all := dashboards(t, spec, "tests")
	if len(all) != len(spec.Instances) {
		t.Errorf("%d dashboards of %d instances", len(all), len(spec.Instances))
	}
	for _, i := range spec.Instances {
		d := all["dashboards/"+i.Name+".json"]
		if !regexp.MustCompile(`^[a-zA-Z0-9_-]{1,40}$`).MatchString(d.UID) || !strings.HasSuffix(d.UID, i.Name) {
			t.Errorf("%s has uid %q", i.Name, d.UID)
		}
	}
	if n := len(dashboards(t, spec, "ci")); n != 0 {
		t.Errorf("%d dashboards on a host without instances", n)
	}
}

func TestPanelsDoNotOverlap(t *testing.T) {
	taken := map[[2]int]string{}
	ids := map[int]bool{}
	for _, p := range dashboards(t, sampleTopology(t), "tests")["dashboards/qa17.json"].Panels {
		if ids[p.ID] || len(p.Targets) == 0 {
			t.Errorf("%s: id %d twice, or shows nothing", p.Title, p.ID)
		}
		ids[p.ID] = true
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" {
					t.Errorf("%s lies on %s", p.Title, other)
				}
				if x >= grafanaColumns {
					t.Errorf("%s leaves the grid", p.Title)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
	}
}

// Prometheus parses every query, with the instance's own database, cluster and unit in them.
func TestDashboardQueries(t *testing.T) {
	spec := sampleTopology(t)
	spec.Instances[0].Database = `a"b\`
	var rules strings.Builder
	rules.WriteString("groups: [{name: queries, rules: [")
	n := 0
	for _, d := range dashboards(t, spec, "tests") {
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				if p.Type == "logs" {
					continue
				}
				text, err := json.Marshal(map[string]string{"record": "query", "expr": q.Expr})
				if err != nil {
					t.Fatal(err)
				}
				rules.Write(text)
				rules.WriteString(",\n")
				n++
			}
		}
	}
	rules.WriteString("]}]\n")
	if n == 0 {
		t.Fatal("no queries")
	}
	promtool(t, map[string]string{"queries.yaml": rules.String()}, "check", "rules", "--lint=none", "queries.yaml")
}

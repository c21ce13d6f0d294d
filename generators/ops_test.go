package generators

import (
	"strings"
	"testing"

	"odoogen/internal/artifact"
	"odoogen/internal/topology"
)

// sampleTopology is the repository's own envs.cue.
func sampleTopology(t *testing.T) *topology.Topology {
	t.Helper()
	spec, _, err := topology.Load("..")
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

func sampleHost(t *testing.T, spec *topology.Topology, name string) *topology.Host {
	t.Helper()
	for _, h := range spec.Hosts {
		if h.Name == name {
			return h
		}
	}
	t.Fatalf("no host %s", name)
	return nil
}

// generated are the files that one generator makes for a host, by path.
func generated(t *testing.T, generate func(*topology.Topology, *topology.Host) ([]artifact.File, error), spec *topology.Topology, host string) map[string]string {
	t.Helper()
	files, err := generate(spec, sampleHost(t, spec, host))
	if err != nil {
		t.Fatal(err)
	}
	tree, err := artifact.NewTree(host, files)
	if err != nil {
		t.Fatal(err)
	}
	text := map[string]string{}
	for _, f := range tree.Files {
		text[f.Path] = string(f.Data)
	}
	return text
}

// wantLines wants each line to stand in the file.
func wantLines(t *testing.T, files map[string]string, path string, lines ...string) {
	t.Helper()
	text, ok := files[path]
	if !ok {
		t.Errorf("no file %s", path)
	}
	for _, line := range lines {
		if !strings.Contains("\n"+text, "\n"+line+"\n") {
			t.Errorf("%s: no line %q in\n%s", path, line, text)
		}
	}
}

// What a topology leaves out, nothing speaks of; what is left is whole.
func TestOperationsOfSmallerTopologies(t *testing.T) {
	for name, leaveOut := range map[string]func(*topology.Topology){
		"no Grafana Cloud":   func(s *topology.Topology) { s.Observability.Grafana = nil },
		"no observability":   func(s *topology.Topology) { s.Observability = nil },
		"no backup":          func(s *topology.Topology) { s.Backup = topology.Backup{None: &topology.NoBackup{Reason: "none"}} },
		"no storage":         func(s *topology.Topology) { s.Backup.Storage = nil },
		"no CI":              func(s *topology.Topology) { s.CI.Host.CI, s.CI = nil, nil },
		"no jobs":            func(s *topology.Topology) { s.CI.Jobs = nil },
		"no plugins":         func(s *topology.Topology) { s.CI.Jenkins.Plugins = nil },
		"no private network": func(s *topology.Topology) { s.Network.VSwitch = nil; s.Hosts[0].Private = ""; s.Hosts[1].Private = "" },
		"no RAID":            func(s *topology.Topology) { s.Hosts[0].Hardware.Disks.RAID = 0 },
		"no patch window":    func(s *topology.Topology) { s.Hosts[0].Window = nil; s.Hosts[1].Window = nil },
		"no decisions":       func(s *topology.Topology) { s.Decisions = nil },
		"no whitelist":       func(s *topology.Topology) { s.Access.Whitelist = nil },
	} {
		t.Run(name, func(t *testing.T) {
			spec := sampleTopology(t)
			leaveOut(spec)
			for _, h := range spec.Hosts {
				for _, g := range []func(*topology.Topology, *topology.Host) ([]artifact.File, error){Jenkins, Exporters, Alloy, Dashboards, Runbook} {
					generated(t, g, spec, h.Name)
				}
				if files := generated(t, Alerts, spec, h.Name); len(files) > 0 {
					promtool(t, files, "check", "config", "--lint-fatal", "prometheus.yaml")
				}
			}
		})
	}
}

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

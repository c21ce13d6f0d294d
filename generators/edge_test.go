package generators

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"odoogen/internal/artifact"
	"odoogen/internal/topology"
)

// editedSample is the sample's topology after the edits: pairs of a text of envs.cue and what stands in its place.
func editedSample(t *testing.T, edits ...string) *topology.Topology {
	t.Helper()
	data, err := os.ReadFile("../envs.cue")
	if err != nil {
		t.Fatal(err)
	}
	spec := string(data)
	for i := 0; i < len(edits); i += 2 {
		if !strings.Contains(spec, edits[i]) {
			t.Fatalf("envs.cue does not say %q", edits[i])
		}
		spec = strings.Replace(spec, edits[i], edits[i+1], 1)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "envs.cue"), []byte(spec), 0o644); err != nil {
		t.Fatal(err)
	}
	topo, _, err := topology.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return topo
}

// edgeTree is the tree of one host of a topology, without the kinds that are not of a host's edge.
func edgeTree(t *testing.T, topo *topology.Topology, host string) *artifact.Tree {
	t.Helper()
	for _, h := range topo.Hosts {
		if h.Name != host {
			continue
		}
		var files []artifact.File
		for _, generate := range []func(*topology.Topology, *topology.Host) ([]artifact.File, error){
			System, SSH, Sudo, Apt, Patching, Network, Firewall, Nginx, Certbot,
		} {
			more, err := generate(topo, h)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, more...)
		}
		tree, err := artifact.NewTree(host, files)
		if err != nil {
			t.Fatal(err)
		}
		return tree
	}
	t.Fatalf("no host %s", host)
	return nil
}

// onHost runs a bash script as on a host that runs the tree (testdata/onhost), and returns what it prints.
func onHost(t *testing.T, tree *artifact.Tree, script string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "out")
	if _, err := artifact.Write(dir, []*artifact.Tree{tree}); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("unshare", "--mount", "--net", "bash", "testdata/onhost", filepath.Join(dir, tree.Host))
	cmd.Stdin = strings.NewReader(script)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v (as root, with the Debian packages of `make test`)\n%s", err, out)
	}
	return string(out)
}

// fileText is a file of a tree.
func fileText(t *testing.T, tree *artifact.Tree, path string) string {
	t.Helper()
	f := tree.File(path)
	if f == nil {
		t.Fatalf("no %s", path)
	}
	return string(f.Data)
}

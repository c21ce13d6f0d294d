package generators

import (
	"os"
	"path/filepath"
	"testing"

	"odoogen/internal/artifact"
)

// sampleTree is the tree of one of its hosts.
func sampleTree(t *testing.T, host string) *artifact.Tree {
	t.Helper()
	top := sample(t)
	for _, h := range top.Hosts {
		if h.Name == host {
			tree, err := BuildHost(top, h)
			if err != nil {
				t.Fatal(err)
			}
			return tree
		}
	}
	t.Fatalf("envs.cue has no host %s", host)
	return nil
}

// effectsOf are the effects of the file at path.
func effectsOf(t testing.TB, tree *artifact.Tree, path string) []artifact.Effect {
	t.Helper()
	f := tree.File(path)
	if f == nil {
		t.Fatalf("%s: no such file in the tree", path)
	}
	return f.Effects
}

// write makes a file and the folders above it, readable for whom a test starts.
func write(t testing.TB, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

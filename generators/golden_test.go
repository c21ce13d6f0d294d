package generators_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"odoogen/internal/artifact"
)

// golden/ is the reviewed build of envs.cue: what a change of odoogen or of the sample does to the hosts is seen
// there, byte by byte, in the pull request.
func TestGolden(t *testing.T) {
	want := map[string]string{}
	for _, tree := range sample(t).trees {
		want[tree.Host+"/"+artifact.ManifestName] = string(tree.Manifest())
		for _, f := range tree.Files {
			want[tree.Host+"/"+f.Path] = string(f.Data)
		}
	}
	got := map[string]string{}
	golden := os.DirFS(filepath.Join(repository, "golden"))
	err := fs.WalkDir(golden, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(golden, path)
		got[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatalf("%v: run make golden, and review what it wrote", err)
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("golden/ is not what envs.cue gives (- golden, + build); run make golden, and review:\n%s", diff)
	}
}

package provenance_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"odoogen/generators"
	"odoogen/internal/artifact"
	"odoogen/internal/provenance"
	"odoogen/internal/topology"
)

const repository = "../.."

// built is the sample, compiled and written.
func built(t *testing.T) (b *provenance.Build, out string) {
	t.Helper()
	b, out = compiled(t, repository), filepath.Join(t.TempDir(), "out")
	if _, err := artifact.Write(out, b.Trees); err != nil {
		t.Fatal(err)
	}
	return b, out
}

func compiled(t *testing.T, dir string) *provenance.Build {
	t.Helper()
	top, origins, err := topology.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	trees, err := generators.Build(top)
	if err != nil {
		t.Fatal(err)
	}
	return &provenance.Build{Trees: trees, Origins: origins}
}

// Every line of every file, MANIFEST too, is answered with places that exist.
func TestWhyAnswersEveryLine(t *testing.T) {
	b, out := built(t)
	lengths := map[string]int{} // of the files that answers name, in lines
	for _, tree := range b.Trees {
		paths := []string{artifact.ManifestName}
		for _, f := range tree.Files {
			paths = append(paths, f.Path)
		}
		for _, path := range paths {
			file := filepath.Join(out, tree.Host, path)
			for n, text := range lines(t, file) {
				if strings.TrimSpace(text) == "" {
					continue
				}
				origins, err := b.Why(file, n+1)
				if err != nil {
					t.Errorf("%s/%s:%d: %v", tree.Host, path, n+1, err)
					continue
				}
				for _, o := range origins {
					name := o.Place.File
					if o.Kind == provenance.Constant {
						name = filepath.Join(repository, name)
					}
					if lengths[name] == 0 {
						lengths[name] = len(lines(t, name))
					}
					if o.Place.Line < 1 || o.Place.Line > lengths[name] {
						t.Errorf("%s/%s:%d comes from %s, which is no line of that file", tree.Host, path, n+1, o)
					}
					if filepath.Base(name) == "odoogen.cue" {
						t.Errorf("%s/%s:%d comes from %s: nothing is decided there", tree.Host, path, n+1, o)
					}
				}
			}
		}
	}
}

// Where is the way back of why.
func TestWhereFindsWhatWhyAnswers(t *testing.T) {
	b, out := built(t)
	asked := map[topology.Place]bool{}
	for _, tree := range b.Trees {
		for i := range tree.Files {
			f := &tree.Files[i]
			n := len(f.From)/2 + 1 // one line of each file: its middle
			origins, err := b.Why(filepath.Join(out, tree.Host, f.Path), n)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range origins {
				if asked[o.Place] {
					continue
				}
				asked[o.Place] = true
				found, err := b.Where(o.Place.File, o.Place.Line)
				if err != nil {
					t.Fatal(err)
				}
				if !slices.ContainsFunc(found, func(l provenance.Line) bool {
					return l.File == tree.Host+"/"+f.Path && l.Number == n
				}) {
					t.Errorf("%s leads to %d lines, and not to %s/%s:%d, which comes from there", o, len(found), tree.Host, f.Path, n)
				}
			}
		}
	}
}

func lines(t *testing.T, file string) []string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(bytes.TrimSuffix(data, []byte("\n"))), "\n")
}

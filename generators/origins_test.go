package generators_test

import (
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"testing"

	"cuelang.org/go/cue"

	"odoogen/generators"
)

// Every line that says something comes from somewhere: a value that the spec has, or the same line of a constant
// file.
func TestEveryLineHasAnOrigin(t *testing.T) {
	c := sample(t)
	spec := evaluated(t)
	exists := map[string]bool{}
	var faults []string
	for _, tree := range c.trees {
		for i := range tree.Files {
			f := &tree.Files[i]
			for n, l := range linesOf(f) {
				if strings.TrimSpace(l.text) == "" {
					continue
				}
				if fault := originFault(l, spec, exists); fault != "" {
					faults = append(faults, fmt.Sprintf("%s/%s:%d: %q: %s", tree.Host, f.Path, n+1, l.text, fault))
				}
			}
		}
	}
	if len(faults) > 0 {
		t.Errorf("%d lines:\n%s", len(faults), strings.Join(faults, "\n"))
	}
}

func originFault(l line, spec cue.Value, exists map[string]bool) string {
	words := strings.Fields(l.from)
	if len(words) == 0 {
		return "no origin"
	}
	for _, w := range words {
		if strings.HasPrefix(w, generators.ConstantPrefix) {
			if text, err := constantLine(w); err != nil || text != l.text {
				return fmt.Sprintf("%s is %q (%v)", w, text, err)
			}
			continue
		}
		found, known := exists[w]
		if !known {
			found = leads(spec, w)
			exists[w] = found
		}
		if !found {
			return "the spec has no " + w
		}
	}
	return ""
}

// leads tells whether the spec has a value at a path. An element of a list that is a default is behind the default.
func leads(spec cue.Value, path string) bool {
	if i := strings.LastIndexByte(path, '['); i > 0 && strings.HasSuffix(path, "]") {
		list, _ := spec.LookupPath(cue.ParsePath(path[:i])).Default()
		n, err := strconv.Atoi(path[i+1 : len(path)-1])
		return err == nil && list.LookupPath(cue.MakePath(cue.Index(n))).Exists()
	}
	p := cue.ParsePath(path)
	return p.Err() == nil && spec.LookupPath(p).Exists()
}

// constantLine is the line of a constant file that an origin names.
func constantLine(origin string) (string, error) {
	file, number, _ := strings.Cut(origin, ":")
	n, err := strconv.Atoi(number)
	if err != nil {
		return "", err
	}
	data, err := os.ReadFile(repository + "/" + file)
	if err != nil {
		return "", err
	}
	lines := strings.Split(string(data), "\n")
	if n < 1 || n >= len(lines) {
		return "", fmt.Errorf("%d lines", len(lines)-1)
	}
	return lines[n-1], nil
}

// A constant file that no tree holds is forgotten, and no check sees it.
func TestEveryConstantFileIsUsed(t *testing.T) {
	used := map[string]bool{}
	for _, tree := range sample(t).trees {
		for i := range tree.Files {
			for _, l := range linesOf(&tree.Files[i]) {
				for word := range strings.FieldsSeq(l.from) {
					if name, ok := strings.CutPrefix(word, generators.ConstantPrefix); ok {
						name, _, _ = strings.Cut(name, ":")
						used[name] = true
					}
				}
			}
		}
	}
	for _, name := range constantFiles(t) {
		if !used[name] {
			t.Errorf("generators/files/%s is in no tree of the sample", name)
		}
	}
}

// constantFiles are the names below files/, sorted.
func constantFiles(t *testing.T) []string {
	t.Helper()
	var names []string
	dir := os.DirFS(repository + "/" + generators.ConstantPrefix)
	err := fs.WalkDir(dir, ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

package native

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"odoogen/internal/artifact"
)

// hostTree is the tree of testdata/host.txtar, edited: each old line is there exactly once and gives way to its new one.
func hostTree(t *testing.T, edit func(path, data string) string) *artifact.Tree {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/host.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var files []artifact.File
	for _, f := range archive.Files {
		data := edit(f.Name, string(f.Data))
		mode := uint32(0o444)
		switch dir, _, _ := strings.Cut(f.Name, "/"); dir {
		case "bin":
			mode = 0o555
		case "sudoers.d":
			mode = 0o440
		}
		files = append(files, artifact.File{Path: f.Name, Mode: mode, Data: []byte(data), From: make([]string, strings.Count(data, "\n"))})
	}
	tree, err := artifact.NewTree("tests", files)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func unchanged(_, data string) string { return data }

// vet runs all checkers on the trees.
func vet(t *testing.T, trees ...*artifact.Tree) *Report {
	t.Helper()
	report, err := Vet(t.Context(), trees, "/")
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestAHostWithNoMistakeIsAccepted(t *testing.T) {
	report := vet(t, hostTree(t, unchanged))
	var text bytes.Buffer
	report.Text(&text, "out")
	if !report.Accepted() {
		t.Error(text.String())
	}
	want, err := os.ReadFile("testdata/host.golden")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), text.String()); d != "" {
		t.Errorf("report (-want +got):\n%s", d)
	}
}

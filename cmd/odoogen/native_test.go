package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"odoogen/internal/artifact"
	"odoogen/internal/native"
)

var updateExposure = flag.Bool("update-exposure", false, "write testdata/exposure.txt anew")

// Every file of the sample's trees is read by the program that reads it on the host, and none complains. What each
// service could still do to its host stands in testdata/exposure.txt: a number that grows is a regression.
func TestNativeCheckersAcceptTheSample(t *testing.T) {
	const pinned = "cmd/odoogen/testdata/exposure.txt"
	t.Chdir(repository)
	var talk bytes.Buffer
	b, err := compile(&talk)
	if err != nil {
		t.Fatal(err)
	}
	report, err := native.Vet(t.Context(), b.Trees, "/")
	if err != nil {
		t.Fatal(err)
	}
	if !report.Accepted() {
		var text bytes.Buffer
		report.Text(&text, "out")
		t.Errorf("the checkers found %d problems:\n%s", report.Problems(), text.String())
	}
	var exposure strings.Builder
	for _, res := range report.Results {
		for _, note := range res.Notes {
			if level, ok := strings.CutPrefix(note, "exposure "); ok {
				fmt.Fprintf(&exposure, "%s %s\n", res.Host, level)
			}
		}
	}
	if *updateExposure {
		if err := artifact.WriteFile(pinned, []byte(exposure.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(pinned)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), exposure.String()); d != "" {
		t.Errorf("%s (-want +got; -update-exposure writes it):\n%s", pinned, d)
	}
}

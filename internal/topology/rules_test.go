package topology

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRulesAreDocumented keeps docs/rules.md the table of rules. UPDATE_DOCS=1 writes it.
func TestRulesAreDocumented(t *testing.T) {
	var want strings.Builder
	want.WriteString(`# Rules

What odoogen refuses beyond the shape of a spec, which schema/*.cue says. A message that ends in "(rule ports)" is
explained here under that name. Every rule looks at the whole topology; all mistakes are reported at once.
[mistakes.md](mistakes.md) lists what is said of each mistake that a test knows.

A topology that breaks a rule marked "yes" can still be built and run: ` + "`accept`" + ` waives it, visibly and for a time
([ways-out.md](ways-out.md)). What breaks another cannot be built, or would not run.

| rule | what it holds | waivable |
|---|---|---|
`)
	for _, r := range rules {
		fmt.Fprintf(&want, "| %s | %s | %s |\n", r.id, r.doc, map[bool]string{true: "yes"}[r.waivable])
	}
	file := filepath.Join(repository, "docs", "rules.md")
	if os.Getenv("UPDATE_DOCS") != "" {
		if err := os.WriteFile(file, []byte(want.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.String(), string(got)); diff != "" {
		t.Errorf("docs/rules.md is not the table of rules; UPDATE_DOCS=1 go test ./internal/topology (-want +got):\n%s", diff)
	}
}

// TestEveryRuleHasAScript asks that some script of cmd/odoogen breaks each rule, and that rules have names of their
// own.
func TestEveryRuleHasAScript(t *testing.T) {
	scripts, err := filepath.Glob(filepath.Join(repository, "cmd/odoogen/testdata/script/refuse/*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, s := range scripts {
		data, err := os.ReadFile(s)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(data)
	}
	seen := map[string]bool{}
	for _, r := range rules {
		if seen[r.id] {
			t.Errorf("two rules are named %s", r.id)
		}
		seen[r.id] = true
		if !strings.Contains(all.String(), "(rule "+r.id+")\n") {
			t.Errorf("no script breaks rule %s", r.id)
		}
	}
}

// TestProblemsAreSorted pins order and sameness: by file, line and column, and what a template got wrong once.
func TestProblemsAreSorted(t *testing.T) {
	at := func(line, col int) Place { return Place{File: "envs.cue", Line: line, Col: col} }
	got := Problems{
		{Place: at(9, 1), Path: "hosts.b.ram", Message: "too little"},
		{Place: at(9, 1), Path: "hosts.a.ram", Message: "too little"},
		{Place: at(9, 1), Path: "hosts.a.cpu", Message: missing},
		{Place: at(9, 1), Path: "hosts.b.cpu", Message: missing},
		{Place: at(3, 10), Path: "x", Message: "m"},
		{Place: at(3, 2), Path: "y", Message: "m"},
	}.sorted()
	want := []string{"y", "x", "hosts.a.cpu", "hosts.a.ram", "hosts.b.cpu"}
	var paths []string
	for _, p := range got {
		paths = append(paths, p.Path)
	}
	if diff := cmp.Diff(want, paths); diff != "" {
		t.Error(diff)
	}
}

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"odoogen/internal/artifact"
)

// common are the mistakes that CUE's users make and that CUE itself answers in many lines, without the user's place, or not
// at all: those that a message of odoogen was first held against. Each has its script in testdata/script/refuse.
var common = []string{
	"unknown_field", "unknown_section", "unknown_field_beside_type", "wrong_type_default", "enum", "enum_number", "bound", "missing_field",
	"missing_beside_conflict", "no_value", "set_twice", "forgotten_quotes", "forgotten_quotes_others", "syntax_brace", "syntax_dash",
	"package_other", "import", "names_host", "together_five",
}

// mistake is a script of testdata/script/refuse: what is wrong, and what odoogen says.
type mistake struct{ name, what, said string }

func mistakes(t *testing.T) []mistake {
	t.Helper()
	names, err := filepath.Glob("testdata/script/refuse/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var all []mistake
	for _, name := range names {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		m := mistake{name: strings.TrimSuffix(filepath.Base(name), ".txtar")}
		first, script, _ := strings.Cut(string(archive.Comment), "\n")
		m.what = strings.TrimPrefix(first, "# ")
		for _, f := range archive.Files {
			if f.Name == "want" {
				m.said = string(f.Data)
			}
		}
		if !strings.Contains(script, "refused\ncmp stderr want\n") || !strings.HasPrefix(first, "# ") || m.said == "" {
			t.Errorf("%s: want a comment that says what is wrong, a refused build, and all that is said of it", name)
		}
		all = append(all, m)
	}
	return all
}

// The forms that a line of a message has: a mistake with its place in a file of the user's; a further place, which may be a
// default of the schema's; a hint.
var (
	mistakeLine = regexp.MustCompile(`^[a-z]+\.cue:[1-9][0-9]*(:[1-9][0-9]*)?: .*\S$`)
	furtherLine = regexp.MustCompile(`^schema/[a-z]+\.cue:[1-9][0-9]*:[1-9][0-9]*: .*\S$`)
	hintLine    = regexp.MustCompile(`^hint: .*\S$`)
)

// Each message of each mistake is one line with a place in the user's own files, further places that it has to do with, and
// at most one line of hint after them.
func TestMistakesHaveAPlaceAndAHint(t *testing.T) {
	hints := 0
	for _, m := range mistakes(t) {
		begins := true
		for line := range strings.Lines(m.said) {
			line = strings.TrimSuffix(line, "\n")
			hint := hintLine.MatchString(line)
			if hint {
				hints++
			}
			switch {
			case hint && !begins, !hint && mistakeLine.MatchString(line) && !strings.HasPrefix(line, "odoogen.cue"), furtherLine.MatchString(line) && !begins:
			default:
				t.Errorf("%s: no place of the user's, or a hint of nothing: %s", m.name, line)
			}
			begins = hint
		}
	}
	if hints < 100 {
		t.Errorf("%d hints in all", hints)
	}
}

// docs/mistakes.md lists all of them as the scripts have them; -write writes it.
func TestMistakesAreDocumented(t *testing.T) {
	var text strings.Builder
	text.WriteString(`# Mistakes

What odoogen says of mistakes, each as a test pins it (cmd/odoogen/testdata/script/refuse; this page is written from there).
All mistakes are reported at once, sorted by their places; none hides another. Nothing is written.
`)
	all := mistakes(t)
	section := func(title string, in func(mistake) bool) {
		fmt.Fprintf(&text, "\n## %s\n", title)
		for _, m := range all {
			if in(m) {
				fmt.Fprintf(&text, "\n%s\n\n%s", m.what, "    "+strings.ReplaceAll(strings.TrimSuffix(m.said, "\n"), "\n", "\n    ")+"\n")
			}
		}
	}
	isCommon := func(m mistake) bool { return slices.Contains(common, m.name) }
	isRule := func(m mistake) bool { return !isCommon(m) && strings.Contains(m.said, "(rule ") }
	section("The common ones", isCommon)
	section("Of shape and syntax", func(m mistake) bool { return !isCommon(m) && !isRule(m) })
	section("Against a rule", isRule)
	for _, name := range common {
		if !slices.ContainsFunc(all, func(m mistake) bool { return m.name == name }) {
			t.Errorf("no script of %s", name)
		}
	}

	file := filepath.Join(repository, "docs/mistakes.md")
	if *write {
		if err := artifact.WriteFile(file, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), text.String()); d != "" {
		t.Errorf("docs/mistakes.md (-want +got); go test ./cmd/odoogen -run Mistakes -write writes it\n%s", d)
	}
}

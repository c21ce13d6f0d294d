package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"odoogen/generators"
	"odoogen/internal/artifact"
	"odoogen/internal/lab"
	"odoogen/internal/topology"
)

// A new user's path: every command of the README and of docs/, in order, in a fresh clone, with the output that is
// printed there. A session in a document is a ```console block; "..." in it stands for anything.
func TestDocuments(t *testing.T) {
	source := snapshot(t)
	binary := filepath.Join(t.TempDir(), "odoogen")
	command(t, repository, "go", "build", "-o", binary, "./cmd/odoogen")
	for _, name := range documents(t) {
		t.Run(name, func(t *testing.T) {
			steps := sessions(t, filepath.Join(repository, name))
			if len(steps) == 0 {
				return // a reference, without commands
			}
			clone := filepath.Join(t.TempDir(), "odoogen")
			if name == "docs/lab.md" {
				if missing := lab.Missing(); missing != nil {
					t.Log("left out: its commands:", missing)
					return
				}
				t.Cleanup(func() {
					if l, err := lab.Of(clone); err != nil || l.Down(context.Background()) != nil {
						t.Error("the lab does not end")
					}
				})
			}
			source.clone(t, clone)
			if name != "README.md" { // which builds it as it says
				if err := os.Link(binary, filepath.Join(clone, "odoogen")); err != nil {
					t.Fatal(err)
				}
			}
			follow(t, name, clone, steps)
		})
	}
}

// The CUE that a document shows is valid, and says what the sample says: beside envs.cue it changes nothing.
func TestDocumentsShowTheSample(t *testing.T) {
	envs, err := os.ReadFile(filepath.Join(repository, "envs.cue"))
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?ms)^```cue\n(.*?)^```$")
	for _, name := range documents(t) {
		data, err := os.ReadFile(filepath.Join(repository, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range block.FindAllStringSubmatch(string(data), -1) {
			dir := t.TempDir()
			for file, text := range map[string]string{"envs.cue": string(envs), "shown.cue": "package envs\n" + m[1]} {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			if _, _, err := topology.Load(dir); err != nil {
				t.Errorf("%s shows\n%s%v", name, m[1], err)
			}
		}
	}
}

// The table of docs/trees.md has every place that the sample's trees have at their top, and no other.
func TestTheTreesAreDescribed(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(repository, "docs/trees.md"))
	if err != nil {
		t.Fatal(err)
	}
	table, _, _ := strings.Cut(string(data), "\n## ")
	described := map[string]bool{}
	for line := range strings.SplitSeq(table, "\n") {
		if places, _, is := strings.Cut(strings.TrimPrefix(line, "| "), " | "); is && strings.HasPrefix(line, "| `") {
			for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(places, -1) {
				described[m[1]] = false
			}
		}
	}
	spec, _, err := topology.Load(repository)
	if err != nil {
		t.Fatal(err)
	}
	trees, err := generators.Build(spec)
	if err != nil {
		t.Fatal(err)
	}
	for _, tree := range trees {
		for _, path := range append([]string{artifact.ManifestName}, paths(tree)...) {
			found := false
			for place := range described {
				if path == place || strings.HasSuffix(place, "/") && strings.HasPrefix(path, place) {
					described[place], found = true, true
				}
			}
			if !found {
				t.Errorf("docs/trees.md does not say what %s is", path)
			}
		}
	}
	for place, used := range described {
		if !used {
			t.Errorf("docs/trees.md speaks of %s, which no tree of the sample has", place)
		}
	}
}

func paths(tree *artifact.Tree) []string {
	all := make([]string, len(tree.Files))
	for i, f := range tree.Files {
		all[i] = f.Path
	}
	return all
}

// A document names no command that odoogen does not have.
func TestDocumentsNameCommandsThatExist(t *testing.T) {
	var have []string
	for _, c := range newRoot().Commands() {
		have = append(have, c.Name())
	}
	have = append(have, "completion", "help", "--help")
	mention := regexp.MustCompile("`(?:\\./)?odoogen ([a-z-]+)")
	for _, name := range documents(t) {
		data, err := os.ReadFile(filepath.Join(repository, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range mention.FindAllStringSubmatch(string(data), -1) {
			if !slices.Contains(have, m[1]) {
				t.Errorf("%s speaks of odoogen %s", name, m[1])
			}
		}
	}
}

// documents are what a user reads, as the repository names them.
func documents(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(repository, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"README.md"}
	for _, f := range found {
		names = append(names, "docs/"+filepath.Base(f))
	}
	return names
}

// step is one command of a document, and the output that stands below it.
type step struct {
	line    int
	command string
	output  []string
}

// sessions reads the console blocks of a document. Other blocks show files; a command in one would not be tested.
func sessions(t testing.TB, file string) []step {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var steps []step
	kind, inside := "", false
	for n, line := range strings.Split(string(data), "\n") {
		fence, isFence := strings.CutPrefix(line, "```")
		switch {
		case isFence && !inside:
			inside, kind = true, fence
			if slices.Contains([]string{"sh", "shell", "bash"}, kind) {
				t.Errorf("%s:%d: a block of %s is not run; want console", file, n+1, kind)
			}
		case isFence:
			inside = false
		case !inside || kind != "console":
		case strings.HasPrefix(line, "$ "):
			steps = append(steps, step{line: n + 1, command: line[2:]})
		case len(steps) == 0:
			t.Fatalf("%s:%d: output before a command", file, n+1)
		default:
			last := &steps[len(steps)-1]
			last.output = append(last.output, line)
		}
	}
	return steps
}

// follow runs the steps in one shell, from dir, and holds the output against the document.
func follow(t *testing.T, name, dir string, steps []step) {
	t.Helper()
	var script strings.Builder
	for _, s := range steps {
		run := s.command
		switch run {
		case "make test":
			run = ":" // which is running this test
		case "make demo":
			run = "make build && ./odoogen build" // TestSample runs it
		}
		fmt.Fprintf(&script, "%s\necho \"-- $? --\"\n", run)
	}
	cmd := exec.Command("bash", "-c", "exec 2>&1\n"+script.String())
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "GOFLAGS=-buildvcs=false")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	end := regexp.MustCompile(`(?m)^-- (\d+) --\n`)
	rest := string(out)
	for _, s := range steps {
		at := end.FindStringSubmatchIndex(rest)
		if at == nil {
			t.Fatalf("%s:%d: %s ended the shell:\n%s", name, s.line, s.command, rest)
		}
		got, code := rest[:at[0]], rest[at[2]:at[3]]
		rest = rest[at[1]:]
		if code != "0" {
			t.Errorf("%s:%d: %s: exit code %s\n%s", name, s.line, s.command, code, got)
		}
		if s.command != "make demo" {
			s.check(t, name, got)
		}
	}
}

// check holds what the step printed against the document.
func (s step) check(t testing.TB, name, got string) {
	t.Helper()
	if want := strings.Join(s.output, "\n"); len(s.output) > 0 && !matches(want, got) {
		t.Errorf("%s:%d: %s\nprints\n%s\nthe document says\n%s", name, s.line, s.command, got, want)
	}
}

// matches compares output with what a document shows.
func matches(want, got string) bool {
	pattern := strings.ReplaceAll(regexp.QuoteMeta(want), `\.\.\.`, `(?s:.*)`)
	return regexp.MustCompile(`^` + pattern + `\n?$`).MatchString(got)
}

// commit is a commit of a repository.
type commit struct{ repository, id string }

// snapshot is what a commit of all tracked files would be now: a file that was forgotten is not in it. Nothing of
// the repository changes.
func snapshot(t testing.TB) commit {
	t.Helper()
	id := command(t, repository, "git", "stash", "create")
	if id == "" {
		id = command(t, repository, "git", "rev-parse", "HEAD")
	}
	return commit{repository, id}
}

func (c commit) clone(t testing.TB, dir string) {
	t.Helper()
	command(t, ".", "git", "clone", "-q", "--no-checkout", c.repository, dir)
	command(t, dir, "git", "checkout", "-q", c.id)
}

// command runs a program in dir and returns what it prints.
func command(t testing.TB, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false",
		"GIT_AUTHOR_NAME=test", "GIT_AUTHOR_EMAIL=test@example.com",
		"GIT_COMMITTER_NAME=test", "GIT_COMMITTER_EMAIL=test@example.com",
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

package native

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"odoogen/internal/artifact"
)

var update = flag.Bool("update", false, "write the expected files anew")

// golden compares text with a file that is committed, or writes it with -update.
func golden(t *testing.T, name, text string) {
	t.Helper()
	if *update {
		if err := artifact.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), text); d != "" {
		t.Errorf("%s (-want +got):\n%s", name, d)
	}
}

// hostTree is the tree of testdata/host.txtar, each file as edit gives it.
func hostTree(t *testing.T, edit func(path, data string) string) *artifact.Tree {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/host.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var files []artifact.File
	for _, f := range archive.Files {
		files = append(files, file(f.Name, edit(f.Name, string(f.Data))))
	}
	tree, err := artifact.NewTree("tests", files)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// file is a tree's file with the mode that its place asks for.
func file(path, data string) artifact.File {
	modes := map[string]uint32{"bin": 0o555, "sudoers.d": 0o440}
	dir, _, _ := strings.Cut(path, "/")
	mode, ok := modes[dir]
	if !ok {
		mode = 0o444
	}
	return artifact.File{Path: path, Mode: mode, Data: []byte(data), From: make([]string, strings.Count(data, "\n"))}
}

func unchanged(_, data string) string { return data }

func TestAHostWithoutMistakesIsAccepted(t *testing.T) {
	report, err := NewVetter("/").Vet(t.Context(), []*artifact.Tree{hostTree(t, unchanged)})
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	report.Text(&text, "out")
	if !report.Accepted() {
		t.Error("not accepted")
	}
	golden(t, "testdata/host.golden", text.String())
}

func TestSeveralHostsAreCheckedSideBySide(t *testing.T) {
	one, two := hostTree(t, unchanged), hostTree(t, func(path, data string) string {
		return strings.ReplaceAll(data, "PasswordAuthentication no", "PasswordAuthentication never")
	})
	two.Host = "second"
	report, err := NewVetter("/").Vet(t.Context(), []*artifact.Tree{one, two})
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	report.Text(&text, "out")
	if report.Problems() != 1 || !strings.Contains(text.String(), "\nout/second/ssh/odoogen.conf:1: ") {
		t.Errorf("want one problem, of the second host:\n%s", text.String())
	}
}

func TestAFileThatNobodyChecksIsRefused(t *testing.T) {
	tree := hostTree(t, unchanged)
	tree.Files = append(tree.Files, file("zzz/foo", "what is this\n"))
	results, err := NewVetter("/").host(t.Context(), tree, "without a checker")
	if err != nil {
		t.Fatal(err)
	}
	last := results[len(results)-1]
	want := []Problem{{Path: "zzz/foo", Message: "no checker for tests/zzz/foo"}}
	if d := cmp.Diff(want, last.Problems); d != "" {
		t.Errorf("problems (-want +got):\n%s", d)
	}
}

func TestEveryClassHasFilesAndMistakesInTheTests(t *testing.T) {
	// Nobody but people reads the first, and without the second nothing can be checked; what is wrong with the third is
	// where it goes, not what it says.
	noMistake := []string{"runbook", "HOST.json", "files of the spec"}
	tree := hostTree(t, unchanged)
	for _, class := range Classes {
		if !slices.ContainsFunc(claim(tree), func(c claimed) bool { return c.class.Name == class.Name }) {
			t.Errorf("%s: no file in testdata/host.txtar", class.Name)
		}
		refused := false
		for _, m := range mistakes {
			refused = refused || m.class == class.Name
		}
		if refused == slices.Contains(noMistake, class.Name) {
			t.Errorf("%s: a mistake that it refuses: %v", class.Name, refused)
		}
	}
}

// The machine's users, directories and mounts are as they were: nothing that the checkers make is there.
func TestNothingOnTheMachineChanges(t *testing.T) {
	state := func() string {
		var b strings.Builder
		for _, name := range []string{"/etc/passwd", "/etc/group", "/proc/self/mounts", "/proc/sys/net/ipv4/ip_nonlocal_bind", "/proc/sys/kernel/hostname"} {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			b.Write(data)
		}
		for _, glob := range []string{"/etc/odoogen*", "/etc/*/*odoogen*", "/usr/local/lib/*", "/var/lib/odoo*", "/opt/*", "/mnt/*", "/lib/systemd/system/alloy*", "/run/sshd", "/etc/postgresql/*/*"} {
			names, err := filepath.Glob(glob)
			if err != nil {
				t.Fatal(err)
			}
			b.WriteString(strings.Join(names, "\n"))
		}
		return b.String()
	}
	before := state()
	if _, err := NewVetter("/").host(t.Context(), hostTree(t, unchanged)); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(before, state()); d != "" {
		t.Errorf("the machine (-before +after):\n%s", d)
	}
}

func TestWithoutHostJSONNothingIsChecked(t *testing.T) {
	tree := hostTree(t, func(path, data string) string { return strings.ReplaceAll(data, `"fqdn":`, `"fqdn"`) })
	_, err := NewVetter("/").Vet(t.Context(), []*artifact.Tree{tree})
	if err == nil || !strings.HasPrefix(err.Error(), "tests: HOST.json: ") {
		t.Errorf("got %v", err)
	}
}

func TestWithoutRootNothingIsChecked(t *testing.T) {
	if err := privileged(1000); err == nil || !strings.Contains(err.Error(), "sudo odoogen vet --native") {
		t.Errorf("got %v", err)
	}
}

// An almost empty system lacks everything: one message names what installs all of it.
func TestMissingProgramsAreNamedAtOnce(t *testing.T) {
	lower := t.TempDir()
	for _, dir := range []string{"run", "tmp", "proc", "dev", "mnt"} {
		if err := os.Mkdir(filepath.Join(lower, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	_, err := NewVetter(lower).host(t.Context(), hostTree(t, unchanged))
	if err == nil {
		t.Fatal("an empty system has every program")
	}
	for _, want := range []string{"apt-get install ", " nftables ", " nginx-light ", " postgresql-15 ", " prometheus ", " shellcheck "} {
		if !strings.Contains(err.Error()+" ", want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}

func TestEveryCheckersProgramHasAPackage(t *testing.T) {
	for _, class := range Classes {
		for _, program := range class.programs {
			if packageOf()[program] == "" {
				t.Errorf("%s: packages.txt does not say where %s comes from", class.Name, program)
			}
		}
	}
}

func TestTheDocumentationHasTheTable(t *testing.T) {
	const page = "../../docs/native-checks.md"
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(data), "| Files |")
	_, after, found := strings.Cut(rest, "\n\n")
	if !ok || !found {
		t.Fatalf("%s has no table that begins with \"| Files |\" and ends with an empty line", page)
	}
	golden(t, page, before+Markdown()+"\n"+after)
}

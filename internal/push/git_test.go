package push

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestUncommitted(t *testing.T) {
	dir := t.TempDir()
	git := func(args ...string) { t.Helper(); anna(t, dir, args...) }
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want := func(files ...string) {
		t.Helper()
		got, err := Uncommitted(t.Context(), dir, "secrets")
		if err != nil || !slices.Equal(got, files) {
			t.Errorf("uncommitted are %q, %v, want %q", got, err, files)
		}
	}
	if _, err := Uncommitted(t.Context(), dir, "secrets"); err == nil {
		t.Error("where there is no repository, nothing is committed, and that is no error")
	}
	git("init", "-q")
	if err := os.Mkdir(filepath.Join(dir, "secrets"), 0o755); err != nil {
		t.Fatal(err)
	}
	write("secrets/a.age", "1")
	write("secrets/b.age", "1")
	write("envs.cue", "1")
	want("secrets/a.age", "secrets/b.age")
	git("add", ".")
	git("commit", "-q", "-m", "all")
	want()
	write("secrets/b.age", "2")
	write("envs.cue", "2")
	git("mv", "secrets/a.age", "secrets/c.age")
	want("secrets/a.age", "secrets/b.age", "secrets/c.age")
}

// anna uses git in a directory; what it prints is returned.
func anna(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=anna", "-c", "user.email=anna@example.com"}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestTakenBack(t *testing.T) {
	dir := t.TempDir()
	anna(t, dir, "init", "-q")
	var commits []string
	for _, message := range []string{"first", "second"} {
		anna(t, dir, "commit", "-q", "--allow-empty", "-m", message)
		commits = append(commits, anna(t, dir, "rev-parse", "HEAD")[:10])
	}
	for _, c := range []struct{ ran, want string }{
		{commits[0] + " of anna by anna@laptop", ""},
		{commits[1] + " of anna by anna@laptop", ""},
		{"0123456789 of ben by ben@laptop", "0123456789"}, // not pulled yet
		{"unreviewed by ben@laptop", ""},
		{"rollback to 41 by ben@laptop", ""},
		{"--help by ben@laptop", ""},
		{"", ""},
	} {
		plan := &Plan{Ran: c.ran, Doors: []string{"/etc/motd"}}
		if got := plan.TakenBack(t.Context(), dir); got != c.want {
			t.Errorf("%q: taken back is %q, want %q", c.ran, got, c.want)
		}
	}
	anna(t, dir, "checkout", "-q", commits[0])
	if got := (&Plan{Ran: commits[1] + " of anna by anna@laptop", Doors: []string{"/etc/motd"}}).TakenBack(t.Context(), dir); got != commits[1] {
		t.Errorf("from an older commit: taken back is %q, want %q", got, commits[1])
	}
}

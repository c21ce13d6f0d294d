package push

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

func TestUncommitted(t *testing.T) {
	dir := t.TempDir()
	git := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=anna", "-c", "user.email=anna@example.com"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
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

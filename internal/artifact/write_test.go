package artifact

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// versions of the trees that the tests write: half of the files differ.
const (
	before = "before"
	after  = "after"
)

// fixture is two hosts with many small files.
func fixture(t testing.TB, version string) []*Tree {
	t.Helper()
	var trees []*Tree
	for _, host := range []string{"ci", "tests"} {
		var files []File
		for n := range 200 {
			text := fmt.Sprintf("file %d of %s\n", n, host)
			if n%2 == 0 {
				text += version + "\n"
			}
			files = append(files, File{Path: fmt.Sprintf("folder%d/part/%d.conf", n%7, n), Mode: 0o444, Data: []byte(text),
				From: make([]string, strings.Count(text, "\n"))})
		}
		tree, err := NewTree(host, files)
		if err != nil {
			t.Fatal(err)
		}
		trees = append(trees, tree)
	}
	return trees
}

// TestWriter is no test of its own: the others run it as a process that they can kill or starve.
func TestWriter(t *testing.T) {
	dir := os.Getenv("WRITE_TO")
	if dir == "" {
		return
	}
	trees := fixture(t, os.Getenv("WRITE_VERSION"))
	fmt.Println("begin")
	if _, err := Write(dir, trees); err != nil {
		t.Fatal(err)
	}
}

func writer(version, dir string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "-test.run=^TestWriter$", "-test.v")
	cmd.Env = append(os.Environ(), "WRITE_TO="+dir, "WRITE_VERSION="+version)
	return cmd
}

func write(t *testing.T, dir, version string) []Change {
	t.Helper()
	changes, err := Write(dir, fixture(t, version))
	if err != nil {
		t.Fatal(err)
	}
	return changes
}

// is tells whether dir is a version, whole and nothing else.
func is(t *testing.T, dir, version string) bool {
	t.Helper()
	changes, err := Compare(dir, fixture(t, version))
	if err != nil {
		t.Fatal(err)
	}
	return len(changes) == 0
}

// entries are the names beside the output directory.
func entries(t *testing.T, dir string) []string {
	t.Helper()
	all, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range all {
		names = append(names, e.Name())
	}
	return names
}

// TestKilledWriteLeavesOldOrNew kills a writer at every moment of its work, from its first to after its last.
func TestKilledWriteLeavesOldOrNew(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "out")
	write(t, dir, before)
	mine := filepath.Join(parent, ".out.mine") // not a writer's
	if err := os.Mkdir(mine, 0o777); err != nil {
		t.Fatal(err)
	}
	// kill starts a writer, lets it work for a time, and tells how long it worked.
	kill := func(delay time.Duration) time.Duration {
		cmd := writer(after, dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		said := bufio.NewReader(out)
		for line := ""; line != "begin\n"; {
			if line, err = said.ReadString('\n'); err != nil {
				t.Fatalf("the writer did not begin: %v", err)
			}
		}
		begun := time.Now()
		timer := time.AfterFunc(delay, func() { cmd.Process.Kill() })
		defer timer.Stop()
		cmd.Wait()
		return time.Since(begun)
	}
	whole := kill(time.Minute)
	if !is(t, dir, after) {
		t.Fatal("a writer that nobody kills does not write")
	}
	write(t, dir, before)
	midway, old := 0, 0
	for n := 0; midway < 25; n++ {
		if n == 500 {
			t.Fatalf("only %d of %d writers were killed midway", midway, n)
		}
		delay := whole * time.Duration(n%40) / 30
		kill(delay)
		if len(entries(t, parent)) > 2 {
			midway++
		}
		switch {
		case is(t, dir, before):
			old++
		case !is(t, dir, after):
			t.Fatalf("killed after %s, out/ is neither the old one nor the new one", delay)
		}
		// The next build, of whatever, leaves nothing of the killed one.
		write(t, dir, before)
		if diff := cmp.Diff([]string{".out.mine", "out"}, entries(t, parent)); diff != "" || !is(t, dir, before) {
			t.Fatalf("after the next build: %s", diff)
		}
	}
	if old == 0 {
		t.Error("no writer was killed before it had finished")
	}
	t.Logf("%d killed midway, %d left the old one", midway, old)
}

// TestFullDiskLeavesTheOldTree writes to a file system that has room for one tree and a half.
func TestFullDiskLeavesTheOldTree(t *testing.T) {
	mount := t.TempDir()
	script := `mount -t tmpfs -o size=5m tmpfs "$1" && shift && exec "$@"`
	inside := func(dir string, more ...string) *exec.Cmd {
		args := append([]string{"--user", "--map-root-user", "--mount", "--", "sh", "-c", script, "sh", mount}, more...)
		return exec.Command("unshare", args...)
	}
	// One process each for the old tree, the failing new one, and what is there then: all within one mount.
	steps := fmt.Sprintf(`
		export WRITE_TO=%[1]s/out
		WRITE_VERSION=before %[2]s -test.run='^TestWriter$' || exit 10
		head -c 10m /dev/zero >%[1]s/filler 2>/dev/null
		WRITE_VERSION=after %[2]s -test.run='^TestWriter$' && exit 11
		ls -A %[1]s
		rm %[1]s/filler
		WRITE_VERSION=before %[2]s -test.run='^TestWriter$' || exit 12
		cp -r %[1]s/out "$COPY"
	`, mount, os.Args[0])
	cmd := inside(mount, "sh", "-c", steps)
	kept := filepath.Join(t.TempDir(), "kept")
	cmd.Env = append(os.Environ(), "COPY="+kept)
	said, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	if !strings.Contains(string(said), "no space left on device") || !strings.HasSuffix(string(said), "filler\nout\nbegin\nPASS\n") {
		t.Errorf("a full disk says:\n%s", said)
	}
	if !is(t, kept, before) {
		t.Error("the old tree is not whole")
	}
}

// TestRebuildWritesOnlyWhatChanged looks at inodes and times: what did not change is the same file.
func TestRebuildWritesOnlyWhatChanged(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	write(t, dir, before)
	old := stats(t, dir)
	trees := fixture(t, before)
	changed := &trees[1].Files[17]
	changed.Data = append(changed.Data, "more\n"...)
	changes, err := Write(dir, trees)
	if err != nil {
		t.Fatal(err)
	}
	want := []Change{{'M', "tests/" + ManifestName}, {'M', "tests/" + changed.Path}}
	if diff := cmp.Diff(want, changes); diff != "" {
		t.Error(diff)
	}
	written := map[string]bool{want[0].Path: true, want[1].Path: true}
	for path, now := range stats(t, dir) {
		if same := now == old[path]; same == written[path] {
			t.Errorf("%s: the same file: %t, changed: %t", path, same, written[path])
		}
	}
	if again := write(t, dir, before); len(again) != 2 {
		t.Errorf("back again: %v", again)
	}
	now := stats(t, dir)
	if again := write(t, dir, before); again != nil || !cmp.Equal(now, stats(t, dir), cmp.AllowUnexported(stat{})) {
		t.Errorf("a build without a change writes: %v", again)
	}
}

// stat is what tells a file from one that was written anew.
type stat struct {
	inode uint64
	time  time.Time
}

func stats(t *testing.T, dir string) map[string]stat {
	t.Helper()
	all := map[string]stat{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		all[rel] = stat{info.Sys().(*syscall.Stat_t).Ino, info.ModTime()}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestCompareTellsWhatIsNoFile puts something else in the place of files.
// TestCompareByAnyName compares a directory as users name it, with one file too many.
func TestCompareByAnyName(t *testing.T) {
	t.Chdir(t.TempDir())
	trees := fixture(t, before)
	if _, err := Write("out", trees); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("out/ci/more", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir("out")
	for _, dir := range []string{".", "./", "../out", "../out//"} {
		changes, err := Compare(dir, trees)
		if diff := cmp.Diff([]Change{{'D', "ci/more"}}, changes); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", dir, err, diff)
		}
	}
}

func TestCompareTellsWhatIsNoFile(t *testing.T) {
	for name, put := range map[string]func(path string) error{
		"a link to the same bytes": func(path string) error {
			if err := os.Rename(path, path+".real"); err != nil {
				return err
			}
			return os.Symlink(path+".real", path)
		},
		"a pipe": func(path string) error {
			if err := os.Remove(path); err != nil {
				return err
			}
			return syscall.Mkfifo(path, 0o644)
		},
		"a directory": func(path string) error {
			if err := os.Remove(path); err != nil {
				return err
			}
			return os.Mkdir(path, 0o755)
		},
		"an executable": func(path string) error { return os.Chmod(path, 0o755) },
		"a shorter one": func(path string) error { return os.Truncate(path, 3) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "out")
			write(t, dir, before)
			path := "tests/folder3/part/17.conf"
			if err := put(filepath.Join(dir, path)); err != nil {
				t.Fatal(err)
			}
			changes, err := Compare(dir, fixture(t, before))
			if err != nil || len(changes) == 0 || changes[0] != (Change{'M', path}) {
				t.Errorf("%v, %v; want %s changed", changes, err, path)
			}
			write(t, dir, before)
			if !is(t, dir, before) {
				t.Error("a build does not mend it")
			}
		})
	}
}

package artifact

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/google/renameio/v2"
	"golang.org/x/sys/unix"
)

// Change is what became of one file between two trees.
type Change struct {
	Kind byte   // 'A' added, 'M' changed, 'D' deleted
	Path string // with the host: "tests/nginx/qa17.conf"
}

func (c Change) String() string { return string(c.Kind) + " " + c.Path }

// Write makes dir be the trees, and returns what changed. The new directory is built beside dir and exchanged with
// it by one rename: an interrupted build leaves the old directory or the new one, and what else it leaves goes with
// the next build. Files that did not change are linked, not written. A directory that holds something else is
// refused.
func Write(dir string, trees []*Tree) ([]Change, error) {
	dir = filepath.Clean(dir)
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o777); err != nil {
		return nil, err
	}
	unlock, err := alone(parent, stagingPrefix(dir))
	if err != nil {
		return nil, err
	}
	defer unlock()
	changes, err := Compare(dir, trees)
	if err != nil || (len(changes) == 0 && exists(dir)) {
		return nil, err
	}
	staging, err := os.MkdirTemp(parent, stagingPrefix(dir))
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(staging)
	if err := os.Chmod(staging, 0o755); err != nil {
		return nil, err
	}
	changed := make(map[string]bool, len(changes))
	for _, c := range changes {
		changed[c.Path] = true
	}
	err = forEach(trees, func(_ int, t *Tree) error { return place(staging, dir, t, changed) })
	if err != nil {
		return nil, err
	}
	return changes, Exchange(staging, dir)
}

// forEach calls do for every tree, as many at once as there are processors, and returns the first tree's error.
func forEach(trees []*Tree, do func(n int, t *Tree) error) error {
	errs := make([]error, len(trees))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(len(trees), runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for n := int(next.Add(1)) - 1; n < len(trees); n = int(next.Add(1)) - 1 {
				errs[n] = do(n, trees[n])
			}
		})
	}
	wg.Wait()
	return cmp.Or(errs...)
}

// stagingPrefix begins the name of the directory that becomes dir.
func stagingPrefix(dir string) string { return "." + filepath.Base(dir) + ".odoogen-" }

// alone waits until no other build writes below parent, and removes what a killed one left there. Where a file
// system has no locks for directories, nothing is waited for and nothing removed.
func alone(parent, prefix string) (unlock func(), err error) {
	d, err := os.Open(parent)
	if err != nil {
		return nil, err
	}
	unlock = func() { d.Close() } // and with it the lock
	for err = unix.EINTR; err == unix.EINTR; {
		err = unix.Flock(int(d.Fd()), unix.LOCK_EX)
	}
	if err != nil {
		return unlock, nil
	}
	names, err := d.Readdirnames(-1)
	for _, name := range names {
		if strings.HasPrefix(name, prefix) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(parent, name)))
		}
	}
	if err != nil {
		unlock()
		return nil, err
	}
	return unlock, nil
}

// place puts one host's files into the staging directory: linked from dir where they did not change.
func place(staging, dir string, t *Tree, changed map[string]bool) error {
	made := map[string]bool{".": true}
	for f := range t.all() {
		path := t.Host + "/" + f.Path
		if err := mkdirs(staging, filepath.Dir(path), made); err != nil {
			return err
		}
		to := staging + "/" + path
		if !changed[path] && os.Link(dir+"/"+path, to) == nil {
			continue
		}
		if err := os.WriteFile(to, f.Data, f.diskMode()); err != nil {
			return err
		}
		if err := os.Chmod(to, f.diskMode()); err != nil { // whatever the umask is
			return err
		}
	}
	return nil
}

// mkdirs makes a directory below root and those around it, as far as they are not made yet.
func mkdirs(root, path string, made map[string]bool) error {
	if made[path] {
		return nil
	}
	if err := mkdirs(root, filepath.Dir(path), made); err != nil {
		return err
	}
	made[path] = true
	if err := os.Mkdir(filepath.Join(root, path), 0o755); err != nil {
		return err
	}
	return os.Chmod(filepath.Join(root, path), 0o755)
}

// Exchange makes staging be dir, in one step also where dir exists; what dir was is in staging then.
func Exchange(staging, dir string) error {
	if !exists(dir) {
		return os.Rename(staging, dir)
	}
	err := unix.Renameat2(unix.AT_FDCWD, staging, unix.AT_FDCWD, dir, unix.RENAME_EXCHANGE)
	if err != nil {
		return fmt.Errorf("exchange %s: %w", dir, err)
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// all yields the tree's files, MANIFEST last.
func (t *Tree) all() func(yield func(*File) bool) {
	return func(yield func(*File) bool) {
		for i := range t.Files {
			if !yield(&t.Files[i]) {
				return
			}
		}
		yield(&File{Path: ManifestName, Mode: 0o444, Data: t.Manifest()})
	}
}

// diskMode is the mode in a working directory: git keeps only whether it is executable.
func (f *File) diskMode() fs.FileMode {
	if f.Mode&0o111 != 0 {
		return 0o755
	}
	return 0o644
}

// WriteFile replaces one file in one step.
func WriteFile(path string, data []byte, mode fs.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return renameio.WriteFile(path, data, mode, renameio.IgnoreUmask(), renameio.WithStaticPermissions(mode))
}

package artifact

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"
	"golang.org/x/sys/unix"
)

// Change is what became of one file between two trees.
type Change struct {
	Kind byte   // 'A' added, 'M' changed, 'D' deleted
	Path string // with the host: "tests/nginx/qa17.conf"
}

func (c Change) String() string { return string(c.Kind) + " " + c.Path }

// Compare lists how dir differs from the trees, sorted by path; dir need not exist. A file whose bytes or whose
// x bit differ is changed. Whatever the trees do not name is deleted.
func Compare(dir string, trees []*Tree) ([]Change, error) {
	if err := owned(dir); err != nil {
		return nil, err
	}
	var changes []Change
	want := map[string]bool{}
	for _, t := range trees {
		for f := range t.all() {
			path := t.Host + "/" + f.Path
			want[path] = true
			same, err := sameFile(filepath.Join(dir, path), f)
			switch {
			case errors.Is(err, fs.ErrNotExist):
				changes = append(changes, Change{'A', path})
			case err != nil:
				return nil, err
			case !same:
				changes = append(changes, Change{'M', path})
			}
		}
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || d.IsDir() {
			return err
		}
		if rel, _ := filepath.Rel(dir, path); !want[rel] {
			changes = append(changes, Change{'D', rel})
		}
		return nil
	})
	slices.SortFunc(changes, func(a, b Change) int { return strings.Compare(a.Path, b.Path) })
	return changes, err
}

func sameFile(path string, f *File) (bool, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return false, err
	}
	if !info.Mode().IsRegular() || info.Size() != int64(len(f.Data)) || info.Mode().Perm() != f.diskMode() {
		return false, nil
	}
	data, err := os.ReadFile(path)
	return bytes.Equal(data, f.Data), err
}

// Write makes dir be the trees, and returns what changed. The new directory is built beside dir and exchanged with
// it by one rename: an interrupted build leaves the old directory or the new one. Files that did not change are
// linked, not written. A directory that holds something else is refused.
func Write(dir string, trees []*Tree) ([]Change, error) {
	changes, err := Compare(dir, trees)
	if err != nil || (len(changes) == 0 && exists(dir)) {
		return nil, err
	}
	changed := map[string]bool{}
	for _, c := range changes {
		changed[c.Path] = true
	}
	parent := filepath.Dir(filepath.Clean(dir))
	if err := os.MkdirAll(parent, 0o777); err != nil {
		return nil, err
	}
	staging, err := os.MkdirTemp(parent, "."+filepath.Base(dir)+".*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(staging)
	if err := os.Chmod(staging, 0o755); err != nil {
		return nil, err
	}
	for _, t := range trees {
		for f := range t.all() {
			path := filepath.Join(t.Host, filepath.FromSlash(f.Path))
			if err := place(staging, dir, path, f, changed[filepath.ToSlash(path)]); err != nil {
				return nil, err
			}
		}
	}
	return changes, Exchange(staging, dir)
}

// place puts one file into the staging directory: linked from dir where it did not change.
func place(staging, dir, path string, f *File, changed bool) error {
	to := filepath.Join(staging, path)
	if err := mkdirs(staging, filepath.Dir(path)); err != nil {
		return err
	}
	if !changed && os.Link(filepath.Join(dir, path), to) == nil {
		return nil
	}
	if err := os.WriteFile(to, f.Data, f.diskMode()); err != nil {
		return err
	}
	return os.Chmod(to, f.diskMode()) // whatever the umask is
}

func mkdirs(root, path string) error {
	if path == "." {
		return nil
	}
	if err := mkdirs(root, filepath.Dir(path)); err != nil {
		return err
	}
	switch err := os.Mkdir(filepath.Join(root, path), 0o755); {
	case errors.Is(err, fs.ErrExist):
		return nil
	case err != nil:
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

// owned refuses a directory that is not one of trees: nothing of the user's may be deleted.
func owned(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !exists(filepath.Join(dir, e.Name(), ManifestName)) {
			return fmt.Errorf("%s holds %s, which odoogen did not write", dir, e.Name())
		}
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

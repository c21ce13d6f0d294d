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

	"golang.org/x/sys/unix"
)

// Compare lists how dir differs from the trees, sorted by path; dir need not exist. A file whose bytes or whose
// x bit differ is changed. Whatever the trees do not name is deleted.
func Compare(dir string, trees []*Tree) ([]Change, error) {
	dir = filepath.Clean(dir)
	hosts, err := owned(dir)
	if err != nil {
		return nil, err
	}
	changes := make([][]Change, len(trees))
	err = forEach(trees, func(n int, t *Tree) (err error) {
		if hosts[t.Host] {
			changes[n], err = compareTree(dir, t)
			return err
		}
		for f := range t.all() {
			changes[n] = append(changes[n], Change{'A', t.Host + "/" + f.Path})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	all := slices.Concat(changes...)
	for _, t := range trees {
		delete(hosts, t.Host)
	}
	for host := range hosts {
		gone, err := deleted(dir, host, nil)
		if err != nil {
			return nil, err
		}
		all = append(all, gone...)
	}
	slices.SortFunc(all, func(a, b Change) int { return strings.Compare(a.Path, b.Path) })
	return all, nil
}

// compareTree lists how the files of one host differ.
func compareTree(dir string, t *Tree) ([]Change, error) {
	var changes []Change
	var buffer []byte
	want := make(map[string]bool, len(t.Files)+1)
	for f := range t.all() {
		path := t.Host + "/" + f.Path
		want[path] = true
		same, err := sameFile(dir+"/"+path, f, &buffer)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			changes = append(changes, Change{'A', path})
		case err != nil:
			return nil, fmt.Errorf("%s: %w", dir+"/"+path, err)
		case !same:
			changes = append(changes, Change{'M', path})
		}
	}
	gone, err := deleted(dir, t.Host, want)
	return append(changes, gone...), err
}

// deleted are the files below a host's directory that are not wanted.
func deleted(dir, host string, want map[string]bool) ([]Change, error) {
	var changes []Change
	err := filepath.WalkDir(filepath.Join(dir, host), func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || d.IsDir() {
			return err
		}
		if path = strings.TrimPrefix(path, dir+"/"); !want[path] {
			changes = append(changes, Change{'D', path})
		}
		return nil
	})
	return changes, err
}

// sameFile tells whether a file on disk is f, which it reads into the buffer. Thousands of small files are compared
// by every build: os.ReadFile would make twice the system calls.
func sameFile(path string, f *File, buffer *[]byte) (bool, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	switch {
	case err == unix.ELOOP || err == unix.ENXIO: // a link, or a socket
		return false, nil
	case err != nil:
		return false, err
	}
	defer unix.Close(fd)
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return false, err
	}
	if stat.Mode != unix.S_IFREG|uint32(f.diskMode()) || stat.Size != int64(len(f.Data)) {
		return false, nil
	}
	*buffer = slices.Grow((*buffer)[:0], len(f.Data))[:len(f.Data)]
	for n := 0; n < len(f.Data); {
		more, err := unix.Read(fd, (*buffer)[n:])
		if err == unix.EINTR {
			continue
		}
		if err != nil || more == 0 {
			return false, err
		}
		n += more
	}
	return bytes.Equal(*buffer, f.Data), nil
}

// owned are the hosts that have a tree in dir. A directory that is not one of trees is refused: nothing of the
// user's may be deleted.
func owned(dir string) (map[string]bool, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	hosts := map[string]bool{}
	for _, e := range entries {
		if !exists(filepath.Join(dir, e.Name(), ManifestName)) {
			return nil, fmt.Errorf("%s holds %s, which odoogen did not write", dir, e.Name())
		}
		hosts[e.Name()] = true
	}
	return hosts, err
}

package artifact

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// ManifestName is the file that lists a tree's files.
const ManifestName = "MANIFEST"

// Tree is one generation of one host: its files, sorted by path. What its files are is not changed any more once
// somebody asked for its MANIFEST.
type Tree struct {
	Host  string
	Files []File

	once     sync.Once
	manifest []byte
}

// NewTree makes a tree of the files. It refuses what no tree may hold: two files at one path, a file below
// another, a path that leaves the tree, a mode that lets anybody write, bytes that are not text.
func NewTree(host string, files []File) (*Tree, error) {
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	for i := range files {
		f := &files[i]
		if err := f.check(); err != nil {
			return nil, err
		}
		if f.Path == ManifestName {
			return nil, fmt.Errorf("%s is written by the tree itself", ManifestName)
		}
		if i > 0 {
			switch before := files[i-1].Path; {
			case before == f.Path:
				return nil, fmt.Errorf("%s: two files of that name", f.Path)
			case strings.HasPrefix(f.Path, before+"/"):
				return nil, fmt.Errorf("%s: %s is a file", f.Path, before)
			}
		}
	}
	return &Tree{Host: host, Files: files}, nil
}

// File is the file at a path, or nil.
func (t *Tree) File(path string) *File {
	i, ok := slices.BinarySearchFunc(t.Files, path, func(f File, p string) int { return strings.Compare(f.Path, p) })
	if !ok {
		return nil
	}
	return &t.Files[i]
}

// Manifest lists every file, sorted by path: mode, SHA-256, effects and path. git keeps only the x bit, so this is
// where a reviewer sees a mode or an effect change.
func (t *Tree) Manifest() []byte {
	t.once.Do(func() {
		b := make([]byte, 0, 128*len(t.Files))
		for i := range t.Files {
			f := &t.Files[i]
			b = fmt.Appendf(b, "%04o %s %s %s\n", f.Mode, f.Digest(), effects(f.Effects), f.Path)
		}
		t.manifest = b
	})
	return t.manifest
}

// effects are as MANIFEST shows them: joined by commas, "none" for none.
func effects(all []Effect) string {
	if len(all) == 0 {
		return "none"
	}
	words := make([]string, len(all))
	for i, e := range all {
		words[i] = string(e)
	}
	return strings.Join(words, ",")
}

// Digest names the generation: the SHA-256 of MANIFEST, in hexadecimal.
func (t *Tree) Digest() string {
	sum := sha256.Sum256(t.Manifest())
	return hex.EncodeToString(sum[:])
}

// Bytes is the size of all files, MANIFEST not counted.
func (t *Tree) Bytes() int {
	n := 0
	for _, f := range t.Files {
		n += len(f.Data)
	}
	return n
}

package artifact

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Entry is a line of a MANIFEST.
type Entry struct {
	Mode    uint32
	Digest  string
	Effects []Effect
	Path    string
}

// ParseManifest reads a MANIFEST. A line that is not one is an error that names its number.
func ParseManifest(data []byte) ([]Entry, error) {
	var entries []Entry
	scanner := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; scanner.Scan(); n++ {
		words := strings.Split(scanner.Text(), " ")
		if len(words) != 4 {
			return nil, fmt.Errorf("%s:%d: want mode, SHA-256, effects and path", ManifestName, n)
		}
		mode, err := strconv.ParseUint(words[0], 8, 12)
		if err != nil || len(words[1]) != 64 {
			return nil, fmt.Errorf("%s:%d: want mode, SHA-256, effects and path", ManifestName, n)
		}
		e := Entry{Mode: uint32(mode), Digest: words[1], Path: words[3]}
		if words[2] != "none" {
			for word := range strings.SplitSeq(words[2], ",") {
				e.Effects = append(e.Effects, Effect(word))
			}
		}
		entries = append(entries, e)
	}
	return entries, scanner.Err()
}

// ReadTree reads a tree that was written to a directory, and holds it against its MANIFEST: a tree that was edited
// by hand, or lacks a file, is refused. Its lines have no origins.
func ReadTree(dir string) (*Tree, error) {
	manifest, err := os.ReadFile(filepath.Join(dir, ManifestName))
	if err != nil {
		return nil, err
	}
	entries, err := ParseManifest(manifest)
	if err != nil {
		return nil, fmt.Errorf("%s/%w", dir, err)
	}
	t := &Tree{Host: filepath.Base(dir)}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(e.Path)))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s: %s lists %s, which is not there", dir, ManifestName, e.Path)
		}
		if err != nil {
			return nil, err
		}
		f := File{Path: e.Path, Mode: e.Mode, Effects: e.Effects, Data: data}
		if f.Digest() != e.Digest {
			return nil, fmt.Errorf("%s: %s is not what %s says", dir, e.Path, ManifestName)
		}
		t.Files = append(t.Files, f)
	}
	return t, nil
}

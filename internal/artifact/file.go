// Package artifact is what crosses from compiling to pushing: files, trees of them, and their MANIFEST. A tree is
// complete in memory before a byte of it is written. This package is the only one that writes files.
package artifact

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"strings"
	"unicode/utf8"
)

// File is one file of a host's tree.
type File struct {
	Path    string   // inside the tree, with slashes: "nginx/qa17.conf"
	Mode    uint32   // on the host: 0444, 0440 or 0555; its owner is root
	Effects []Effect // what the host must do when its bytes or mode change; empty for nothing
	Data    []byte
	From    []string // of each line, the CUE paths or the constant file's line that it comes from
}

// Effect is what a changed file makes a host do. The set is closed.
type Effect string

// DaemonReload makes systemd read its units again; limits apply with that alone.
const DaemonReload Effect = "daemon-reload"

// Reload makes a unit read its configuration again.
func Reload(unit string) Effect { return Effect("reload:" + unit) }

// Restart stops and starts a unit.
func Restart(unit string) Effect { return Effect("restart:" + unit) }

// Run starts a unit once, to its end.
func Run(unit string) Effect { return Effect("run:" + unit) }

// Digest is the SHA-256 of the file's bytes, in hexadecimal.
func (f *File) Digest() string {
	sum := sha256.Sum256(f.Data)
	return hex.EncodeToString(sum[:])
}

// check refuses what no tree may hold.
func (f *File) check() error {
	switch {
	case f.Path == "" || path.IsAbs(f.Path) || path.Clean(f.Path) != f.Path || strings.HasPrefix(f.Path, ".."):
		return fmt.Errorf("%q is no path inside a tree", f.Path)
	case strings.ContainsAny(f.Path, " \t\n"):
		return fmt.Errorf("%q: white space in a path", f.Path)
	case f.Mode&^0o777 != 0 || f.Mode&0o400 == 0 || f.Mode&0o222 != 0:
		return fmt.Errorf("%s: mode %04o is not one of a file that nobody writes", f.Path, f.Mode)
	case len(f.Data) == 0 || f.Data[len(f.Data)-1] != '\n':
		return fmt.Errorf("%s: no newline at its end", f.Path)
	case bytes.IndexByte(f.Data, 0) >= 0 || !utf8.Valid(f.Data):
		return fmt.Errorf("%s: not text", f.Path)
	case bytes.Count(f.Data, []byte("\n")) != len(f.From):
		return fmt.Errorf("%s: %d lines, origins of %d", f.Path, bytes.Count(f.Data, []byte("\n")), len(f.From))
	}
	return nil
}

package lab

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// What cannot be had in the lab is stood in for by a package of the same name that does as little as can be
// observed, and says what it is. A package without a folder here becomes one without files.
//
//go:embed all:standin
var standin embed.FS

// deb is a package file and the stanza that an index has for it.
type deb struct {
	file   string // where it is
	name   string // as Filename gives it, below the repository
	stanza string
}

// standIn builds the stand-in package. The version is a pin: "21.*" becomes "21.0~standin", which it matches.
func standIn(ctx context.Context, dir, name, pin string) (deb, error) {
	version := strings.ReplaceAll(pin, "*", "0~standin")
	if version == "" {
		version = "0~standin"
	}
	root := filepath.Join(dir, name+".root")
	defer os.RemoveAll(root)
	from := "standin/" + name
	err := fs.WalkDir(standin, from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := standin.ReadFile(path)
		if err != nil {
			return err
		}
		to := filepath.Join(root, strings.TrimPrefix(path, from))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		mode := os.FileMode(0o644)
		if strings.HasPrefix(string(data), "#!") {
			mode = 0o755
		}
		return os.WriteFile(to, data, mode)
	})
	if err != nil && !os.IsNotExist(err) {
		return deb{}, err
	}
	control := fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: odoogen lab <lab@invalid>\n"+
		"Description: the lab's stand-in for %s\n", name, version, name)
	if err := os.MkdirAll(root+"/DEBIAN", 0o755); err != nil {
		return deb{}, err
	}
	if err := os.WriteFile(root+"/DEBIAN/control", []byte(control), 0o644); err != nil {
		return deb{}, err
	}
	d := deb{name: "pool/" + name + "_" + version + "_all.deb", file: filepath.Join(dir, name+".deb")}
	// The time of a build is no part of it: the pools of two Debian releases have the same files.
	if err := run(ctx, "env", "SOURCE_DATE_EPOCH=0", "dpkg-deb", "--build", "--root-owner-group", root, d.file); err != nil {
		return deb{}, err
	}
	sum, size, err := digest(d.file)
	if err != nil {
		return deb{}, err
	}
	d.stanza = fmt.Sprintf("%sFilename: %s\nSize: %d\nSHA256: %s\n", control, d.name, size, sum)
	return d, nil
}

// digest is a file's SHA-256 and size.
func digest(name string) (string, int, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return "", 0, err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), len(data), nil
}

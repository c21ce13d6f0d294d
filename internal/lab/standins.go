package lab

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
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

// standIns builds the packages that Debian has not, and serves them where the spec says they come from: vendors'
// signed archives with their keys, and single files by address. It returns those of vendors that no package source
// names, which Debian's archive then offers.
func (p *Pool) standIns(ctx context.Context, dir, www string, hosts []*Host, key *signer) ([]deb, error) {
	byVendor := map[string][]deb{}
	for _, h := range hosts {
		for _, want := range vendorPackages(h) {
			if slices.Contains(p.StandIns, want.Name) {
				continue
			}
			d, err := standIn(ctx, dir, want.Name, want.Version)
			if err != nil {
				return nil, err
			}
			p.StandIns = append(p.StandIns, want.Name)
			byVendor[want.Vendor] = append(byVendor[want.Vendor], d)
		}
		for _, d := range h.Downloads {
			if p.Downloads[d.URL] != "" {
				continue
			}
			built, err := standIn(ctx, dir, d.Package, d.Version)
			if err != nil {
				return nil, err
			}
			data, err := os.ReadFile(built.file)
			if err != nil {
				return nil, err
			}
			if p.Downloads[d.URL], _, err = digest(built.file); err != nil {
				return nil, err
			}
			if err := serve(www, d.URL, data); err != nil {
				return nil, err
			}
			p.StandIns = append(p.StandIns, d.Package)
		}
	}
	slices.Sort(p.StandIns)
	var left []deb
	for _, h := range hosts {
		for _, v := range h.Vendors {
			if p.KeyOfVendor[v.Name] != "" {
				continue
			}
			p.KeyOfVendor[v.Name] = key.fingerprint
			if err := serve(www, v.Key, key.armored); err != nil {
				return nil, err
			}
			i := slices.IndexFunc(h.Sources, func(s Source) bool { return s.Keyring == v.Keyring })
			if i < 0 {
				left = append(left, byVendor[v.Name]...)
				continue
			}
			s := h.Sources[i]
			u, err := url.Parse(s.URI)
			if err != nil {
				return nil, err
			}
			for _, suite := range s.Suites {
				r := repository{dir: filepath.Join(www, u.Hostname(), u.Path), suite: suite, origin: v.Name, label: v.Name,
					components: s.Components, debs: byVendor[v.Name]}
				if err := r.write(ctx, key); err != nil {
					return nil, err
				}
			}
		}
	}
	return left, nil
}

package native

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"embed"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"odoogen/internal/artifact"
)

// generation is where the tree lies in the root.
const generation = "/etc/odoogen/generations/1"

// emptied are directories in which the host has nothing but what the tree and its doors bring. Whatever this
// machine has there is covered.
var emptied = []string{
	"/etc/odoogen", "/var/lib/odoogen",
	"/etc/systemd/system", "/etc/systemd/network", "/usr/local/lib/systemd",
	"/usr/local/lib/sysusers.d", "/usr/local/lib/tmpfiles.d", "/usr/local/lib/sysctl.d",
	"/etc/nginx/conf.d", "/etc/nginx/sites-enabled",
	"/etc/ssh/sshd_config.d", "/etc/sudoers.d",
	"/etc/apt/sources.list.d", "/etc/apt/preferences.d",
	"/etc/postgresql", "/var/lib/postgresql",
}

// furnish makes the root look like the host: the tree with its doors, and stand-ins for what cannot be had here,
// which the result lists.
func furnish(ctx context.Context, r *root, h *host, t *artifact.Tree) (Result, error) {
	shown := Result{Host: t.Host, Class: "stand-ins"}
	var users string
	err := r.do(func() error {
		for _, dir := range emptied {
			if err := empty(dir); err != nil {
				return err
			}
		}
		if err := place(t); err != nil {
			return err
		}
		for _, d := range h.Doors {
			// A cluster's door opens when the cluster has been made.
			if strings.HasPrefix(d.Path, "/etc/postgresql/") {
				continue
			}
			if err := open(d); err != nil {
				return err
			}
		}
		for _, name := range h.Absent {
			if err := os.RemoveAll(name); err != nil {
				return err
			}
		}
		var err error
		if users, err = standIns(t, &shown); err != nil {
			return err
		}
		return certificates(t, &shown)
	})
	if err != nil {
		return shown, err
	}
	if users != "" {
		if res := r.runCommand(ctx, command{argv: []string{"systemd-sysusers", "-"}, stdin: users}); res.code != 0 {
			return shown, fmt.Errorf("stand-in users: %s", res.stderr)
		}
	}
	return shown, nil
}

// empty covers a directory with an empty one of the same mode and owner.
func empty(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var s unix.Stat_t
	if err := unix.Stat(dir, &s); err != nil {
		return err
	}
	return mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("mode=%04o,uid=%d,gid=%d", s.Mode&0o7777, s.Uid, s.Gid))
}

// place writes the tree as the host's current generation.
func place(t *artifact.Tree) error {
	for i := range t.Files {
		f := &t.Files[i]
		if err := write(generation+"/"+f.Path, f.Data, os.FileMode(f.Mode)); err != nil {
			return err
		}
	}
	if err := write(generation+"/"+artifact.ManifestName, t.Manifest(), 0o444); err != nil {
		return err
	}
	return os.Symlink(strings.TrimPrefix(generation, path.Dir(current)+"/"), current)
}

// open makes a door.
func open(d door) error {
	if d.Link != "" {
		if err := os.MkdirAll(path.Dir(d.Path), 0o755); err != nil {
			return err
		}
		// One of the emptied directories may be the door itself.
		if err := unix.Unmount(d.Path, unix.MNT_DETACH); err == nil {
			os.Remove(d.Path)
		}
		return os.Symlink(d.Link, d.Path)
	}
	mode, err := strconv.ParseUint(d.Mode, 8, 32)
	if err != nil {
		return fmt.Errorf("HOST.json: door %s: mode %q", d.Path, d.Mode)
	}
	return write(d.Path, []byte(d.Content), os.FileMode(mode))
}

// openBelow makes the doors that lie below a directory.
func openBelow(h *host, dir string) error {
	for _, d := range h.Doors {
		if strings.HasPrefix(d.Path, dir) {
			if err := open(d); err != nil {
				return err
			}
		}
	}
	return nil
}

func write(name string, data []byte, mode os.FileMode) error {
	if err := os.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(name, data, mode); err != nil {
		return err
	}
	return os.Chmod(name, mode) // whatever the umask is
}

// vendorPackage is one that Debian does not have: its unit, and the users and groups that it makes.
type vendorPackage struct{ name, users string }

var vendorPackages = []vendorPackage{
	{"jenkins", "u jenkins - \"Jenkins\" /var/lib/jenkins\n"},
	{"alloy", "u alloy - \"Grafana Alloy\" /var/lib/alloy\nm alloy adm\nm alloy systemd-journal\n"},
}

// vendorPrograms are programs that come with vendor packages and releases, not from Debian: an empty one stands in,
// for units that name it. None of them is ever run.
var vendorPrograms = regexp.MustCompile(`^(/opt/odoo/.*|/usr/bin/(jenkins|alloy)|/usr/lib/jvm/temurin-[^/]*/bin/java|/usr/local/bin/wkhtmlto(pdf|image))$`)

//go:embed standins
var units embed.FS

// standIns makes the units and programs that the tree needs and the machine lacks. It returns the sysusers.d lines
// of the packages that they stand for.
func standIns(t *artifact.Tree, shown *Result) (users string, err error) {
	for _, p := range vendorPackages {
		unit := "/lib/systemd/system/" + p.name + ".service"
		if exists(unit) || !mentions(t, p.name+".service") {
			continue
		}
		text, err := units.ReadFile("standins/" + p.name + ".service")
		if err != nil {
			return "", err
		}
		if err := write(unit, text, 0o644); err != nil {
			return "", err
		}
		if err := write("/usr/bin/"+p.name, nil, 0o755); err != nil {
			return "", err
		}
		shown.Notes = append(shown.Notes, "a stand-in for the package "+p.name+": unit, program, user")
		users += p.users
	}
	for _, program := range programs(t) {
		if exists(program) || !vendorPrograms.MatchString(program) {
			continue
		}
		if err := write(program, nil, 0o755); err != nil {
			return "", err
		}
		shown.Notes = append(shown.Notes, "a stand-in for the program "+program)
	}
	return users, nil
}

// mentions tells whether the tree starts a unit or has a drop-in for it.
func mentions(t *artifact.Tree, unit string) bool {
	return slices.ContainsFunc(t.Files, func(f artifact.File) bool {
		return strings.HasPrefix(f.Path, "systemd/system/"+unit+".d/")
	})
}

// programs are those that the tree's units run, sorted, each once.
func programs(t *artifact.Tree) []string {
	var all []string
	for _, f := range t.Files {
		if strings.HasPrefix(f.Path, "systemd/system/") {
			for _, m := range execLine.FindAllSubmatch(f.Data, -1) {
				all = append(all, string(m[1]))
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// execLine is a command line of a unit with its prefixes (systemd.service(5), "Special executable prefixes").
var execLine = regexp.MustCompile(`(?m)^Exec[A-Za-z]+=[-@:+!]*"?(/[^\s"]+)`)

// certificates puts a self-signed certificate where a vhost names one that the host makes itself.
func certificates(t *artifact.Tree, shown *Result) error {
	var names []string
	for _, f := range t.Files {
		for _, m := range certificateLine.FindAllSubmatch(f.Data, -1) {
			if strings.HasPrefix(f.Path, "nginx/") {
				names = append(names, string(m[1]))
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	both, err := selfSigned()
	if err != nil {
		return err
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if err := write(name, both, 0o600); err != nil {
			return err
		}
	}
	shown.Notes = append(shown.Notes, "self-signed certificates in /var/lib/odoogen/tls, as a host has at first")
	return nil
}

var certificateLine = regexp.MustCompile(`(?m)^\s*ssl_(?:trusted_)?certificate(?:_key)?\s+"?(/var/lib/odoogen/tls/[^\s";]+)`)

// selfSigned is a certificate and its key, in one PEM text: nginx picks what it needs.
func selfSigned() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "odoogen vet"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})...), nil
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

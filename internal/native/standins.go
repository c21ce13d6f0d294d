package native

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"embed"
	"encoding/pem"
	"math/big"
	"os"
	"slices"
	"strings"
	"time"

	"odoogen/internal/artifact"
)

// vendorPackage is one that Debian does not have: its unit, and the users and groups that it makes.
type vendorPackage struct{ name, users string }

var vendorPackages = []vendorPackage{
	{"jenkins", "u jenkins - \"Jenkins\" /var/lib/jenkins\n"},
	{"alloy", "u alloy - \"Grafana Alloy\" /var/lib/alloy\nm alloy adm\nm alloy systemd-journal\n"},
}

// vendorPrograms are programs that come with vendor packages and releases, not from Debian: an empty one stands in,
// for units that name it. None of them is ever run.
var vendorPrograms = lazily(`^(/opt/odoo/.*|/usr/bin/(jenkins|alloy)|/usr/lib/jvm/temurin-[^/]*/bin/java|/usr/local/bin/wkhtmlto(pdf|image))$`)

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
		if exists(program) || !vendorPrograms().MatchString(program) {
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
			for _, m := range execLine().FindAllSubmatch(f.Data, -1) {
				all = append(all, string(m[1]))
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// execLine is a command line of a unit with its prefixes (systemd.service(5), "Special executable prefixes").
var execLine = lazily(`(?m)^Exec[A-Za-z]+=[-@:+!]*"?(/[^\s"]+)`)

// certificates puts a self-signed certificate where a vhost names one that the host makes itself.
func certificates(t *artifact.Tree, shown *Result) error {
	var names []string
	for _, f := range t.Files {
		for _, m := range certificateLine().FindAllSubmatch(f.Data, -1) {
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

var certificateLine = lazily(`(?m)^\s*ssl_(?:trusted_)?certificate(?:_key)?\s+"?(/var/lib/odoogen/tls/[^\s";]+)`)

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

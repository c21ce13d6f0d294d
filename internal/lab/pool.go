package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"odoogen/internal/artifact"
)

// anyHost is the folder of what the world serves under every name: Debian's archive, whichever mirror a spec takes.
const anyHost = "_any"

// worldPackages run the outside world: a certificate authority, a receiver of metrics, git servers.
var worldPackages = []string{"pebble", "prometheus", "git"}

// Pool is what the world serves of packages: www/HOST/PATH is what http(s)://HOST/PATH answers. The archives in it
// are real, signed ones; only their key is the lab's own.
type Pool struct {
	Dir         string            `json:"-"`
	Key         string            `json:"key"`         // fingerprint of the key that signed everything
	Downloads   map[string]string `json:"downloads"`   // SHA-256 by URL
	StandIns    []string          `json:"standIns"`    // packages that are not the real ones
	KeyOfVendor map[string]string `json:"keyOfVendor"` // fingerprint by vendor
}

// pool fetches every package that the hosts of one Debian release ask for, with dependencies, and makes archives of
// them; vendors' archives have what any host of the lab asks for, whatever its release. It is kept: what is in it stays as it was fetched until the list changes or it is deleted.
func pool(ctx context.Context, base string, hosts, all []*Host, say func(string)) (*Pool, error) {
	recipe := recipeOf(base, hosts, all)
	p := &Pool{Dir: filepath.Join(cache, "packages", hosts[0].Suite()+"-"+keyOf(recipe...))}
	err := once(p.Dir, func(made string) error {
		say(fmt.Sprintf("fetching the packages of Debian %s (once, some minutes)", hosts[0].Suite()))
		return fill(ctx, made, base, hosts, all)
	})
	if err != nil {
		return nil, fmt.Errorf("package pool: %w", err)
	}
	data, err := os.ReadFile(p.Dir + "/pool.json")
	if err != nil {
		return nil, err
	}
	return p, json.Unmarshal(data, p)
}

// recipeOf lists all that a pool is made from.
func recipeOf(base string, hosts, all []*Host) []string {
	recipe := []string{base, strings.Join(worldPackages, " ")}
	for _, h := range hosts {
		recipe = append(recipe, strings.Join(debianPackages(h), " "))
	}
	for _, h := range all {
		for _, v := range []any{vendorPackages(h), h.Vendors, h.Downloads, h.Sources} {
			data, _ := json.Marshal(v)
			recipe = append(recipe, string(data))
		}
	}
	_ = fs.WalkDir(standin, ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			data, _ := standin.ReadFile(path)
			recipe = append(recipe, path, string(data))
		}
		return err
	})
	return recipe
}

// download fetches, for each line of packages, what an installation of that line would fetch, and prints the
// index's stanza of each package. It runs in the base image, with the machine's own network; /debs is kept.
const download = `set -eu
export DEBIAN_FRONTEND=noninteractive
mkdir -p /debs/partial
apt() { apt-get -qq -o APT::Sandbox::User=root -o Dir::Cache::archives=/debs -o Acquire::Retries=3 "$@"; }
apt update >&2
while read -r line; do
	apt install --download-only --no-install-recommends $line >&2
	apt install --simulate --no-install-recommends $line
done | sed -nE 's/^Inst ([^ ]+) (\[[^]]*\] )?\(([^ ]+) .*/\1=\3/p' | sort -u | xargs apt-cache show
`

func fill(ctx context.Context, made, base string, hosts, all []*Host) error {
	debs := filepath.Join(cache, "packages", hosts[0].Suite()+"-debs") // pools link from it
	standIns := filepath.Join(made, "stand-ins")
	for _, dir := range []string{debs, standIns} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	lines := []string{strings.Join(worldPackages, " ")}
	for _, h := range hosts {
		lines = append(lines, strings.Join(debianPackages(h), " "))
	}
	stanzas, err := fetch(ctx, base, debs, lines)
	if err != nil {
		return err
	}
	key, err := archiveKey(ctx)
	if err != nil {
		return err
	}
	p := &Pool{Key: key.fingerprint, Downloads: map[string]string{}, KeyOfVendor: map[string]string{}}
	archive, err := fetched(debs, stanzas)
	if err != nil {
		return err
	}
	for _, d := range archive {
		if slices.ContainsFunc(worldPackages, func(name string) bool { return strings.HasPrefix(filepath.Base(d.file), name+"_") }) {
			if err := extract(ctx, d.file, made+"/world"); err != nil {
				return err
			}
		}
	}
	www := filepath.Join(made, "www")
	more, err := p.standIns(ctx, standIns, www, all, key)
	if err != nil {
		return err
	}
	suite := hosts[0].Suite()
	for _, r := range []repository{
		{dir: "debian", suite: suite, origin: "Debian", label: "Debian", components: []string{"main"}, debs: append(archive, more...)},
		{dir: "debian", suite: suite + "-updates", origin: "Debian", label: "Debian", components: []string{"main"}},
		{dir: "debian-security", suite: suite + "-security", origin: "Debian", label: "Debian-Security", components: []string{"main"}},
	} {
		r.dir = filepath.Join(www, anyHost, r.dir)
		if err := r.write(ctx, key); err != nil {
			return err
		}
	}
	data, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	if err := os.RemoveAll(standIns); err != nil {
		return err
	}
	return os.WriteFile(made+"/pool.json", append(data, '\n'), 0o644)
}

// extract unpacks a package's files into a layer over the base image. Only its programs are wanted: a package that still
// has a /lib would hide the base's, which is a link into /usr.
func extract(ctx context.Context, file, to string) error {
	if err := run(ctx, "dpkg-deb", "--extract", file, to); err != nil {
		return err
	}
	return os.RemoveAll(to + "/lib")
}

// debianPackages are those that Debian has.
func debianPackages(h *Host) []string {
	var names []string
	for _, p := range h.Packages {
		if p.Vendor == "" {
			names = append(names, p.Name)
		}
	}
	return names
}

// vendorPackages are those that it has not.
func vendorPackages(h *Host) []artifact.Pkg {
	return slices.DeleteFunc(slices.Clone(h.Packages), func(p artifact.Pkg) bool { return p.Vendor == "" })
}

// fetch runs download in a throw-away copy of the base image; debs fills up with the package files. nspawn leaves empty
// directories in /run, so that is hidden.
func fetch(ctx context.Context, base, debs string, lines []string) (string, error) {
	names, err := os.ReadFile("/etc/resolv.conf")
	if err != nil {
		return "", err
	}
	resolver := debs + ".resolv.conf"
	if err := os.WriteFile(resolver, names, 0o644); err != nil {
		return "", err
	}
	defer os.Remove(resolver)
	return outputOf(ctx, strings.Join(lines, "\n")+"\n", alone("sh", "-c", `mount -t tmpfs tmpfs /run && exec "$@"`, "sh",
		"systemd-nspawn", "--quiet", "--pipe", "--register=no", "--keep-unit", "--volatile=overlay", "--resolv-conf=off",
		"--directory="+base, "--bind="+debs+":/debs", "--bind-ro="+resolver+":/etc/resolv.conf", "sh", "-c", download)...)
}

// fetched pairs the files with the stanzas of Debian's own index.
func fetched(debs, stanzas string) ([]deb, error) {
	var all []deb
	seen := map[string]bool{}
	for _, stanza := range strings.Split(stanzas, "\n\n") {
		name := field(stanza, "Filename")
		// apt names a file it has fetched after the package, with the version's colon escaped.
		file := filepath.Join(debs, field(stanza, "Package")+"_"+
			strings.ReplaceAll(field(stanza, "Version"), ":", "%3a")+"_"+field(stanza, "Architecture")+".deb")
		if name == "" || seen[file] {
			continue
		}
		if _, err := os.Stat(file); err != nil {
			return nil, fmt.Errorf("the index names %s, which was not fetched: %w", name, err)
		}
		seen[file] = true
		all = append(all, deb{file: file, name: name, stanza: strings.TrimSpace(stanza) + "\n"})
	}
	return all, nil
}

// field is a field of a stanza: see deb822(5).
func field(stanza, name string) string {
	for _, line := range strings.Split(stanza, "\n") {
		if value, ok := strings.CutPrefix(line, name+": "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// serve puts a file where its address is looked up.
func serve(www, address string, data []byte) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	name := filepath.Join(www, u.Hostname(), filepath.FromSlash(u.Path))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o644)
}

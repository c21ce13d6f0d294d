package topology

import (
	"fmt"
	"slices"
	"strings"
)

// Package is a Debian package that a host needs.
type Package struct {
	Name    string
	Version string // the version it is held at, or empty
	Vendor  string // the package source it comes from, or empty for Debian's own
	Path    string // where the spec asks for it
}

// basePackages are what the scripts and units of every host call.
var basePackages = []string{
	"ca-certificates", "curl", "git", "gnupg", "needrestart", "nftables", "openssh-server", "openssl", "sudo",
	"unattended-upgrades",
}

// PackagesOf are the packages that the host needs, sorted by name, each once.
func (t *Topology) PackagesOf(h *Host) []Package {
	if !h.Manages(PackagesLayer) {
		return nil
	}
	all := map[string]Package{}
	add := func(path string, names ...string) {
		for _, n := range names {
			if _, ok := all[n]; !ok {
				all[n] = t.packageNamed(n, path)
			}
		}
	}
	add(h.Path, basePackages...)
	if h.Manages(TimeLayer) {
		add(h.Path, "systemd-timesyncd") // it takes the place of another one, which may be somebody else's
	}
	for n, name := range t.Packages.Extra {
		add(fmt.Sprintf("packages.extra[%d]", n), name)
	}
	for n, name := range h.Packages {
		add(fmt.Sprintf("%s.packages[%d]", h.Path, n), name)
	}
	if t.Backup.None == nil {
		add("backup", "restic")
	}
	for _, c := range h.Clusters {
		major := fmt.Sprint(c.Version)
		add(c.Path+".version", "postgresql-"+major, "postgresql-client-"+major)
		if t.Observability != nil {
			add(c.Path+".exporter", "prometheus-postgres-exporter")
		}
	}
	if h.RunsOdoo() {
		add(h.Path, "python3-pip")
	}
	if h.ServesWeb() {
		add(h.Path, "nginx")
		add("network.acme", "certbot")
	}
	for _, v := range t.VersionsOf(h) {
		for n, name := range v.Apt {
			add(fmt.Sprintf("%s.apt[%d]", v.Path, n), name)
		}
	}
	if w := t.Sources.Wkhtmltopdf; w != nil && h.RunsOdoo() {
		for n, name := range w.Fonts {
			add(fmt.Sprintf("sources.wkhtmltopdf.fonts[%d]", n), name)
		}
	}
	if o := t.Observability; o != nil {
		add("observability.exporters.node", "prometheus-node-exporter")
		if h.ServesWeb() {
			add("observability.exporters.nginx", "prometheus-nginx-exporter")
		}
		if o.Grafana != nil {
			add("observability.grafana", "alloy")
		}
	}
	if h.CI != nil {
		add("ci.jenkins", "jenkins", t.Java())
	}
	packages := make([]Package, 0, len(all))
	for _, p := range all {
		packages = append(packages, p)
	}
	slices.SortFunc(packages, func(a, b Package) int { return strings.Compare(a.Name, b.Name) })
	return packages
}

// packageNamed is a package with the vendor that the spec takes it from.
func (t *Topology) packageNamed(name, path string) Package {
	for _, v := range t.Packages.Vendors {
		for _, p := range v.Packages {
			if p.Name == name {
				return Package{Name: name, Version: p.Version, Vendor: v.Name, Path: path + " " + p.Path}
			}
		}
	}
	return Package{Name: name, Path: path}
}

// VersionsOf are the Odoo versions that the host runs, in the order of their names.
func (t *Topology) VersionsOf(h *Host) []*Version {
	var versions []*Version
	for _, i := range h.Instances {
		if i.Code != nil && !slices.Contains(versions, i.Code) {
			versions = append(versions, i.Code)
		}
	}
	slices.SortFunc(versions, func(a, b *Version) int { return strings.Compare(a.Name, b.Name) })
	return versions
}

// debianJava is the Java of Debian 13, new enough for Jenkins; Debian 12's is not.
const debianJava = "openjdk-21-jre-headless"

// Java is the package that Jenkins and its agents run on: a vendor's Java 21 or later where the spec declares one.
func (t *Topology) Java() string {
	for _, v := range t.Packages.Vendors {
		for _, p := range v.Packages {
			if strings.HasPrefix(p.Name, "temurin-") || strings.HasPrefix(p.Name, "openjdk-") {
				return p.Name
			}
		}
	}
	return debianJava
}

// Keyring is where the vendor's signing key lies on a host.
func (v *Vendor) Keyring() string { return "/etc/apt/keyrings/odoogen-" + v.Name + ".asc" }

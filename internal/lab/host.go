package lab

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"odoogen/internal/artifact"
)

// Host is what the lab must know of a host in order to boot it, all of it from the host's tree.
type Host struct {
	artifact.Host
	Sites   []string `json:"sites"`   // the names that its nginx answers to
	Sources []Source `json:"sources"` // its package sources
	Box     Box      `json:"box"`     // where its backups go
	Plugins []string `json:"plugins"` // of Jenkins
}

// Source is one stanza of the host's apt sources: see sources.list(5), deb822.
type Source struct {
	URI        string   `json:"uri"`
	Suites     []string `json:"suites"`
	Components []string `json:"components"`
	Keyring    string   `json:"keyring"`
}

// Box is an sftp server for backups.
type Box struct {
	User string `json:"user"`
	Host string `json:"host"`
	Port string `json:"port"`
	Path string `json:"path"`
}

// hostOf reads a host out of its tree.
func hostOf(tree *artifact.Tree) (*Host, error) {
	facts, err := tree.ReadHost()
	if err != nil {
		return nil, err
	}
	h, name := &Host{Host: *facts}, facts.Host
	if suites[h.Debian] == "" {
		return nil, fmt.Errorf("%s: the lab knows no Debian %d", name, h.Debian)
	}
	if h.Network.Uplink == "" {
		return nil, fmt.Errorf("%s: %s names no uplink", name, artifact.HostName)
	}
	for _, f := range tree.Files {
		switch text := string(f.Data); {
		case strings.HasPrefix(f.Path, "nginx/"):
			h.Sites = append(h.Sites, sitesIn(text)...)
		case strings.HasPrefix(f.Path, "apt/") && strings.HasSuffix(f.Path, ".sources"):
			h.Sources = append(h.Sources, sourcesIn(text)...)
		case f.Path == "jenkins/plugins.txt":
			for _, w := range rows(f.Data) {
				id, _, _ := strings.Cut(w[0], ":")
				h.Plugins = append(h.Plugins, id)
			}
		case strings.HasPrefix(f.Path, "restic/") && h.Box == Box{}:
			h.Box = boxIn(text)
		}
	}
	return h, nil
}

// suites are Debian's names for its releases.
var suites = map[int]string{12: "bookworm", 13: "trixie"}

// Suite is the name of the host's Debian release.
func (h *Host) Suite() string { return suites[h.Debian] }

// Public is the address on the public network: the host's own, or the one it has for its first push, or none.
func (h *Host) Public() string {
	if h.Network.Public != "" {
		return h.Network.Public
	}
	for _, r := range h.Routes {
		if r.Name == "bootstrap" {
			return r.Address
		}
	}
	return ""
}

// Name is what the spec calls it.
func (h *Host) Name() string { return h.Host.Host }

// Private is the address on the private network, or the zero value.
func (h *Host) Private() netip.Prefix {
	p, _ := netip.ParsePrefix(h.Network.Private)
	return p
}

var serverName = regexp.MustCompile(`(?m)^\s*server_name\s+([^;]+);`)

// sitesIn are the names in nginx's server_name directives; not a pattern, not the default's "_".
func sitesIn(text string) []string {
	var names []string
	for _, m := range serverName.FindAllStringSubmatch(text, -1) {
		for _, name := range strings.Fields(m[1]) {
			if name = strings.Trim(name, `"`); strings.Contains(name, ".") && !strings.ContainsAny(name, "*~$") {
				names = append(names, name)
			}
		}
	}
	return names
}

// sourcesIn reads the stanzas of a deb822 file.
func sourcesIn(text string) []Source {
	var all []Source
	for _, stanza := range strings.Split(text, "\n\n") {
		var s Source
		for _, line := range strings.Split(stanza, "\n") {
			key, value, _ := strings.Cut(line, ":")
			value = strings.TrimSpace(value)
			switch key {
			case "URIs":
				s.URI = strings.TrimSuffix(value, "/")
			case "Suites":
				s.Suites = strings.Fields(value)
			case "Components":
				s.Components = strings.Fields(value)
			case "Signed-By":
				s.Keyring = value
			}
		}
		if s.URI != "" {
			all = append(all, s)
		}
	}
	return all
}

var sftpURL = regexp.MustCompile(`sftp://([^@/\s"']+)@([^:/\s"']+)(?::(\d+))?(/[^\s"']*)`)

// boxIn finds restic's repository.
func boxIn(text string) Box {
	m := sftpURL.FindStringSubmatch(text)
	if m == nil {
		return Box{}
	}
	b := Box{User: m[1], Host: m[2], Port: m[3], Path: m[4]}
	if b.Port == "" {
		b.Port = "22"
	}
	return b
}

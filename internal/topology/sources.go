package topology

import (
	"fmt"
	"path/filepath"
	"strconv"
)

// KnownHost is a git server and the keys that it must prove to hold.
type KnownHost struct {
	Name string   `cue:",name"`
	Path string   `cue:",path"`
	Keys []string `cue:",value"`
}

var (
	sshAddress = lazily(`^ssh://[^@]+@([^:/]+)(?::([0-9]+))?/`)
	scpAddress = lazily(`^git@([^:]+):`)
)

// SSH is the server and port that the repository is fetched from over SSH; no server where it is https.
func (r *Repository) SSH() (host string, port int) {
	if m := scpAddress().FindStringSubmatch(r.Git); m != nil {
		return m[1], 22
	}
	m := sshAddress().FindStringSubmatch(r.Git)
	if m == nil {
		return "", 0
	}
	if n, err := strconv.Atoi(m[2]); err == nil {
		return m[1], n
	}
	return m[1], 22
}

// Fetches tells whether the host fetches git mirrors itself: the CI host, and without one every host of instances.
// The others are pushed to, so that no key of a repository lies on them.
func (t *Topology) Fetches(h *Host) bool {
	return h.CI != nil || t.CI == nil && h.RunsOdoo()
}

// Mirrors are the repositories that the host has a mirror of, sorted by name: all of them on the CI host, else those
// of its instances.
func (t *Topology) Mirrors(h *Host) []*Repository {
	wanted := map[*Repository]bool{}
	for _, i := range h.Instances {
		for _, r := range i.Code.Repositories {
			wanted[r] = true
		}
	}
	var all []*Repository
	for _, r := range t.Sources.Repositories {
		if h.CI != nil || wanted[r] {
			all = append(all, r)
		}
	}
	return all
}

// checkSources refuses an SSH address whose server nothing pins, and a deploy key that nothing would use.
func checkSources(c *checker) {
	known := index(c.t.Sources.KnownHosts, func(k *KnownHost) string { return k.Name })
	for _, r := range c.t.Sources.Repositories {
		for i, p := range r.Paths {
			if !filepath.IsLocal(p) {
				c.refuse(fmt.Sprintf("%s.paths[%d]", r.Path, i), "", nil, "%s is not inside the repository", p)
			}
		}
		host, _ := r.SSH()
		switch {
		case host == "" && r.Credential != "":
			c.refuse(r.Path+".credential", "", c.also(r.Path+".git", "%s", r.Git), "a deploy key opens ssh addresses, and this is none")
		case host != "" && known[host] == nil:
			c.refuse(r.Path+".git", fmt.Sprintf("sources: knownHosts: %q: [\"ssh-ed25519 ...\"]", host), nil,
				"no key of %s is pinned: nothing would tell it from an impostor", host)
		}
	}
}

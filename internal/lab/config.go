package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"

	"odoogen/internal/artifact"
)

// cache holds what labs share: base images, packages, the archives' key. It may be deleted while no lab runs.
const cache = "/var/lib/odoogen-lab"

// config is what a lab's supervisor is started with: lab.json in the lab's directory.
type config struct {
	ID    string  `json:"id"`
	Spec  string  `json:"spec"` // the directory of the spec
	Hosts []*Host `json:"hosts"`

	Images        map[string]string `json:"images"`                  // base image by suite
	MachineImages map[string]string `json:"machineImages,omitempty"` // that with a kernel
	Machines      bool              `json:"machines,omitempty"`      // hosts are virtual machines
	Pools         map[string]string `json:"pools"`                   // pool's directory by suite
	Memory        bool              `json:"memory"`                  // keep what hosts write in memory

	Office     string `json:"office"`     // addresses of the operator's positions
	VPN        string `json:"vpn"`        //
	PrivateVPN string `json:"privateVPN"` // with prefix length
	Private    string `json:"private"`    // the private network, or empty

	Names        map[string]string `json:"names"` // what DNS answers; every other name is the world's
	Box          Box               `json:"box"`
	Repositories []*Repository     `json:"repositories"` // of the git servers
	Pins         []string          `json:"pins"`         // of Python packages
}

// newConfig works out a lab from the trees. The whitelist's first address that no host has is the office's.
func newConfig(spec string, trees []*artifact.Tree, whitelist []string, memory, machines bool) (*config, error) {
	c := &config{ID: keyOf(spec), Spec: spec, Memory: memory, Machines: machines, Images: map[string]string{}, MachineImages: map[string]string{},
		Pools: map[string]string{}, Names: map[string]string{}}
	taken := map[netip.Addr]bool{}
	for _, tree := range trees {
		h, err := hostOf(tree)
		if err != nil {
			return nil, err
		}
		c.Hosts = append(c.Hosts, h)
		for _, address := range []string{h.Public(), h.Private().Addr().String()} {
			if a, err := netip.ParseAddr(address); err == nil {
				taken[a] = true
			}
		}
		c.Names[h.FQDN] = h.Public()
		if p := h.Private(); p.IsValid() {
			c.Names[h.FQDN], c.Private = p.Addr().String(), p.Masked().String()
		}
		for _, name := range h.Sites {
			c.Names[name] = h.Public()
		}
		if c.Box == (Box{}) {
			c.Box = h.Box
		}
	}
	if len(c.Hosts) == 0 {
		return nil, errors.New("the spec has no hosts, so there is nothing to boot")
	}
	if c.Box == (Box{}) {
		c.Box = Box{User: "u123456", Host: "u123456.your-storagebox.de", Port: "23", Path: "/restic"}
	}
	var err error
	if c.Repositories, err = repositoriesIn(trees); err != nil {
		return nil, err
	}
	c.Pins = pinsIn(trees)
	office := append(free(whitelist, taken, 2), netip.MustParseAddr("192.0.2.10"), netip.MustParseAddr("192.0.2.11"))
	c.Office, c.VPN = office[0].String(), office[1].String()
	if p, err := netip.ParsePrefix(c.Private); err == nil {
		a := last(p)
		for taken[a] {
			a = a.Prev()
		}
		c.PrivateVPN = netip.PrefixFrom(a, p.Bits()).String()
	}
	return c, nil
}

// free are the first n addresses of the networks that nobody has.
func free(networks []string, taken map[netip.Addr]bool, n int) []netip.Addr {
	var all []netip.Addr
	for _, network := range networks {
		p, err := netip.ParsePrefix(network)
		if err != nil {
			a, err := netip.ParseAddr(network)
			if err != nil {
				continue
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		if !p.Addr().Is4() {
			continue
		}
		a := p.Masked().Addr()
		if !p.IsSingleIP() {
			a = a.Next() // the first is the network's own
		}
		for ; len(all) < n && p.Contains(a); a = a.Next() {
			if !taken[a] && !slices.Contains(all, a) {
				all = append(all, a)
			}
		}
	}
	return all
}

// last is the last address of a network that a host may have.
func last(p netip.Prefix) netip.Addr {
	a := p.Masked().Addr().As4()
	for bit := p.Bits(); bit < 32; bit++ {
		a[bit/8] |= 0x80 >> (bit % 8)
	}
	return netip.AddrFrom4(a).Prev()
}

// labDir is where the lab of that id is.
func labDir(id string) string { return filepath.Join(cache, "labs", id) }

func (c *config) dir() string                { return labDir(c.ID) }
func (c *config) gitDir() string             { return filepath.Join(c.dir(), "git") }
func (c *config) wwwDir() string             { return filepath.Join(c.dir(), "www") }
func (c *config) hostDir(host string) string { return filepath.Join(c.dir(), "hosts", host) }

func readConfig(dir string) (*config, error) {
	data, err := os.ReadFile(filepath.Join(dir, "lab.json"))
	if err != nil {
		return nil, err
	}
	c := &config{}
	if err := json.Unmarshal(data, c); err != nil {
		return nil, fmt.Errorf("%s/lab.json: %w", dir, err)
	}
	return c, nil
}

func writeJSON(name string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(name, append(data, '\n'), 0o600)
}

package topology

import (
	"net/netip"
	"slices"
)

func checkAddresses(c *checker) {
	t := c.t
	var subnet netip.Prefix
	if v := t.Network.VSwitch; v != nil {
		subnet = c.subnet(v.Subnet)
	}
	owners := unique[netip.Addr]{}
	own := func(text, path string, is func(netip.Addr) bool, want string) (netip.Addr, bool) {
		a, err := netip.ParseAddr(text)
		switch {
		case text == "":
			return a, false
		case err != nil || a.Zone() != "":
			c.refuse(path, want, nil, "%q is no address", text)
			return a, false
		case !is(a):
			c.refuse(path, want, nil, "%s is not the kind of address that belongs here", a)
			return a, false
		}
		if first, second, taken := owners.second(c, a, path); taken {
			c.refuse(second, "", c.also(first, "%s", a), "%s is taken", a)
		}
		return a, true
	}
	usable := func(a netip.Addr) bool { return !a.IsUnspecified() && !a.IsMulticast() && !a.IsLoopback() }
	four := func(a netip.Addr) bool { return a.Is4() && usable(a) }
	six := func(a netip.Addr) bool { return a.Is6() && !a.Is4In6() && usable(a) && !a.IsLinkLocalUnicast() }
	either := func(a netip.Addr) bool { return four(a) || six(a) }
	for _, h := range t.Hosts {
		if a, ok := own(h.Private, h.Path+".private", either, "an address of network.vswitch.subnet"); ok {
			c.inSubnet(a, h.Path+".private", subnet)
		}
		for _, p := range []struct {
			text, field string
			is          func(netip.Addr) bool
			want        string
		}{
			{h.Public, ".public", four, "a public IPv4 address"},
			{h.Public6, ".public6", six, "a public IPv6 address"},
			{h.Bootstrap, ".bootstrap", either, "the address where the first push finds the host"},
		} {
			if p.field == ".bootstrap" && (p.text == h.Public || p.text == h.Public6) {
				continue // the same host's
			}
			if a, ok := own(p.text, h.Path+p.field, p.is, p.want); ok && subnet.IsValid() && subnet.Contains(a) {
				c.refuse(h.Path+p.field, "", c.also("network.vswitch.subnet", "%s", subnet), "%s lies in the private network", a)
			}
		}
	}
	c.whitelist(subnet)
}

// subnet is the private network, or nothing where it is none.
func (c *checker) subnet(text string) netip.Prefix {
	const path = "network.vswitch.subnet"
	p, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		c.refuse(path, `want a network such as "10.0.0.0/24"`, nil, "%q is no network", text)
		return netip.Prefix{}
	case p != p.Masked():
		c.refuse(path, "the network is "+p.Masked().String(), nil, "%s is an address in a network", text)
		return netip.Prefix{}
	case !p.Addr().IsPrivate():
		c.refuse(path, "one below 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or fc00::/7", nil, "%s is no private network", text)
	case p.Addr().BitLen()-p.Bits() < 2:
		c.refuse(path, "", nil, "%s has no room for two hosts", text)
	}
	return p
}

func (c *checker) inSubnet(a netip.Addr, path string, subnet netip.Prefix) {
	switch {
	case c.t.Network.VSwitch == nil && !c.broken.hit("network.vswitch"):
		c.refuse(path, "network: vswitch: {...}, or no private address", nil, "%s belongs to no private network", a)
	case !subnet.IsValid():
	case !subnet.Contains(a):
		c.refuse(path, "", c.also("network.vswitch.subnet", "%s", subnet), "%s lies outside of the private network", a)
	case a == subnet.Addr():
		c.refuse(path, "", c.also("network.vswitch.subnet", "%s", subnet), "%s is the network itself", a)
	case a.Is4() && !subnet.Contains(a.Next()):
		c.refuse(path, "", c.also("network.vswitch.subnet", "%s", subnet), "%s is the network's broadcast address", a)
	}
}

func (c *checker) whitelist(subnet netip.Prefix) {
	seen := unique[netip.Prefix]{}
	for n, s := range c.t.Access.Whitelist {
		path := "access.whitelist[" + plain(int64(n)) + "].from"
		if c.broken.hit(path) {
			continue
		}
		p, ok := source(s.From)
		switch {
		case !ok:
			c.refuse(path, `want an address or a network, "198.51.100.7" or "2001:db8::/48"`, nil, "%q is neither an address nor a network", s.From)
			continue
		case p != p.Masked():
			c.refuse(path, "the network is "+p.Masked().String(), nil, "%s is an address in a network", s.From)
			continue
		case p.Bits() == 0:
			c.refuse(path, "22 in a host's open says so", nil, "%s is the whole world", s.From)
		case subnet.IsValid() && subnet.Overlaps(p):
			c.refuse(path, "the private network may come in anyway", c.also("network.vswitch.subnet", "%s", subnet), "%s lies in the private network", s.From)
		}
		if first, second, taken := seen.second(c, p, path); taken {
			c.refuse(second, "", c.also(first, "%s", s.From), "%s is listed already", s.From)
		}
	}
}

// source is an address or a network as a network.
func source(text string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(text); err == nil {
		return p, true
	}
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, a.BitLen()), true
}

func checkMTU(c *checker) {
	v := c.t.Network.VSwitch
	if v == nil {
		return
	}
	if v.VLAN >= 4000 && v.VLAN <= 4091 && v.MTU > 1400 {
		c.refuse("network.vswitch.mtu", "mtu: 1400", c.also("network.vswitch.vlan", "%d is a VLAN of Hetzner's vSwitch", v.VLAN),
			"%d, but Hetzner's vSwitch carries 1400", v.MTU)
	}
	for _, h := range c.t.Hosts {
		if h.Private != "" && v.MTU > h.Uplink.MTU {
			c.refuse("network.vswitch.mtu", "", c.also(h.Path+".uplink.mtu", "%d", h.Uplink.MTU),
				"%d does not fit the uplink of host %s", v.MTU, h.Name)
			return // one host is enough to say so
		}
	}
}

func checkInterface(c *checker) {
	v := c.t.Network.VSwitch
	if v == nil {
		return
	}
	for _, h := range c.t.Hosts {
		if h.Private != "" && v.Interface == h.Uplink.Name {
			c.refuse("network.vswitch.interface", "a name of its own, such as \"vsw0\"", c.also(h.Path+".uplink.name", "%s", h.Uplink.Name),
				"%s is the uplink of host %s", v.Interface, h.Name)
			return
		}
	}
}

func checkRoute(c *checker) {
	hosts := map[string]*Host{}
	for _, h := range c.t.Hosts {
		hosts[h.Name] = h
	}
	const (
		walking = iota + 1
		walked
	)
	state := map[*Host]int{}
	for _, h := range c.t.Hosts {
		var chain []*Host
		for at := h; at != nil && state[at] != walked; at = hosts[at.Jump] {
			if state[at] == walking {
				c.refuse(at.Path+".jump", "one host of a chain has a public address and no jump", nil, "leads in a circle back to %s", at.Name)
				break
			}
			state[at] = walking
			chain = append(chain, at)
			c.wayIn(at, hosts[at.Jump])
		}
		for _, h := range chain {
			state[h] = walked
		}
	}
	people := slices.ContainsFunc(c.t.Access.Admins, func(a *Admin) bool { return len(a.Keys) > 0 })
	if !people {
		c.refuse("access", "access: admins: anna: keys: [\"ssh-ed25519 ...\"]", nil, "no administrator has a key: nobody could log in")
	}
	if c.t.CI != nil && len(c.t.Access.Deploy.Keys) == 0 {
		c.refuse("access.deploy", "access: deploy: keys: [...], Jenkins' public key", c.also("ci", "deploys releases"), "no key may deploy")
	}
}

// wayIn refuses a host without one.
func (c *checker) wayIn(h, jump *Host) {
	switch {
	case h.Jump == "" && h.Public == "" && h.Public6 == "":
		c.refuse(h.Path, "jump: the name of a host that has one", nil, "there is no way in: no public address and no jump")
	case h.Jump == "" && len(c.t.Access.Whitelist) == 0 && !slices.Contains(h.Open, 22):
		c.refuse(h.Path, "access.whitelist says who may reach port 22", nil, "there is no way in: its port 22 is open to nobody")
	case jump == nil:
	case h.Private == "":
		c.refuse(h.Path+".jump", "private: an address of network.vswitch.subnet", nil, "%s cannot reach it: it has no private address", jump.Name)
	case jump.Private == "":
		c.refuse(h.Path+".jump", "private: an address of network.vswitch.subnet", c.also(jump.Path, "has no private address"), "%s cannot reach it", jump.Name)
	}
}

func checkIsolation(c *checker) {
	if c.t.CI == nil {
		return
	}
	h := c.t.CI.Host
	const hint = "a host of its own for CI, or one host for all and no ci"
	if len(h.Instances) > 0 {
		i := h.Instances[0]
		c.refuse("ci.host", hint, c.also(i.Path, "runs on %s", h.Name), "%s runs instances", h.Name)
		return
	}
	if len(h.Clusters) > 0 {
		c.refuse("ci.host", hint, c.also(h.Clusters[0].Path+".host", "runs on %s", h.Name), "%s runs PostgreSQL", h.Name)
	}
}

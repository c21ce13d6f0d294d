package generators

import (
	"fmt"
	"net/netip"
	"slices"

	"odoogen/internal/artifact"
	"odoogen/internal/conf"
	"odoogen/internal/topology"
)

// Firewall writes a table of our own and the unit that loads it. Nothing of another table is touched; what a table
// drops, no other lets through. From the private network only what listens there is reached, from the world only
// the ports that the host opens, and ssh from the whitelist.
func Firewall(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	out.add("nftables/odoogen.nft", ruleset(t, h), artifact.Reload(topology.Firewall))
	out.constant("systemd/system/"+topology.Firewall, "systemd/"+topology.Firewall, readable, artifact.DaemonReload)
	out.constant("systemd/system/nftables.service.d/odoogen.conf", "systemd/nftables.conf", readable, artifact.DaemonReload)
	return out.result()
}

func ruleset(t *topology.Topology, h *topology.Host) *conf.Text {
	n := conf.NewNft(h.Path, "Firewall of "+h.Name)
	n.Note("Declared, so that there is one to delete; deleted, so that none of it stays; and all in one transaction.")
	n.Rule("table inet odoogen")
	n.Rule("delete table inet odoogen")
	n.Blank()
	n.Block("table inet odoogen", func() {
		ssh := whitelist(n, t, h)
		n.Block("chain input", func() {
			n.Rule("type filter hook input priority filter; policy drop;")
			n.Rule("ct state vmap { established : accept, related : accept, invalid : drop }")
			n.Rule(`iif "lo" accept`)
			n.Rule("icmp type { echo-request, destination-unreachable, time-exceeded, parameter-problem } accept")
			n.Note("Without these IPv6 finds no neighbour, no router and no size that fits.")
			n.Rule("icmpv6 type { echo-request, destination-unreachable, packet-too-big, time-exceeded, parameter-problem, " +
				"nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, mld-listener-query } accept")
			n.Rule("ip6 saddr fe80::/10 udp dport 546 accept")
			private(n, t, h)
			public(n, t, h)
			for _, rule := range ssh {
				n.Rule(rule, "access.whitelist", h.Path)
			}
			n.Rule(`limit rate 10/minute burst 20 packets log prefix "odoogen drop: "`)
			n.Rule("counter")
		})
		n.Block("chain forward", func() {
			n.Rule("type filter hook forward priority filter; policy drop;")
		})
	})
	return &n.Text
}

// adminSets are the names of the sets of administrators' addresses, by family.
var adminSets = map[string]string{"ip": "admins4", "ip6": "admins6"}

// whitelist writes the sets of administrators' addresses, and returns the rules that let them reach ssh. A host
// behind a jump host has none: nothing of it is public.
func whitelist(n *conf.Nft, t *topology.Topology, h *topology.Host) (rules []string) {
	if h.Jump != "" {
		return nil
	}
	for _, family := range []string{"ip", "ip6"} {
		type element struct {
			prefix    netip.Prefix
			who, from string
		}
		var elements []element
		for i, s := range t.Access.Whitelist {
			if p := n.Prefix(s.From); conf.Family(p) == family {
				elements = append(elements, element{p, s.Who, fmt.Sprintf("access.whitelist[%d]", i)})
			}
		}
		if len(elements) == 0 {
			continue
		}
		from := []string{"access.whitelist", h.Path} // the host has no such set where it is behind a jump host
		set := adminSets[family]
		n.Block("set "+set, func() {
			n.Rule("type "+map[string]string{"ip": "ipv4_addr", "ip6": "ipv6_addr"}[family], from...)
			n.Rule("flags interval", from...)
			n.Rule("auto-merge", from...)
			n.Block("elements =", func() {
				for _, e := range elements {
					n.Element(conf.Spell(e.prefix), e.who, e.from, h.Path)
				}
			}, from...)
		}, from...)
		rules = append(rules, family+" saddr @"+set+` tcp dport 22 accept comment "ssh for the whitelist"`)
	}
	return rules
}

// private opens, to the private network and on its interface alone, what listens on the private address.
func private(n *conf.Nft, t *topology.Topology, h *topology.Host) {
	v := t.Network.VSwitch
	if v == nil || h.Private == "" {
		return
	}
	subnet := n.Prefix(v.Subnet)
	for _, l := range t.Listeners(h) {
		if l.Reach != topology.Private {
			continue
		}
		n.Rule(fmt.Sprintf("iifname %s %s saddr %s tcp dport %d accept comment %s",
			n.Name(v.Interface), conf.Family(subnet), conf.Spell(subnet), l.Port, n.Quote(l.What)),
			l.Path, "network.vswitch.interface", "network.vswitch.subnet", h.At("private"))
	}
}

// public opens the ports that the host opens, whatever listens there.
func public(n *conf.Nft, t *topology.Topology, h *topology.Host) {
	listeners := t.Listeners(h)
	for i, port := range h.Open {
		what, from := "open", []string{fmt.Sprintf("%s.open[%d]", h.Path, i), h.At("open")}
		if at := slices.IndexFunc(listeners, func(l topology.Listener) bool { return l.Port == port }); at >= 0 {
			what, from = listeners[at].What, append(from, listeners[at].Path)
		}
		n.Rule(fmt.Sprintf("tcp dport %d accept comment %s", port, n.Quote(what)), from...)
	}
}

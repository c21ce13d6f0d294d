package lab

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
)

// The lab's network is two bridges in the supervisor's own network namespace. The public one is the internet in one
// wire: every address on it reaches every other, and the supervisor itself is the outside world there. The private one
// is the vSwitch; the supervisor has no address on it. Each host and each position of an operator is a namespace with
// a cable, a veth pair, to one or both.
const (
	publicBridge  = "public"
	privateBridge = "private"

	worldAddress    = "192.0.2.1"  // every name that is not a host's
	strangerAddress = "192.0.2.66" // may reach what is open to all
)

// Positions are where a program of the operator may run.
const (
	Office   = "office"   // an address of access.whitelist, on the public network
	VPN      = "vpn"      // the office's, and one on the private network as well
	Stranger = "stranger" // an address that no whitelist has
)

// cable joins a namespace to a bridge. A cut cable is one whose near end is down.
type cable struct {
	near    string // its end at the bridge
	bridge  string
	space   string // the namespace
	far     string // its end there
	address string // address/prefix length, which also fixes the MAC; empty: none
	mtu     int
	bare    bool // the far end is left without address and down, as the host's own system finds it
}

// lay makes the cable. The MAC follows from the address: a host that is booted anew keeps it, so that no neighbour
// waits for the old one.
func (c cable) lay(ctx context.Context) error {
	host, _, _ := strings.Cut(c.address, "/")
	mac := macOf(host)
	link := []string{"ip", "link", "add", c.near, "type", "veth", "peer", "name", c.far}
	if mac != "" {
		link = append(link, "address", mac)
	}
	link = append(link, "netns", c.space)
	steps := [][]string{link, {"ip", "link", "set", c.near, "master", c.bridge, "up"}}
	if c.mtu > 0 {
		steps = append(steps, []string{"ip", "-n", c.space, "link", "set", c.far, "mtu", fmt.Sprint(c.mtu)})
	}
	if !c.bare {
		steps = append(steps, []string{"ip", "-n", c.space, "link", "set", c.far, "up"})
		steps = append(steps, []string{"ip", "-n", c.space, "address", "add", c.address, "dev", c.far})
		if c.bridge == publicBridge {
			steps = append(steps, []string{"ip", "-n", c.space, "route", "add", "default", "dev", c.far})
		}
	}
	return runAll(ctx, steps)
}

// macOf is the MAC of who has the address; empty for none.
func macOf(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil || !a.Is4() {
		return ""
	}
	mac := "02:6f"
	for _, b := range a.As4() {
		mac += fmt.Sprintf(":%02x", b)
	}
	return mac
}

func runAll(ctx context.Context, steps [][]string) error {
	for _, argv := range steps {
		if err := run(ctx, argv...); err != nil {
			return err
		}
	}
	return nil
}

// newSpace makes a network namespace anew.
func newSpace(ctx context.Context, name string) error {
	_ = run(ctx, "ip", "netns", "delete", name) // there is none at first
	return runAll(ctx, [][]string{{"ip", "netns", "add", name}, {"ip", "-n", name, "link", "set", "lo", "up"}})
}

// layNetwork makes bridges, the world's address and the operator's positions. The world's MAC follows from its address as
// a cable's does: a bridge left to itself has the lowest of its ports', another one whenever a host is booted.
func layNetwork(ctx context.Context, c *config) error {
	err := runAll(ctx, [][]string{
		{"ip", "link", "set", "lo", "up"},
		{"ip", "link", "add", publicBridge, "address", macOf(worldAddress), "type", "bridge"},
		{"ip", "link", "add", privateBridge, "type", "bridge"},
		{"ip", "link", "set", publicBridge, "up"},
		{"ip", "link", "set", privateBridge, "up"},
		{"ip", "address", "add", worldAddress + "/32", "dev", publicBridge},
		{"ip", "route", "add", "default", "dev", publicBridge},
	})
	if err != nil {
		return err
	}
	for n, p := range []struct{ name, address string }{{Office, c.Office}, {VPN, c.VPN}, {Stranger, strangerAddress}} {
		if err := newSpace(ctx, p.name); err != nil {
			return err
		}
		up := cable{near: fmt.Sprintf("op%d", n), bridge: publicBridge, space: p.name, far: "eth0", address: p.address + "/32"}
		if err := up.lay(ctx); err != nil {
			return err
		}
		switch {
		case c.Private == "":
		case p.name == VPN:
			in := cable{near: fmt.Sprintf("op%dp", n), bridge: privateBridge, space: p.name, far: "eth1", address: c.PrivateVPN}
			if err := in.lay(ctx); err != nil {
				return err
			}
		default:
			// The internet does not carry private addresses, and says so at once.
			if err := run(ctx, "ip", "-n", p.name, "route", "add", "unreachable", c.Private); err != nil {
				return err
			}
		}
	}
	return nil
}

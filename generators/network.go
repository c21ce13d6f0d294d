package generators

import (
	"odoogen/internal/artifact"
	"odoogen/internal/conf"
	"odoogen/internal/topology"
)

const networkd = "systemd-networkd.service"

// Network writes the private network's interface, a VLAN on the uplink. The uplink itself stays the
// distribution's. Where ifupdown owns it, a unit of our own makes the VLAN: ifupdown's own VLANs want the uplink's
// name in theirs, which may be too long, and systemd-networkd must not own one link of two. Where networkd owns it,
// networkd makes the VLAN: which files there are is the host's to say, so each line comes from the host too.
func Network(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	v := t.Network.VSwitch
	if v == nil || h.Private == "" {
		return nil, nil
	}
	if h.VLANByUnit(t) {
		out.add("network/vswitch.env", vswitchEnv(v, h), artifact.Reload(topology.VSwitchUnit))
		out.constant("bin/vswitch", "bin/vswitch", executable)
		out.constant("systemd/system/"+topology.VSwitchUnit, "systemd/"+topology.VSwitchUnit, readable, artifact.DaemonReload)
		return out.result()
	}
	reload := artifact.Reload(networkd)
	out.add("systemd/network/20-odoogen-vswitch.netdev", vswitchNetdev(v, h), reload)
	out.add("systemd/network/20-odoogen-vswitch.network", vswitchNetwork(v, h), reload)
	out.add("systemd/network/"+h.Uplink.NetworkFile+".d/odoogen.conf", uplinkDropIn(v, h), reload)
	return out.result()
}

func vswitchEnv(v *topology.VSwitch, h *topology.Host) *conf.Text {
	e := conf.NewEnv(h.Path, "The private network's interface")
	e.Set("LINK", h.Uplink.Name, h.At("uplink.name"), h.Path)
	e.Set("INTERFACE", v.Interface, "network.vswitch.interface", h.Path)
	e.Set("VLAN", itoa(v.VLAN), "network.vswitch.vlan", h.Path)
	e.Set("MTU", itoa(v.MTU), "network.vswitch.mtu", h.Path)
	e.Set("ADDRESS", h.PrivateAddress(v), h.At("private"), "network.vswitch.subnet", h.Path)
	return &e.Text
}

func vswitchNetdev(v *topology.VSwitch, h *topology.Host) *conf.Text {
	u := conf.NewUnit(h.Path, "The private network's interface")
	u.Section("NetDev")
	u.Set("Name", v.Interface, "network.vswitch.interface", h.Path)
	u.Set("Kind", "vlan")
	u.Section("VLAN")
	u.Set("Id", itoa(v.VLAN), "network.vswitch.vlan", h.Path)
	return &u.Text
}

func vswitchNetwork(v *topology.VSwitch, h *topology.Host) *conf.Text {
	u := conf.NewUnit(h.Path, "The private network's address")
	u.Section("Match")
	u.Set("Name", v.Interface, "network.vswitch.interface", h.Path)
	u.Section("Link")
	u.Set("MTUBytes", itoa(v.MTU), "network.vswitch.mtu", h.Path)
	u.Set("RequiredForOnline", "no")
	u.Section("Network")
	u.Set("IPv6AcceptRA", "no")
	u.Set("Address", h.PrivateAddress(v), h.At("private"), "network.vswitch.subnet", h.Path)
	return &u.Text
}

// uplinkDropIn tells the uplink's own .network file, the distribution's, of the VLAN.
func uplinkDropIn(v *topology.VSwitch, h *topology.Host) *conf.Text {
	u := conf.NewUnit(h.Path, "The uplink carries the private network's VLAN")
	u.Section("Network")
	u.Set("VLAN", v.Interface, "network.vswitch.interface", h.Path)
	return &u.Text
}

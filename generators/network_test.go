package generators

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const byNetworkd = `private: "10.0.0.2"
	uplink: {name: "eth7", manager: "networkd", networkFile: "10-mainif.network"}`

// systemd-networkd itself reads the files: it knows the VLAN, and has nothing to say about any line. That it would
// is shown by a line that means nothing. (What it says of Debian's own files depends on where it runs.)
func TestNetworkdReadsVLAN(t *testing.T) {
	tree := edgeTree(t, sample(t, `private:  "10.0.0.2"`, byNetworkd), "tests")
	got := onHost(t, tree, `
mkdir -p /etc/systemd/network /run/systemd/netif
printf '[Match]\nName=eth7\n[Network]\nAddress=203.0.113.10/26\n' >/etc/systemd/network/10-mainif.network
read_it() {
	SYSTEMD_LOG_LEVEL=debug SYSTEMD_LOG_TARGET=console timeout 4 /lib/systemd/systemd-networkd 2>&1 |
		grep -vF /usr/lib/systemd/network/ | grep -E 'loaded "vlan"|/systemd/network/|[Ii]gnoring (assign|file)' || true
}
read_it
for file in /etc/odoogen/current/systemd/network/*.n* /etc/odoogen/current/systemd/network/*.d/*; do
	[[ -d $file ]] || printf '[Network]\nNonsense=1\n' >>"$file"
done
echo "with nonsense: $(read_it | grep -c Nonsense)"
`)
	want := "vsw0: loaded \"vlan\"\nwith nonsense: 2\n" // the .netdev has no [Network], which is no error there
	if diff := cmp.Diff(byLine(want), byLine(got)); diff != "" {
		t.Error(diff)
	}
}

// The script makes the VLAN, run again changes nothing, and takes away what is in its way: another VLAN of its
// name, its VLAN under another name, another address. (A stand-in for ip remembers what is asked of it.)
func TestVSwitchScript(t *testing.T) {
	got := onHost(t, edgeTree(t, sample(t), "tests"), `
cat >/usr/local/bin/ip <<'SH'
#!/bin/bash
case "$*" in
"-details -oneline link show type vlan") cat /mnt/links ;;
"-oneline address show dev vsw0 scope global") cat /mnt/addresses ;;
*) echo "ip $*" ;;
esac
SH
chmod +x /usr/local/bin/ip
have() { printf "$1" >/mnt/links; printf "$2" >/mnt/addresses; echo "- $3"; /etc/odoogen/current/bin/vswitch up; }
right='7: vsw0@enp41s0: <UP> mtu 1400 \\    link/ether promiscuity 0 \\    vlan protocol 802.1Q id 4000 <REORDER_HDR> addrgenmode eui64\n'
ours='7: vsw0    inet 10.0.0.2/24 scope global vsw0\n'
have '' "$ours" nothing
have "$right" "$ours" 'all as it should be'
have "${right/4000/4001}" "$ours" 'another id'
have "${right/enp41s0/eth1}" "$ours" 'another uplink'
have "${right/vsw0/old0}" "$ours" 'another name'
have "$right" "$ours"'7: vsw0    inet 10.0.0.9/24 scope global vsw0\n' 'another address'
`)
	make := "ip link add link enp41s0 name vsw0 type vlan id 4000\n"
	set := "ip link set dev vsw0 mtu 1400 up\nip address replace 10.0.0.2/24 dev vsw0\n"
	want := "- nothing\n" + make + set +
		"- all as it should be\n" + set +
		"- another id\nip link delete dev vsw0\n" + make + set +
		"- another uplink\nip link delete dev vsw0\n" + make + set +
		"- another name\nip link delete dev old0\n" + make + set +
		"- another address\n" + set + "ip address delete 10.0.0.9/24 dev vsw0\n"
	if diff := cmp.Diff(byLine(want), byLine(got)); diff != "" {
		t.Error(diff)
	}
}

// A host that is on no private network gets no interface.
func TestNoPrivateNetwork(t *testing.T) {
	topo := sample(t)
	topo.Network.VSwitch = nil
	for _, f := range edgeTree(t, topo, "tests").Files {
		if strings.Contains(f.Path, "vswitch") {
			t.Errorf("%s on a host without a private network", f.Path)
		}
	}
}

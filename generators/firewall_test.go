package generators

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// streets puts the host on a private and a public network, with a peer on the one and, on the other, an address of
// the whitelist and a stranger. Each port of the host is held by a listener; knock tells which of them answer.
const streets = `
mkdir -p /run/netns
ip netns add private; ip netns add public
ip link add vsw0 type veth peer name eth0 netns private
ip link add enp41s0 type veth peer name eth0 netns public
ip address add 10.0.0.2/24 dev vsw0; ip address add fd00::2/64 dev vsw0 nodad; ip link set vsw0 up
ip address add 203.0.113.10/24 dev enp41s0; ip address add 2001:db8::10/64 dev enp41s0 nodad; ip link set enp41s0 up
ip -n private address add 10.0.0.3/24 dev eth0; ip -n private address add fd00::3/64 dev eth0 nodad; ip -n private link set eth0 up
for a in 203.0.113.20/24 203.0.113.99/24 10.0.0.66/24; do ip -n public address add $a dev eth0; done
for a in 2001:db8::20/64 2001:db8::99/64; do ip -n public address add $a dev eth0 nodad; done
ip -n public link set eth0 up
ip -n public route add 10.0.0.2 via 203.0.113.10 src 203.0.113.99
python3 - 22 80 443 8017 8080 9418 <<'PY' &
import socket, sys, threading
for port in sys.argv[1:]:
    s = socket.create_server(("::", int(port)), family=socket.AF_INET6, dualstack_ipv6=True)
    threading.Thread(target=lambda s=s: [s.accept() for _ in iter(int, 1)], daemon=False).start()
PY
trap "kill $!" EXIT
until (exec 3<>/dev/tcp/127.0.0.1/9418) 2>/dev/null; do sleep 0.05; done
nft -f /etc/odoogen/current/nftables/odoogen.nft
nft list ruleset >/mnt/once
nft -f /etc/odoogen/current/nftables/odoogen.nft
nft list ruleset | cmp - /mnt/once
# knock NAMESPACE FROM TO [FROM TO]...: a line for each pair, with the ports that answer
knock() {
	ip netns exec "$1" python3 -S - "${@:2}" <<'PY'
import socket, sys, concurrent.futures
def answers(pair, port):
    with socket.socket(socket.AF_INET6 if ":" in pair[1] else socket.AF_INET) as s:
        s.settimeout(0.3)
        s.bind((pair[0], 0))
        return s.connect_ex((pair[1], port)) == 0
pairs = list(zip(sys.argv[1::2], sys.argv[2::2]))
ports = [22, 80, 443, 8017, 8080, 9418]
with concurrent.futures.ThreadPoolExecutor(50) as pool:
    tries = {(p, port): pool.submit(answers, p, port) for p in pairs for port in ports}
    for p in pairs:
        print(p[0], "->", p[1], *[port for port in ports if tries[p, port].result()])
PY
}
`

// Only what the spec opens answers, from where the spec opens it, on both hosts and both protocols.
func TestFirewallLetsThrough(t *testing.T) {
	topo := sample(t,
		`{from: "203.0.113.20", who: "ci, to deploy without the vSwitch"},`,
		`{from: "203.0.113.20", who: "ci; \"quoted\", } # $x"}, {from: "2001:db8::20/127", who: "ops"}, {from: "203.0.113.16/29", who: "overlaps"},`)
	knocks := `
knock private 10.0.0.3 10.0.0.2 fd00::3 fd00::2
knock public 203.0.113.20 203.0.113.10 203.0.113.99 203.0.113.10 203.0.113.99 10.0.0.2 10.0.0.66 203.0.113.10 \
	2001:db8::20 2001:db8::10 2001:db8::99 2001:db8::10
`
	for host, want := range map[string]string{
		"tests": `10.0.0.3 -> 10.0.0.2 22 80 443
fd00::3 -> fd00::2 80 443
203.0.113.20 -> 203.0.113.10 22 80 443
203.0.113.99 -> 203.0.113.10 80 443
203.0.113.99 -> 10.0.0.2 80 443
10.0.0.66 -> 203.0.113.10
2001:db8::20 -> 2001:db8::10 22 80 443
2001:db8::99 -> 2001:db8::10 80 443
`,
		"ci": `10.0.0.3 -> 10.0.0.2 22 8080 9418
fd00::3 -> fd00::2
203.0.113.20 -> 203.0.113.10
203.0.113.99 -> 203.0.113.10
203.0.113.99 -> 10.0.0.2
10.0.0.66 -> 203.0.113.10
2001:db8::20 -> 2001:db8::10
2001:db8::99 -> 2001:db8::10
`,
	} {
		t.Run(host, func(t *testing.T) {
			got := onHost(t, edgeTree(t, topo, host), streets+knocks)
			if diff := cmp.Diff(byLine(want), byLine(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A private network of IPv6 is let in as one of IPv4 is.
func TestFirewallOfIPv6(t *testing.T) {
	topo := sample(t, `subnet: "10.0.0.0/24"`, `subnet: "fd00::/64"`, `private:  "10.0.0.2"`, `private: "fd00::2"`, `private:   "10.0.0.3"`, `private: "fd00::3"`)
	got := onHost(t, edgeTree(t, topo, "ci"), streets+`
knock private 10.0.0.3 10.0.0.2 fd00::3 fd00::2
`)
	want := "10.0.0.3 -> 10.0.0.2\nfd00::3 -> fd00::2 22 8080 9418\n"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Another's table stays, and stopping the unit takes away ours alone.
func TestFirewallLeavesOtherTables(t *testing.T) {
	got := onHost(t, edgeTree(t, sample(t), "tests"), `
nft add table inet somebody
nft -f /etc/odoogen/current/nftables/odoogen.nft
nft list tables
stop=$(sed -n 's/^ExecStop=-//p' /etc/odoogen/current/systemd/system/odoogen-nftables.service)
$stop
nft list tables
`)
	if want := "table inet somebody\ntable inet odoogen\ntable inet somebody\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Where there is no private network, nothing speaks of one.
func TestFirewallWithoutPrivateNetwork(t *testing.T) {
	topo := sample(t)
	topo.Network.VSwitch = nil
	rules := fileText(t, edgeTree(t, topo, "tests"), "nftables/odoogen.nft")
	if strings.Contains(rules, "iifname") || !strings.Contains(rules, "@admins4 tcp dport 22 accept") {
		t.Errorf("rules of a host without a private network:\n%s", rules)
	}
}

package generators

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"odoogen/internal/artifact"
	"odoogen/internal/topology"
)

// sample is the sample's topology after the edits: pairs of a text of envs.cue and what stands in its place.
func sample(t testing.TB, edits ...string) *topology.Topology {
	t.Helper()
	data, err := os.ReadFile("../envs.cue")
	if err != nil {
		t.Fatal(err)
	}
	spec := string(data)
	for i := 0; i < len(edits); i += 2 {
		if !strings.Contains(spec, edits[i]) {
			t.Fatalf("envs.cue does not say %q", edits[i])
		}
		spec = strings.Replace(spec, edits[i], edits[i+1], 1)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "envs.cue"), []byte(spec), 0o644); err != nil {
		t.Fatal(err)
	}
	topo, _, err := topology.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return topo
}

// edgeTree is the tree of one host of a topology, without the kinds that are not of a host's edge.
func edgeTree(t *testing.T, topo *topology.Topology, host string) *artifact.Tree {
	t.Helper()
	for _, h := range topo.Hosts {
		if h.Name != host {
			continue
		}
		var files []artifact.File
		for _, generate := range []func(*topology.Topology, *topology.Host) ([]artifact.File, error){
			Time, Journal, Sysctl, SSH, Sudo, Apt, Patching, Network, Firewall, Nginx, Certbot,
		} {
			more, err := generate(topo, h)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, more...)
		}
		tree, err := artifact.NewTree(host, files)
		if err != nil {
			t.Fatal(err)
		}
		return tree
	}
	t.Fatalf("no host %s", host)
	return nil
}

// onHost runs a bash script as on a host that runs the tree (testdata/onhost), and returns what it prints.
func onHost(t *testing.T, tree *artifact.Tree, script string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "out")
	if _, err := artifact.Write(dir, []*artifact.Tree{tree}); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("unshare", "--mount", "--net", "bash", "testdata/onhost", filepath.Join(dir, tree.Host))
	cmd.Stdin = strings.NewReader(script)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v (as root, with the Debian packages of `make test`)\n%s", err, out)
	}
	return string(out)
}

// fileText is a file of a tree.
func fileText(t *testing.T, tree *artifact.Tree, path string) string {
	t.Helper()
	f := tree.File(path)
	if f == nil {
		t.Fatalf("no %s", path)
	}
	return string(f.Data)
}

// small is a topology of one host: no private network, no CI, no backup, no exporters; Debian's own packages alone.
const small = `package envs

hosts: all: #Host & {
	fqdn: "all.internal", debian: 12, public: "203.0.113.10", public6: "2001:db8::10", open: [80, 443]
	hardware: #Hardware & {model: "X", cpu: "Y", threads: 8, ram: "32G", disks: {count: 2, sizeGB: 512, raid: 1}, monthly: 40}
}
network: acme: email: "ops@example.com"
network: time: {zone: "Europe/Berlin", servers: []}
access: {
	admins: anna: keys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB/Fcvil6WIcVsJMCZK9Mqs454049OugDUDijdbmrcsv"]
	whitelist: [{from: "2001:db8:1::/48", who: "the office"}]
}
clusters: main: #Cluster & {host: "all", version: 15, port: 5432, workload: "oltp", ram: "8G"}
classes: qa: #Class & {cluster: "main", CPUQuota: "150%", MemoryMax: "3G"}
instances: qa17: #Instance & {class: "qa", version: "17.0", domain: "qa17.example.com", aliases: ["qa.example.com"]}
sources: {
	repositories: odoo17: #Repository & {git: "https://github.com/odoo/odoo.git", branch: "17.0", rev: "a46788a04909d5fef3e42ce7ecc5286b4c6926bf"}
	versions: "17.0": community: "odoo17"
}
backup: none: reason: "a trial"
patching: {windows: all: at: "Sun 08:00", hold: ["nginx-common"], reboot: false}
budget: {currency: "EUR", monthly: 50}
`

// Every program accepts its files of the edge, without a warning, whatever the topology is.
func TestEdgeIsAccepted(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "envs.cue"), []byte(small), 0o644); err != nil {
		t.Fatal(err)
	}
	one, _, err := topology.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	two := sample(t)
	for name, tree := range map[string]*artifact.Tree{
		"one host for all": edgeTree(t, one, "all"),
		"tests":            edgeTree(t, two, "tests"),
		"ci":               edgeTree(t, two, "ci"),
		"networkd":         edgeTree(t, sample(t, `private:  "10.0.0.2"`, byNetworkd), "tests"),
		"IPv6": edgeTree(t, sample(t, `subnet: "10.0.0.0/24"`, `subnet: "fd00::/64"`, `private:  "10.0.0.2"`, `private: "fd00::2"`,
			`private:   "10.0.0.3"`, `private: "fd00::3"`), "tests"),
	} {
		t.Run(name, func(t *testing.T) {
			got := onHost(t, tree, `
cd /etc/odoogen/current
if [[ -d nginx ]]; then
	bin/certificates bootstrap >/dev/null
	nginx -t 2>&1 | grep -v -e 'syntax is ok' -e 'test is successful' || true
fi
nft -c -f nftables/odoogen.nft
ssh-keygen -A >/dev/null
sshd -t
visudo -cq
apt-config dump >/dev/null
apt-get indextargets >/dev/null
apt-cache policy >/dev/null
printf '#!/bin/sh\n' >bin/release; chmod 0555 bin/release
(cd systemd/system && systemd-analyze verify --man=no --recursive-errors=no odoogen-*.service odoogen-*.timer nftables.service nginx.service apt-daily-upgrade.service)
`)
			if got != "" {
				t.Error(got)
			}
		})
	}
}

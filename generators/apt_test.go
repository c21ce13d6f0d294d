package generators

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"odoogen/internal/topology"
)

// A vendor's signed repository, asked by the real apt: of what it offers, only the packages that the spec takes
// from it may be installed, at the version that it holds them at. What a failed signature means is apt's to say.
func TestVendorGivesOnlyWhatItIsAskedFor(t *testing.T) {
	topo := sample(t)
	topo.Packages.Vendors = []*topology.Vendor{{
		Name: "jenkins", Path: "packages.vendors.jenkins", URI: "http://localhost:8999/debian", Suite: "binary/",
		Packages: []*topology.NamedVersion{
			{Name: "jenkins", Path: "packages.vendors.jenkins.packages.jenkins", Version: "2.568.*"},
			{Name: "tool", Path: "packages.vendors.jenkins.packages.tool", Version: "*"},
		},
	}}
	got := onHost(t, edgeTree(t, topo, "ci"), `
rm -f /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; rm -rf /var/lib/apt/lists/*
repo=/mnt/repo/debian/binary; rm -rf /mnt/repo; mkdir -p $repo; cd $repo
for p in jenkins=2.560.1 jenkins=2.568.2 jenkins=2.570.1 tool=1 tool=2 bash=99 other=1; do
	printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: x\nDescription: x\nSize: 1\nSHA256: %064d\nFilename: x.deb\n\n' "${p%=*}" "${p#*=}" 0
done >Packages
printf 'Origin: x\nDate: %s\nSHA256:\n %s %s Packages\n' "$(date -Ru)" "$(sha256sum Packages | cut -d' ' -f1)" "$(stat -c %s Packages)" >Release
export GNUPGHOME=/mnt/gnupg; rm -rf $GNUPGHOME; mkdir -m 0700 $GNUPGHOME
gpg --batch --quiet --passphrase '' --quick-gen-key vendor 2>/dev/null
gpg --batch --quiet --clearsign -o InRelease Release
python3 -m http.server -b 127.0.0.1 -d /mnt/repo 8999 >/dev/null 2>&1 & trap "kill $!; gpgconf --kill all" EXIT
until (exec 3<>/dev/tcp/127.0.0.1/8999) 2>/dev/null; do sleep 0.05; done
update() { apt-get -q -o APT::Sandbox::User=root update 2>&1 | grep -oE 'NO_PUBKEY|is not signed' | sort -u; true; }
echo "without its key: $(update)"
mkdir -p /etc/apt/keyrings; gpg --armor --export vendor >/etc/apt/keyrings/odoogen-jenkins.asc
echo "with its key: $(update)"
for p in jenkins tool bash other; do echo "$p: $(apt-cache policy $p | sed -n 's/  Candidate: //p')"; done | sed "s/$(dpkg-query -Wf '${Version}' bash)/Debian's/"
`)
	want := `without its key: NO_PUBKEY
is not signed
with its key: 
jenkins: 2.568.2
tool: 2
bash: Debian's
other: (none)
`
	if diff := cmp.Diff(byLine(want), byLine(got)); diff != "" {
		t.Error(diff)
	}
}

// apt reads the settings as they were meant: lists emptied first, a held package's name as it is and no pattern.
func TestAptSettings(t *testing.T) {
	topo := sample(t)
	topo.Patching.Hold = []string{"libstdc++6", "g++"}
	got := onHost(t, edgeTree(t, topo, "ci"), `
printf 'Unattended-Upgrade::Package-Blacklist { "somebody-elses"; };\n' >/etc/apt/apt.conf.d/60local
apt-config dump --format '%f %v%n' | grep -E '^(APT::Periodic::(Update|Unatt)|Unattended-Upgrade::(Package-Bl|Automatic))'
`)
	want := `APT::Periodic::Update-Package-Lists 1
APT::Periodic::Unattended-Upgrade 0
Unattended-Upgrade::Package-Blacklist 
Unattended-Upgrade::Package-Blacklist:: ^postgresql-
Unattended-Upgrade::Package-Blacklist:: ^libstdc\+\+6$
Unattended-Upgrade::Package-Blacklist:: ^g\+\+$
Unattended-Upgrade::Automatic-Reboot false
`
	if diff := cmp.Diff(byLine(want), byLine(got)); diff != "" {
		t.Error(diff)
	}
}

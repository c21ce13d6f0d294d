package generators

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The job of the patch window installs, restarts what is old, reboots where it is due and allowed, and gives way to
// whoever holds the host. (Stand-ins for the programs that would change the machine.)
func TestPatchScript(t *testing.T) {
	got := onHost(t, edgeTree(t, sample(t, "tests: {at: \"Sun 08:00\", maxDuration: \"2h\"}", "tests: {at: \"Sun 08:00\", maxDuration: \"4s\"}"), "tests"), `
for program in apt-get needrestart systemctl; do printf '#!/bin/bash\necho "%s $*"\n' "$program" >"/usr/local/bin/$program"; done
cat >/usr/local/bin/unattended-upgrade <<'SH'
#!/bin/bash
trap 'echo "stopped between two packages"; exit 0' TERM
echo unattended-upgrade
for ((n = 0; n < ${UPGRADE_TENTHS:-0}; n++)); do sleep 0.1; done
exit "${UPGRADE_STATUS:-0}"
SH
chmod +x /usr/local/bin/*
env=/etc/odoogen/current/patching/window.env
rm -f /run/reboot-required*
patch() { echo "- $1"; /etc/odoogen/current/bin/patch 2>&1 || echo "exit $?"; }
patch "nothing asks for a reboot"
echo linux-image-amd64 >/run/reboot-required.pkgs; touch /run/reboot-required
patch "the kernel asks for a reboot"
sed -i s/REBOOT=yes/REBOOT=no/ $env
patch "a reboot is not allowed"
rm /run/reboot-required
UPGRADE_STATUS=1 patch "the upgrade failed"
UPGRADE_TENTHS=50 patch "the window ends"
exec 8>/run/lock/odoogen/host.lock; flock 8
patch "a deploy holds the host"
`)
	want := `- nothing asks for a reboot
apt-get --quiet update
unattended-upgrade
needrestart -q -l -r a
- the kernel asks for a reboot
apt-get --quiet update
unattended-upgrade
rebooting for: linux-image-amd64
systemctl reboot
- a reboot is not allowed
apt-get --quiet update
unattended-upgrade
needrestart -q -l -r a
a reboot is due
- the upgrade failed
apt-get --quiet update
unattended-upgrade
needrestart -q -l -r a
exit 1
- the window ends
apt-get --quiet update
unattended-upgrade
stopped between two packages
the window is too short: the rest is installed in the next one
needrestart -q -l -r a
exit 124
- a deploy holds the host
the host was busy for half of the window; nothing was installed
exit 75
`
	if diff := cmp.Diff(byLine(want), byLine(got)); diff != "" {
		t.Error(diff)
	}
}

package generators

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// newKey is a new key pair: its private file and its public line.
func newKey(t *testing.T, name string) (file, public string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), name)
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", file).CombinedOutput(); err != nil {
		t.Fatalf("%v (Debian package openssh-client)\n%s", err, out)
	}
	data, err := os.ReadFile(file + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	return file, strings.TrimSpace(string(data))
}

// What each login may do, asked of the real sshd and the real sudo: an administrator everything, the deploy user
// its one program, and neither a password nor a forwarding helps it further.
func TestLogins(t *testing.T) {
	annaFile, anna := newKey(t, "anna")
	deployFile, deploy := newKey(t, "jenkins")
	topo := sample(t,
		"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB/Fcvil6WIcVsJMCZK9Mqs454049OugDUDijdbmrcsv anna", anna,
		"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOwqLWd+XrBIqp+64g6Bf2r9vRcl/DSxOThtrpBAlcBp jenkins", deploy)
	got := onHost(t, edgeTree(t, topo, "tests"), `
for user in anna ben deploy; do useradd --no-create-home --home-dir "/var/lib/$user" --shell /bin/bash "$user"; mkdir -p "/var/lib/$user"; chown "$user" "/var/lib/$user"; done
usermod -p '*' anna; usermod -p '*' deploy
printf '%s\n' '#!/bin/bash' 'echo "release $* as $(id -un)"' >/etc/odoogen/current/bin/release
chmod 0555 /etc/odoogen/current/bin/release
visudo -cq
mkdir -p /srv/git; mount -t tmpfs none /srv; mkdir -p /srv/git
git init -q --bare /srv/git/odoo17.git; chown -R deploy /srv/git/odoo17.git
rm -f /etc/ssh/ssh_host_*; ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
sshd -t
/usr/sbin/sshd -p 2222 -o PidFile=/run/sshd.pid; trap 'kill "$(cat /run/sshd.pid)"' EXIT
login() { ssh -n -p 2222 -i "$1" -o BatchMode=yes -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "${@:2}" 2>&1 || echo "exit $?"; }
echo "- anna"
login `+annaFile+` anna@127.0.0.1 'id -un; sudo -n id -un; sudo -n -u postgres id -un'
login `+annaFile+` -W 127.0.0.1:2222 anna@127.0.0.1 | (head -c 7; cat >/dev/null); echo
echo "- deploy"
d() { login `+deployFile+` deploy@127.0.0.1 "$@"; }
d release deploy qa17 0123456789012345678901234567890123456789 -u sale,stock
d release rollback qa17
d 'release deploy qa17 a;id'
d 'release purge qa17'
d 'release deploy qa17 $(id)'
d $'release deploy qa17\nid'
d id
d
login `+deployFile+` -tt deploy@127.0.0.1 id
login `+deployFile+` -W 127.0.0.1:2222 deploy@127.0.0.1
d "git-upload-pack '/etc/odoogen/current'" 
git -c init.defaultBranch=main init -q /mnt/work; git -C /mnt/work -c user.name=x -c user.email=x commit -q --allow-empty -m x
GIT_SSH_COMMAND="ssh -p 2222 -i `+deployFile+` -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR" git -C /mnt/work push -q deploy@127.0.0.1:/srv/git/odoo17.git HEAD:refs/heads/main && git -C /srv/git/odoo17.git -c safe.directory='*' branch --list
runuser -u deploy -- sudo -n id 2>&1 || true
runuser -u deploy -- sudo -n /etc/odoogen/current/bin/release list qa17
echo "- a key of its own does not help the deploy user"
ssh-keygen -q -t ed25519 -N '' -f /mnt/own; mkdir -p /var/lib/deploy/.ssh; cp /mnt/own.pub /var/lib/deploy/.ssh/authorized_keys; chown -R deploy /var/lib/deploy/.ssh
login /mnt/own deploy@127.0.0.1 id
echo "- nobody logs in without a key"
login /dev/null -o PreferredAuthentications=password,keyboard-interactive anna@127.0.0.1 id
echo "- root, by the key of the first push"
mkdir -p /mnt/home/.ssh; usermod -d /mnt/home root 2>/dev/null || sed -i 's,^root:\(.*\):/root:,root:\1:/mnt/home:,' /etc/passwd
cp /mnt/own.pub /mnt/home/.ssh/authorized_keys; chmod -R go-w /mnt/home
login /mnt/own root@127.0.0.1 id -un
`)
	const refused = "deploy: want: release deploy|rollback|list INSTANCE ..., or a git push to /srv/git\nexit 64\n"
	want := `- anna
anna
root
postgres
SSH-2.0
- deploy
release deploy qa17 0123456789012345678901234567890123456789 -u sale,stock as root
release rollback qa17 as root
` + strings.Repeat(refused, 6) + `PTY allocation request failed on channel 0
exit 255
stdio forwarding failed
exit 255
` + refused + `  main
sudo: a password is required
release list qa17 as root
- a key of its own does not help the deploy user
deploy@127.0.0.1: Permission denied (publickey).
exit 255
- nobody logs in without a key
anna@127.0.0.1: Permission denied (publickey).
exit 255
- root, by the key of the first push
root
`
	if diff := cmp.Diff(byLine(want), byLine(strings.ReplaceAll(got, "\r", ""))); diff != "" {
		t.Error(diff)
	}
}

# Sourced first by each session: a host of its own in a mount namespace. /etc, /usr/local and /var/lib are written to
# memory, locks are its own, and systemd is a stand-in that says yes. $1 is the host's script.
# shellcheck shell=bash
set -euo pipefail
script=$(cat "$1")
mount --make-rprivate /
mount -t tmpfs tmpfs /mnt
mount -t tmpfs tmpfs /run/lock
for d in etc usr/local var/lib; do
	mkdir -p /mnt/$d/{upper,work}
	mount -t overlay -o "lowerdir=/$d,upperdir=/mnt/$d/upper,workdir=/mnt/$d/work" overlay /$d
done
mkdir -p /usr/local/sbin
for program in systemctl systemd-run; do printf '#!/bin/sh\n' >/usr/local/sbin/$program && chmod +x /usr/local/sbin/$program; done

etc=/etc/odoogen state=/var/lib/odoogen
rm -rf $etc $state
host() { bash -c "$script" odoogen "$@"; }

# tree makes /mnt/tree and its tar: a generation with one file, x.d/a.
tree() { # TEXT
	rm -rf /mnt/tree
	mkdir -p /mnt/tree/x.d
	(
		cd /mnt/tree
		echo "$1" >x.d/a
		echo '{}' >HOST.json
		chmod 444 x.d/a HOST.json
		for f in HOST.json x.d/a; do printf '0444 %s none %s\n' "$(sha256sum <$f | cut -d ' ' -f 1)" $f; done >MANIFEST
		chmod 444 MANIFEST
		tar -c --no-recursion MANIFEST HOST.json x.d/a
	) >/mnt/tree.tar
}

# turn turns the host to a generation of that tree, with the doors of $doors; confirm keeps it, revert takes it back.
turn() { # NONCE NAME TEXT
	tree "$3"
	echo test | host lease "$1" 120 >/dev/null
	host stage "$1" "$2" </mnt/tree.tar
	printf '%b' "${doors:?}" 'end\n' | host turn "$1" "$2" 60 >/dev/null
}

confirm() { echo test | host confirm "$1" 10 >/dev/null; }
revert() { host revert "$1" >/dev/null; }

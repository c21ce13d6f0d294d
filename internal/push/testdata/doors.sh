#!/bin/bash
# A host of its own in a mount namespace: /etc and /var/lib/odoogen are written to memory, and systemd is left alone. $1
# is the host's script. Two doors leave with generation 2: y, and z, where something was found once.
set -euo pipefail
mount -t tmpfs tmpfs /mnt
mkdir -p /mnt/upper /mnt/work /mnt/bin /var/lib/odoogen
mount -t overlay -o lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work overlay /etc
mount -t tmpfs tmpfs /var/lib/odoogen
for program in systemctl systemd-run; do printf '#!/bin/sh\n' >/mnt/bin/$program; done
chmod +x /mnt/bin/*
mkdir -p /usr/local/sbin
mount --bind /mnt/bin /usr/local/sbin

etc=/etc/odoogen
rm -rf $etc
mkdir -p $etc/generations/{0/etc/x.d,1-a/files/etc/x.d,2-b} /etc/x.d
ln -s generations/1-a $etc/current
ln -s generations/1-a $etc/confirmed
echo ours >$etc/generations/1-a/files/etc/x.d/y
echo theirs >$etc/generations/0/etc/x.d/z
for door in y z; do ln -s $etc/current/files/etc/x.d/$door /etc/x.d/$door; done
printf 'nonce\t%s\ttest\n' $(($(date +%s) + 500)) >/var/lib/odoogen/lease

host() { bash -c "$(cat "$script")" odoogen "$@" >/dev/null; }
state() { echo "$1: $(cd /etc/x.d && for f in *; do printf '%s=%s ' "$f" "$(cat "$f" 2>/dev/null || echo nothing)"; done)"; }
script=$1
state before
{
	for door in y z; do
		printf 'closed\t%s\nback\tdoor\t%s\tlink\t%s\n' /etc/x.d/$door /etc/x.d/$door $etc/current/files/etc/x.d/$door
	done
	echo end
} | host turn nonce 2-b 60
state turned
host revert nonce
state reverted

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

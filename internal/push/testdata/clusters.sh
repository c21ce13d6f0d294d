#!/bin/bash
# A host of its own in a mount namespace, as in doors.sh. Cluster 15/old leaves with generation 2, 15/main stays, and 15/off was
# disabled by hand. $1 is the host's script.
set -euo pipefail
mount -t tmpfs tmpfs /mnt
mkdir -p /mnt/upper /mnt/work /mnt/bin /var/lib/odoogen
mount -t overlay -o lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work overlay /etc
mount -t tmpfs tmpfs /var/lib/odoogen
for program in systemctl systemd-run; do printf '#!/bin/sh\n' >/mnt/bin/$program; done
chmod +x /mnt/bin/*
mkdir -p /usr/local/sbin /etc/postgresql
mount --bind /mnt/bin /usr/local/sbin
mount -t tmpfs tmpfs /etc/postgresql

etc=/etc/odoogen
rm -rf $etc
mkdir -p $etc/generations/{0,1-a/systemd/system,2-b/systemd/system} /etc/postgresql/15/{main,old,off}
ln -s generations/1-a $etc/current
ln -s generations/1-a $etc/confirmed
printf 'Wants=postgresql@15-%s.service\n' main old off >$etc/generations/1-a/systemd/system/odoogen.target
printf 'Wants=postgresql@15-%s.service\n' main >$etc/generations/2-b/systemd/system/odoogen.target
for name in main old; do printf '# as pg_createcluster makes it\n\nauto\n' >/etc/postgresql/15/$name/start.conf; done
echo disabled >/etc/postgresql/15/off/start.conf
printf 'nonce\t%s\ttest\n' $(($(date +%s) + 500)) >/var/lib/odoogen/lease

host() { bash -c "$(cat "$script")" odoogen "$@" >/dev/null; }
state() { echo "$1:$(cd /etc/postgresql/15 && for f in *; do printf ' %s=%s' "$f" "$(tail -n 1 "$f/start.conf")"; done)"; }
script=$1
state before
{
	for name in old off; do
		printf 'do\tstop\tpostgresql@15-%s.service\nundo\trestart\tpostgresql@15-%s.service\n' $name $name
	done
	echo end
} | host turn nonce 2-b 60
state turned
host revert nonce
state reverted

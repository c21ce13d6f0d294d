#!/bin/bash
# Cluster 15/old leaves with generation 2, 15/main stays, and 15/off was disabled by hand.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/namespace.sh"

rm -rf /etc/postgresql
mkdir $state
mkdir -p $etc/generations/{0,1-a/systemd/system,2-b/systemd/system} /etc/postgresql/15/{main,old,off}
ln -s generations/1-a $etc/current
ln -s generations/1-a $etc/confirmed
printf 'Wants=postgresql@15-%s.service\n' main old off >$etc/generations/1-a/systemd/system/odoogen.target
printf 'Wants=postgresql@15-%s.service\n' main >$etc/generations/2-b/systemd/system/odoogen.target
for name in main old; do printf '# as pg_createcluster makes it\n\nauto\n' >/etc/postgresql/15/$name/start.conf; done
echo disabled >/etc/postgresql/15/off/start.conf
printf 'nonce\ttest\n' >$state/lease

quietly() { host "$@" >/dev/null; }
state() { echo "$1:$(cd /etc/postgresql/15 && for f in *; do printf ' %s=%s' "$f" "$(tail -n 1 "$f/start.conf")"; done)"; }
state before
{
	for name in old off; do
		printf 'do\tstop\tpostgresql@15-%s.service\nundo\trestart\tpostgresql@15-%s.service\n' $name $name
	done
	echo end
} | quietly turn nonce 2-b 60
state turned
quietly revert nonce
state reverted

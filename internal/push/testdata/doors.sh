#!/bin/bash
# Two doors leave with generation 2: y, and z, where something was found once.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/namespace.sh"

mkdir $state
mkdir -p $etc/generations/{0/etc/x.d,1-a/files/etc/x.d,2-b} /etc/x.d
ln -s generations/1-a $etc/current
ln -s generations/1-a $etc/confirmed
echo ours >$etc/generations/1-a/files/etc/x.d/y
echo theirs >$etc/generations/0/etc/x.d/z
for door in y z; do ln -s $etc/current/files/etc/x.d/$door /etc/x.d/$door; done
printf 'nonce\ttest\n' >/var/lib/odoogen/lease

quietly() { host "$@" >/dev/null; }
state() { echo "$1: $(cd /etc/x.d && for f in *; do printf '%s=%s ' "$f" "$(cat "$f" 2>/dev/null || echo nothing)"; done)"; }
state before
{
	for door in y z; do printf 'closed\t%s\n' /etc/x.d/$door; done
	echo end
} | quietly turn nonce 2-b 60
state turned
quietly revert nonce
state reverted

#!/bin/bash
# What odoogen does on a host: a verb for each phase of a push. It stands at /usr/local/lib/odoogen/host, outside every
# generation, and needs bash, coreutils, util-linux, tar and systemd. A push sends it along each time, so that it is
# never older than what asks. Facts come on stdin, one a line, words apart by tabs, "-" for an empty one, up to "end";
# nothing that a user typed is ever part of a command.
set -euo pipefail
shopt -s inherit_errexit nullglob
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive
umask 022
cd /

etc=/etc/odoogen
state=/var/lib/odoogen
secrets=$state/secrets
lib=/usr/local/lib/odoogen
locks=/run/lock/odoogen

die() {
	printf '%s\n' "$*" >&2
	exit 1
}

# facts: those on stdin. Where "end" is missing, the push was cut off while it spoke, and half of what it meant is worse
# than nothing.
facts() {
	local line
	while IFS= read -r line; do
		[ "$line" != end ] || return 0
		printf '%s\n' "$line"
	done
	cut_off
}

cut_off() { die "the push was cut off while it spoke"; }

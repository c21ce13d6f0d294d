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

# sends_seconds: for how long a push may go on sending. One whose network is gone says nothing of it, and until then what
# hears it holds the lock of this host.
sends_seconds=120

# facts: those on stdin. Where "end" is missing, the push was cut off while it spoke, and half of what it meant is worse
# than nothing.
facts() {
	local line
	while IFS= read -r -t "$sends_seconds" line; do
		[ "$line" != end ] || return 0
		printf '%s\n' "$line"
	done
	cut_off
}

# A program costs more than most of what it is started for, and a push waits for each: these start one only where there is
# something to do.

# dirs DIR...: makes those that are not there.
dirs() {
	local dir missing=()
	for dir; do [ -d "$dir" ] || missing+=("$dir"); done
	[ ${#missing[@]} -eq 0 ] || mkdir -p "${missing[@]}"
}

# away PATH...: removes those that are there, with all below them.
away() {
	local path there=()
	for path; do [ ! -e "$path" ] && [ ! -L "$path" ] || there+=("$path"); done
	[ ${#there[@]} -eq 0 ] || rm -rf "${there[@]}"
}

# holds PATH TEXT: it is a file with that text, and nothing else.
holds() {
	local have
	[ -f "$1" ] || return 1
	IFS= read -r -d '' have <"$1" || true
	[ "$have" = "$2" ]
}

cut_off() { die "the push was cut off while it spoke"; }

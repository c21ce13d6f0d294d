# shellcheck shell=bash
# What the scripts of a host share. A script reads the tree it lies in, for its whole run, wherever `current` leads
# meanwhile. Exit codes of all of them: 0 done, 1 failed, 2 wrong usage.
set -euo pipefail
shopt -s inherit_errexit
export LC_ALL=C
umask 022
tree=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
self=$tree/bin/${0##*/}
cd /

say() { printf '%s\n' "$*" >&2; }
die() {
	say "${0##*/}: $*"
	exit 1
}

# usage prints the comment at the head of the script: asked for with --help, or after a wrong argument.
usage() {
	local code=2
	[ "${1:-}" != --help ] || code=0
	sed -n -e '1d' -e '/^#/!q' -e 's/^# \{0,1\}//p' "$self" >&2
	exit "$code"
}

# load reads a generated KEY=value file of the tree.
load() {
	[ -r "$tree/$1" ] || die "this host has no $1"
	# shellcheck source=/dev/null
	. "$tree/$1"
}

# rows prints a generated table of the tree without its comments.
rows() { sed -e '/^#/d' -e '/^$/d' "$tree/$1"; }

# want refuses a word that does not look as it must: want WORD PATTERN WHAT
want() { [[ $1 =~ ^($2)$ ]] || die "\"$1\" is no $3"; }

# load_instance reads what is known of an instance of this host: load_instance NAME
load_instance() {
	want "$1" '[a-z][a-z0-9-]*' "name of an instance"
	load "instances/$1.env"
}

# share_host lets any number of jobs run at once, but no push and no reboot beside them.
share_host() {
	exec {host_lock}>>"$LOCKS/host.lock"
	flock --shared --wait 1800 "$host_lock" || die "the host is being changed: waited half an hour for $LOCKS/host.lock"
}

# lock keeps what works on one thing apart. An instance's name is the lock of backup, update and restore of its data;
# NAME.copy is that of its second database, which drill and restore fill.
lock() {
	local held
	exec {held}>>"$LOCKS/$1.lock"
	flock --exclusive --wait 1800 "$held" || die "$1 is in use: waited half an hour for $LOCKS/$1.lock"
}

# as runs a command as another user, who gets nothing of this script's environment: as USER COMMAND...
as() {
	local user=$1
	shift
	setpriv --reuid="$user" --regid="$user" --init-groups --reset-env -- "$@"
}

# git_in runs git in a mirror as the user who owns it, without anything that he has configured: git_in REPOSITORY ARGUMENT...
git_in() { as "$MIRROR_USER" env HOME=/dev/null git --git-dir="$MIRROR/$1.git" "${@:2}"; }

# replace writes a file of the state directory in one step, from standard input: replace PATH. A loss of power leaves the one
# or the other, and no empty one.
replace() {
	mkdir -p -- "${1%/*}"
	cat >"$1.new"
	sync -- "$1.new"
	mv -fT -- "$1.new" "$1"
}

# recorded prints one number of a state file, 0 where there is none: recorded FILE KEY
recorded() {
	local number=""
	[ ! -r "$1" ] || number=$(sed -n "s/^$2=\([0-9][0-9]*\)\$/\1/p" "$1")
	printf '%s\n' "${number:-0}"
}

load jobs.env

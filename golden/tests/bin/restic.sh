# shellcheck shell=bash
# The backup repository, for the scripts that use it. Options are those of restic 0.14 (Debian 12) and after.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
load restic/backup.env

# with_credentials goes on only where systemd has handed the secrets in; by hand, it runs the script again as a unit
# that gets them: with_credentials "$@"
with_credentials() {
	[ -z "${CREDENTIALS_DIRECTORY:-}" ] || return 0
	local credentials=(--property="LoadCredential=password:$PASSWORD_FILE")
	[ -z "${STORAGE_KEY_FILE:-}" ] || credentials+=(--property="LoadCredential=storage:$STORAGE_KEY_FILE")
	exec systemd-run --quiet --collect --wait --pipe --slice="$JOBS_SLICE" "${credentials[@]}" "$self" "$@"
}

# open_repository makes the repository known to restic, and makes the repository where there is none yet. Only
# maintenance, which may remove what others read, holds it alone: open_repository shared|exclusive
open_repository() {
	exec {repository_lock}>>"$LOCKS/restic.lock"
	flock "--$1" --wait 3600 "$repository_lock" || die "the repository is in use: waited an hour for $LOCKS/restic.lock"
	export RESTIC_REPOSITORY RESTIC_CACHE_DIR
	export RESTIC_PASSWORD_FILE=$CREDENTIALS_DIRECTORY/password
	# unlock takes away what a process that is gone has left locked, and only that.
	if [ "$1" = exclusive ] || ! restic cat config >/dev/null 2>&1; then
		restic unlock 2>/dev/null || restic init --repository-version 2
	fi
}

restic() {
	local options=(--quiet)
	case $RESTIC_REPOSITORY in
	sftp:*) options+=(--option "sftp.command=ssh -F $tree/restic/ssh_config storage -s sftp") ;;
	esac
	command restic "${options[@]}" "$@"
}

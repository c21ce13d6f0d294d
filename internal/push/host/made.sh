# What outlives generations.

# The record $state/made has a line for all that pushes have made and that no rollback takes away: what it is, its name,
# the cluster that it is in, and the instance that it is for.

# note_made: the "made" facts on stdin are about to be. What is there already, and is not in the record, is somebody
# else's, and stays so.
note_made() {
	local verb kind name in of
	while IFS=$'\t' read -r verb kind name in of; do
		if [ "$verb" != made ] || recorded "$kind" "$name" "$in" || is_there "$kind" "$name" "$in" </dev/null; then continue; fi
		printf '%s\t%s\t%s\t%s\n' "$kind" "$name" "$in" "$of" >>"$state/made"
	done
}

recorded() { # KIND NAME IN
	local kind name in
	[ -f "$state/made" ] || return 1
	while IFS=$'\t' read -r kind name in _; do [ "$kind $name $in" != "$1 $2 $3" ] || return 0; done <"$state/made"
	return 1
}

# is_there KIND NAME IN: it is. So is what a cluster of somebody else's cannot be asked about.
is_there() {
	case $1 in
	cluster) [ -e "/etc/postgresql/$2/postgresql.conf" ] ;;
	directory) [ -e "$2" ] ;;
	certificate) [ -e "$state/tls/$2" ] || [ -e "/etc/letsencrypt/renewal/$2.conf" ] ;;
	user) getent passwd "$2" >/dev/null ;;
	database) ! recorded cluster "$3" - && within "$3" 'SELECT datname FROM pg_database' "$2" ;;
	role) ! recorded cluster "$3" - && within "$3" 'SELECT rolname FROM pg_roles' "$2" ;;
	esac
}

within() { # CLUSTER QUERY NAME
	local names
	names=$(runuser -u postgres -- psql --cluster "$1" -XAtqc "$2" 2>/dev/null) || return 0
	grep -qFx -- "$3" <<<"$names"
}

# purge NONCE: removes what is on stdin, which pushes have made and nothing asks for any more, one after another.
purge() {
	local wanted kind name in said
	held "$1"
	wanted=$(facts)
	while IFS=$'\t' read -r kind name in; do
		recorded "$kind" "$name" "$in" || die "no push has made the $kind $name"
		printf 'purge\t%s\t%s\n' "$kind" "$name"
		said=$(remove_made "$kind" "$name" "$in" </dev/null 2>&1) || die "the $kind $name stays:" "$said"
		record "$(stands)" purged "$kind $name"
		awk -F '\t' -v "kind=$kind" -v "name=$name" -v "in_=$in" '$1 != kind || $2 != name || $3 != in_' "$state/made" >"$state/made.new"
		mv -f "$state/made.new" "$state/made"
	done <<<"$wanted"
}

remove_made() { # KIND NAME IN
	case $1 in
	cluster) [ ! -e "/etc/postgresql/$2" ] || pg_dropcluster --stop "${2%/*}" "${2#*/}" ;;
	database) runuser -u postgres -- dropdb --cluster "$3" --if-exists "$2" ;;
	role) runuser -u postgres -- dropuser --cluster "$3" --if-exists "$2" ;;
	directory) rm -rf --one-file-system "$2" ;;
	certificate) # with it goes its renewal, which would fail
		[ ! -e "/etc/letsencrypt/renewal/$2.conf" ] || certbot delete --non-interactive --cert-name "$2"
		rm -rf "${state:?}/tls/$2" "$state/tls/.$2".*
		;;
	user) ! getent passwd "$2" >/dev/null || userdel "$2" ;;
	*) return 1 ;;
	esac
}

# What outlives generations.

# The record $state/made has a line for all that pushes have made and that no rollback takes away: what it is, its name,
# the cluster that it is in, and the instance that it is for.

# note_made: the "made" facts on stdin are about to be, which is doubted until the push is confirmed. What is there already, and is
# not in the record, is somebody else's, and stays so; as is what a cluster of somebody else's cannot be asked about.
note_made() {
	local verb kind name in of there
	while IFS=$'\t' read -r verb kind name in of; do
		if [ "$verb" != made ] || recorded "$kind" "$name" "$in"; then continue; fi
		there=0
		is_there "$kind" "$name" "$in" </dev/null || there=$?
		if [ "$there" = 0 ] || { [ "$there" = 2 ] && ! recorded cluster "$in" -; }; then continue; fi
		printf '%s\t%s\t%s\n' "$kind" "$name" "$in" >>"$state/doubted"
		printf '%s\t%s\t%s\t%s\n' "$kind" "$name" "$in" "$of" >>"$state/made"
	done
}

# doubt strikes out of the record what a push that did not come to its end has not come to make: who makes it later is somebody
# else. What cannot be asked now, as databases while the host boots, is asked by the next push.
doubt() {
	local kind name in there
	[ -f "$state/doubted" ] || return 0
	while IFS=$'\t' read -r kind name in; do
		there=0
		is_there "$kind" "$name" "$in" </dev/null || there=$?
		case $there in
		1) strike "$kind" "$name" "$in" || return 1 ;;
		2) printf '%s\t%s\t%s\n' "$kind" "$name" "$in" || return 1 ;;
		esac
	done <"$state/doubted" >"$state/doubted.new"
	if [ -s "$state/doubted.new" ]; then mv -f "$state/doubted.new" "$state/doubted"; else rm -f "$state"/doubted{,.new}; fi
}

# strike KIND NAME IN: it is not in the record any more, unless the disk is full, and then nothing changes.
strike() {
	awk -F '\t' -v "kind=$1" -v "name=$2" -v "in_=$3" '$1 != kind || $2 != name || $3 != in_' "$state/made" >"$state/made.new" &&
		mv -f "$state/made.new" "$state/made"
}

recorded() { # KIND NAME IN
	local kind name in
	[ -f "$state/made" ] || return 1
	while IFS=$'\t' read -r kind name in _; do [ "$kind $name $in" != "$1 $2 $3" ] || return 0; done <"$state/made"
	return 1
}

# is_there KIND NAME IN: it is; 2 where its cluster cannot be asked.
is_there() {
	case $1 in
	cluster) [ -e "/etc/postgresql/$2/postgresql.conf" ] || [ -e "/var/lib/postgresql/$2/PG_VERSION" ] ;;
	directory) [ -e "$2" ] ;;
	certificate) [ -e "$state/tls/$2" ] || [ -e "/etc/letsencrypt/renewal/$2.conf" ] ;;
	user) getent passwd "$2" >/dev/null || return 1 ;;
	database) within "$3" 'SELECT datname FROM pg_database' "$2" ;;
	role) within "$3" 'SELECT rolname FROM pg_roles' "$2" ;;
	esac
}

within() { # CLUSTER QUERY NAME
	local names
	names=$(runuser -u postgres -- psql --cluster "$1" -XAtqc "$2" 2>/dev/null) || return 2
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
		strike "$kind" "$name" "$in"
	done <<<"$wanted"
}

remove_made() { # KIND NAME IN
	case $1 in
	cluster) [ ! -e "/etc/postgresql/$2" ] || pg_dropcluster --stop "${2%/*}" "${2#*/}" ;;
	database) runuser -u postgres -- dropdb --cluster "$3" --if-exists "$2" ;;
	role) runuser -u postgres -- dropuser --cluster "$3" --if-exists "$2" ;;
	directory) rm -rf --one-file-system "$2" ;;
	certificate) # with it goes its renewal, which would fail
		[ ! -e "/etc/letsencrypt/renewal/$2.conf" ] || certbot delete --non-interactive --cert-name "$2" || return 1
		rm -rf "${state:?}/tls/$2" "$state/tls/.$2".*
		;;
	user) ! getent passwd "$2" >/dev/null || userdel "$2" ;;
	*) return 1 ;;
	esac
}

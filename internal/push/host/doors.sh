# What lies outside /etc/odoogen and leads into it, and what was found in its place.

# doors: makes those on stdin stand, and takes away those that are closed. A file of somebody else's in the way is kept
# in generation 0, as it was found, and is back when the door goes.
doors() {
	local verb path kind a b
	while IFS=$'\t' read -r verb path kind a b; do
		case $verb in
		absent)
			[ -e "$path" ] || [ -L "$path" ] || continue
			keep "$path"
			rm -rf "$path"
			;;
		disabled) [ -n "${etc_of_check:-}" ] || systemctl --quiet disable --now "$path" >&2 || true ;;
		door)
			keep "$path"
			mkdir -p "${path%/*}"
			[ ! -d "$path" ] || [ -L "$path" ] || rm -rf "$path"
			if [ "$kind" = link ]; then
				ln -sfn "$a" "$path.odoogen-new"
			else
				printf '%b' "$b" >"$path.odoogen-new"
				chmod "$a" "$path.odoogen-new"
			fi
			# What was left by an eject is what our link leads to, until the host is turned: mv would not replace it.
			[ ! "$path.odoogen-new" -ef "$path" ] || rm -f "$path"
			mv -fT "$path.odoogen-new" "$path"
			;;
		closed) unmake "$path" ;;
		enable) [ -n "${etc_of_check:-}" ] || systemctl --quiet enable "$path" >&2 || true ;;
		disable) [ -n "${etc_of_check:-}" ] || no_longer "$path" ;;
		esac
	done
}

# ours PATH: it is a door, and leads to a generation.
ours() {
	if [ -L "$1" ]; then
		[[ $(readlink "$1") == "$etc"/* ]]
	else
		[ -f "$1" ] && grep -q "$etc/current" "$1"
	fi
}

# keep PATH: puts what is there into generation 0. What was kept once stays, and what leads to us is nobody else's.
keep() {
	local zero=$etc/generations/0
	[ -e "$1" ] || [ -L "$1" ] || return 0
	[ ! -e "$zero$1" ] && [ ! -L "$zero$1" ] || return 0
	! ours "$1" || return 0
	mkdir -p "$zero${1%/*}"
	cp -a "$1" "$zero$1"
}

# unmake PATH: a door goes, and what was found there comes back. A unit that a push disabled is as it was found.
unmake() {
	local was=$etc/generations/0$1
	if [[ $1 != /* ]]; then
		[ -z "${etc_of_check:-}" ] || return 0
		! grep -qsFx "$1" "$etc/found/enabled" || systemctl --quiet enable "$1" >&2 || true
		! grep -qsFx "$1" "$etc/found/active" || systemctl start "$1" >&2 || true
		return 0
	fi
	! ours "$1" || rm -f "$1"
	if { [ -e "$was" ] || [ -L "$was" ]; } && [ ! -e "$1" ] && [ ! -L "$1" ]; then
		cp -aT "$was" "$1.odoogen-new"
		mv -fT "$1.odoogen-new" "$1"
	fi
}

# no_longer UNIT [OPTION]: it does not start with the host any more, and does not run. What ran and has ended runs nothing: it is
# left alone, as PostgreSQL's, with which every cluster would stop. A boot asks with --no-block: nothing has run yet, and
# what is about to start is not.
no_longer() {
	systemctl --quiet disable "$1" >&2 || true
	if [ $# -gt 1 ] || [ "$(systemctl show --value --property=Type "$1")" != oneshot ]; then
		systemctl "${@:2}" stop "$1" >&2 || true
	fi
}

# leaving: the facts of all doors that stand, as closed, and of what packages brought, as disabled.
leaving() {
	local unit
	awk -F '\t' '{ print "closed\t" $2 }' "$etc/doors" 2>/dev/null || true
	while IFS= read -r unit; do printf 'disable\t%s\n' "$unit"; done < <(comm -12 <(enabled) "$etc/found/brought" 2>/dev/null)
}

# comes UNIT: packages brought it, and it starts with the host once that is turned, unless a new door disables it.
comes() { [ -f "$etc/found/coming" ] && grep -qFx "$1" "$etc/found/coming" && ! grep -qsFx "disabled"$'\t'"$1" "$etc/doors"; }

# arriving FACTS LIST...: the facts of what packages brought as enabled, but where a door disables it: of those "coming", and on
# a host that was as it was found also of those "brought" before.
arriving() {
	local list unit lists=()
	for list in "${@:2}"; do [ ! -f "$etc/found/$list" ] || lists+=("$etc/found/$list"); done
	[ ${#lists[@]} -gt 0 ] || return 0
	while IFS= read -r unit; do
		grep -qsFx "disabled"$'\t'"$unit" - "$etc/doors" <<<"$1" || printf 'enable\t%s\n' "$unit"
	done < <(cat "${lists[@]}" | sort -u | comm -13 <(enabled) -)
}

# note_doors keeps the facts of all doors that stand, of which a push brings those that change.
note_doors() {
	{ cat "$etc/doors" 2>/dev/null || true; cat; } |
		awk -F '\t' '$1 == "closed" { delete all[$2] } $1 ~ /^(door|absent|disabled)$/ { all[$2] = $0 }
			END { for (path in all) print all[path] }' | sort >"$etc/.doors.new"
	mv -f "$etc/.doors.new" "$etc/doors"
}

# turns_doors FACTS: doors come or go, or what starts with the host.
turns_doors() { [[ $'\n'$1 =~ $'\n'(door|absent|closed|disabled|disable|enable)$'\t' ]]; }

# save_doors keeps what stands where doors come and go. Its LIST says what the way back has to do.
save_doors() {
	local was=$etc/.doors verb path
	rm -rf "$was"
	mkdir -p "$was"
	{
		printf 'door\t%s\n' "$etc/doors"
		cat
	} | while IFS=$'\t' read -r verb path _; do
		case $verb in
		door | absent | closed)
			if [[ $path != /* ]]; then
				printf 'disable\t%s\n' "$path"
			elif [ -e "$path" ] || [ -L "$path" ]; then
				mkdir -p "$was${path%/*}"
				cp -aT "$path" "$was$path"
				printf 'was\t%s\n' "$path"
			else
				printf 'new\t%s\n' "$path"
			fi
			;;
		disabled | disable)
			! systemctl --quiet is-enabled "$path" 2>/dev/null || printf 'enable\t%s\n' "$path"
			! systemctl --quiet is-active "$path" || printf 'start\t%s\n' "$path"
			;;
		enable) printf 'disable\t%s\n' "$path" ;;
		esac
	done >"$was/LIST"
	sync -f "$etc"
}

# take_doors_back undoes what became of doors, however far it came, as often as it is called. What stood is renamed into
# its place, which needs no room on the disk; what cannot be is kept. With an option of systemctl(1), it is asked so.
take_doors_back() {
	local was=$etc/.doors verb what
	[ -f "$was/LIST" ] || return 0
	while IFS=$'\t' read -r verb what; do
		[[ $what != /* ]] || rm -f "$what.odoogen-new" || true
		case $verb in
		new) rm -rf "$what" || true ;;
		was)
			[ "$what" != "$etc/current" ] || continue # turn_back does
			[ -e "$was$what" ] || [ -L "$was$what" ] || continue
			if is_dir "$what" || is_dir "$was$what"; then rm -rf "$what" || true; fi
			mkdir -p "${what%/*}" || true
			mv -fT "$was$what" "$what" || printf 'failed\tput back %s, which is kept in %s\n' "$what" "$etc/not-put-back"
			;;
		enable | start) systemctl --quiet "$@" "$verb" "$what" >&2 || true ;;
		disable) no_longer "$what" "$@" ;;
		esac
	done <"$was/LIST"
}

is_dir() { [ -d "$1" ] && [ ! -L "$1" ]; }

# forget_doors: what stood before is in its place again, or no longer wanted.
forget_doors() {
	local left
	if [ "${1:-}" = back ]; then
		left=$(find "$etc/.doors" ! -type d ! -path "$etc/.doors/LIST" -print -quit 2>/dev/null) || true
		[ -z "$left" ] || mv -T "$etc/.doors" "$etc/not-put-back" || true
	fi
	away "$etc/.doors" || true
}

# forget_found empties generation 0: all that it held is in its place again.
forget_found() {
	rm -rf "$etc/generations/0"
	mkdir -p "$etc/generations/0"
}

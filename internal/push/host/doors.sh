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

# keep PATH: puts what is there into generation 0, whole or not at all, where that is what was found; what leads to us is
# nobody else's. What somebody made of a door since, or put into its place, was not found there, nor what differs from that: it is
# kept beside, in set-aside.
keep() {
	local kept=$etc/generations/0$1 kind to text
	[ -e "$1" ] || [ -L "$1" ] || return 0
	IFS=$'\t' read -r kind to text < <(door_at "$1") || true
	case $kind in
	link) [ "$(readlink "$1")" != "$to" ] || return 0 ;;
	file) ! same_text "$1" "$text" || return 0 ;;
	absent) ;;
	*) if ours "$1" && ! ejected; then return 0; fi ;; # what an eject left is the administrator's
	esac
	if [ -e "$kept" ] || [ -L "$kept" ]; then
		! same "$1" "$kept" || return 0
		kind=again
	fi
	[ -z "$kind" ] || kept=$(free "$etc/set-aside$1")
	store "$1" "$kept"
}

# door_at PATH: what stands there by the generation that stands: "link" and where to, "file", mode and text, or "absent".
door_at() {
	[ "$(stands)" = 0 ] ||
		awk -F '\t' -v path="$1" '$2 == path { print $1 == "door" ? $3 "\t" $4 "\t" $5 : $1 }' "$etc/doors" 2>/dev/null || true
}

# store PATH KEPT: a copy, whole or not at all.
store() {
	local kept=$2
	mkdir -p "${kept%/*}"
	rm -rf "$kept.odoogen-new"
	cp -aT "$1" "$kept.odoogen-new"
	[ -n "${etc_of_check:-}" ] || sync -f "$etc"
	mv -T "$kept.odoogen-new" "$kept"
}

same() { diff -rq --no-dereference "$1" "$2" >/dev/null 2>&1; }

# free NAME: that, or the first of NAME.2, NAME.3 and so on that is not there.
free() {
	local name=$1 n=2
	while [ -e "$name" ] || [ -L "$name" ]; do name=$1.$((n++)); done
	printf '%s' "$name"
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
	if ours "$1"; then
		keep "$1"
		rm -f "$1"
	fi
	if { [ -e "$was" ] || [ -L "$was" ]; } && [ ! -e "$1" ] && [ ! -L "$1" ]; then
		mkdir -p "${1%/*}" # whose it was may be gone
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
	awk -F '\t' '{ print "closed\t" $2 }' "$etc/doors" 2>/dev/null || true
	brought | sed 's/^/disable\t/'
}

# stopping FACTS: of the units that these stop, those that packages brought are disabled, too: left alone they would start with
# the host again, without what the generation said of them.
stopping() {
	[[ $'\n'$1 == *$'\n''do'$'\t''stop'$'\t'* ]] || return 0
	sed -n 's/^do\tstop\t//p' <<<"$1" | sort | comm -12 - <(brought) | sed 's/^/disable\t/'
}

# brought: the units that packages of pushes brought, and that start with the host; without those that somebody had start with
# it while nothing of odoogen did.
brought() {
	[ -f "$etc/found/brought" ] || return 0
	comm -12 <(enabled) "$etc/found/brought" | comm -23 - "$etc/found/enabled"
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

# start_arrived FACTS: what they enable runs at once, as it would from the next boot on.
start_arrived() {
	local verb unit units=()
	while IFS=$'\t' read -r verb unit; do
		if [ "$verb" != enable ] || [ "$(systemctl show --value --property=Type "$unit")" = oneshot ]; then continue; fi
		units+=("$unit")
	done <<<"$1"
	[ ${#units[@]} -eq 0 ] || systemctl start "${units[@]}" >&2 || true
}

# note_doors keeps the facts of all doors that stand, of which a push brings those that change.
note_doors() {
	{ cat "$etc/doors" 2>/dev/null || true; cat; } |
		awk -F '\t' '$1 == "closed" { delete all[$2] } $1 ~ /^(door|absent|disabled)$/ { all[$2] = $0 }
			END { for (path in all) print all[path] }' | sort >"$etc/.doors.new"
	mv -f "$etc/.doors.new" "$etc/doors"
}

# ways_to GENERATION: the facts of the doors that come and go until that one stands. Where an odoogen that did not keep them
# confirmed it, they stay as they are.
ways_to() {
	local then=$etc/doors.of/$1
	[ -f "$then" ] || then=$etc/doors
	awk -F '\t' -v found="$([ "$(stands)" != 0 ] || printf yes)" '
		at == "then" { comes[$2] = $0; next }
		!($2 in comes) { print "closed\t" $2; next }
		comes[$2] == $0 && !found { delete comes[$2] }
		END { for (path in comes) print comes[path] }' at=then "$then" at=now "$etc/doors"
}

# keep_ways: the doors of the generation that stands, which is confirmed, are kept for those at night who come back to it.
keep_ways() {
	[ -f "$etc/doors" ] || return 0
	dirs "$etc/doors.of"
	if cp "$etc/doors" "$etc/doors.of/.new"; then # else the disk is full
		mv -f "$etc/doors.of/.new" "$etc/doors.of/$(stands)"
	else
		rm -f "$etc/doors.of/.new"
	fi
}

# turns_doors FACTS: doors come or go, or what starts with the host.
turns_doors() { [[ $'\n'$1 =~ $'\n'(door|absent|closed|disabled|disable|enable)$'\t' ]]; }

# save_doors keeps what stands where doors come and go. Its LIST says what the way back has to do. What the target wants is
# started by that alone, when it can read its generation's files again.
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
			wants "$path" || ! systemctl --quiet is-active "$path" || printf 'start\t%s\n' "$path"
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
		[[ $what != /* ]] || rm -rf "$what.odoogen-new" || true
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

# forget_found empties generation 0: all that it held is in its place again. What could not go there is kept in set-aside.
forget_found() {
	local path kept zero=$etc/generations/0
	while IFS= read -r path; do
		! same "$zero$path" "$path" || continue
		kept=$(free "$etc/set-aside$path")
		mkdir -p "${kept%/*}" && mv -T "$zero$path" "$kept" || return 1
	done < <(find "$zero" ! -type d -printf '/%P\n' 2>/dev/null)
	rm -rf "$zero" && mkdir -p "$zero"
}

# forget_returned: where a door went, generation 0 holds nothing any more: what it had is in its place again.
forget_returned() {
	local path zero=$etc/generations/0
	[ -f "$etc/.doors/LIST" ] || return 0
	while IFS= read -r path; do
		! same "$zero$path" "$path" || rm -rf "$zero$path"
	done < <(awk -F '\t' 'at == "doors" { stands[$2]; next } $1 ~ /^(was|new)$/ && !($2 in stands) { print $2 }' \
		at=doors "$etc/doors" at=list "$etc/.doors/LIST")
}

# note_disabled notes the units that the facts on stdin disable, for when the host stays what it was found as.
note_disabled() { sed -n 's/^disable\t//p' | sort >"$etc/.brought.new"; }

# as_found: the host is what it was found as, and stays so. What packages brought and starts with it no longer is what comes
# again with the next push.
as_found() {
	forget_found || return 1
	[ ! -f "$etc/.brought.new" ] || mv -f "$etc/.brought.new" "$etc/found/brought"
}

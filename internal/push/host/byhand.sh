# At night, on the host itself: no push is near.

# wanted [GENERATION]: the units that shall run, as the one says that stands, or another.
wanted() {
	local line target=$etc/${1:+generations/}${1:-current}/systemd/system/odoogen.target
	[ -f "$target" ] || return 0
	while IFS= read -r line; do [[ $line != Wants=* ]] || printf '%s\n' "${line#Wants=}"; done <"$target"
}

# status: what stands, what was changed by hand, and what does not run.
status() {
	local name confirmed owner runs
	name=$(target current) confirmed=$(target confirmed)
	if [ -f "$state/armed" ]; then
		waits
	elif [ -L "$etc/.back" ] && flock --nonblock "$state/lock" true 2>/dev/null; then
		printf '%s: an eject or a rollback by hand was cut off: the next such command, push or boot settles it first\n' "$(is)"
	elif ejected; then
		printf 'ejected: odoogen turns nothing here; the configuration is the plain files below %s\n' "$etc/current"
	elif [ -z "$name" ]; then
		printf 'as it was found: nothing of odoogen runs here\n'
	elif [ ! -d "$etc/current" ]; then
		printf '%s, which somebody has removed: a push, or a rollback, puts another in its place\n' "$name"
	elif [ -z "$confirmed" ]; then
		printf '%s; somebody has removed the link "confirmed", which the next push makes anew\n' "$name"
	elif [ "$name" = "$confirmed" ]; then
		printf '%s, confirmed\n' "$name"
	else
		printf '%s, turned by hand: a push that fails goes back to %s, where the link "confirmed" leads\n' "$name" "$confirmed"
	fi
	[ ! -f "$state/frozen" ] || printf 'frozen since %s\n' "$(tr '\t' ' ' <"$state/frozen")"
	if [ "$(lease_left)" -gt 0 ] && IFS=$'\t' read -r _ owner 2>/dev/null <"$state/lease"; then
		printf 'held by %s\n' "$owner"
	fi
	[ ! -f "$state/owed" ] || sed 's/^/owed: /; s/\t/ /' "$state/owed"
	if [ -d "$etc/current" ]; then
		differs "$etc/current" | sed 's/^/changed by hand: /'
		mapfile -t runs < <(wanted)
		{ by_hand "${runs[@]}"; stopped "${runs[@]}"; } | sed -n 's/^hand\t/by hand: /; /^by hand/s/\t/ /p'
	fi
	not_active
	lacking
}

# not_active: the units that shall run and do not. One whose condition does not hold is no fault.
not_active() {
	local unit wrong
	while IFS= read -r unit; do
		! systemctl --quiet is-active "$unit" || continue
		wrong=$(systemctl show --property=ConditionResult,ConditionTimestampMonotonic "$unit")
		if [[ $wrong == *ConditionResult=no* && $wrong != *Monotonic=0* ]]; then
			wrong=', its condition does not hold'
		else
			wrong="" ill=yes
		fi
		printf 'not active: %s%s\n' "$unit" "$wrong"
	done < <(wanted)
}

# lacking: the secrets that the generation which stands reads and that are not there: a later push has dropped them.
lacking() {
	local file
	while IFS= read -r file; do
		[ -e "$file" ] || printf 'missing: the secret %s; what reads it does not start until a push has brought it\n' "${file##*/}"
	done < <(sed -n 's|^ *"file": "\('"$secrets"'/[^"]*\)".*|\1|p' "$etc/current/HOST.json" 2>/dev/null)
}

# is: what stands, in a word.
is() {
	local name
	name=$(target current)
	if ejected; then name=ejected; fi
	printf '%s' "${name:-as it was found}"
}

# waits: what becomes of the push that is armed.
waits() {
	local name old pid
	IFS=$'\t' read -r _ name old <"$state/armed"
	[ "$old" != 0 ] || old="what was found"
	if [ "$(stands)" = "$name" ]; then
		printf '%s, not confirmed: goes back to %s by itself; "confirm" keeps it, "revert" goes back now\n' "$(is)" "$old"
		return
	fi
	[ "$name" != 0 ] || name="what was found"
	pid=$(cat "$state/turning" 2>/dev/null) || pid=-
	if grep -qs odoogen "/proc/$pid/cmdline"; then
		printf '%s: a push is about to turn it to %s\n' "$(is)" "$name"
	else
		printf '%s: a push was cut off before it turned this host to %s; what it did goes back by itself, or now: "revert"\n' "$(is)" "$name"
	fi
}

# alone: nothing else of odoogen may work while this does.
alone() {
	mkdir -p "$state" "$locks"
	exec 8>"$state/lock"
	flock --wait 5 8 || die "something else of odoogen works on this host"
}

# unpushed: no push works on this host. What one is about to do was planned for the host as it is; one that died is forgotten.
unpushed() {
	[ "$(lease_left)" -le 0 ] || die "$(cut -f 2 "$state/lease") works on this host: wait until that has ended, or end it: odoogen-host unlock"
	rm -f "$state/lease"
}

# rollback [NUMBER]: turns the host to a generation that it still has, by default the one before, or with 0 to what it
# was found as: what only the one before wants stops, and the files that differ, come and go have done what they ask for.
# It needs no network and no pusher, and nobody confirms it. What fails, or loses its power, before it is confirmed is taken
# back; so confirmed turns last.
rollback() {
	local from to="" name facts ran past verb restarts
	[ ! -f "$state/armed" ] || die "a push waits for its confirmation; it goes back by itself, or now: odoogen-host revert"
	alone
	unpushed
	settle_stale
	! ejected || die "this host is ejected: it has no generations"
	from=$(stands)
	past=$'\n'$(past "$from")$'\n'
	while IFS= read -r name; do
		if [ -n "${1:-}" ]; then
			[ "$1" != "$(number "$name")" ] || to=$name
		elif [ "$(number "$name")" -lt "$(number "$from")" ] && [ "${name#*-}" != "${from#*-}" ] && # other files
			[[ $past != *$'\n'"takenback"$'\t'"$name"$'\n'* ]]; then
			to=$name
		fi
	done < <(cd "$etc/generations" 2>/dev/null && printf '%s\n' [0-9]*-* | sort -t - -k 1,1n)
	case $from,${1:-} in
	0,) to=$(stood_last) ;;
	*,0) to=0 ;;
	esac
	[ -n "$to" ] || die "this host has no generation ${1:-before $from}"
	[ "$to" != "$from" ] || die "this host is that already"
	exec 9>>"$locks/host.lock"
	flock --wait 30 9 || die "a job holds $locks/host.lock"
	trap '' INT HUP TERM PIPE # half of it would be worse
	trap 'ended start' EXIT
	ran=$(wanted)
	case $to,$from in
	0,*)
		facts=$(leaving)
		note_disabled <<<"$facts"
		;;
	*,0)
		facts=$(ways_to "$to")
		facts+=$'\n'$(arriving "$facts" brought)
		;;
	*) facts=$(ways_to "$to") ;;
	esac
	{ # with what stop_ours disables, and without what turn_back does
		printf '%s\n' "$facts"
		brought | sed 's/^/disable\t/'
	} | sed "\\|^closed\t$etc/current\$|d" | save_doors
	arm_by_hand "$from"
	stop_ours "$to"
	doors <<<"$facts"
	[ "$to" = 0 ] || note_doors <<<"$facts"
	turn_link current "$to"
	turn_link confirmed "$to"
	record "$to" "rolled back on the host" "from $from" || true
	systemctl daemon-reload
	if [ "$to" = 0 ]; then
		settle
		# What ran before runs on, and reads its own files again, where it does so only when it starts by that.
		restarts=$'\n'$(awk '{ gsub(",", "\n", $3); print $3 }' "$etc/generations/$from/MANIFEST" 2>/dev/null || true)$'\n'
		while IFS= read -r name; do
			verb=reload
			[[ $restarts != *$'\n'"restart:$name"$'\n'* ]] || verb=restart
			act "$verb" "$name" </dev/null || failed "$verb" "$name"
		done < <({ printf 'ssh.service\n' && grep -Fx -f "$etc/found/active" <<<"$ran"; } | sort -u)
	else
		act_between "$etc/generations/$from/MANIFEST" "$etc/current/MANIFEST"
		systemctl start odoogen.target
		start_arrived "$facts"
		settle
	fi
	trap - EXIT
	printf 'current\t%s\n' "$to" || true
	lacking || true
	outcome
}

# failed VERB UNIT is said, and ends nothing, whether or not somebody listens.
failed() {
	ill=yes
	printf 'failed\t%s %s\n' "$1" "$2" || true
}

# outcome: the host is turned by hand, and nothing takes that back. What is not as it shall be is said, and fails.
outcome() {
	not_active || true
	[ ! -L "$etc/.back" ] || die "this host is $(is), but not all that goes with it is cleared up: the next such command, push or boot does it first"
	[ -z "${ill:-}" ] || die "this host is $(is), but not all of it went well: odoogen-host status, journalctl -b"
}

# arm_by_hand GENERATION: from here on a boot goes back to that one, and so does who fails. It stands, whatever was confirmed.
arm_by_hand() {
	local confirmed
	confirmed=$(target confirmed)
	[ "${confirmed:-0}" = "$1" ] || turn_link confirmed "$1"
	arm_boot "$1"
	sync -f "$etc"
}

# settle_stale: what worked by hand before was killed.
settle_stale() {
	[ -L "$etc/.back" ] || return 0
	settle
	start_ours
}

# ended [start]: an eject or a rollback fails. Each step of the way back is tried; with start, what was stopped starts again.
ended() {
	set +e
	if [ -L "$etc/.back" ]; then
		settle
		[ $# -eq 0 ] || start_ours
	fi
	forget_begun
	printf 'it failed: this host is %s\n' "$(is)" >&2
}

# past GENERATION: what the ledger knows: the commit that the generation is of, and those from which the host was
# taken back by hand and that have not come back since. Who goes back once more means what stood before them.
past() {
	[ -f "$state/ledger" ] || return 0
	awk -F '\t' -v "g=$1" '
		$3 == "rolled back on the host" { back[substr($4, 6)] }
		$3 == "confirmed" || $3 == "rolled back on the host" { delete back[$2] }
		$2 == g && $3 == "confirmed" { commit = $4 }
		END { if (commit) print "commit\t" commit; for (name in back) print "takenback\t" name }' "$state/ledger"
}

# stood GENERATION: it was confirmed once, and is not what is left of a push that was reverted.
stood() {
	awk -F '\t' -v "g=$1" '$2 == g && ($3 == "confirmed" || $3 ~ /^rolled back/) { is = 1 } END { exit !is }' "$state/ledger" 2>/dev/null
}

# stood_last: the generation that stood before the host was taken back to what it was found as, of those that are still there.
stood_last() {
	local name last=""
	while IFS= read -r name; do [ ! -d "$etc/generations/$name" ] || last=$name; done < <(
		awk -F '\t' '$2 ~ /-/ && ($3 == "confirmed" || $3 ~ /^rolled back/) { print $2 }' "$state/ledger" 2>/dev/null)
	printf '%s' "$last"
}

# stop_ours GENERATION: stops what runs and what that one does not want, the last first. What ran before odoogen came runs
# on, by the unit that it had.
stop_ours() {
	local unit stay came
	stay=$'\n'$(wanted "$1")$'\n' came=$'\n'$(brought)$'\n'
	[ "$1" != 0 ] || systemctl stop odoogen.target || true
	while IFS= read -r unit; do
		if [[ $stay == *$'\n'"$unit"$'\n'* ]] || ran_without_us "$unit" "$1"; then continue; fi
		act stop "$unit" || failed stop "$unit"
		[[ $came != *$'\n'"$unit"$'\n'* ]] || systemctl --quiet disable "$unit" >&2 || true
	done < <(wanted | tac)
}

# ran_without_us UNIT GENERATION: it ran when the host was found, and its file is none that goes.
ran_without_us() {
	local own=$etc/current/systemd/system
	grep -qsFx "$1" "$etc/found/active" || return 1
	[ "$2" = 0 ] || { [ ! -e "$own/$1" ] && [ ! -e "$own/${1%%@*}@.${1##*.}" ]; }
}

# act_between MANIFEST MANIFEST: does what the files ask for that the second has otherwise than the first, that it alone has, or
# the first alone; but what is no more cannot be run, and units that are no more read nothing.
act_between() {
	local effect name
	[ -f "$1" ] || set -- /dev/null "$2"
	while IFS=: read -r effect name; do
		case $effect in
		run | restart | reload)
			[ "$(systemctl show --value --property=LoadState "$name")" = not-found ] ||
				act "$effect" "$name" </dev/null || failed "$effect" "$name"
			;;
		esac
	done < <(awk -v old="$1" '
		FILENAME == old { was[$4] = $1 " " $2; effects[$4] = $3; next }
		was[$4] != $1 " " $2 { print $3 }
		{ delete effects[$4] }
		END { for (path in effects) { gsub(/run:[^,]*/, "", effects[path]); print effects[path] } }' "$1" "$2" |
		tr , '\n' | sort -u | sort -s -t : -k 1,1r)
}

# armed_nonce: of the push that waits for its confirmation.
armed_nonce() {
	[ -f "$state/armed" ] || die "no push waits for its confirmation"
	head -n 1 "$state/armed" | cut -f 1
}

# pay_rest NONCE: does what a push that died has not.
pay_rest() {
	local name
	IFS=$'\t' read -r _ name _ <"$state/armed"
	[ "$name" = "$(stands)" ] || die "that push had not turned the host: odoogen-host revert"
	[ -f "$state/owed" ] || return 0
	held "$1"
	pay
	rm -f "$state/turning"
}

# freeze REASON: no push is accepted until it is unlocked.
freeze() {
	local reason name
	reason=$(tr -c '[:print:]' ' ' <<<"$*")
	[ -n "${reason// /}" ] || die "say why, for those who want to push: odoogen-host freeze REASON"
	alone
	exec 7>"$state/revert.lock" # no push is armed meanwhile
	flock --wait 5 7 || true
	printf '%s\t%s\n' "$(date -u +%FT%TZ)" "${reason%% }" >"$state/frozen.new"
	sync "$state/frozen.new"
	mv -f "$state/frozen.new" "$state/frozen"
	record "$(stands)" frozen "${reason%% }"
	printf 'frozen\t%s\n' "${reason%% }"
	IFS=$'\t' read -r _ name _ 2>/dev/null <"$state/armed" || return 0
	printf '%s waits for its confirmation: "confirm" keeps it, "revert" takes it back\n' "${name/#0/what was found}"
}

# unlock: pushes are accepted again: not frozen, and held by nobody.
unlock() {
	[ ! -f "$state/armed" ] || die "a push waits for its confirmation: odoogen-host confirm, or odoogen-host revert"
	alone
	rm -f "$state/frozen" "$state/lease" "$state/turning"
	record "$(stands)" unlocked -
	printf 'unlocked\n'
}

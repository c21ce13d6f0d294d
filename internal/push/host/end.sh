# A push ends: confirmed, or taken back.

# confirm NONCE KEEP: makes the current generation the one that stays; a line for the ledger on stdin.
confirm() {
	local nonce name old line
	held "$1"
	exec 7>"$state/revert.lock"
	flock --wait 5 7 || die "the revert has begun"
	[ -f "$state/armed" ] || die "the revert is done already"
	IFS=$'\t' read -r nonce name old <"$state/armed"
	[ "$nonce $(stands)" = "$1 $name" ] || die "another push has armed the revert"
	[ ! -f "$state/owed" ] || die "not all actions are done"
	read -r line || true
	turn_link confirmed "$name"
	links >"$etc/links" || true
	record "$name" confirmed "$line" || unrecorded "$line"
	finish
	printf 'confirmed\t%s\n' "$name" # last of what must be: who asked may be gone, and then this ends here
	prune "$2" || true
}

disarm() {
	away "$state"/{turning,leave,leave.said,leave.ended,armed} # in this order: while armed is there a boot clears up the rest
	forget_begun
	no_timer
}

# forget_begun removes what a push was about to put in place, or kept for its way back, when it was cut off or the disk was
# full. No push is armed.
forget_begun() { away "$etc"/{.back,.doors} "$etc"/.*.new "$state"/{turning,*.new} "$secrets.old"; }

# unrecorded TEXT keeps what the ledger is to say of the generation that was confirmed, where the disk is full.
unrecorded() { { mkdir -p /run/odoogen && printf '%s\n' "$1" >/run/odoogen/unrecorded; } 2>/dev/null || true; }

# record_late: the ledger has a line of the generation that is confirmed.
record_late() {
	local name text=-
	name=$(target confirmed)
	if [ -z "$name" ] || stood "$name"; then return 0; fi
	read -r text 2>/dev/null </run/odoogen/unrecorded || true
	record "$name" confirmed "$text" && rm -f /run/odoogen/unrecorded
}

# record GENERATION VERDICT TEXT: a line of the ledger. It is on the disk before the way back goes: a loss of power in the
# half minute after a push would leave a host that is one generation and says another.
record() {
	TZ=UTC0 printf '%(%FT%TZ)T\t%s\t%s\t%s\n' -1 "$1" "$2" "$3" >>"$state/ledger" && sync "$state/ledger"
}

# prune KEEP: removes generations but the last KEEP, those that links lead to, and those that a process still reads.
prune() {
	local name names=("$etc"/generations/*-*) dir
	[ ${#names[@]} -gt "$1" ] || return 0
	mapfile -t names < <(printf '%s\n' "${names[@]##*/}" | sort -t - -k 1,1n | head -n "-$1")
	for name in "${names[@]}"; do
		if [ "$name" = "$(target current)" ] || [ "$name" = "$(target confirmed)" ]; then continue; fi
		dir=$etc/generations/$name
		[ -z "$(find /proc/[0-9]*/fd /proc/[0-9]*/cwd -lname "$dir*" -print -quit 2>/dev/null)" ] || continue
		remove "$dir"
		away "$etc/doors.of/$name"
	done
}

# confirmed_already GENERATION ends a push that is confirmed, also where that was cut off after the rename, which counts.
confirmed_already() {
	awk -F '\t' -v "g=$1" '$2 == g && $3 == "confirmed" { is = 1 } END { exit !is }' "$state/ledger" 2>/dev/null ||
		record "$1" confirmed - || true
	finish
}

# finish ends a push whose generation stays.
finish() {
	forget_secrets || true
	if [ "$(stands)" = 0 ]; then
		as_found || true
	else
		forget_returned || true
		keep_ways || true
		note_ran || true
		[ ! -f "$etc/found/coming" ] || { add_to brought <"$etc/found/coming" && rm -f "$etc/found/coming"; } || true
	fi
	forget_doors
	disarm
	rm -f "$state"/{lease,doubted}
}

# note_ran: what ran when a push came to want it goes on when none wants it any more, as what ran when the host was found.
note_ran() {
	local ran
	ran=$(sed -n 's/^ran\t//p' "$state/armed")
	[ -n "$ran" ] || return 0
	add_to active <<<"$ran"
	enabled | { grep -Fx -f <(printf '%s\n' "$ran") || true; } | add_to enabled
}

# revert NONCE: goes back to where the push began. Whatever fails on the way is said and stays owed: the way back has
# no way back.
revert() {
	local nonce name old pid line undo=()
	exec 7>"$state/revert.lock"
	flock --wait 120 7 || die "another revert works"
	[ -f "$state/armed" ] || { # nor will it be: see arm
		if IFS=$'\t' read -r nonce _ 2>/dev/null <"$state/lease" && [ "$nonce" = "$1" ]; then
			rm -f "$state/lease"
			printf 'unarmed\t-\n'
		fi
		printf 'current\t%s\n' "$(target current)"
		return 0
	}
	IFS=$'\t' read -r nonce name old <"$state/armed"
	[ "$nonce" = "$1" ] || die "another push has armed the revert"
	if [ -f "$state/turning" ]; then
		pid=$(cat "$state/turning")
		! grep -qs odoogen "/proc/$pid/cmdline" || kill "$pid" 2>/dev/null || true
		rm -f "$state/turning" || true
	fi
	if [ "$(target confirmed)" = "$name" ]; then
		confirmed_already "$name"
		printf 'current\t%s\n' "$name"
		return 0
	fi
	while IFS= read -r line; do
		case $line in
		undo$'\t'*) undo+=("${line#undo$'\t'}") ;;
		esac
	done < <(tail -n +2 "$state/armed")
	undo_all stop
	take_doors_back
	turn_back "$old"
	forget_doors back
	take_secrets_back
	[ "$old" != 0 ] || forget_found || true
	rm -f "$state/owed"
	undo_all
	doubt || true
	record "$name" reverted "-" || true
	for line in "${undo[@]}" $'-\todoogen-*'; do
		[[ $line == again$'\t'* ]] || systemctl reset-failed "${line#*$'\t'}" 2>/dev/null || true
	done
	disarm
	rm -f "$state/lease"
	printf 'current\t%s\n' "$(target current)"
}

# undo_all [stop]: the actions of the way back; with stop those that come before the flip, else the others.
undo_all() {
	local line verb unit since
	for line in "${undo[@]}"; do
		IFS=$'\t' read -r verb unit since <<<"$line"
		case ${1:-}$verb in
		stopstop | daemon-reload | run | start | restart | reload | again) ;;
		*) continue ;;
		esac
		act "$verb" "$unit" "$since" && continue
		failed "$verb" "$unit"
		printf '%s\t%s\n' "${verb/again/restart}" "$unit" >>"$state/owed" || true
	done
}

# boot: what works on the host was cut off by a loss of power; nothing of this boot runs yet.
boot() {
	allow_starts
	hold_back --no-block || true
	if [ -L "$etc/.back" ]; then
		settle --no-block
		start_ours --no-block
	fi
	away "$etc"/generations/.[0-9]* "$etc"/.*.new
}

# settle [OPTION]: what was begun is taken back where confirmed is what it was, and else ended. systemd has read the units of
# what goes, so it reads again. What cannot be cleared up stays begun, and the next command or boot settles it.
settle() {
	local back confirmed
	back=$(target .back) confirmed=$(target confirmed)
	if [ -z "$confirmed" ] && ejected && [ "$back" != 0 ]; then
		end_eject "$back"
	elif [ "$back" != "${confirmed:-0}" ]; then
		[ "$(stands)" != 0 ] || as_found || return 0
		rm -rf "$etc/.back" "$etc/.doors"
	else
		take_doors_back "$@"
		turn_back "$back"
		forget_doors back
		find "$etc/generations/0" "$etc/set-aside" -name '*.odoogen-new' -prune -exec rm -rf {} + 2>/dev/null || true # see store
		[ "$(stands)" != 0 ] || forget_found || true
		systemctl daemon-reload
	fi
}

# start_ours [OPTION]: what the generation wants runs, and starts with the host.
start_ours() {
	local unit
	[ -n "$(wanted)" ] || return 0
	while IFS= read -r unit; do starts_with_host "$unit" auto; done < <(wanted)
	systemctl "$@" start odoogen.target || true
}

# boot_state: the same for what the push left below /var.
boot_state() {
	local nonce name
	if IFS=$'\t' read -r nonce name _ 2>/dev/null <"$state/armed"; then
		if [ "$(target confirmed)" = "$name" ]; then
			confirmed_already "$name"
		else
			take_secrets_back
			clusters_stay_down
			record "$name" "reverted at boot" - || true
		fi
		rm -f "$state/armed" "$state/owed" "$state/lease"
	fi
	doubt || true
	away "$state"/{turning,leave,leave.said,leave.ended,*.new} # and nothing of /etc: what boot could not put back is kept there
}

# clusters_stay_down: those that the push was about to start, or had started; systemd has read already that they start.
clusters_stay_down() {
	local word verb unit
	while IFS=$'\t' read -r word verb unit; do
		[[ "$word $verb $unit" = 'undo stop postgresql@'* ]] || continue
		starts_with_host "$unit" manual
		systemctl --no-block stop "$unit" || true
	done <"$state/armed"
}

# standing: what a verdict is read from.
standing() {
	printf 'current\t%s\nconfirmed\t%s\n' "$(target current)" "$(target confirmed)"
	[ ! -f "$state/armed" ] || printf 'armed\n'
}

# export GENERATION: its files, for a push of them from elsewhere.
export_generation() { tar -c -C "$etc/generations/$1" . | base64 -w 0; }

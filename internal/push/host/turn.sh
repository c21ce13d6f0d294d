# The one rename, and what acts on it.

# turn NONCE NAME SECONDS: arms the revert, turns the host and pays what that owes. On stdin the doors to make, "do"
# actions, the "undo" actions of the way back, and secrets to "forget" once it is confirmed. From here on the host goes
# back by itself unless this push confirms within SECONDS: by a timer, and after a power cut by the boot unit. The link to
# go back to is made in advance: a full disk cannot stop a rename.
turn() {
	local facts old verb path
	held "$1"
	facts=$(facts)
	dirs "$locks"
	exec 9>>"$locks/host.lock"
	flock --wait 30 9 || die "a job has held $locks/host.lock for 30 s (a backup, a deploy or a patch window)"
	trap forget_begun EXIT
	old=$(target confirmed)
	if [ -z "$old" ]; then # somebody has removed the link
		old=$(target current)
		[ -z "$old" ] || turn_link confirmed "$old"
	fi
	case $2,$(stands) in
	0,*)
		facts+=$'\n'$(leaving)
		note_disabled <<<"$facts"
		;;
	*,0) facts+=$'\n'$(arriving "$facts" coming brought) ;;
	*) facts+=$'\n'$(arriving "$facts" coming)$'\n'$(stopping "$facts") ;;
	esac
	! ejected || facts+=$'\nabsent\t'$etc/current
	away "$etc/.doors"
	! turns_doors "$facts" || save_doors <<<"$facts"
	note_made <<<"$facts"
	{
		printf '%s\t%s\t%s\n' "$1" "$2" "${old:-0}"
		ways_back <<<"$facts"
		[ ! -d "$secrets.new" ] || keep_secrets
	} >"$state/armed.new"
	to_do <<<"$facts" >"$state/owed.new"
	arm_boot "${old:-0}"
	sync -f "$state"
	arm "$1"
	trap - EXIT
	sync -f "$etc"
	no_timer
	systemd-run --quiet --collect --unit=odoogen-revert --on-active="$3" --timer-property=AccuracySec=1s \
		"$lib/host" revert "$1"
	printf 'phase\tarmed\n'
	mv -f "$state/owed.new" "$state/owed"
	pay stop
	doors <<<"$facts"
	[ "$2" = 0 ] || ! turns_doors "$facts" || note_doors <<<"$facts"
	turn_link current "$2"
	[ ! -d "$secrets.new" ] || put_secrets
	printf 'phase\tflipped\n'
	pay
	start_arrived "$facts"
	rm -f "$state/turning"
}

# arm NONCE: from here on there is a way back. A push that was told meanwhile that it is taken back never gets so far; one
# that is told so later is found by what it writes here first.
arm() {
	local owner
	exec 7>"$state/revert.lock"
	flock --wait 5 7 || die "a revert works"
	renew "$1" || die "this push was taken back"
	[ ! -f "$state/frozen" ] || die "frozen since $(sed 's/\t/: /' "$state/frozen")"$'\n'"hint: odoogen-host unlock, on the host"
	printf '%s\n' "$$" >"$state/turning"
	mv -f "$state/armed.new" "$state/armed"
	exec 7>&-
}

# to_do: the actions among the facts on stdin.
to_do() {
	local line
	while IFS= read -r line; do [[ $line != do$'\t'* ]] || printf '%s\n' "${line#*$'\t'}"; done
}

# ways_back: the "undo" and "forget" facts on stdin. No undoing stops what runs already: it is somebody else's, and is to be again
# what it was. So it is as "ran", for when the generation stays, unless packages of pushes have brought it.
ways_back() {
	local word verb unit since
	while IFS=$'\t' read -r word verb unit; do
		since=""
		[ "$word" != forget ] || printf 'forget\t%s\t%s\n' "$verb" "$unit"
		[ "$word" = undo ] || continue
		if [ "$verb" = stop ] && systemctl --quiet is-active "$unit"; then
			[[ $unit != *.target ]] || continue # has nothing to read
			verb=again since=$'\t'$(invocation "$unit")
			grep -qsFx "$unit" "$etc/found/brought" || printf 'ran\t%s\n' "$unit"
		fi
		printf 'undo\t%s\t%s%s\n' "$verb" "$unit" "$since"
	done
}

# invocation UNIT: which of its runs this is (systemd.exec(5)).
invocation() { systemctl show --value --property=InvocationID "$1" 2>/dev/null || true; }

# arm_boot GENERATION: a boot goes back to it, unless the link is gone by then.
arm_boot() { ln -sfn "generations/$1" "$etc/.back"; }

# turn_back GENERATION: one rename of what was made in advance turns the host to where it was.
turn_back() {
	local was=$etc/.doors$etc/current
	if [ "$1" != 0 ]; then
		! ejected || rm -rf "$etc/current" # it was about to be
	elif ejected; then # still
		rm -rf "$was"
	elif [ -d "$was" ]; then # it was, before
		rm -f "$etc/current"
		mv -T "$was" "$etc/current"
	fi
	if ! ejected; then
		ln -sfn "generations/$1" "$etc/.current.back" 2>/dev/null || true
		if [ -L "$etc/.back" ]; then mv -fT "$etc/.back" "$etc/current"; else mv -fT "$etc/.current.back" "$etc/current"; fi
		[ "$1" != 0 ] || rm -f "$etc/current"
	fi
	rm -f "$etc/.back" "$etc/.current.back"
	sync -f "$etc" || true
}

# leave NONCE SECONDS: turns the host to what it was found as; facts on stdin, as of a turn. Routes end with it, that of
# this push among them: a unit of its own does the work, and "left" tells of it over whatever route remains.
leave() {
	held "$1"
	install_self # the way back needs it, and what is below does
	cat >"$state/leave"
	rm -f "$state/leave.said" "$state/leave.ended"
	systemd-run --quiet --collect --unit=odoogen-leave "$lib/host" leave_now "$1" "$2"
}

leave_now() {
	local code=0
	"$lib/host" turn "$1" 0 "$2" <"$state/leave" >"$state/leave.said" 2>&1 || code=$?
	printf 'ended\t%s\n' "$code" >"$state/leave.ended"
}

left() { cat "$state/leave.said" "$state/leave.ended" 2>/dev/null || true; }

# pay [stop]: does what is owed, one after another, and strikes it out when it is done. With stop, only that: what
# leaves is stopped while its own generation still stands.
pay() {
	local verb unit i owed
	[ -f "$state/owed" ] || return 0
	mapfile -t owed <"$state/owed"
	for i in "${!owed[@]}"; do
		IFS=$'\t' read -r verb unit <<<"${owed[i]}"
		[ "${1:-$verb}" = "$verb" ] || return 0
		printf 'acting\t%s\t%s\n' "$verb" "$unit"
		act "$verb" "$unit" || die "$verb $unit failed:" "$(why "$unit")"
		[ "$((i + 1))" -lt ${#owed[@]} ] || break
		printf '%s\n' "${owed[@]:i+1}" >"$state/owed.new"
		mv -f "$state/owed.new" "$state/owed"
	done
	rm -f "$state/owed"
}

act() {
	local try=try-
	# What the target wants shall run: it is started where it does not.
	! wants "$2" || try=
	case $1,$try in
	stop,*) starts_with_host "$2" manual ;;
	start,* | *,) starts_with_host "$2" auto ;;
	esac
	case $1 in
	daemon-reload) systemctl daemon-reload ;;
	stop) systemctl stop "$2" ;;
	run) systemctl restart "$2" ;;
	start) systemctl start "$2" ;;
	restart) systemctl "${try}restart" "$2" ;;
	reload) systemctl "${try}reload-or-restart" "$2" ;;
	again) # UNIT INVOCATION: it ran before, by other files than the ones with which it was started since
		if systemctl --quiet is-active "$2" && [ "$(invocation "$2")" = "${3:-}" ]; then
			systemctl reload-or-restart "$2"
		else
			systemctl restart "$2"
		fi
		;;
	*) return 1 ;;
	esac >&2
}

# wants UNIT: it shall run.
wants() { [[ $'\n'$(wanted)$'\n' == *$'\n'"$1"$'\n'* ]]; }

# no_timer: nothing is to go back by itself.
no_timer() { [ ! -e /run/systemd/transient/odoogen-revert.timer ] || systemctl stop odoogen-revert.timer 2>/dev/null || true; }

# starts_with_host UNIT auto|manual: whether a cluster starts with the host also where no generation wants it. One that left the spec
# stays stopped; one that is disabled by hand stays so.
starts_with_host() {
	local name=${1#postgresql@}
	name=${name%.service}
	if [ "postgresql@$name.service" = "$1" ] && [ -f "/etc/postgresql/${name/-//}/start.conf" ]; then
		sed -i -E "s/^[[:space:]]*(auto|manual)[[:space:]]*$/$2/" "/etc/postgresql/${name/-//}/start.conf"
	fi
}

# why UNIT: the end of what a unit said. Journals hold no secrets: odoogen's units print none.
why() { [ "$1" = - ] || journalctl --quiet --no-pager -o cat -n 8 -u "$1" 2>/dev/null || true; }

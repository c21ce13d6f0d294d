# The lease of a host is a file that names a push and who made it. It counts while the file is young: the push touches
# it every few seconds, over its connection, and a push that was killed does not.
lease_seconds=30

# lease NONCE [observe]: takes the host for one push; who takes it stands on stdin. Then it is observed, as nobody else
# changes it any more.
lease() {
	local owner nonce="" holder=""
	read -r owner || cut_off
	dirs "$state" "$etc/generations/0" "$locks"
	exec 8>"$state/lock"
	if ! flock --wait 5 8; then # held by what works, also where its pusher is no more
		IFS=$'\t' read -r _ holder 2>/dev/null <"$state/lease" || holder="something of odoogen that works on this host"
		printf 'held\t%s\n' "$holder"
		return
	fi
	if [ -f "$state/lease" ]; then
		IFS=$'\t' read -r nonce holder <"$state/lease" || true # a loss of power may have left nothing of it
		if [ "$nonce" != "$1" ] && [ "$(lease_left)" -gt 0 ]; then
			printf 'held\t%s\n' "${holder:-somebody}"
			return
		fi
	fi
	if [ -f "$state/frozen" ]; then
		sed 's/^/frozen\t/' "$state/frozen"
		return
	fi
	if [ -f "$state/armed" ]; then
		printf 'held\t%s\n' "a push that was cut off and is about to be reverted"
		return
	fi
	[ ! -L "$etc/.back" ] || settle >&2 # of what worked by hand and was killed
	forget_begun
	allow_starts
	hold_back
	trap forget_begun EXIT
	printf '%s\t%s\n' "$1" "$owner" >"$state/lease.new"
	mv -f "$state/lease.new" "$state/lease"
	trap - EXIT
	[ -L "$etc/current" ] || remember_found
	record_late || true
	doubt || true
	printf 'leased\n'
	[ "${2-}" != observe ] || observe ""
}

# remember_found notes what runs, and what starts with the host, while nothing of odoogen does.
remember_found() {
	mkdir -p "$etc/found"
	systemctl list-units --state=active --plain --no-legend --no-pager | sed 's/ .*//' >"$etc/found/active"
	enabled >"$etc/found/enabled"
}

# enabled: the units that start with the host, sorted; those that have an init script alone among them, which systemctl enables
# and disables, too, but does not list as such.
enabled() {
	local name
	{
		systemctl list-unit-files --state=enabled --no-legend --no-pager | sed 's/ .*//'
		for name in /etc/rc[2-5].d/S[0-9][0-9]*; do
			name=${name##*/S[0-9][0-9]}
			name=${name%.sh}.service
			[ -e "/lib/systemd/system/$name" ] || [ -e "/etc/systemd/system/$name" ] || printf '%s\n' "$name"
		done
	} | sort -u
}

# lease_left: for how many seconds more it counts, if nobody touches it.
lease_left() {
	local now touched
	printf -v now '%(%s)T' -1
	touched=$(stat -c %Y "$state/lease" 2>/dev/null || echo 0)
	((touched <= now + 2)) || touched=0 # the clock was set back, and a push that lives touches it again
	printf '%s' "$((touched + lease_seconds - now))"
}

# renew NONCE: makes the lease young, where it is of this push; one more empty line does that without a program. Else owner
# is who has it. What is read is what is renewed: nobody waits for a beat, and a lease that was given up meanwhile must not
# come into being again, as one of nobody.
renew() {
	local nonce=""
	owner=""
	[ -f "$state/lease" ] || return 1
	{
		IFS=$'\t' read -r nonce owner <&9 && [ "$nonce" = "$1" ] || return 1
		printf '\n' >>/proc/self/fd/9 || touch -c /proc/self/fd/9 # where the disk is full
	} 2>/dev/null 9<"$state/lease"
}

# beat NONCE: the push that has the lease is there.
beat() {
	local owner
	renew "$1" || true
}

# held NONCE: goes on only while this push has the lease.
held() {
	local owner
	exec 8>"$state/lock"
	flock --wait 5 8 || die "something else of odoogen works on this host"
	renew "$1" || die "this push no longer holds the lease${owner:+: $owner does}"
}

# abandon NONCE: ends a push that changed nothing.
abandon() {
	held "$1"
	[ ! -f "$state/armed" ] || die "the revert is armed"
	forget_begun
	remove_stray
	rm -f "$state/lease"
}

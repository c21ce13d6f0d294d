# odoogen leaves the host, and all that runs stays.

# eject NONCE: see eject_now; a line for the ledger on stdin.
eject() {
	local line
	held "$1"
	read -r line || true
	eject_now "$line"
	rm -f "$state/lease"
}

# eject_now TEXT: makes current a directory of its own and the doors plain directories and files, and takes away what
# would turn the host. Nothing is started, stopped or restarted. What fails is taken back, and so is what a loss of power cuts
# off, by the boot; until confirmed is gone.
eject_now() {
	local name new=$etc/.ejected.new verb path kind to rest
	[ ! -f "$state/armed" ] || die "a push waits for its confirmation"
	settle_stale
	name=$(target current)
	if ejected; then
		name=$(target confirmed)
		[ "${name:-0}" = 0 ] || end_eject "$name" # an odoogen of before was cut off here
		printf 'ejected\t-\n'
		return
	fi
	[ -n "$name" ] || die "no generation stands on this host"
	trap '' INT HUP TERM PIPE
	trap ended EXIT
	away "$new"
	mkdir "$new"
	cp -a "$etc/current/." "$new"
	chattr -R -i "$new" 2>/dev/null || true
	save_doors <"$etc/doors"
	arm_by_hand "$name"
	rm -f "$etc/current"
	mv -T "$new" "$etc/current"
	while IFS=$'\t' read -r verb path kind to _; do
		[ "$verb $kind" = 'door link' ] || continue
		[ "$(readlink "$path")" = "$to" ] || continue # somebody leads it elsewhere
		rest=$etc/current/${to#"$etc/current/"}
		if [ ! -e "$rest" ]; then # a door that leads nowhere
			rm -f "$path"
			continue
		fi
		cp -aT "$rest" "$path.odoogen-new"
		rm -f "$path"
		mv -T "$path.odoogen-new" "$path"
		rm -rf "$rest"
		ln -s "$path" "$rest"
	done <"$etc/doors"
	sync -f "$etc"
	systemctl daemon-reload
	rm -f "$etc/confirmed"
	record "$name" ejected "$1" || true
	settle
	trap - EXIT
	printf 'ejected\t%s\n' "$name" || true
}

# end_eject GENERATION: takes away what would turn the host: it is ejected. The way back goes last, by which the next boot, or
# eject, goes on with this.
end_eject() {
	local rest
	rm -f "$etc/confirmed"
	sync -f "$etc"
	rmdir "$etc/generations/0" 2>/dev/null || [ ! -d "$etc/generations/0" ] || mv -T "$etc/generations/0" "$(free "$etc/as-found")"
	for rest in "$etc"/generations/0 "$etc"/generations/*-*; do
		[ "${rest##*/}" = "$1" ] || remove "$rest"
	done
	rm -rf "$etc"/doors{,.of} "$etc/.doors" "$etc/found" "$state/owed"
	for rest in odoogen-boot.service odoogen-boot-state.service; do
		rm -f "/etc/systemd/system/$rest" "/etc/systemd/system/sysinit.target.wants/$rest"
	done
	rm -f "$etc/.back"
	systemctl daemon-reload
}

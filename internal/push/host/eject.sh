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
# would turn the host. Nothing is started, stopped or restarted. Cut off by a loss of power, a boot takes it back.
eject_now() {
	local name new=$etc/.ejected verb path kind to rest
	name=$(target current)
	if ejected; then
		printf 'ejected\t-\n'
		return
	fi
	[ -n "$name" ] || die "no generation stands on this host"
	[ ! -f "$state/armed" ] || die "a push waits for its confirmation"
	remove "$new"
	mkdir "$new"
	cp -a "$etc/current/." "$new"
	chattr -R -i "$new" 2>/dev/null || true
	save_doors <"$etc/doors"
	arm_boot "$name"
	sync -f "$etc"
	rm -f "$etc/current"
	mv -T "$new" "$etc/current"
	while IFS=$'\t' read -r verb path kind to _; do
		[ "$verb $kind" = 'door link' ] || continue
		[ -L "$path" ] || continue
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
	rm -f "$etc/.back"
	record "$name" ejected "$1" || true
	rmdir "$etc/generations/0" 2>/dev/null || [ ! -d "$etc/generations/0" ] || mv -T "$etc/generations/0" "$(free "$etc/as-found")"
	for rest in "$etc"/generations/0 "$etc"/generations/*-*; do
		[ "${rest##*/}" = "$name" ] || remove "$rest"
	done
	rm -rf "$etc/confirmed" "$etc"/doors{,.of} "$etc/.doors" "$etc/found" "$state/owed"
	for rest in odoogen-boot.service odoogen-boot-state.service; do
		rm -f "/etc/systemd/system/$rest" "/etc/systemd/system/sysinit.target.wants/$rest"
	done
	systemctl daemon-reload
	printf 'ejected\t%s\n' "$name"
}

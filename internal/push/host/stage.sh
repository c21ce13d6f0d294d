# A generation comes into being, beside those that stand.

# stage NONCE NAME: makes generations/NAME of the tar on stdin, which holds MANIFEST and what the host lacks; the rest
# is copied from the current generation, never linked: an edit by hand reaches one generation only. Of an ejected host what its
# links lead to is copied; else a link is somebody's own, as an editor makes them.
stage() {
	local new=$etc/generations/.$2 verb path strange wrong=() extra=() links=-P
	held "$1"
	remove_stray
	trap 'away "$etc"/generations/.[0-9]*' EXIT # also where the push was cut off while it sent
	mkdir "$new"
	! ejected || links=-L
	[ ! -f "$etc/current/MANIFEST" ] || cp -a "$links" --reflink=auto "$etc/current/." "$new"
	find "$new" -type d -exec chown 0:0 {} + -exec chmod 755 {} +
	timeout "$sends_seconds" tar -x -p -C "$new" --no-same-owner --unlink-first
	while IFS=$'\t' read -r verb path strange; do
		if [ "$verb" != drift ]; then continue; fi
		if [ -n "$strange" ] && ! is_dir "$new/$path"; then extra+=("$new/$path"); else wrong+=("$path"); fi
	done < <(look "$new")
	[ ${#wrong[@]} -eq 0 ] || die "what came is not what MANIFEST says:" "${wrong[@]}"
	if [ ${#extra[@]} -gt 0 ]; then
		rm -f "${extra[@]}"
		find "$new" -mindepth 1 -type d -empty -delete
	fi
	sync -f "$new"
	mv -T "$new" "$etc/generations/$2"
	chattr -R +i "$etc/generations/$2" 2>/dev/null || true # the turn syncs
}

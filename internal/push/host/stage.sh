# A generation comes into being, beside those that stand.

# stage NONCE NAME: makes generations/NAME of the tar on stdin, which holds MANIFEST and what the host lacks; the rest
# is copied from the current generation, never linked: an edit by hand reaches one generation only.
stage() {
	local new=$etc/generations/.$2 verb path strange wrong=() extra=()
	held "$1"
	install_self # before there is something that a boot clears up
	remove_stray
	trap 'away "$etc"/generations/.[0-9]*' EXIT # also where the push was cut off while it sent
	mkdir "$new"
	[ ! -f "$etc/current/MANIFEST" ] || named | (cd "$etc/current" && xargs -0r cp -aL --reflink=auto --parents -t "$new")
	find "$new" -type d -exec chown 0:0 {} + -exec chmod 00755 {} +
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

# named: the files that the current generation's MANIFEST names. A link in the place of one is somebody's own, as an editor makes
# them, but on an ejected host; and one in the place of a directory becomes a directory with what it leads to.
named() {
	local path
	while read -r _ _ _ path; do
		if [[ /$path/ == */../* ]] || [ ! -f "$etc/current/$path" ]; then continue; fi
		if [ ! -L "$etc/current/$path" ] || ejected; then printf '%s\0' "$path"; fi
	done <"$etc/current/MANIFEST"
}

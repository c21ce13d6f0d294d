# A generation comes into being, beside those that stand.

# stage NONCE NAME: makes generations/NAME of the tar on stdin, which holds MANIFEST and what the host lacks; the rest
# is copied from the current generation, never linked: an edit by hand reaches one generation only.
stage() {
	local new=$etc/generations/.$2 verb path strange wrong=() extra=()
	held "$1"
	remove_stray
	trap 'away "$etc"/generations/.[0-9]*' EXIT # also where the push was cut off while it sent
	mkdir "$new"
	[ ! -f "$etc/current/MANIFEST" ] || cp -aL --reflink=auto "$etc/current/." "$new"
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

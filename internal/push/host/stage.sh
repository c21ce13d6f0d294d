# A generation comes into being, beside those that stand.

# stage NONCE NAME: makes generations/NAME of the tar on stdin, which holds MANIFEST and what the host lacks; the rest
# is copied from the current generation, never linked: an edit by hand reaches one generation only.
stage() {
	local new=$etc/generations/.$2 wrong
	held "$1"
	remove_stray
	mkdir "$new"
	[ ! -f "$etc/current/MANIFEST" ] || cp -aL --reflink=auto "$etc/current/." "$new"
	tar -x -p -C "$new" --no-same-owner --unlink-first
	comm -13 <(sed -E 's/^[^ ]+ [^ ]+ [^ ]+ //' "$new/MANIFEST" | sort) \
		<(find "$new" -mindepth 1 ! -type d ! -path "$new/MANIFEST" -printf '%P\n' | sort) |
		while IFS= read -r wrong; do rm -f "$new/$wrong"; done
	find "$new" -mindepth 1 -type d -empty -delete
	wrong=$(differs "$new")
	[ -z "$wrong" ] || die "what came is not what MANIFEST says:" "$wrong"
	sync -f "$new"
	mv -T "$new" "$etc/generations/$2"
	chattr -R +i "$etc/generations/$2" 2>/dev/null || true
	sync -f "$etc/generations"
}

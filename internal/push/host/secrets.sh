# A secret's value is a file below $secrets. RECORD beside them says of each that a push has brought what encrypted file
# it is from: name, SHA-256, time of the file. Values come by stdin and go to files: no variable, argument, environment
# or here-document ever holds one.

# give NONCE: keeps the tar on stdin, values and RECORD, for the turn. Says whose value is the one that is here already.
give() {
	local name
	held "$1"
	rm -rf "$secrets.new"
	mkdir -m 700 "$secrets.new"
	trap 'away "$secrets.new"' EXIT # also where the push was cut off while it sent
	timeout "$sends_seconds" tar -x -p -C "$secrets.new" --no-same-owner
	sync -f "$secrets.new"
	for name in "$secrets.new"/*; do
		name=${name##*/}
		! cmp -s "$secrets.new/$name" "$secrets/$name" || printf 'same\t%s\n' "$name"
	done
	trap - EXIT
}

# keep_secrets keeps what those that were given will replace, and prints what the way back has to do.
keep_secrets() {
	local name
	rm -rf "$secrets.old"
	install -d -m 700 "$secrets" "$secrets.old"
	for name in "$secrets.new"/*; do
		name=${name##*/}
		if [ -e "$secrets/$name" ]; then
			cp -a "$secrets/$name" "$secrets.old/$name"
			printf 'secret\t%s\treplaced\n' "$name"
		else
			printf 'secret\t%s\tnew\n' "$name"
		fi
	done
}

# put_secrets puts those that were given in place, by a rename each.
put_secrets() {
	local name
	for name in "$secrets.new"/*; do mv -fT "$name" "$secrets/${name##*/}"; done
	rm -rf "$secrets.new"
	sync -f "$state"
}

# take_secrets_back undoes that, however far it came, as often as it is called. Renames need no room on the disk.
take_secrets_back() {
	local verb name kind
	while IFS=$'\t' read -r verb name kind; do
		[ "$verb" = secret ] || continue
		if [ "$kind" = new ]; then
			rm -f "$secrets/$name" || true
		elif [ -e "$secrets.old/$name" ]; then
			mv -fT "$secrets.old/$name" "$secrets/$name" || true
		fi
	done < <(tail -n +2 "$state/armed")
	rm -rf "$secrets.new" "$secrets.old" || true
}

# forget_secrets removes those that nothing of the confirmed generation reads, and what others replaced. One that was put there
# by hand after the push which brought it, and so has another time, stays.
forget_secrets() {
	local verb name time
	while IFS=$'\t' read -r verb name time; do
		[ "$verb" = forget ] || continue
		[ "$(stat -c %Y "$secrets/$name" 2>/dev/null)" != "$time" ] || rm -f "$secrets/$name"
	done <"$state/armed"
	away "$secrets.new" "$secrets.old"
}

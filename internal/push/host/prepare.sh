# Preparing: what a rollback does not undo.

# packages NONCE NAME: installs the packages on stdin, and starts none of them: the firewall does not stand yet.
# Debian's come first, for those of vendors need their keys fetched and looked at. apt sees the sources and pins of
# the generation to come.
packages() {
	local wanted verb a b c plain=() late=() vendors=() downloads=() more=() tree=$etc/generations/$2
	held "$1"
	wanted=$(facts)
	while IFS=$'\t' read -r verb a b c; do
		case $verb in
		package | late)
			[ "$b" = - ] || a+="=$b"
			[ "$verb" = late ] && late+=("$a") || plain+=("$a")
			;;
		vendor) vendors+=("$a"$'\t'"$b"$'\t'"$c") ;;
		download) downloads+=("$a"$'\t'"$b"$'\t'"$c") ;;
		esac
	done <<<"$wanted"
	away /var/cache/odoogen.?????? # of one that a loss of power ended
	scratch=$(mktemp -d /var/cache/odoogen.XXXXXX)
	trap 'rm -rf "$scratch"; allow_starts; hold_back' EXIT
	# What somebody else is installing is started, and none of ours: it is waited for until apt's lock can be had.
	apt-get -o DPkg::Lock::Timeout=300 check >/dev/null 2>&1 || true
	note_enabled
	forbid_starts
	if [ ${#late[@]} -gt 0 ]; then
		install -d "$scratch/sources.list.d" "$scratch/preferences.d"
		cp -L "$tree/apt/odoogen.sources" "$scratch/sources.list.d/"
		cp -L "$tree/apt/preferences" "$scratch/preferences.d/odoogen"
		for a in /etc/apt/sources.list.d/*; do [ ! -f "$a" ] || cp -Ln "$a" "$scratch/sources.list.d/"; done
		for a in /etc/apt/preferences.d/*; do [ ! -f "$a" ] || cp -Ln "$a" "$scratch/preferences.d/"; done
		more=(-o "Dir::Etc::SourceParts=$scratch/sources.list.d" -o "Dir::Etc::PreferencesParts=$scratch/preferences.d")
	fi
	if [ -n "$(dpkg --audit)$(ls /var/lib/dpkg/updates)" ]; then
		for a in "${downloads[@]}"; do download "$a" || rm -f "$scratch/${a%%$'\t'*}.deb"; done # what apt needs to reach them may be what lacks
		mend "${more[@]}" < <(printf '%s\n' "${plain[@]}" "${late[@]}")
	fi
	if [ ${#plain[@]} -gt 0 ]; then
		apt -q update
		apt -q -y --no-remove install "${plain[@]}"
	fi
	if [ ${#late[@]} -gt 0 ]; then
		for a in "${vendors[@]}"; do vendor_key "$a"; done
		apt -q "${more[@]}" update
		apt -q -y --no-remove "${more[@]}" install "${late[@]}"
	fi
	for a in "${downloads[@]}"; do
		download "$a"
		apt -q -y --no-remove install "$scratch/${a%%$'\t'*}.deb"
	done
	hold_back
}

# note_enabled notes what starts with the host before packages come.
note_enabled() {
	dirs "$etc/found"
	enabled >"$etc/.before.new"
	sync "$etc/.before.new"
	mv -f "$etc/.before.new" "$etc/found/before"
}

# hold_back [OPTION]: what packages have brought does not start with the host, until a push is turned: the firewall may not
# stand before. $etc/found/coming names it. A boot asks with --no-block, and has it not start this time. What cannot be
# done is left to the next call.
hold_back() {
	local units
	[ -f "$etc/found/before" ] || return 0
	units=$(enabled | comm -13 "$etc/found/before" -) || return
	if [ -n "$units" ]; then
		[ $# -eq 0 ] || xargs systemctl "$@" stop <<<"$units" >&2 || true
		add_to coming <<<"$units" || return
		xargs systemctl --quiet disable <<<"$units" >&2 || return
	fi
	rm -f "$etc/found/before"
}

# add_to LIST: to a list of what was found, the units on stdin.
add_to() {
	{
		cat "$etc/found/$1" 2>/dev/null || true
		cat
	} | sort -u >"$etc/.$1.new" && sync "$etc/.$1.new" && mv -f "$etc/.$1.new" "$etc/found/$1"
}

# Nothing that is installed starts: invoke-rc.d(8) asks policy-rc.d. And PostgreSQL makes no cluster of its own before the
# door to the generation's setting stands; that file also says that policy-rc.d is ours.
policy=/usr/sbin/policy-rc.d
installing=/etc/postgresql-common/createcluster.d/odoogen-packages.conf

forbid_starts() {
	allow_starts
	[ ! -e "$policy" ] || cp -a "$policy" "$policy.odoogen-kept"
	dirs "${installing%/*}"
	printf 'create_main_cluster = false\n' >"$installing"
	printf '#!/bin/sh\nexit 101\n' >"$policy.new"
	chmod 755 "$policy.new"
	mv -f "$policy.new" "$policy"
}

# allow_starts brings back what was there; also after a loss of power, or where this script was killed.
allow_starts() {
	[ -e "$installing" ] || return 0
	if [ -e "$policy.odoogen-kept" ]; then mv -f "$policy.odoogen-kept" "$policy"; else rm -f "$policy"; fi
	rm -f "$installing"
}

apt() {
	apt-get -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold -o Dpkg::Use-Pty=0 \
		--no-install-recommends "$@" >"$state/apt.log" 2>&1 || die "apt-get $* failed:" "$(tail -n 12 "$state/apt.log")"
}

# mend [OPTION...]: goes on with what a loss of power or a full disk left half installed: apt refuses to, or has it done by
# hand. What dpkg(1) wants reinstalled (reinst-required) is named, or apt tries to configure it as it is: by the file that was
# downloaded, or as on stdin, where versions are. The options name the sources of vendors; what they brought, they can bring
# again, for their keys are there.
mend() {
	local wanted half a again=()
	wanted=$(cat)
	apt-get -q "$@" update >"$state/apt.log" 2>&1 || true
	dpkg --force-confold --configure -a >"$state/apt.log" 2>&1 || true # what lacks a dependency waits for it
	half=$(dpkg-query -W -f '${db:Status-Want} ${db:Status-Eflag} ${db:Status-Status} ${Package}\n' |
		sed -nE 's/^install (reinstreq .*|ok half-installed) //p')
	for a in $half; do
		if [ -e "$scratch/$a.deb" ]; then
			again+=("$scratch/$a.deb")
		else
			again+=("$(grep -m 1 "^$a=" <<<"$wanted" || printf '%s' "$a")")
		fi
	done
	apt -q -y --no-remove "$@" --fix-broken --reinstall install "${again[@]}"
}

# download "PACKAGE<tab>URL<tab>SHA256": fetches a package that is in no source of apt's, once.
download() {
	local name url digest
	IFS=$'\t' read -r name url digest <<<"$1"
	[ -e "$scratch/$name.deb" ] || /usr/lib/apt/apt-helper -q download-file "$url" "$scratch/$name.deb" "SHA256:$digest" >&2
}

# vendor_key "URL<tab>FINGERPRINT<tab>KEYRING": fetches a vendor's key, and believes it by its fingerprint.
vendor_key() {
	local url print keyring found
	IFS=$'\t' read -r url print keyring <<<"$1"
	/usr/lib/apt/apt-helper -q download-file "$url" "$scratch/key" >&2
	found=$(gpg --batch --homedir "$scratch" --with-colons --show-keys "$scratch/key" 2>/dev/null |
		awk -F : '$1 == "pub" { n++ } $1 == "fpr" && !f { f = $10 } END { if (n == 1) print f }')
	[ "$found" = "$print" ] || die "the key at $url has fingerprint ${found:-none}, and $print is expected"
	install -D -m 644 "$scratch/key" "$keyring"
	rm -f "$scratch/key"
}

# clusters NONCE: makes the PostgreSQL clusters on stdin, stopped; only when a push starts them do they start with the host.
# $state/making says on the disk which is being made: what a loss of power leaves of it is made anew.
clusters() {
	local wanted version name port half failed=0
	held "$1"
	wanted=$(facts)
	half=$(half_made)
	if [ -n "$half" ]; then
		rm -rf "/etc/postgresql/$half"
		find "/var/lib/postgresql/$half" -mindepth 1 -delete >&2 || true
	fi
	while IFS=$'\t' read -r version name port; do
		[ ! -e "/etc/postgresql/$version/$name/postgresql.conf" ] || continue
		note_made <<<"made"$'\t'"cluster"$'\t'"$version/$name"$'\t'-$'\t'-
		if [ ! -e "/var/lib/postgresql/$version/$name/PG_VERSION" ]; then # else it takes over the data that is there
			printf '%s/%s\n' "$version" "$name" >"$state/making"
			sync "$state/making" "$state"
		fi
		pg_createcluster "$version" "$name" --port "$port" --locale C.UTF-8 --encoding UTF8 --start-conf manual -- \
			--data-checksums >&2 </dev/null || failed=$?
		rm -f "$state/making" # where it failed, it has taken its own work back
		sync -f "$state"
		[ "$failed" = 0 ] || return "$failed"
	done <<<"$wanted"
}

# half_made is the cluster that was being made when the host lost its power. One that was ever started (postmaster.opts) is
# whole, whoever made it.
half_made() {
	local name
	[ -f "$state/making" ] || return 0
	name=$(<"$state/making")
	[[ $name =~ ^[0-9]+/[a-z0-9_]+$ ]] || return 0
	[ -e "/var/lib/postgresql/$name/postmaster.opts" ] || printf '%s' "$name"
}

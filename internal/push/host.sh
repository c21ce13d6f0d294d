#!/bin/bash
# What odoogen does on a host: a verb for each phase of a push. It stands at /usr/local/lib/odoogen/host, outside every
# generation, and needs bash, coreutils, util-linux, tar and systemd. A push sends it along each time, so that it is
# never older than what asks. Facts come on stdin, one a line, words apart by tabs, "-" for an empty one, up to "end";
# nothing that a user typed is ever part of a command.
set -euo pipefail
shopt -s inherit_errexit nullglob
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive
umask 022
cd /

etc=/etc/odoogen
state=/var/lib/odoogen
secrets=$state/secrets
lib=/usr/local/lib/odoogen
locks=/run/lock/odoogen

die() {
	printf '%s\n' "$*" >&2
	exit 1
}

# facts: those on stdin. Where "end" is missing, the push was cut off while it spoke, and half of what it meant is worse
# than nothing.
facts() {
	local line
	while IFS= read -r line; do
		[ "$line" != end ] || return 0
		printf '%s\n' "$line"
	done
	die "the push was cut off while it spoke"
}

# --- Generations ------------------------------------------------------------------------------------------------

# target LINK: the name of the generation that current or confirmed leads to; nothing where there is none. Called in a
# subshell; only a link that leads nowhere costs a program.
target() {
	local to
	[ -L "$etc/$1" ] || return 0 # an ejected host's current is a directory
	if cd -P "$etc/$1" 2>/dev/null; then
		printf '%s' "${PWD##*/}"
	else
		to=$(readlink "$etc/$1") || return 0
		printf '%s' "${to#generations/}"
	fi
}

# stands: the generation that the host is; 0 where it is as it was found.
stands() {
	local name
	name=$(target current)
	printf '%s' "${name:-0}"
}

# ejected: the configuration is a directory of its own, and no generation.
ejected() { is_dir "$etc/current"; }

# turn_link LINK GENERATION: makes a link lead to a generation, by one rename(2). As it was found, a host has no current.
turn_link() {
	if [ "$1 $2" = 'current 0' ]; then
		rm -f "$etc/current"
		unmake "$etc/current" # of a host that was found ejected
		sync -f "$etc"
		return
	fi
	ln -sfn "generations/$2" "$etc/.$1.new"
	mv -fT "$etc/.$1.new" "$etc/$1"
	sync -f "$etc"
}

# look DIR [PATH...]: looks at all files below DIR and at the paths, with three programs however many they are: to do
# nothing must cost nothing. Prints the digest of DIR's MANIFEST; as drift each file that is not what that says (other
# bytes, mode or owner, missing, or strange) and each directory in which others may write; and of each path its kind,
# mode, where it leads, size and time. Of an ejected host's current directory links are followed: it has some.
look() {
	local manifest=/dev/null links=-P
	! ejected || [ "$1" != "$etc/current" ] || links=-L
	cd "$1" || exit # never look at what else lies here
	[ ! -f MANIFEST ] || manifest=MANIFEST
	# find flushes what it has printed before sha256sum prints.
	{ find "$links" . "${@:2}" \( ! -type d -o -path './*' \( ! -user 0 -o ! -group 0 -o -perm /022 \) \) \
		-printf '%y %m %U:%G\t%l\t%s\t%T@\t%p\n' -path './*' -type f -exec sha256sum {} + 2>/dev/null || true; } | awk '
		FILENAME != "-" { sub(/^0+/, "", $1); want["./" $4] = "f " $1 "\t" $2; next }
		index($0, "\t") == 0 { # a name with a backslash is written with two, and another in front
			if (sub(/^\\/, "")) gsub(/\\\\/, "\\")
			sum[substr($0, 67)] = substr($0, 1, 64)
			next
		}
		{
			split($0, of, "\t")
			sub(/ 0:0$/, "", of[1]) # root and its group are what all shall be
			if (of[5] ~ /^\.\//) is[of[5]] = of[1] "\t"
			else printf "found\t%s\t%s\t%s\t%s\t%s\t%s\n", of[5], substr(of[1], 1, 1), substr(of[1], 3), of[2], of[3], of[4]
		}
		END {
			if ("./MANIFEST" in sum) print "digest\t" sum["./MANIFEST"]
			delete is["./MANIFEST"]
			for (path in want) if (is[path] sum[path] != want[path]) print "drift\t" substr(path, 3)
			for (path in is) if (!(path in want)) print "drift\t" substr(path, 3)
		}' "$manifest" -
	cd /
}

# differs DIR: the files that are not what the directory's MANIFEST says.
differs() { look "$1" | sed -n 's/^drift\t//p'; }

# --- Observing --------------------------------------------------------------------------------------------------

# observe: facts of what shall be on stdin; prints what is.
observe() {
	local current verb a b c d packages=() paths=() name digest="" wants seen runs asked
	asked=$(facts)
	current=$(target current)
	printf 'generation\t%s\nconfirmed\t%s\n' "${current:--}" "$(target confirmed)"
	! ejected || printf 'ejected\t-\n'
	[ ! -f "$state/frozen" ] || sed 's/^/frozen\t/' "$state/frozen"
	[ ! -f "$state/ledger" ] || awk -F '\t' -v "g=$current" '$2 == g && $3 == "confirmed" { t = $4 }
		END { if (t) printf "commit\t%s\n", t }' "$state/ledger"
	[ ! -f "$state/owed" ] || sed 's/^/owed\t/' "$state/owed"
	[ ! -f "$state/lease" ] || [ "$(lease_left)" -le 0 ] || sed 's/^/lease\t/' "$state/lease"
	[ ! -f "$state/armed" ] || sed -n '1s/^/armed\t/p' "$state/armed"
	for name in /etc/postgresql/*/*/postgresql.conf; do
		name=${name#/etc/postgresql/}
		printf 'cluster\t%s\n' "${name%/postgresql.conf}"
	done
	for name in "$etc"/generations/*-*; do printf 'stored\t%s\n' "${name##*/}"; done
	for name in "$secrets"/*; do [ "${name##*/}" = RECORD ] || printf 'lies\t%s\n' "${name##*/}"; done
	if [ -f "$state/made" ]; then
		while IFS= read -r a; do printf 'made\t%s\n' "$a"; done <"$state/made"
	fi
	while IFS=$'\t' read -r verb a b c d; do
		case $verb in
		digest) digest=$a ;;
		door)
			if is_dir "$a"; then
				printf 'door\t%s\ntheirs\t%s\n' "$a" "$a"
				continue
			fi
			paths+=("$a")
			if [ "$b" = file ] && ! same_text "$a" "$d"; then
				printf 'door\t%s\n' "$a"
				[ ! -e "$a" ] || ours "$a" || printf 'theirs\t%s\n' "$a"
			fi
			;;
		absent) [ ! -e "$a" ] && [ ! -L "$a" ] || printf 'door\t%s\ntheirs\t%s\n' "$a" "$a" ;;
		disabled)
			wants=(/etc/systemd/system/*.wants/"$a")
			[ ${#wants[@]} -eq 0 ] || printf 'door\t%s\n' "$a"
			;;
		secret) paths+=("$secrets/$a") ;;
		package) packages+=("$a") ;;
		esac
	done <<<"$asked"
	if [ -f "$secrets/RECORD" ]; then
		while IFS= read -r a; do printf 'given\t%s\n' "$a"; done <"$secrets/RECORD"
	fi
	if [ -f "$etc/current/MANIFEST" ]; then
		mapfile -t runs < <(wanted)
		by_hand "${runs[@]}" & # systemd takes its time to answer
		ran_before
		seen=$(look "$etc/current" "${paths[@]}")
		wait
		if [[ $seen != *"digest"$'\t'"$digest"* ]]; then
			printf 'manifest\t%s\n' "$(base64 -w 0 "$etc/current/MANIFEST")"
			printf 'host\t%s\n' "$(base64 -w 0 "$etc/current/HOST.json")"
		fi
	else
		seen=$(find "${paths[@]}" -maxdepth 0 ! -type d -printf 'found\t%p\t%y\t%m\t%l\t%s\t%T@\n' 2>/dev/null || true)
	fi
	printf '%s\n' "$seen"
	[ ${#packages[@]} -eq 0 ] || # else it would list all
		dpkg-query -W -f 'package\t${Package}\t${Version}\t${db:Status-Status}\n' "${packages[@]}" 2>/dev/null || true
}

# by_hand UNIT...: of those that shall run, and of the generation's other files, what lies beside the generation and counts more than it, or keeps it from running. It is the administrator's,
# and no push takes it away. Of builtins, but for one question to systemd: to do nothing must cost nothing.
by_hand() {
	local base path name runs=("$@")
	local -A known=() shall=()
	for name; do known[$name]=yes shall[$name]=yes; done
	for path in "$etc"/current/systemd/system/*; do name=${path##*/} known[${name%.d}]=yes; done
	for base in /etc/systemd/system{,.control} /run/systemd/system{,.control}; do
		for path in "$base"/*; do
			name=${path##*/}
			if [[ $name == *.d ]]; then
				! adds_to_ours "${name%.d}" || for name in "$path"/*.conf; do printf 'hand\toverride\t%s\n' "$name"; done
			elif [ -z "${known[$name]:-}" ]; then
				continue
			elif [ -e "$path" ] && [ ! -s "$path" ]; then # a link to /dev/null, or an empty file
				printf 'hand\tmasked\t%s\n' "$name"
			else
				printf 'hand\toverride\t%s\n' "$path"
			fi
		done
	done
	[ ${#runs[@]} -eq 0 ] ||
		stopped < <(systemctl show --property=Type,RemainAfterExit,ActiveState,ConditionResult,LoadState,Job "${runs[@]}" 2>/dev/null)
	linked_otherwise
	for path in "$etc"/current/postgresql/*/; do
		path=${path%/} path=${path##*/}
		for base in /etc/postgresql/*/"$path"/conf.d/*.conf; do
			[ "${base##*/}" = odoogen.conf ] || printf 'hand\toverride\t%s\n' "$base"
		done
		for base in /var/lib/postgresql/*/"$path"/postgresql.auto.conf; do
			! sets_something "$base" || printf 'hand\toverride\t%s\n' "$base"
		done
	done
}

# adds_to_ours NAME: drop-ins of NAME.d count for a unit that is known: its own, those of its template, of a prefix that
# ends with a dash, and of all units of its kind.
adds_to_ours() {
	local kind=${1##*.} unit prefix
	[ -z "${known[$1]:-}" ] || return 0
	[[ $1 != *@* ]] || [ -z "${known[${1%%@*}@.$kind]:-}" ] || return 0
	[[ $1 == *-."$kind" || $1 == "$kind" ]] || return 1
	prefix=${1%"$kind"} prefix=${prefix%.}
	for unit in "${!known[@]}"; do [[ $unit != "$prefix"*".$kind" ]] || return 0; done
	return 1
}

# stopped: the units among those that shall run which do not, as systemctl shows them on stdin. None is one whose
# condition does not hold, which has ended, or which is about to start; nor while a job works, which starts again what it
# stops.
stopped() {
	local line n=0 all=()
	local -A is=()
	while IFS= read -r line || [ ${#is[@]} -gt 0 ]; do
		if [ -n "$line" ]; then
			is[${line%%=*}]=${line#*=}
			continue
		fi
		case ${is[LoadState]:-},${is[ActiveState]:-},${is[ConditionResult]:-},${is[Job]:-},${is[Type]:-}/${is[RemainAfterExit]:-} in
		*,oneshot/no) ;;
		loaded,inactive,yes,,*) all+=("${runs[n]}") ;;
		esac
		n=$((n + 1)) is=()
	done
	[ ${#all[@]} -gt 0 ] || return 0
	if [ ! -e "$locks/host.lock" ] || flock --nonblock "$locks/host.lock" true; then printf 'hand\tstopped\t%s\n' "${all[@]}"; fi
}

# ran_before: the units that ran already when the host was found.
ran_before() {
	local units
	[ -f "$etc/found/active" ] || return 0
	mapfile -t units <"$etc/found/active"
	printf 'was\t%s\n' "${units[@]}"
}

# links: what starts with the host, as systemctl enable has it.
links() {
	local path
	for path in /etc/systemd/system/*.wants/*; do printf '%s\n' "${path#/etc/systemd/system/}"; done
}

# linked_otherwise: the units among those that shall run which were enabled or disabled since the last push.
linked_otherwise() {
	local path name
	local -A before=() after=()
	[ -f "$etc/links" ] || return 0
	while IFS= read -r path; do before[${path##*/}]+=$path; done <"$etc/links"
	for path in /etc/systemd/system/*.wants/*; do after[${path##*/}]+=${path#/etc/systemd/system/}; done
	for name in "${!shall[@]}"; do
		if [ "${before[$name]:-}" = "${after[$name]:-}" ]; then continue; fi
		if [ -n "${after[$name]:-}" ]; then printf 'hand\tenabled\t%s\n' "$name"; else printf 'hand\tdisabled\t%s\n' "$name"; fi
	done
}

# sets_something FILE: it holds more than comments.
sets_something() {
	local line
	while IFS= read -r line; do [[ -z $line || $line == \#* ]] || return 0; done <"$1"
	return 1
}

# contents: the files on stdin, of which a host has told before.
contents() {
	local path
	while IFS= read -r path; do
		[ ! -f "$path" ] || printf 'file\t%s\t%s\n' "$path" "$(base64 -w 0 "$path")"
	done
}

# zero: what of the host's files is set aside in generation 0, and the doors that go with a return to it. Those that an
# ejected host had already are none.
zero() {
	awk -F '\t' '$1 == "door" { print "goes\t" $2 }' "$etc/doors" 2>/dev/null || true
	[ ! -d "$etc/generations/0" ] || find "$etc/generations/0" -mindepth 1 ! -type d -printf 'aside\t/%P\n' | sort
}

# same_text PATH TEXT: the file holds that text, in which \n, \t and \\ stand for what cannot be in a line.
same_text() {
	local have want
	[ -f "$1" ] || return 1
	IFS= read -r -d '' have <"$1" || true
	printf -v want '%b' "$2"
	[ "$have" = "$want" ]
}

# --- Lease ------------------------------------------------------------------------------------------------------

# The lease of a host is a file that names a push and who made it. It counts while the file is young: the push touches
# it every few seconds, over its connection, and a push that was killed does not.
lease_seconds=30

# lease NONCE: takes the host for one push; who takes it stands on stdin.
lease() {
	local owner nonce holder
	read -r owner || true
	mkdir -p "$state" "$etc/generations/0" "$lib" "$locks"
	exec 8>"$state/lock"
	if ! flock --wait 5 8; then # held by what works, also where its pusher is no more
		IFS=$'\t' read -r _ holder 2>/dev/null <"$state/lease" || holder="something of odoogen that works on this host"
		printf 'held\t%s\n' "$holder"
		return
	fi
	if [ -f "$state/lease" ]; then
		IFS=$'\t' read -r nonce holder <"$state/lease"
		if [ "$nonce" != "$1" ] && [ "$(lease_left)" -gt 0 ]; then
			printf 'held\t%s\n' "$holder"
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
	rm -rf "$secrets.new"
	printf '%s\t%s\n' "$1" "$owner" >"$state/lease.new"
	mv -f "$state/lease.new" "$state/lease"
	install_self
	[ "$(stands)" != 0 ] || remember_found
	printf 'leased\n'
}

# remember_found notes what runs, and what starts with the host, while nothing of odoogen does.
remember_found() {
	mkdir -p "$etc/found"
	systemctl list-units --state=active --plain --no-legend --no-pager | sed 's/ .*//' >"$etc/found/active"
	enabled >"$etc/found/enabled"
}

enabled() { systemctl list-unit-files --state=enabled --no-legend --no-pager | sed 's/ .*//' | sort; }

# lease_left: for how many seconds more it counts, if nobody touches it.
lease_left() {
	local now touched
	printf -v now '%(%s)T' -1
	touched=$(stat -c %Y "$state/lease" 2>/dev/null || echo 0)
	printf '%s' "$((touched + lease_seconds - now))"
}

# beat NONCE: the push that has the lease is there.
beat() {
	local nonce
	[ -f "$state/lease" ] || return 0
	IFS=$'\t' read -r nonce _ <"$state/lease" || true
	[ "$nonce" != "$1" ] || touch -c "$state/lease"
}

# install_self puts this very script where timer and boot find it.
install_self() {
	printf '%s\n' "$BASH_EXECUTION_STRING" >"$lib/host.new"
	chmod 755 "$lib/host.new"
	mv -f "$lib/host.new" "$lib/host"
	ln -sfn ../lib/odoogen/host /usr/local/sbin/odoogen-host
	at_boot odoogen-boot.service "$boot_unit"
	at_boot odoogen-boot-state.service "$boot_state_unit"
}

at_boot() { # UNIT TEXT
	local file=/etc/systemd/system/$1
	[ "$(cat "$file" 2>/dev/null)" != "$2" ] || return 0
	mkdir -p /etc/systemd/system/sysinit.target.wants
	printf '%s\n' "$2" >"$file"
	ln -sfn "../$1" "/etc/systemd/system/sysinit.target.wants/$1"
}

# A timer is lost in a power cut, as it lives in /run; these are not. The first comes before all that reads a
# generation, the second before all that reads a secret: /var may be a disk of its own, and is mounted later.
boot_unit='# Goes back to the generation that was confirmed last, where a push was cut off by a loss of power.
[Unit]
Description=Confirmed generation of odoogen
DefaultDependencies=no
After=systemd-remount-fs.service
Before=sysinit.target systemd-sysctl.service systemd-sysusers.service systemd-tmpfiles-setup.service network-pre.target
ConditionPathIsReadWrite=/etc
ConditionPathExists=/etc/odoogen/.back

[Service]
Type=oneshot
ExecStart=/usr/local/lib/odoogen/host boot'
boot_state_unit='# Brings back the secrets of the generation that was confirmed last, where a push was cut off by a loss of power.
[Unit]
Description=Secrets of the confirmed generation of odoogen
DefaultDependencies=no
RequiresMountsFor=/var/lib/odoogen
After=odoogen-boot.service
Before=sysinit.target
ConditionPathIsReadWrite=/var/lib/odoogen
ConditionPathExists=/var/lib/odoogen/armed

[Service]
Type=oneshot
ExecStart=/usr/local/lib/odoogen/host boot_state'

# held NONCE: goes on only while this push has the lease.
held() {
	local nonce owner
	exec 8>"$state/lock"
	flock --wait 5 8 || die "something else of odoogen works on this host"
	[ -f "$state/lease" ] || die "this push no longer holds the lease"
	IFS=$'\t' read -r nonce owner <"$state/lease"
	[ "$nonce" = "$1" ] || die "this push no longer holds the lease: $owner does"
	touch -c "$state/lease"
}

# abandon NONCE: ends a push that changed nothing.
abandon() {
	held "$1"
	[ ! -f "$state/armed" ] || die "the revert is armed"
	rm -rf "$secrets.new"
	remove_stray
	rm -f "$state/lease"
}

# remove_stray removes generations that were staged and never stood.
remove_stray() {
	local name newest
	newest=$(number "$(target current)")
	rm -rf "$etc"/generations/.[0-9]*
	for name in "$etc"/generations/*-*; do
		[ "$(number "$name")" -le "$newest" ] || remove "$name"
	done
}

number() {
	local name=${1##*/}
	name=${name%%-*}
	printf '%s' "${name:-0}"
}

remove() {
	chattr -R -i "$1" 2>/dev/null || true
	rm -rf "$1"
}

# --- Staging ----------------------------------------------------------------------------------------------------

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

# --- Preparing: what a rollback does not undo -------------------------------------------------------------------

# packages NONCE NAME: installs the packages on stdin, and starts none of them: the firewall does not stand yet.
# Debian's come first, for those of vendors need their keys fetched and looked at. apt sees the sources and pins of
# the generation to come.
packages() {
	local wanted verb a b c plain=() late=() vendors=() downloads=() tree=$etc/generations/$2
	held "$1"
	wanted=$(facts)
	while IFS=$'\t' read -r verb a b c; do
		case $verb in
		package) [ "$b" = - ] && plain+=("$a") || plain+=("$a=$b") ;;
		late) [ "$b" = - ] && late+=("$a") || late+=("$a=$b") ;;
		vendor) vendors+=("$a"$'\t'"$b"$'\t'"$c") ;;
		download) downloads+=("$a"$'\t'"$b"$'\t'"$c") ;;
		esac
	done <<<"$wanted"
	scratch=$(mktemp -d /var/cache/odoogen.XXXXXX)
	enabled >"$scratch/enabled"
	printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
	chmod 755 /usr/sbin/policy-rc.d
	# PostgreSQL makes no cluster of its own before the door to the generation's setting stands.
	mkdir -p /etc/postgresql-common/createcluster.d
	printf 'create_main_cluster = false\n' >/etc/postgresql-common/createcluster.d/odoogen-packages.conf
	trap 'rm -rf /usr/sbin/policy-rc.d /etc/postgresql-common/createcluster.d/odoogen-packages.conf "$scratch"' EXIT
	if [ ${#plain[@]} -gt 0 ]; then
		apt -q update
		apt -q -y install "${plain[@]}"
	fi
	if [ ${#late[@]} -gt 0 ]; then
		for a in "${vendors[@]}"; do vendor_key "$a"; done
		install -d "$scratch/sources.list.d" "$scratch/preferences.d"
		cp -L "$tree/apt/odoogen.sources" "$scratch/sources.list.d/"
		cp -L "$tree/apt/preferences" "$scratch/preferences.d/odoogen"
		for a in /etc/apt/sources.list.d/*; do [ ! -f "$a" ] || cp -Ln "$a" "$scratch/sources.list.d/"; done
		for a in /etc/apt/preferences.d/*; do [ ! -f "$a" ] || cp -Ln "$a" "$scratch/preferences.d/"; done
		b=(-o "Dir::Etc::SourceParts=$scratch/sources.list.d" -o "Dir::Etc::PreferencesParts=$scratch/preferences.d")
		apt -q "${b[@]}" update
		apt -q -y "${b[@]}" install "${late[@]}"
	fi
	for a in "${downloads[@]}"; do
		IFS=$'\t' read -r a b c <<<"$a"
		/usr/lib/apt/apt-helper -q download-file "$b" "$scratch/$a.deb" "SHA256:$c" >&2
		apt -q -y install "$scratch/$a.deb"
	done
	# What starts with the host from now on because of us.
	mkdir -p "$etc/found"
	{
		cat "$etc/found/brought" 2>/dev/null || true
		enabled | comm -13 "$scratch/enabled" -
	} | sort -u >"$etc/found/brought.new"
	mv -f "$etc/found/brought.new" "$etc/found/brought"
}

apt() {
	apt-get -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold -o Dpkg::Use-Pty=0 \
		--no-install-recommends "$@" >"$state/apt.log" 2>&1 || die "apt-get $* failed:" "$(tail -n 12 "$state/apt.log")"
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

# clusters NONCE: makes the PostgreSQL clusters on stdin, stopped.
clusters() {
	local wanted version name port
	held "$1"
	wanted=$(facts)
	while IFS=$'\t' read -r version name port; do
		[ ! -e "/etc/postgresql/$version/$name/postgresql.conf" ] || continue
		note_made <<<"made"$'\t'"cluster"$'\t'"$version/$name"$'\t'-$'\t'-
		pg_createcluster "$version" "$name" --port "$port" --locale C.UTF-8 --encoding UTF8 --start-conf auto -- \
			--data-checksums >&2 </dev/null
	done <<<"$wanted"
}

# --- What outlives generations ----------------------------------------------------------------------------------

# The record $state/made has a line for all that pushes have made and that no rollback takes away: what it is, its name,
# the cluster that it is in, and the instance that it is for.

# note_made: the "made" facts on stdin are about to be. What is there already, and is not in the record, is somebody
# else's, and stays so.
note_made() {
	local verb kind name in of
	while IFS=$'\t' read -r verb kind name in of; do
		if [ "$verb" != made ] || recorded "$kind" "$name" "$in" || is_there "$kind" "$name" "$in" </dev/null; then continue; fi
		printf '%s\t%s\t%s\t%s\n' "$kind" "$name" "$in" "$of" >>"$state/made"
	done
}

recorded() { # KIND NAME IN
	local kind name in
	[ -f "$state/made" ] || return 1
	while IFS=$'\t' read -r kind name in _; do [ "$kind $name $in" != "$1 $2 $3" ] || return 0; done <"$state/made"
	return 1
}

# is_there KIND NAME IN: it is. So is what a cluster of somebody else's cannot be asked about.
is_there() {
	case $1 in
	cluster) [ -e "/etc/postgresql/$2/postgresql.conf" ] ;;
	directory) [ -e "$2" ] ;;
	user) getent passwd "$2" >/dev/null ;;
	database) ! recorded cluster "$3" - && within "$3" 'SELECT datname FROM pg_database' "$2" ;;
	role) ! recorded cluster "$3" - && within "$3" 'SELECT rolname FROM pg_roles' "$2" ;;
	esac
}

within() { # CLUSTER QUERY NAME
	local names
	names=$(runuser -u postgres -- psql --cluster "$1" -XAtqc "$2" 2>/dev/null) || return 0
	grep -qFx -- "$3" <<<"$names"
}

# purge NONCE: removes what is on stdin, which pushes have made and nothing asks for any more, one after another.
purge() {
	local wanted kind name in said
	held "$1"
	wanted=$(facts)
	while IFS=$'\t' read -r kind name in; do
		[ "$kind" = secret ] || recorded "$kind" "$name" "$in" || die "no push has made the $kind $name"
		printf 'purge\t%s\t%s\n' "$kind" "$name"
		said=$(remove_made "$kind" "$name" "$in" </dev/null 2>&1) || die "the $kind $name stays:" "$said"
		record "$(stands)" purged "$kind $name"
		[ "$kind" != secret ] || continue
		awk -F '\t' -v "kind=$kind" -v "name=$name" -v "in_=$in" '$1 != kind || $2 != name || $3 != in_' "$state/made" >"$state/made.new"
		mv -f "$state/made.new" "$state/made"
	done <<<"$wanted"
}

remove_made() { # KIND NAME IN
	case $1 in
	cluster) [ ! -e "/etc/postgresql/$2" ] || pg_dropcluster --stop "${2%/*}" "${2#*/}" ;;
	database) runuser -u postgres -- dropdb --cluster "$3" --if-exists "$2" ;;
	role) runuser -u postgres -- dropuser --cluster "$3" --if-exists "$2" ;;
	directory) rm -rf --one-file-system "$2" ;;
	user) ! getent passwd "$2" >/dev/null || userdel "$2" ;;
	secret) rm -f "$secrets/${2##*/}" ;;
	*) return 1 ;;
	esac
}

# --- Checking ---------------------------------------------------------------------------------------------------

# check NONCE NAME: asks the host's own programs about the generation, in a mount namespace in which it stands already:
# what is written there is gone with it.
check() {
	held "$1"
	unshare --mount bash -c "$BASH_EXECUTION_STRING" odoogen checked "$2"
}

checked() {
	local verb a facts scratch=/run/odoogen-check units=() what=() clusters=()
	facts=$(facts)
	mkdir -p "$scratch"
	mount -t tmpfs -o mode=0700 tmpfs "$scratch"
	for a in /etc /usr/local /var/lib/odoogen; do
		mkdir -p "$scratch$a/upper" "$scratch$a/work"
		mount -t overlay -o "lowerdir=$a,upperdir=$scratch$a/upper,workdir=$scratch$a/work" overlay "$a"
	done
	etc_of_check=1
	if [ "$1" = 0 ]; then facts+=$'\n'$(leaving); fi
	! ejected || rm -rf "$etc/current"
	doors <<<"$facts"
	turn_link current "$1"
	while IFS=$'\t' read -r verb a; do
		case $verb in
		unit) units+=("$a") ;;
		cluster) clusters+=("$a") ;;
		area) what+=("$a") ;;
		esac
	done <<<"$facts"
	[ "$1" = 0 ] || asked systemd-sysusers "$etc"/current/sysusers.d/*.conf
	for a in "${what[@]}"; do
		case $a in
		nginx)
			[ ! -x "$etc/current/bin/certificates" ] || asked "$etc/current/bin/certificates" bootstrap
			asked nginx -t -q
			;;
		ssh) asked sshd -t ;;
		sudoers.d) asked visudo -c -q ;;
		nftables) asked nft -c -f "$etc/current/nftables/odoogen.nft" ;;
		apt) asked apt-config dump ;;
		postgresql) ask_postgres "${clusters[@]}" ;;
		systemd) ask_systemd "${units[@]}" ;;
		esac
	done
}

# asked COMMAND...: what a checker says when it refuses is why the push ends here.
asked() {
	local said
	said=$("$@" 2>&1) || die "${1##*/} refuses the new generation:" "$said"
}

ask_postgres() { # VERSION/NAME...
	local said name
	for name; do
		said=$(runuser -u postgres -- "/usr/lib/postgresql/${name%/*}/bin/postgres" -C shared_buffers \
			-D "/var/lib/postgresql/$name" -c "config_file=/etc/postgresql/$name/postgresql.conf" 2>&1 >/dev/null) ||
			die "PostgreSQL refuses the new generation of $name:" "$said"
	done
}

# systemd-analyze exits with 0 also where it ignores a setting, so what it says of our files is what counts.
ask_systemd() {
	local said
	[ $# -gt 0 ] || return 0
	said=$(systemd-analyze verify --man=no --recursive-errors=no "$@" 2>&1 | grep -E '^(/usr/local/lib/systemd|/etc/odoogen)/' || true)
	[ -z "$said" ] || die "systemd refuses the new generation:" "$said"
}

# --- Secrets ----------------------------------------------------------------------------------------------------

# A secret's value is a file below $secrets. RECORD beside them says of each that a push has brought what encrypted file
# it is from: name, SHA-256, time of the file. Values come by stdin and go to files: no variable, argument, environment
# or here-document ever holds one.

# give NONCE: keeps the tar on stdin, values and RECORD, for the turn. Says whose value is the one that is here already.
give() {
	local name
	held "$1"
	rm -rf "$secrets.new"
	mkdir -m 700 "$secrets.new"
	tar -x -p -C "$secrets.new" --no-same-owner
	sync -f "$secrets.new"
	for name in "$secrets.new"/*; do
		name=${name##*/}
		! cmp -s "$secrets.new/$name" "$secrets/$name" || printf 'same\t%s\n' "$name"
	done
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

# forget_secrets removes those that nothing of the confirmed generation reads, and what others replaced.
forget_secrets() {
	local verb name
	while IFS=$'\t' read -r verb name; do
		[ "$verb" != forget ] || rm -f "$secrets/$name"
	done < <(tail -n +2 "$state/armed")
	rm -rf "$secrets.new" "$secrets.old"
}

# --- Turning ----------------------------------------------------------------------------------------------------

# doors: makes those on stdin stand, and takes away those that are closed. A file of somebody else's in the way is kept
# in generation 0, as it was found, and is back when the door goes.
doors() {
	local verb path kind a b
	while IFS=$'\t' read -r verb path kind a b; do
		case $verb in
		absent)
			[ -e "$path" ] || [ -L "$path" ] || continue
			keep "$path"
			rm -rf "$path"
			;;
		disabled) [ -n "${etc_of_check:-}" ] || systemctl --quiet disable --now "$path" >&2 || true ;;
		door)
			keep "$path"
			mkdir -p "${path%/*}"
			[ ! -d "$path" ] || [ -L "$path" ] || rm -rf "$path"
			if [ "$kind" = link ]; then
				ln -sfn "$a" "$path.odoogen-new"
			else
				printf '%b' "$b" >"$path.odoogen-new"
				chmod "$a" "$path.odoogen-new"
			fi
			mv -fT "$path.odoogen-new" "$path"
			;;
		closed) unmake "$path" ;;
		enable) [ -n "${etc_of_check:-}" ] || systemctl --quiet enable "$path" >&2 || true ;;
		disable) [ -n "${etc_of_check:-}" ] || no_longer "$path" ;;
		esac
	done
}

# ours PATH: it is a door, and leads to a generation.
ours() {
	if [ -L "$1" ]; then
		[[ $(readlink "$1") == "$etc"/* ]]
	else
		[ -f "$1" ] && grep -q "$etc/current" "$1"
	fi
}

# keep PATH: puts what is there into generation 0. What was kept once stays, and what leads to us is nobody else's.
keep() {
	local zero=$etc/generations/0
	[ -e "$1" ] || [ -L "$1" ] || return 0
	[ ! -e "$zero$1" ] && [ ! -L "$zero$1" ] || return 0
	! ours "$1" || return 0
	mkdir -p "$zero${1%/*}"
	cp -a "$1" "$zero$1"
}

# unmake PATH: a door goes, and what was found there comes back. A unit that a push disabled is as it was found.
unmake() {
	local was=$etc/generations/0$1
	if [[ $1 != /* ]]; then
		[ -z "${etc_of_check:-}" ] || return 0
		! grep -qsFx "$1" "$etc/found/enabled" || systemctl --quiet enable "$1" >&2 || true
		! grep -qsFx "$1" "$etc/found/active" || systemctl start "$1" >&2 || true
		return 0
	fi
	! ours "$1" || rm -f "$1"
	if { [ -e "$was" ] || [ -L "$was" ]; } && [ ! -e "$1" ] && [ ! -L "$1" ]; then
		cp -aT "$was" "$1.odoogen-new"
		mv -fT "$1.odoogen-new" "$1"
	fi
}

# no_longer UNIT: it does not start with the host any more, and does not run. What ran and has ended runs nothing: it is
# left alone, as PostgreSQL's, with which every cluster would stop.
no_longer() {
	systemctl --quiet disable "$1" >&2 || true
	[ "$(systemctl show --value --property=Type "$1")" = oneshot ] || systemctl stop "$1" >&2 || true
}

# leaving: the facts of all doors that stand, as closed, and of what packages brought, as disabled.
leaving() {
	local unit
	awk -F '\t' '{ print "closed\t" $2 }' "$etc/doors" 2>/dev/null || true
	while IFS= read -r unit; do printf 'disable\t%s\n' "$unit"; done < <(comm -12 <(enabled) "$etc/found/brought" 2>/dev/null)
}

# arriving: a host that is as it was found gets back what packages brought before.
arriving() {
	local unit
	[ -f "$etc/found/brought" ] || return 0
	while IFS= read -r unit; do
		grep -qsFx "disabled"$'\t'"$unit" "$etc/doors" || printf 'enable\t%s\n' "$unit"
	done < <(comm -13 <(enabled) "$etc/found/brought")
}

# note_doors keeps the facts of all doors that stand, of which a push brings those that change.
note_doors() {
	{ cat "$etc/doors" 2>/dev/null || true; cat; } |
		awk -F '\t' '$1 == "closed" { delete all[$2] } $1 ~ /^(door|absent|disabled)$/ { all[$2] = $0 }
			END { for (path in all) print all[path] }' | sort >"$etc/.doors.new"
	mv -f "$etc/.doors.new" "$etc/doors"
}

# save_doors keeps what stands where doors come and go. Its LIST says what the way back has to do.
save_doors() {
	local was=$etc/.doors verb path
	rm -rf "$was"
	mkdir -p "$was"
	{
		printf 'door\t%s\n' "$etc/doors"
		cat
	} | while IFS=$'\t' read -r verb path _; do
		case $verb in
		door | absent | closed)
			if [[ $path != /* ]]; then
				printf 'disable\t%s\n' "$path"
			elif [ -e "$path" ] || [ -L "$path" ]; then
				mkdir -p "$was${path%/*}"
				cp -aT "$path" "$was$path"
				printf 'was\t%s\n' "$path"
			else
				printf 'new\t%s\n' "$path"
			fi
			;;
		disabled | disable)
			! systemctl --quiet is-enabled "$path" 2>/dev/null || printf 'enable\t%s\n' "$path"
			! systemctl --quiet is-active "$path" || printf 'start\t%s\n' "$path"
			;;
		enable) printf 'disable\t%s\n' "$path" ;;
		esac
	done >"$was/LIST"
	sync -f "$etc"
}

# take_doors_back undoes what became of doors, however far it came, as often as it is called. What stood is renamed into
# its place, which needs no room on the disk; what cannot be is kept. With an option of systemctl(1), it is asked so.
take_doors_back() {
	local was=$etc/.doors verb what
	[ -f "$was/LIST" ] || return 0
	while IFS=$'\t' read -r verb what; do
		case $verb in
		new) rm -rf "$what" || true ;;
		was)
			[ "$what" != "$etc/current" ] || continue # turn_back does
			[ -e "$was$what" ] || [ -L "$was$what" ] || continue
			if is_dir "$what" || is_dir "$was$what"; then rm -rf "$what" || true; fi
			mkdir -p "${what%/*}" || true
			mv -fT "$was$what" "$what" || printf 'failed\tput back %s, which is kept in %s\n' "$what" "$etc/not-put-back"
			;;
		enable | start) systemctl --quiet "$@" "$verb" "$what" >&2 || true ;;
		disable) no_longer "$what" ;;
		esac
	done <"$was/LIST"
}

is_dir() { [ -d "$1" ] && [ ! -L "$1" ]; }

# forget_doors: what stood before is in its place again, or no longer wanted.
forget_doors() {
	local left
	if [ "${1:-}" = back ]; then
		left=$(find "$etc/.doors" ! -type d ! -path "$etc/.doors/LIST" -print -quit 2>/dev/null) || true
		[ -z "$left" ] || mv -T "$etc/.doors" "$etc/not-put-back" || true
	fi
	rm -rf "$etc/.doors" || true
}

# forget_found empties generation 0: all that it held is in its place again.
forget_found() {
	rm -rf "$etc/generations/0"
	mkdir -p "$etc/generations/0"
}

# turn NONCE NAME SECONDS: arms the revert, turns the host and pays what that owes. On stdin the doors to make, "do"
# actions, the "undo" actions of the way back, and secrets to "forget" once it is confirmed. From here on the host goes
# back by itself unless this push confirms within SECONDS: by a timer, and after a power cut by the boot unit. The link to
# go back to is made in advance: a full disk cannot stop a rename.
turn() {
	local facts old verb path
	held "$1"
	facts=$(facts)
	mkdir -p "$locks"
	exec 9>>"$locks/host.lock"
	flock --wait 30 9 || die "a job has held $locks/host.lock for 30 s (a backup, a deploy or a patch window)"
	old=$(target confirmed)
	case $2,$(stands) in
	0,*) facts+=$'\n'$(leaving) ;;
	*,0) facts+=$'\n'$(arriving) ;;
	esac
	! ejected || facts+=$'\nabsent\t'$etc/current
	save_doors <<<"$facts"
	note_made <<<"$facts"
	{
		printf '%s\t%s\t%s\n' "$1" "$2" "${old:-0}"
		spare_running <<<"$facts"
		grep -E '^forget'$'\t' <<<"$facts" || true
		[ ! -d "$secrets.new" ] || keep_secrets
	} >"$state/armed.new"
	grep -P '^do\t' <<<"$facts" | sed 's/^do\t//' >"$state/owed.new" || true
	arm_boot "${old:-0}"
	sync -f "$state"
	mv -f "$state/armed.new" "$state/armed"
	sync -f "$etc"
	systemctl stop odoogen-revert.timer 2>/dev/null || true
	systemd-run --quiet --collect --unit=odoogen-revert --on-active="$3" --timer-property=AccuracySec=1s \
		"$lib/host" revert "$1"
	printf 'phase\tarmed\n'
	printf '%s\n' "$$" >"$state/turning"
	mv -f "$state/owed.new" "$state/owed"
	pay stop
	doors <<<"$facts"
	[ "$2" = 0 ] || note_doors <<<"$facts"
	turn_link current "$2"
	[ ! -d "$secrets.new" ] || put_secrets
	printf 'phase\tflipped\n'
	pay
	rm -f "$state/turning"
}

# spare_running: the "undo" facts on stdin, of which none stops what runs already: it is somebody else's, and reads its
# files again.
spare_running() {
	local word verb unit
	while IFS=$'\t' read -r word verb unit; do
		[ "$word" = undo ] || continue
		if [ "$verb" = stop ] && systemctl --quiet is-active "$unit"; then
			[[ $unit != *.target ]] || continue # has nothing to read
			verb=reload
		fi
		printf 'undo\t%s\t%s\n' "$verb" "$unit"
	done
}

# arm_boot GENERATION: a boot goes back to it, unless the link is gone by then.
arm_boot() { ln -sfn "generations/$1" "$etc/.back"; }

# turn_back GENERATION: one rename of what was made in advance turns the host to where it was.
turn_back() {
	local was=$etc/.doors$etc/current
	if [ "$1" != 0 ]; then
		! ejected || rm -rf "$etc/current" # it was about to be
	elif [ -d "$was" ] && ! ejected; then # it was, before
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
	local verb unit
	[ -f "$state/owed" ] || return 0
	while IFS=$'\t' read -r verb unit; do
		[ "${1:-$verb}" = "$verb" ] || return 0
		printf 'acting\t%s\t%s\n' "$verb" "$unit"
		act "$verb" "$unit" || die "$verb $unit failed:" "$(why "$unit")"
		tail -n +2 "$state/owed" >"$state/owed.new"
		mv -f "$state/owed.new" "$state/owed"
	done < <(cat "$state/owed")
	[ -s "$state/owed" ] || rm -f "$state/owed"
}

act() {
	local try=try-
	# What the target wants shall run: it is started where it does not.
	! grep -qsFx "Wants=$2" "$etc/current/systemd/system/odoogen.target" || try=
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
	*) return 1 ;;
	esac >&2
}

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

# --- Probing ----------------------------------------------------------------------------------------------------

# probe SECONDS: tries those on stdin until all answer as they should, for that long at most. After a turn all are tried
# once more a moment later: a reload is begun, not awaited, and what it replaces may have given the first answers. Says
# what it leaves out, and why.
probe() {
	local line deadline=$((SECONDS + $1)) held=no wrong asked all facts again
	asked=$(facts)
	[ -n "$asked" ] || return 0
	mapfile -t all <<<"$asked"
	facts=("${all[@]}")
	while :; do
		wrong=() again=()
		ask_units
		ask_pages
		ask_certificates
		for line in "${facts[@]}"; do
			probe_one "$line" && continue
			wrong+=("$said")
			again+=("$line")
		done
		if [ ${#wrong[@]} -eq 0 ]; then
			[ "$1" -gt 0 ] && [ "$held" = no ] || return 0
			held=yes
			again=("${all[@]}")
		elif [ "$SECONDS" -ge "$deadline" ]; then
			die "${wrong[@]}"
		fi
		facts=("${again[@]}")
		sleep 0.4
	done
}

# ask_units asks systemd about the units among the facts, all at once, as it answers slowly.
declare -A standing=()
ask_units() {
	local units line n=0
	standing=()
	mapfile -t units < <(printf '%s\n' "${facts[@]}" | sed -n 's/^unit\t//p')
	[ ${#units[@]} -gt 0 ] || return 0
	while IFS= read -r line; do
		if [ -z "$line" ]; then n=$((n + 1)); else standing[${units[n]}]+="$line "; fi
	done < <(systemctl show --property=ActiveState,SubState,ConditionResult "${units[@]}")
}

# ask_pages asks for all pages among the facts, with one program.
declare -A page=()
ask_pages() {
	local line kind url host when ask=() asked=() n=0
	page=()
	for line in "${facts[@]}"; do
		IFS=$'\t' read -r kind url host _ when _ <<<"$line"
		if [ "$kind" != http ] || { [ "$when" != - ] && [ ! -e "$when" ]; }; then continue; fi
		[ "$host" != - ] || host=${url#*//} host=${host%%/*}
		ask+=(--next --silent --output /dev/null --max-time 5 --header "Host: $host" --write-out '%{http_code}\n' "$url")
		asked+=("$line")
	done
	[ ${#asked[@]} -gt 0 ] || return 0
	while IFS= read -r line; do
		page[${asked[n]}]=$line
		n=$((n + 1))
	done < <(curl "${ask[@]:1}" || true)
}

# ask_certificates asks for all certificates among the facts, all at once.
declare -A shown=()
ask_certificates() {
	local line kind address name
	shown=()
	while IFS= read -r line; do shown[$line]=yes; done < <(
		for line in "${facts[@]}"; do
			IFS=$'\t' read -r kind address name <<<"$line"
			if [ "$kind" = tls ]; then
				{ ! shows_certificate "$address" "$name" || printf '%s\n' "$line"; } &
			fi
		done
		wait
	)
}

# shows_certificate ADDRESS NAME: of that name, whoever has signed it.
shows_certificate() {
	local said
	said=$(timeout 5 openssl s_client -connect "$1" -servername "$2" -verify_hostname "$2" </dev/null 2>&1) || true
	[[ $said == *'BEGIN CERTIFICATE'* && $said != *num=62:* ]]
}

probe_one() {
	local kind a b c d e got
	IFS=$'\t' read -r kind a b c d e <<<"$1"
	said="$kind $a"
	case $kind in
	unit)
		got=${standing[$a]:-}
		said="$a is not up: $got"
		# Debian's own units among them: a condition that does not hold is no failure.
		[[ $got == *ActiveState=active* || $got == *ActiveState=inactive*ConditionResult=no* ]]
		;;
	http)
		if [ "$d" != - ] && [ ! -e "$d" ]; then
			printf 'skipped\t%s\n' "$e"
			return 0
		fi
		got=${page[$1]:-000}
		said="$a answers $got, and $c is expected"
		[ "$got" = "$c" ]
		;;
	tls)
		said="$a shows no certificate for $b"
		[ -n "${shown[$1]:-}" ]
		;;
	tcp)
		said="$a port $b does not answer"
		timeout 3 bash -c "exec 3<>/dev/tcp/$a/$b" 2>/dev/null
		;;
	*) return 1 ;;
	esac
}

# --- Ending -----------------------------------------------------------------------------------------------------

# confirm NONCE KEEP: makes the current generation the one that stays; a line for the ledger on stdin.
confirm() {
	local nonce name old line
	held "$1"
	exec 7>"$state/revert.lock"
	flock --wait 5 7 || die "the revert has begun"
	[ -f "$state/armed" ] || die "the revert is done already"
	IFS=$'\t' read -r nonce name old <"$state/armed"
	[ "$nonce $(stands)" = "$1 $name" ] || die "another push has armed the revert"
	[ ! -f "$state/owed" ] || die "not all actions are done"
	read -r line || true
	turn_link confirmed "$name"
	links >"$etc/links" || true
	record "$name" confirmed "$line" || true
	confirmed_already "$name"
	printf 'confirmed\t%s\n' "$name" # last of what must be: who asked may be gone, and then this ends here
	prune "$2" || true
}

disarm() {
	rm -f "$state/armed" "$etc/.back" "$state/turning" "$state"/leave{,.said,.ended}
	systemctl stop odoogen-revert.timer 2>/dev/null || true
}

# record GENERATION VERDICT TEXT: a line of the ledger.
record() { printf '%s\t%s\t%s\t%s\n' "$(date -u +%FT%TZ)" "$1" "$2" "$3" >>"$state/ledger"; }

# prune KEEP: removes generations but the last KEEP, those that links lead to, and those that a process still reads.
prune() {
	local name names=() dir
	mapfile -t names < <(cd "$etc/generations" && printf '%s\n' *-* | sort -t - -k 1,1n | head -n "-$1")
	for name in "${names[@]}"; do
		if [ "$name" = "$(target current)" ] || [ "$name" = "$(target confirmed)" ]; then continue; fi
		dir=$etc/generations/$name
		[ -z "$(find /proc/[0-9]*/fd /proc/[0-9]*/cwd -lname "$dir*" -print -quit 2>/dev/null)" ] || continue
		remove "$dir"
	done
}

# confirmed_already GENERATION ends a push that is confirmed, also where that was cut off after the rename, which counts.
confirmed_already() {
	awk -F '\t' -v "g=$1" '$2 == g && $3 == "confirmed" { is = 1 } END { exit !is }' "$state/ledger" 2>/dev/null ||
		record "$1" confirmed - || true
	forget_secrets || true
	forget_doors
	[ "$(stands)" != 0 ] || forget_found || true
	disarm
	rm -f "$state/lease"
}

# revert NONCE: goes back to where the push began. Whatever fails on the way is said and stays owed: the way back has
# no way back.
revert() {
	local nonce name old pid line undo=()
	[ -f "$state/armed" ] || {
		! IFS=$'\t' read -r nonce _ 2>/dev/null <"$state/lease" || [ "$nonce" != "$1" ] || rm -f "$state/lease"
		printf 'current\t%s\n' "$(target current)"
		return 0
	}
	IFS=$'\t' read -r nonce name old <"$state/armed"
	[ "$nonce" = "$1" ] || die "another push has armed the revert"
	exec 7>"$state/revert.lock"
	flock --wait 120 7 || die "another revert works"
	[ -f "$state/armed" ] || {
		printf 'current\t%s\n' "$(target current)"
		return 0
	}
	if [ -f "$state/turning" ]; then
		pid=$(cat "$state/turning")
		! grep -qs odoogen "/proc/$pid/cmdline" || kill "$pid" 2>/dev/null || true
		rm -f "$state/turning" || true
	fi
	if [ "$(target confirmed)" = "$name" ]; then
		confirmed_already "$name"
		printf 'current\t%s\n' "$name"
		return 0
	fi
	while IFS= read -r line; do
		case $line in
		undo$'\t'*) undo+=("${line#undo$'\t'}") ;;
		esac
	done < <(tail -n +2 "$state/armed")
	undo_all stop
	take_doors_back
	turn_back "$old"
	forget_doors back
	take_secrets_back
	[ "$old" != 0 ] || forget_found || true
	rm -f "$state/owed"
	undo_all
	record "$name" reverted "-" || true
	for line in "${undo[@]}" $'-\todoogen-*'; do systemctl reset-failed "${line#*$'\t'}" 2>/dev/null || true; done
	disarm
	rm -f "$state/lease"
	printf 'current\t%s\n' "$(target current)"
}

# undo_all [stop]: the actions of the way back; with stop those that come before the flip, else the others.
undo_all() {
	local line verb unit
	for line in "${undo[@]}"; do
		IFS=$'\t' read -r verb unit <<<"$line"
		case ${1:-}$verb in
		stopstop | daemon-reload | run | start | restart | reload) ;;
		*) continue ;;
		esac
		act "$verb" "$unit" && continue
		printf 'failed\t%s %s\n' "$verb" "$unit"
		printf '%s\n' "$line" >>"$state/owed" || true
	done
}

# boot: a push was cut off by a loss of power; nothing of this boot runs yet. systemd has read the units of what goes,
# so it reads again, and is asked for what the generation wants.
boot() {
	local confirmed
	confirmed=$(target confirmed)
	if [ "$(target .back)" != "${confirmed:-0}" ]; then # after the rename that confirmed it
		rm -rf "$etc/.back" "$etc/.doors"
		[ "$(stands)" != 0 ] || forget_found
		return
	fi
	take_doors_back --no-block
	turn_back "${confirmed:-0}"
	forget_doors back
	if [ "$(stands)" = 0 ]; then forget_found; fi
	systemctl daemon-reload
	! wanted | grep -q . || systemctl --no-block start odoogen.target || true
}

# boot_state: the same for what the push left below /var.
boot_state() {
	local nonce name
	IFS=$'\t' read -r nonce name _ <"$state/armed"
	if [ "$(target confirmed)" = "$name" ]; then
		confirmed_already "$name"
	else
		take_secrets_back
		record "$name" "reverted at boot" - || true
	fi
	rm -f "$state/armed" "$state/owed" "$state/lease" "$state/turning" "$state"/leave{,.said,.ended}
}

# standing: what a verdict is read from.
standing() {
	printf 'current\t%s\nconfirmed\t%s\n' "$(target current)" "$(target confirmed)"
	[ ! -f "$state/armed" ] || printf 'armed\n'
}

# export GENERATION: its files, for a push of them from elsewhere.
export_generation() { tar -c -C "$etc/generations/$1" . | base64 -w 0; }

# --- Ejecting ---------------------------------------------------------------------------------------------------

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
	[ -e "$etc/as-found" ] || [ ! -d "$etc/generations/0" ] || mv -T "$etc/generations/0" "$etc/as-found"
	for rest in "$etc"/generations/0 "$etc"/generations/*-*; do
		[ "${rest##*/}" = "$name" ] || remove "$rest"
	done
	rm -rf "$etc/confirmed" "$etc/doors" "$etc/.doors" "$etc/found" "$state/owed"
	for rest in odoogen-boot.service odoogen-boot-state.service; do
		rm -f "/etc/systemd/system/$rest" "/etc/systemd/system/sysinit.target.wants/$rest"
	done
	systemctl daemon-reload
	printf 'ejected\t%s\n' "$name"
}

# --- At night, on the host itself -------------------------------------------------------------------------------

# wanted: the units that shall run.
wanted() {
	local line
	[ -f "$etc/current/systemd/system/odoogen.target" ] || return 0
	while IFS= read -r line; do [[ $line != Wants=* ]] || printf '%s\n' "${line#Wants=}"; done <"$etc/current/systemd/system/odoogen.target"
}

# status: what stands, what was changed by hand, and what does not run.
status() {
	local name confirmed unit wrong owner runs
	name=$(target current) confirmed=$(target confirmed)
	if ejected; then
		printf 'ejected: odoogen turns nothing here; the configuration is the plain files below %s\n' "$etc/current"
	elif [ -z "$name" ]; then
		printf 'as it was found: nothing of odoogen runs here\n'
	elif [ -f "$state/armed" ]; then
		printf '%s, not confirmed: goes back to %s by itself; "confirm" keeps it, "revert" goes back now\n' "$name" "${confirmed:-what was found}"
	else
		printf '%s, confirmed\n' "$name"
	fi
	[ ! -f "$state/frozen" ] || printf 'frozen since %s\n' "$(tr '\t' ' ' <"$state/frozen")"
	if [ -f "$state/lease" ] && [ "$(lease_left)" -gt 0 ]; then
		IFS=$'\t' read -r _ owner <"$state/lease"
		printf 'held by %s\n' "$owner"
	fi
	[ ! -f "$state/owed" ] || sed 's/^/owed: /; s/\t/ /' "$state/owed"
	if [ -f "$etc/current/MANIFEST" ]; then
		differs "$etc/current" | sed 's/^/changed by hand: /'
		mapfile -t runs < <(wanted)
		by_hand "${runs[@]}" | sed 's/^hand\t/by hand: /; s/\t/ /'
	fi
	while IFS= read -r unit; do
		! systemctl --quiet is-active "$unit" || continue
		wrong=$(systemctl show --value --property=ConditionResult "$unit")
		printf 'not active: %s%s\n' "$unit" "${wrong/#no/, its condition does not hold}" | sed 's/yes$//'
	done < <(wanted)
}

# alone: nothing else of odoogen may work while this does.
alone() {
	mkdir -p "$state" "$locks"
	exec 8>"$state/lock"
	flock --wait 5 8 || die "something else of odoogen works on this host"
}

# rollback [NUMBER]: turns the host to a generation that it still has, by default the one before, or with 0 to what it
# was found as, and acts as the files that differ say. It needs no network and no pusher, and nobody confirms it.
rollback() {
	local from to="" name facts
	from=$(stands)
	! ejected || die "this host is ejected: it has no generations"
	[ ! -f "$state/armed" ] || die "a push waits for its confirmation; it goes back by itself, or now: odoogen-host revert"
	while IFS= read -r name; do
		if [ -n "${1:-}" ]; then
			[ "$1" != "$(number "$name")" ] || to=$name
		elif [ "$from" = 0 ]; then
			! stood "$name" || to=$name
		elif [ "$(number "$name")" -lt "$(number "$from")" ]; then
			to=$name
		fi
	done < <(cd "$etc/generations" 2>/dev/null && printf '%s\n' [0-9]*-* | sort -t - -k 1,1n)
	[ "${1:-}" != 0 ] || to=0
	[ -n "$to" ] || die "this host has no generation ${1:-before $from}"
	[ "$to" != "$from" ] || die "this host is that already"
	alone
	exec 9>>"$locks/host.lock"
	flock --wait 30 9 || die "a job holds $locks/host.lock"
	if [ "$to" = 0 ]; then
		facts=$(leaving)
		stop_ours
		name=$(wanted)
		doors <<<"$facts"
	elif [ "$from" = 0 ]; then
		facts=$(cat "$etc/doors" && arriving)
		doors <<<"$facts"
	fi
	turn_link current "$to"
	turn_link confirmed "$to"
	record "$to" "rolled back on the host" "from $from" || true
	systemctl daemon-reload
	if [ "$to" = 0 ]; then
		forget_found
		# What ran before runs on, and reads its own files again.
		{
			printf 'ssh.service\n'
			grep -Fx -f "$etc/found/active" <<<"$name" || true
		} | sort -u |
			while IFS= read -r name; do act reload "$name" </dev/null || printf 'failed\treload %s\n' "$name"; done
	else
		act_between "$etc/generations/$from/MANIFEST" "$etc/current/MANIFEST"
		systemctl start odoogen.target
	fi
	printf 'current\t%s\n' "$to"
}

# stood GENERATION: it was confirmed once, and is not what is left of a push that was reverted.
stood() {
	awk -F '\t' -v "g=$1" '$2 == g && ($3 == "confirmed" || $3 ~ /^rolled back/) { is = 1 } END { exit !is }' "$state/ledger" 2>/dev/null
}

# stop_ours stops what runs because of a generation alone, the last first.
stop_ours() {
	local unit
	systemctl stop odoogen.target || true
	while IFS= read -r unit; do
		grep -qsFx "$unit" "$etc/found/active" || systemctl stop "$unit" || printf 'failed\tstop %s\n' "$unit"
	done < <(wanted | tac)
}

# act_between MANIFEST MANIFEST: does what the files ask for that the second has otherwise than the first.
act_between() {
	local effect name
	{ diff <(cut -d ' ' -f 1,2,4 "$1" 2>/dev/null) <(cut -d ' ' -f 1,2,4 "$2") || true; } | sed -nE 's/^[<>] [0-7]+ [0-9a-f]+ //p' |
		sort -u | awk 'NR == FNR { differs[$1] = 1; next } $4 in differs { print $3 }' - "$2" |
		tr , '\n' | sort -u | sort -s -t : -k 1,1r |
		while IFS=: read -r effect name; do
			case $effect in
			run | restart | reload) act "$effect" "$name" </dev/null || printf 'failed\t%s %s\n' "$effect" "$name" ;;
			esac
		done
}

# armed_nonce: of the push that waits for its confirmation.
armed_nonce() {
	[ -f "$state/armed" ] || die "no push waits for its confirmation"
	head -n 1 "$state/armed" | cut -f 1
}

# pay_rest NONCE: does what a push that died has not.
pay_rest() {
	[ -f "$state/owed" ] || return 0
	held "$1"
	pay
	rm -f "$state/turning"
}

# freeze REASON: no push is accepted until it is unlocked.
freeze() {
	local reason
	reason=$(tr -c '[:print:]' ' ' <<<"$*")
	[ -n "${reason// /}" ] || die "say why, for those who want to push: odoogen-host freeze REASON"
	alone
	printf '%s\t%s\n' "$(date -u +%FT%TZ)" "${reason%% }" >"$state/frozen.new"
	mv -f "$state/frozen.new" "$state/frozen"
	record "$(stands)" frozen "${reason%% }"
}

# unlock: pushes are accepted again: not frozen, and held by nobody.
unlock() {
	[ ! -f "$state/armed" ] || die "a push waits for its confirmation: odoogen-host confirm, or odoogen-host revert"
	alone
	rm -f "$state/frozen" "$state/lease" "$state/turning"
	record "$(stands)" unlocked -
}

usage='usage: odoogen-host COMMAND, as root. It needs no network and no odoogen elsewhere.

  status            what this host is, what was changed by hand, and what does not run
  rollback          make it the generation before: at once, without the probes of a push
  rollback NUMBER   or the one of that number; 0 is what the host was found as
  confirm           keep a push that waits for its confirmation; does first what it has not done
  revert            or take it back now
  freeze REASON     accept no push until
  unlock            accept them again; ends the hold of a push that died, too
  eject             make everything plain files, and odoogen no longer part of this host; restarts nothing
  ledger            what was pushed

Generations are below /etc/odoogen/generations. Packages, databases and data never go back.
'

verb() {
	local nonce
	case ${1-} in
	export) export_generation "$2" ;;
	ledger) cat "$state/ledger" 2>/dev/null || true ;;
	status | unlock) "$1" ;;
	rollback) rollback "${2:-}" ;;
	freeze) freeze "${@:2}" ;;
	confirm | revert | eject)
		if [ $# -gt 1 ]; then
			"$@"
		elif [ "$1" = eject ]; then
			alone
			eject_now "on the host"
		else
			nonce=$(armed_nonce)
			[ "$1" != confirm ] || pay_rest "$nonce"
			"$1" "$nonce" 10 <<<"by hand on the host"
		fi
		;;
	observe | zero | contents | lease | abandon | stage | packages | clusters | check | checked | give | turn | leave | leave_now | left | \
		probe | purge | boot | boot_state | standing)
		"$@"
		;;
	help | --help | -h) printf '%s' "$usage" ;;
	*)
		printf '%s' "$usage" >&2
		exit 64
		;;
	esac
}

# "keep-open VERB" does a verb, says so, and keeps the connection until the push ends: the others go over it. Each line
# that comes is a heartbeat.
if [ "${1-}" = keep-open ]; then
	shift
	verb "$@"
	printf 'ready\n'
	while read -r nonce; do beat "$nonce"; done
else
	verb "$@"
fi

# What a push wants to know before it plans: the host as it is.

# observe [again]: facts of what shall be on stdin; prints what is. Unless it shall look again, it answers as it did when it
# looked last, where nothing has changed since: to do nothing must cost nothing.
observe() {
	local asked="" line="" verb path counts answer paths=() runs=() watched=() idle
	local -A once=()
	while IFS= read -r line && [ "$line" != end ]; do asked+=$line$'\n'; done
	[ "$line" = end ] || cut_off
	[ ! -f "$state/armed" ] || printf 'armed\t-\n'
	if [ "${1-}" != again ] && remembered; then
		printf '%s\n' "$answer"
		still "${watched[@]}"
		return
	fi
	paths=() # without those that a memory which no longer holds has named
	while IFS=$'\t' read -r verb path _; do
		case $verb in
		door | absent) ;;
		secret) path=$secrets/$path ;;
		*) continue ;;
		esac
		[ -n "${once[$path]:-}" ] || paths+=("$path")
		once[$path]=yes
	done < <(cat - "$etc/doors" <<<"$asked" 2>/dev/null || true)
	while IFS= read -r path; do paths+=("$(data_directory "$path")/postgresql.auto.conf"); done < <(clusters_of_ours)
	mapfile -t runs < <(wanted)
	exec {idle}< <(stopped "${runs[@]}") # systemd takes its time to answer
	counts=$(counted "${paths[@]}")
	answer=$(look_at_all)
	printf '%s\n' "$answer"
	mapfile -t idle <&"$idle"
	[ ${#idle[@]} -eq 0 ] || printf '%s\n' "${idle[@]}"
	remember
}

# look_at_all: what an observation tells but for the leases, and units that run or do not.
look_at_all() {
	local current verb a b c d packages=() found=() name half="" digest="" installed="" wants seen
	current=$(target current)
	printf 'generation\t%s\nconfirmed\t%s\n' "${current:--}" "$(target confirmed)"
	! ejected || printf 'ejected\t-\n'
	[ ! -f "$state/frozen" ] || sed 's/^/frozen\t/' "$state/frozen"
	past "$current"
	[ ! -f "$state/owed" ] || sed 's/^/owed\t/' "$state/owed"
	[ ! -f "$state/making" ] || half=$(half_made)
	for name in /etc/postgresql/*/*/postgresql.conf; do
		name=${name#/etc/postgresql/}
		name=${name%/postgresql.conf}
		[ "$name" = "$half" ] || printf 'cluster\t%s\n' "$name"
	done
	for name in "$etc"/generations/*-*; do printf 'stored\t%s\n' "${name##*/}"; done
	if [ -f "$state/made" ]; then
		while IFS= read -r a; do printf 'made\t%s\n' "$a"; done <"$state/made"
	fi
	while IFS=$'\t' read -r verb a b c d; do
		case $verb in
		digest) digest=$a ;;
		door)
			if is_dir "$a"; then
				printf 'door\t%s\ntheirs\t%s\n' "$a" "$a"
				ejected || for name in "$a"/*; do printf 'covered\t%s\n' "$name"; done
				continue
			fi
			found+=("$a")
			if [ "$b" = file ] && ! same_text "$a" "$d"; then
				printf 'door\t%s\n' "$a"
				[ ! -e "$a" ] || { ours "$a" && ! ejected; } || printf 'theirs\t%s\n' "$a"
			fi
			;;
		absent) [ ! -e "$a" ] && [ ! -L "$a" ] || printf 'door\t%s\ntheirs\t%s\n' "$a" "$a" ;;
		disabled)
			wants=(/etc/systemd/system/*.wants/"$a")
			if [ ${#wants[@]} -gt 0 ] || comes "$a"; then printf 'door\t%s\n' "$a"; fi
			;;
		secret) found+=("$secrets/$a") ;;
		package) packages+=("$a") ;;
		esac
	done <<<"$asked"
	if [ ${#packages[@]} -gt 0 ]; then # of none it would list all; what takes its time begins first
		exec {installed}< <(dpkg-query -W -f 'package\t${Package}\t${Version}\t${db:Status-Status}\n' "${packages[@]}" 2>/dev/null || true)
	fi
	if [ -f "$secrets/RECORD" ]; then
		while IFS= read -r a; do printf 'given\t%s\n' "$a"; done <"$secrets/RECORD"
	fi
	if [ -d "$etc/current" ]; then
		by_hand "${runs[@]}"
		ran_before
		seen=$(look "$etc/current" "${found[@]}")
		if [[ $seen != *"digest"$'\t'"$digest"* ]]; then
			printf 'manifest\t%s\n' "$(base64 -w 0 "$etc/current/MANIFEST" 2>/dev/null || true)"
			printf 'host\t%s\n' "$(base64 -w 0 "$etc/current/HOST.json" 2>/dev/null || true)"
		fi
	else
		[ -z "$current" ] || printf 'manifest\t\nhost\t\ndrift\tMANIFEST\n' # somebody has removed the generation
		seen=$(find "${found[@]}" -maxdepth 0 ! -type d -printf 'found\t%p\t%y\t%m\t%l\t%s\t%T@\n' 2>/dev/null || true)
	fi
	printf '%s\n' "$seen"
	if [ -n "$installed" ]; then
		mapfile -t packages <&"$installed"
		[ ${#packages[@]} -eq 0 ] || printf '%s\n' "${packages[@]}"
	fi
}

# by_hand UNIT...: of those that shall run, and of the generation's other files, what lies beside the generation and
# counts more than it, or keeps it from running. It is the administrator's, and no push takes it away.
by_hand() {
	local base path name runs=("$@")
	local -A known=() shall=() templates=()
	for name; do known[$name]=yes shall[$name]=yes; done
	for path in "$etc"/current/systemd/system/*; do name=${path##*/} known[${name%.d}]=yes; done
	for name in "${!known[@]}"; do [[ $name != *@?*.* ]] || templates[${name%%@*}@.${name##*.}]=yes; done
	for base in /etc/systemd/system{,.control} /run/systemd/system{,.control}; do
		for path in "$base"/*; do
			name=${path##*/}
			if [[ $name == *.d ]]; then
				! adds_to_ours "${name%.d}" || for name in "$path"/*.conf; do printf 'hand\toverride\t%s\n' "$name"; done
			elif ! is_ours "$name"; then
				continue
			elif [ -e "$path" ] && [ ! -s "$path" ]; then # a link to /dev/null, or an empty file
				printf 'hand\tmasked\t%s\n' "$name"
			else
				printf 'hand\toverride\t%s\n' "$path"
			fi
		done
	done
	linked_otherwise
	ejected || for path in /etc/systemd/system/{,sysinit.target.wants/}odoogen-boot{,-state}.service "$lib/host" /usr/local/sbin/odoogen-host; do
		if [ ! -s "$path" ] || { [[ $path == *system/odoogen* ]] && ! installed "$path"; }; then
			printf 'hand\tdoor\t%s\n' "$path"
		fi
	done
	while IFS= read -r path; do
		for base in "/etc/postgresql/$path"/conf.d/*.conf; do
			[ "${base##*/}" = odoogen.conf ] || printf 'hand\toverride\t%s\n' "$base"
		done
		base=$(data_directory "$path")/postgresql.auto.conf
		[ ! -f "$base" ] || ! sets_something "$base" || printf 'hand\toverride\t%s\n' "$base"
		base=/etc/postgresql/$path/postgresql.conf
		! beats_ours "$base" "$etc/current/postgresql/${path#*/}"/{postmaster,reload}.conf || printf 'hand\toverride\t%s\n' "$base"
	done < <(clusters_of_ours)
	read_instead
	sshd_reads_otherwise
	firewalled_otherwise
	doors_otherwise
}

# data_directory VERSION/NAME: of that cluster, as its postgresql.conf says.
data_directory() {
	local dir
	dir=$(sed -nE "s/^[ \t]*data_directory[ \t]*=?[ \t]*'([^']*)'.*/\1/p" "/etc/postgresql/$1/postgresql.conf" 2>/dev/null | tail -n 1) ||
		true # somebody has removed the cluster
	printf '%s' "${dir:-/var/lib/postgresql/$1}"
}

# clusters_of_ours: those into which a door leads. A cluster of the same name may be of somebody else's version.
clusters_of_ours() { sed -nE 's|.*"/etc/postgresql/([^/"]+/[^/"]+)/conf\.d/odoogen\.conf".*|\1|p' "$etc/current/HOST.json" 2>/dev/null || true; }

# read_instead: of the directories that systemd reads, what lies in /etc or /run by the name of the generation's file takes its
# place; a drop-in of such a file adds to it, and where the last value of a setting counts, a file of a later name has it, or
# where the first line for a path does, of an earlier one.
read_instead() {
	local dir file base again
	local -A told=()
	for dir in sysctl.d tmpfiles.d sysusers.d systemd/{network,journald.conf.d,timesyncd.conf.d}; do
		for file in "$etc/current/$dir"/*; do
			for base in {/etc,/run}/"$dir/${file##*/}"; do
				[ ! -e "$base" ] || printf 'hand\toverride\t%s\n' "$base"
				for again in "$base".d/*.conf; do printf 'hand\toverride\t%s\n' "$again"; done
			done
			for base in {/etc,/run}/"$dir"/*.conf; do
				case $dir in
				sysctl.d | systemd/*.conf.d) [[ ${base##*/} > ${file##*/} ]] || continue ;;
				tmpfiles.d) [[ ${base##*/} < ${file##*/} ]] || continue ;;
				*) continue ;;
				esac
				if [ -n "${told[$base]:-}" ] || ! sets_again "${dir%%/*}" "$file" "$base"; then continue; fi
				told[$base]=yes
				printf 'hand\toverride\t%s\n' "$base"
			done
		done
	done
}

# sets_again DIR FILE OTHER: they set something alike (sysctl.d(5), journald.conf(5)), in tmpfiles.d a path (tmpfiles.d(5)).
sets_again() {
	awk -v dir="$1" '
		/^[ \t]*[#;[]/ || NF == 0 { next }
		dir == "tmpfiles.d" { name = $2 }
		dir != "tmpfiles.d" {
			if (!sub(/=.*/, "")) next
			gsub(/[ \t]/, ""); sub(/^-/, ""); gsub("/", ".")
			name = $0
		}
		FNR == NR { ours[name]; next }
		name in ours { again = 1 }
		END { exit !again }' "$2" "$3" 2>/dev/null
}

# doors_otherwise: doors that are not as they were made: somebody changed or removed one, or made what shall not be. The directory
# of an ejected host is no more since its adoption, and the link is in its place.
doors_otherwise() {
	local verb path kind to text
	local -A leads=()
	[ -f "$etc/doors" ] && ! ejected || return 0
	while IFS=$'\t' read -r path to; do leads[$path]=$to; done < <(
		sed -n 's/^door\t\([^\t]*\)\tlink\t.*/\1/p' "$etc/doors" | xargs -r -d '\n' -I {} find {} -maxdepth 0 -type l -printf '%p\t%l\n' 2>/dev/null)
	while IFS=$'\t' read -r verb path kind to text; do
		case $verb,$kind in
		door,link) [ "${leads[$path]:-}" = "$to" ] || printf 'hand\tdoor\t%s\n' "$path" ;;
		door,file) same_text "$path" "$text" || printf 'hand\tdoor\t%s\n' "$path" ;;
		absent,*)
			[ "$path" != "$etc/current" ] || continue
			[ ! -e "$path" ] && [ ! -L "$path" ] || printf 'hand\tdoor\t%s\n' "$path"
			;;
		esac
	done <"$etc/doors"
}

# firewalled_otherwise: the kernel has other rules than the generation's file, which is loaded beside to compare: somebody added
# one, or flushed them all.
firewalled_otherwise() {
	local file=$etc/current/nftables/odoogen.nft want
	[ -f "$file" ] || return 0
	# shellcheck disable=SC2016 # the inner shell's
	want=$(unshare --net sh -c 'nft -f "$1" && nft --stateless list table inet odoogen' sh "$file" 2>/dev/null) || return 0
	[ "$(rules)" != "$want" ] || return 0
	! systemctl --quiet is-active odoogen-nftables.service || printf 'hand\tfirewall\tinet odoogen\n'
}

# rules: those of the generation's firewall that the kernel has.
rules() { [ ! -f "$etc/current/nftables/odoogen.nft" ] || nft --stateless list table inet odoogen 2>/dev/null || true; }

# beats_ours POSTGRESQL.CONF FILE...: PostgreSQL takes the last value of a setting, and what it says below its include_dir sets
# something that the files set; or it includes no directory, and so not them.
beats_ours() {
	local base=$1
	shift
	[ -f "$1" ] || return 1
	awk -v base="$base" '
		{ sub(/^[ \t]+/, ""); name = match($0, /^[A-Za-z_][A-Za-z0-9_.]*/) ? tolower(substr($0, 1, RLENGTH)) : "" }
		name == "" { next }
		FILENAME != base { ours[name]; next }
		name == "include_dir" { includes = 1 }
		includes && name in ours { beats = 1 }
		END { exit !(beats || !includes) }' "$@" "$base" 2>/dev/null
}

# sshd_reads_otherwise: sshd takes the first value of a setting, so what it reads before the generation's files and sets as they
# do counts more, and so does what is in a Match wherever it stands (sshd_config(5)); as does an sshd_config that includes no
# directory, and so not them.
sshd_reads_otherwise() {
	local base ours=() earlier=() later=() main=()
	for base in "$etc"/current/ssh/*.conf /etc/ssh/sshd_config{.d/*.conf,}; do
		[ -f "$base" ] || continue # awk ends at what cannot be read
		case $base in
		"$etc"/*) ours+=("$base") ;;
		/etc/ssh/sshd_config) main=("$base") ;;
		*/10-odoogen.conf) ;;
		*) if [[ ${base##*/} < 10-odoogen.conf ]]; then earlier+=("$base"); else later+=("$base"); fi ;;
		esac
	done
	[ ${#ours[@]} -gt 0 ] || return 0
	awk '
		FNR == 1 { within = 0 }
		{ sub(/^[ \t]+/, ""); word = match($0, /^[A-Za-z]+/) ? tolower(substr($0, 1, RLENGTH)) : "" }
		word == "" { next }
		mine { ours[word]; next }
		word == "match" { within = 1; next }
		word == "include" && FILENAME == "/etc/ssh/sshd_config" && /sshd_config\.d/ { includes = later = 1; next }
		word in ours && (within || !later) { beats[FILENAME] }
		END {
			if (!includes) beats["/etc/ssh/sshd_config"]
			for (name in beats) print "hand\toverride\t" name
		}' mine=1 "${ours[@]}" mine= "${earlier[@]}" later=1 "${later[@]}" later= "${main[@]}"
}

# is_ours NAME: a unit that is known, the template of one, or an instance of one.
is_ours() {
	[ -z "${known[$1]:-}${templates[$1]:-}" ] || return 0
	[[ $1 == *@* && -n "${known[${1%%@*}@.${1##*.}]:-}" ]]
}

# adds_to_ours NAME: drop-ins of NAME.d count for a unit that is known: its own, those of its template, of a prefix that
# ends with a dash, and of all units of its kind; or for one that takes a push back at boot.
adds_to_ours() {
	local kind=${1##*.} unit prefix
	if is_ours "$1" || [[ $1 == odoogen-boot?(-state).service ]]; then return 0; fi
	[[ $1 == *-."$kind" || $1 == "$kind" ]] || return 1
	prefix=${1%"$kind"} prefix=${prefix%.}
	for unit in "${!known[@]}"; do [[ $unit != "$prefix"*".$kind" ]] || return 0; done
	return 1
}

# still UNIT...: those that do not run, as stopped has it. systemd lists those that do at once, and is asked about others alone.
still() {
	local unit rest=() running
	[ $# -gt 0 ] || return 0
	running=$'\n'$(systemctl list-units --state=active,reloading,activating,deactivating,failed --plain --no-legend --no-pager --full "$@" 2>/dev/null)
	for unit; do [[ $running == *$'\n'"$unit "* ]] || rest+=("$unit"); done
	stopped "${rest[@]}"
}

# stopped UNIT...: those among them, which shall run, that do not. None is one whose condition does not hold (systemd says so, too,
# of one that nothing has started since the boot), which has ended, or which is about to start; nor while a job works, which
# starts again what it stops. A unit that runs and ends is told as calm.
stopped() {
	local line n=0 all=()
	local -A is=()
	[ $# -gt 0 ] || return 0
	while IFS= read -r line || [ ${#is[@]} -gt 0 ]; do
		if [ -n "$line" ]; then
			is[${line%%=*}]=${line#*=}
			continue
		fi
		n=$((n + 1))
		[ "${is[ConditionTimestampMonotonic]:-0}" != 0 ] || is[ConditionResult]=yes
		case ${is[LoadState]:-},${is[ActiveState]:-},${is[ConditionResult]:-},${is[Job]:-},${is[Type]:-}/${is[RemainAfterExit]:-}/${is[Result]:-} in
		*,oneshot/no/*) printf 'calm\t%s\n' "${!n}" ;;
		*/exec-condition) ;;
		loaded,inactive,yes,,*) all+=("${!n}") ;;
		esac
		is=()
	done < <(systemctl show --property=Type,RemainAfterExit,ActiveState,ConditionResult,ConditionTimestampMonotonic,LoadState,Job,Result "$@" 2>/dev/null)
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
	local want
	printf -v want '%b' "$2"
	holds "$1" "$want"
}

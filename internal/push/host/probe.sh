# What runs is asked whether it works.

# probe SECONDS once|twice: tries those on stdin until all answer as they should, for that long at most. Where something
# was reloaded or restarted all are tried once more a moment later: a reload is begun, not awaited, and what it replaces
# may have given the first answers. Says what it leaves out, and why.
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
			[ "$2" = twice ] && [ "$held" = no ] || return 0
			held=yes
			again=("${all[@]}")
		elif [ "$SECONDS" -ge "$deadline" ]; then
			die "${wrong[@]}"
		fi
		facts=("${again[@]}")
		sleep 0.4
	done
}

# ask_units asks systemd about the units among the facts. It lists those that are up at once, and tells slowly of the others.
declare -A standing=()
ask_units() {
	local line running n=0 units=()
	standing=()
	running=$'\n'$(systemctl list-units --state=active --plain --no-legend --no-pager --full 2>/dev/null)
	for line in "${facts[@]}"; do
		[[ $line == unit$'\t'* ]] || continue
		line=${line#*$'\t'}
		if [[ $running == *$'\n'"$line "* ]]; then standing[$line]=ActiveState=active; else units+=("$line"); fi
	done
	[ ${#units[@]} -gt 0 ] || return 0
	while IFS= read -r line; do
		if [ -z "$line" ]; then n=$((n + 1)); else standing[${units[n]}]+="$line "; fi
	done < <(systemctl show --property=ActiveState,SubState,ConditionResult,ConditionTimestampMonotonic,Result "${units[@]}")
}

# ask_pages asks for all pages among the facts, with one program, at once.
declare -A page=()
ask_pages() {
	local line kind url host when n code ask=() asked=()
	page=()
	for line in "${facts[@]}"; do
		IFS=$'\t' read -r kind url host _ when _ <<<"$line"
		if [ "$kind" != http ] || { [ "$when" != - ] && [ ! -e "$when" ]; }; then continue; fi
		[ "$host" != - ] || host=${url#*//} host=${host%%/*}
		ask+=(--next --silent --output /dev/null --max-time 5 --header "Host: $host" --write-out '%{urlnum} %{http_code}\n' "$url")
		asked+=("$line")
	done
	[ ${#asked[@]} -gt 0 ] || return 0
	while read -r n code; do
		page[${asked[n]}]=$code
	done < <(curl --parallel --parallel-immediate --no-progress-meter "${ask[@]:1}" || true)
}

# ask_certificates asks for all certificates among the facts, with one program, at once. Whoever has signed them, they
# must be of the name. What curl asks for beside them, TRACE, nginx refuses itself.
declare -A shown=()
ask_certificates() {
	local line kind address name n="" ask=() asked=() names=()
	shown=()
	for line in "${facts[@]}"; do
		IFS=$'\t' read -r kind address name <<<"$line"
		[ "$kind" = tls ] || continue
		ask+=(--next --silent --insecure --output /dev/null --max-time 5 --request TRACE --connect-to "::$address"
			--write-out '#%{urlnum}\n%{certs}\n' "https://$name/")
		asked+=("$line") names+=("$name")
	done
	[ ${#asked[@]} -gt 0 ] || return 0
	while IFS= read -r line; do
		case $line in
		'#'*) n=${line#?} ;;
		'X509v3 Subject Alternative Name:'*) # the first is that of the certificate itself
			[ -n "$n" ] || continue
			line=", ${line#*:},"
			[[ $line != *", DNS:${names[n]},"* && $line != *", DNS:*.${names[n]#*.},"* ]] || shown[${asked[n]}]=yes
			n=""
			;;
		esac
	done < <(curl --parallel --parallel-immediate --no-progress-meter "${ask[@]:1}" || true)
}

probe_one() {
	local kind a b c d e got
	IFS=$'\t' read -r kind a b c d e <<<"$1"
	said="$kind $a"
	case $kind in
	unit)
		got=${standing[$a]:-}
		said="$a is not up: $got"
		# Debian's own units among them: a condition that does not hold is no failure, but one that was never asked for is.
		[[ $got == *ActiveState=active* || ($got == *ActiveState=inactive* &&
			(($got == *ConditionResult=no* && $got != *Monotonic=0*) || $got == *Result=exec-condition*)) ]]
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

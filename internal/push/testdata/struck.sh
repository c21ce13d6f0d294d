#!/bin/bash
# What is done by hand is struck at each program that it runs: by a loss of power and a boot, by that program's failure, or killed
# before a push takes the host. The host must be what it was, or what it becomes; in all that it has and runs. EACH strikes every so many of them.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/namespace.sh"

# The stand-in knows what starts with the host and what runs.
cat >/usr/local/sbin/systemctl <<'S'
#!/bin/bash
verb='' units=()
for word; do case $word in -*) ;; *) [ -z "$verb" ] && verb=$word || units+=("$word") ;; esac; done
case $verb in
list-unit-files) sed 's/$/ enabled/' /mnt/enabled ;;
list-units) sed 's/$/ loaded/' /mnt/active ;;
is-enabled) grep -qFx "${units[0]}" /mnt/enabled ;;
is-active) grep -qFx "${units[0]}" /mnt/active ;;
show) echo simple ;;
enable) printf '%s\n' "${units[@]}" >>/mnt/enabled ;;
disable) printf '%s\n' "${units[@]}" | grep -vFxf - /mnt/enabled >/mnt/left; /bin/mv /mnt/left /mnt/enabled ;;
start)
	printf '%s\n' "${units[@]}" >>/mnt/active
	[ "${units[0]}" != odoogen.target ] || sed 's/^Wants=//' /etc/odoogen/current/systemd/system/odoogen.target >>/mnt/active
	;;
stop) printf '%s\n' "${units[@]}" | grep -vFxf - /mnt/active >/mnt/left; /bin/mv /mnt/left /mnt/active ;;
esac
S

# What changes files counts down, and is struck at 1.
for program in chmod cp ln mkdir mv rm rmdir sync; do
	cat >/usr/local/sbin/$program <<S
#!/bin/sh
if read -r n how 2>/dev/null </mnt/strike && [ "\$how $program" != 'fails sync' ]; then
	echo "\$((n - 1)) \$how" >/mnt/strike
	if [ "\$n" = 1 ]; then
		echo "$program \$*" >/mnt/struck
		[ "\$how" != fails ] || exit 1
		kill -KILL 0
	fi
fi
exec $(PATH=/usr/bin:/bin command -v $program) "\$@"
S
	chmod +x /usr/local/sbin/$program
done

# looks HOW prints all that the host has and, where something failed, what runs; but what no way back leads to any
# more, and copies in generation 0 of what is in its place.
looks() {
	[ -L $etc/.back ] || rm -rf $etc/.doors $etc/.*.new
	find $etc /etc/x.d /usr/local/lib/[xy].d* /etc/systemd/system/odoogen-* ! -path $etc/links ! -path '*/0/etc/x.d/include*' \
		\( -type f -exec sha256sum {} + -o -printf '%p %y %l\n' \) 2>/dev/null | sort
	sort -u /mnt/enabled
	[ "$1" != fails ] || sort -u /mnt/active | sed 's/^/runs: /'
}

keep() {
	mkdir "/mnt/$1"
	tar -c -C / etc/odoogen var/lib/odoogen etc/x.d etc/systemd/system usr/local/lib mnt/enabled mnt/active | tar -x -C "/mnt/$1"
}
bring() { rm -rf $etc $state /etc/x.d /usr/local/lib/[xy].d* && cp -a "/mnt/$1/." /; }

next_push() { host lease n9 <<<test >/dev/null && host abandon n9; }

# by_hand WORD FROM HOW VERB...: prints what strikes leave otherwise than it was, and than it becomes.
by_hand() {
	local n how was is now
	for how in ${both:-$3}; do
		bring "$2"
		was=$(looks "$how")
		host "${@:4}" >/dev/null
		is=$(looks "$how")
		for ((n = first; ; n += each)); do
			bring "$2"
			rm -f /mnt/struck
			echo "$n $how" >/mnt/strike
			if setsid --wait bash -c "$script" odoogen "${@:4}" >/mnt/said 2>&1 && [ -L $etc/.back ]; then
				echo "$1, $how at $n: what is not cleared up is not said"
			fi
			rm /mnt/strike
			[ -e /mnt/struck ] || break
			case $how in
			power) host boot && host boot_state ;;
			killed) next_push ;;
			fails) [ ! -L $etc/.back ] || next_push ;;
			esac
			now=$(looks "$how")
			[ "$now" = "$was" ] || [ "$now" = "$is" ] ||
				echo "$1, $how at $n, $(cat /mnt/struck): $(diff <(echo "$was") <(echo "$now"); diff <(echo "$is") <(echo "$now"); cat /mnt/said)"
		done 2>/dev/null # of what is killed
	done
	echo "$1: old or new"
}

# generation NAME UNIT...: one whose target wants the units.
generation() {
	mkdir -p "$etc/generations/$1/"{x.d,y.d,systemd/system}
	echo "$1" | tee "$etc/generations/$1/x.d/a" >"$etc/generations/$1/y.d/a"
	printf 'Wants=%s\n' "${@:2}" >"$etc/generations/$1/systemd/system/odoogen.target"
	touch "$etc/generations/$1/MANIFEST"
}

push() { # NONCE NAME FACT...
	printf '%s\ttest\n' "$1" >$state/lease
	{ printf '%b\n' "${@:3}"; echo end; } | host turn "$1" "$2" 60 >/dev/null
	confirm "$1"
}

printf "theirs.service\n" | tee /mnt/enabled >/mnt/active
rm -rf /etc/x.d /usr/local/lib/[xy].d*
mkdir /etc/x.d
echo theirs | tee /etc/x.d/include >/etc/x.d/default
echo test | host lease n1 >/dev/null
generation 1-a nginx.service worker.service
generation 2-b worker.service
printf '%s\n' check.service nginx.service >$etc/found/coming
push n1 1-a 'door\t/usr/local/lib/x.d\tlink\t/etc/odoogen/current/x.d' 'door\t/usr/local/lib/y.d\tlink\t/etc/odoogen/current/y.d' \
	'door\t/etc/x.d/include\tfile\t0644\tinclude /etc/odoogen/current/x.d' 'do\tstart\todoogen.target'
push n2 2-b 'closed\t/usr/local/lib/y.d' 'closed\t/etc/x.d/include' 'absent\t/etc/x.d/default' 'do\tstop\tnginx.service'
keep two
host rollback 0 >/dev/null
keep found
first=3 each=7 both=
[ -z "${ALL:-}" ] || first=1 each=1 both='power fails'
by_hand 'the generation before' two fails rollback
both='power fails' by_hand 'as found' two power rollback 0
both='' by_hand 'the generation before, killed' two killed rollback
by_hand 'from what was found' found power rollback
by_hand 'ejected' two fails eject

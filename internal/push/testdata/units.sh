#!/bin/bash
# Which units start with the host: what packages brought (nginx, cron, check), what was found (theirs), and what leaves.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/namespace.sh"

# The stand-in knows what starts with the host and what runs, and tells of what changes that.
cat >/usr/local/sbin/systemctl <<'S'
#!/bin/bash
verb='' units=()
for word; do case $word in -*) ;; *) [ -z "$verb" ] && verb=$word || units+=("$word") ;; esac; done
say() { echo "$verb ${units[*]}" >>/mnt/asked; }
case $verb in
list-unit-files) sed 's/$/ enabled/' /mnt/enabled ;;
list-units) sed 's/$/ loaded/' /mnt/active ;;
is-enabled) grep -qFx "${units[0]}" /mnt/enabled ;;
is-active) grep -qFx "${units[0]}" /mnt/active ;;
show) case "$* ${units[0]}" in *InvocationID*) cat /mnt/invocation 2>/dev/null ;; *ConditionResult*) cat /mnt/condition 2>/dev/null ;; *' check.'*) echo oneshot ;; *) echo simple ;; esac ;;
restart) say && printf '%s\n' "${units[@]}" >>/mnt/active ;;
reload-or-restart) say ;;
try-reload-or-restart) ! grep -qsFx "${units[0]}" /mnt/fails ;;
enable) say && printf '%s\n' "${units[@]}" >>/mnt/enabled ;;
disable) say && printf '%s\n' "${units[@]}" | grep -vFxf - /mnt/enabled >/mnt/left; mv /mnt/left /mnt/enabled ;;
start)
	say && printf '%s\n' "${units[@]}" >>/mnt/active
	[ "${units[0]}" != odoogen.target ] || sed 's/^Wants=//' /etc/odoogen/current/systemd/system/odoogen.target | grep -vFx "$(cat /mnt/fails 2>/dev/null)" >>/mnt/active || true
	;;
stop) say && printf '%s\n' "${units[@]}" | grep -vFxf - /mnt/active >/mnt/left; mv /mnt/left /mnt/active ;;
esac
S

# generation NAME UNIT...: one whose target wants the units.
generation() {
	local dir=$etc/generations/$1/systemd/system
	mkdir -p "$dir"
	printf 'Wants=%s\n' "${@:2}" >"$dir/odoogen.target"
	touch "$etc/generations/$1/MANIFEST"
}

# now WORD: what was asked of systemd, then what starts with the host and what runs.
now() {
	printf '%s:\n' "$1"
	sed 's/^/  /' /mnt/asked 2>/dev/null || true
	rm -f /mnt/asked
	printf '  enabled: %s; active: %s\n' "$(sort -u /mnt/enabled | xargs)" "$(sort -u /mnt/active | xargs)"
}

push() { # NONCE NAME FACT...
	printf '%s\ttest\n' "$1" >$state/lease
	{ [ $# -eq 2 ] || printf '%b\n' "${@:3}"; echo end; } | host turn "$1" "$2" 60 >/dev/null
}

mkdir -p $state $etc/found /run/lock/odoogen
generation 1-a nginx.service worker.service
generation 2-b worker.service
printf 'theirs.service\n' | tee /mnt/enabled /mnt/active $etc/found/enabled >$etc/found/active
printf '%s\n' check.service cron.service nginx.service >$etc/found/coming
touch $etc/doors
mkdir -p $etc/generations/0

push n1 1-a 'do\tstart\todoogen.target'
now 'what packages brought comes'
echo test | host confirm n1 10 >/dev/null
push n2 2-b 'do\tstop\tnginx.service' 'undo\tstart\todoogen.target'
now 'nginx leaves'
host revert n2 >/dev/null
now 'is taken back: the target starts it'
push n3 2-b 'do\tstop\tnginx.service' 'undo\tstart\todoogen.target'
echo test | host confirm n3 10 >/dev/null
printf '1-a\n2-b\n' | while read -r name; do printf 'then\t%s\tconfirmed\t-\n' "$name"; done >>$state/ledger
rm -f /mnt/asked
host rollback >/dev/null 2>&1
now 'the generation before, by hand'
systemctl enable nginx.service
printf '%s\n' nginx.service >>/mnt/active
rm -f /mnt/asked
host rollback 2 >/dev/null 2>&1
now 'and that again'
# Somebody has installed something of his own, which is adopted, and handed back.
generation 3-c worker.service later.service
printf 'later.service\n' | tee -a /mnt/enabled >>/mnt/active
push n4 3-c 'do\treload\tlater.service' 'undo\tstop\tlater.service'
echo test | host confirm n4 10 >/dev/null
rm -f /mnt/asked
host rollback 2 >/dev/null 2>&1
now 'what ran when it was adopted'
# It is adopted again, and that is taken back: it goes on, or is started by its own files again.
for since in 7 8 ''; do
	echo 7 >/mnt/invocation
	push n$since 3-c 'do\treload\tlater.service' 'undo\tstop\tlater.service'
	echo "$since" >/mnt/invocation
	[ -n "$since" ] || sed -i '/^later/d' /mnt/active
	rm -f /mnt/asked
	host revert n$since >/dev/null
	now "taken back, ${since:-not running}"
done
systemctl disable cron.service # by an administrator
rm -f /mnt/asked
host rollback 0 >/dev/null 2>&1
now 'as found'
systemctl enable nginx.service # who uses it for himself now
printf 'nginx.service\n' | tee -a /mnt/active $etc/found/active >/dev/null
sort -u /mnt/enabled >$etc/found/enabled
rm -f /mnt/asked
host rollback 1 >/dev/null 2>&1
now 'back'
host rollback 0 >/dev/null 2>&1
now 'as found again'
# What does not go well is said, and the command says so, too.
printf '%s\n' worker.service ssh.service >/mnt/fails
for to in 1 0; do host rollback $to 2>&1 || echo "exit $?"; done
printf 'ConditionResult=no\nConditionTimestampMonotonic=7\n' >/mnt/condition
host rollback 1

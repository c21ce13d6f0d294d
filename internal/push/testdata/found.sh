#!/bin/bash
# Two files of somebody else's are in the way of doors.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/namespace.sh"

printf '#!/bin/sh\ncase "$*" in *list-units*) echo theirs.service x ;; *LoadState*) echo Type=simple ;; esac\n' >/usr/local/sbin/systemctl
# It runs what a host does by itself, without what its caller holds.
# shellcheck disable=SC2016
printf '#!/bin/bash\nwhile [[ $1 == -* ]]; do shift; done\n[ "$2" = leave_now ] || exit 0\n"$@" 8>&- 9>&- >/dev/null &\n' >/usr/local/sbin/systemd-run
rm -rf /etc/x.d /usr/local/lib/x.d
mkdir -p /etc/x.d
echo theirs >/etc/x.d/include
echo theirs >/etc/x.d/default

# shellcheck disable=SC2012
# state WORD: what stands where the doors are, and what current is.
state() {
	local path
	printf '%s:' "$1"
	for path in /etc/x.d/include /etc/x.d/default /usr/local/lib/x.d/a; do printf ' %s' "$(head -n 1 $path 2>/dev/null || echo none)"; done
	printf ' %s %s%s\n' "$(readlink $etc/current || stat -c %F $etc/current 2>/dev/null || echo none)" \
		"$(readlink $etc/confirmed || echo none)" "$(ls -d $etc/.[a-z]* $etc/not-put-back /var/lib/odoogen/{armed,lease} 2>/dev/null | tr '\n' ' ' || true)"
}

door_a='door\t/usr/local/lib/x.d\tlink\t/etc/odoogen/current/x.d\n'
doors=$door_a'door\t/etc/x.d/include\tfile\t0644\tinclude /etc/odoogen/current/x.d\nabsent\t/etc/x.d/default\n'

leave() { # NONCE
	echo test | host lease "$1" 120 >/dev/null
	host leave "$1" 60 <<<end
	while [ ! -e /var/lib/odoogen/leave.ended ]; do sleep 0.1; done
}

state found
turn n1 1-a one
state turned
revert n1
state reverted
turn n2 1-a one
confirm n2
state confirmed
leave n3
state left
revert n3
state stayed
leave n4
confirm n4
state 'as found'
odoogen-host rollback >/dev/null
state 'by hand'
# What is taken back while it waits for a job does not turn the host once that has ended.
flock /run/lock/odoogen/host.lock sleep 3 &
sleep 0.5
echo test | host lease n8 120 >/dev/null
host leave n8 60 <<<end
sleep 0.5
revert n8
while [ ! -e /var/lib/odoogen/leave.ended ]; do sleep 0.1; done
host left
state 'not left'
odoogen-host eject >/dev/null
state ejected
doors=$door_a
printf '\n# and theirs\n' >>/etc/x.d/include
turn n5 2-b two
state adopted
revert n5
state 'as ejected'
doors+='door\t/etc/x.d/include\tfile\t0644\tinclude /etc/odoogen/current/x.d\n'
turn n6 2-b two
confirm n6
odoogen-host status
odoogen-host rollback 0 >/dev/null
state 'by hand'
tail -n 1 /etc/x.d/include
! odoogen-host freeze 2>/dev/null || echo 'frozen for no reason'
odoogen-host freeze 'the auditors look'
echo test | host lease n7 120 | cut -f 1,3
odoogen-host status | sed 's/since [^ ]*/since T/'
odoogen-host unlock
echo test | host lease n8 120

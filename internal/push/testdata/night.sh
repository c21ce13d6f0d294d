#!/bin/bash
# Where odoogen-host rollback goes back to; ejects that are killed and hung up on; pushes that are cut off, and frozen.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/namespace.sh"

rm -rf /etc/x.d
mkdir -p /etc/x.d/sites
echo theirs >/etc/x.d/sites/default
doors='door\t/usr/local/lib/x.d\tlink\t/etc/odoogen/current/x.d\nabsent\t/etc/x.d/sites/default\n'

# now WORD: what stands, with what a way back needs, and at two places.
now() {
	printf '%s: %s; %s\n' "$1" "$(odoogen-host status | sed -n 1p)" \
		"$({ find $etc -maxdepth 1 -name '.[a-z]*' -printf '%P\n' | sort; cat /etc/x.d/sites/default /usr/local/lib/x.d/a; } 2>/dev/null | xargs)"
}
left() { find $etc -mindepth 1 -maxdepth 1 -printf '%P\n' | sort | xargs; }
quietly() { "$@" >/dev/null || true; } 2>/dev/null

turn n1 1-aaa one
confirm n1
turn n2 2-bbb two
confirm n2
turn n3 3-bbb two
confirm n3
quietly odoogen-host rollback
now 'the generation before has other files'
turn n4 4-ccc three
confirm n4
turn n5 5-ddd bad
confirm n5
quietly odoogen-host rollback
rm -rf /etc/x.d # nginx is purged
quietly odoogen-host rollback 0
now 'as found'
quietly odoogen-host rollback
now 'and back to what stood, not to what was fled'

# Hung up on, and killed, in the midst of an eject.
# shellcheck disable=SC2016
printf '#!/bin/sh\n[ ! -e /mnt/signal ] || case $* in *lib/x.d.odoogen-new) kill -$(cat /mnt/signal) $PPID ;; esac\nexec /bin/cp "$@"\n' >/usr/local/sbin/cp
chmod +x /usr/local/sbin/cp
echo KILL >/mnt/signal
quietly odoogen-host eject
rm /mnt/signal
now 'killed'
quietly odoogen-host boot
now 'booted'
quietly odoogen-host rollback 1
echo KILL >/mnt/signal
quietly odoogen-host eject
echo HUP >/mnt/signal
odoogen-host eject
rm /mnt/signal
now 'once more, and hung up on'
left
ln -s generations/1-aaa $etc/confirmed # as one that was cut off later left it
touch $etc/doors
odoogen-host eject
left
rm /usr/local/sbin/cp

# A push is cut off after it was armed, before it turned the host.
# shellcheck disable=SC2016
printf '#!/bin/sh\ncase $* in "stop long.service") kill -KILL $PPID ;; esac\n' >/usr/local/sbin/systemctl
doors='do\tstop\tlong.service\n'
turn n6 6-eee six 2>/dev/null || true
now 'cut off'
odoogen-host confirm 2>&1 || true
host standing
odoogen-host revert
now 'reverted'

doors='do\tdaemon-reload\t-\n'
turn n7 6-eee six
odoogen-host freeze 'the auditors look'
now 'frozen late'
odoogen-host confirm
odoogen-host unlock
# shellcheck disable=SC2016
printf '#!/bin/sh\ncase $* in "--quiet is-active "*) printf "T\\tthe auditors look\\n" >/var/lib/odoogen/frozen ;; esac\n' >/usr/local/sbin/systemctl
doors='undo\tstop\tlong.service\n'
turn n8 7-fff seven 2>&1 || true
now 'frozen in time'

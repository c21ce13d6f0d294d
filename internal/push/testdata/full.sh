#!/bin/bash
# The disk is full when a record is written anew: what it held stays.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/namespace.sh"

doors='door\t/usr/local/lib/x.d\tlink\t/etc/odoogen/current/x.d\nmade\tuser\tlate\t-\t-\nmade\tdirectory\t/var/lib/late\t-\tqb\n'
# full PROGRAM PATTERN: it fails where its arguments are so, having written nothing. room: there is room again.
full() {
	printf '#!/bin/bash\n[[ "$*" != %s ]] || exit 1\nexec /usr/bin/%s "$@"\n' "$2" "$1" >/usr/local/sbin/"$1"
	chmod +x /usr/local/sbin/"$1"
}
room() { rm -f /usr/local/sbin/"$1"; }
made() { echo "$1: $(tr '\t\n' ' ;' <$state/made)"; }

turn n1 1-a one
full awk '*kind=*'
revert n1
made 'taken back on a full disk'
room awk
echo test | host lease n2 >/dev/null
made 'and with room'
host abandon n2
full cp '*doors.of*'
doors='door\t/usr/local/lib/x.d\tlink\t/etc/odoogen/current/x.d\n'
turn n3 1-a one
confirm n3
room cp
turn n4 2-b two
confirm n4
odoogen-host rollback
readlink /usr/local/lib/x.d
ls -A $etc/doors.of
# A database that is there in a cluster of ours is somebody else's.
printf '#!/bin/sh\nprintf "postgres\\nshop\\n"\n' >/usr/local/sbin/runuser
chmod +x /usr/local/sbin/runuser
printf 'cluster\t15/ours\t-\t-\n' >>$state/made
doors='made\tdatabase\tshop\t15/ours\tshop\nmade\tdatabase\tqb\t15/ours\tqb\n'
turn n5 3-c three
made 'two databases'

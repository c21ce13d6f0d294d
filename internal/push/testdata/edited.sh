#!/bin/bash
# Somebody changes doors by hand: it is told, and what he wrote is kept where a door is made anew or goes.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/namespace.sh"

rm -rf /etc/x.d /usr/local/lib/x.d
mkdir -p /etc/x.d
told() { echo "$1: $(odoogen-host status | sed -n 's/^by hand: //p' | tr '\n' ' ')$(cd $etc && find set-aside -type f -printf '%p=' -exec tail -n 1 {} \; 2>/dev/null | sort | tr '\n' ' ')"; }

include='door\t/etc/x.d/include\tfile\t0644\tinclude /etc/odoogen/current/x.d\\n\n'
doors=$include'door\t/usr/local/lib/x.d\tlink\t/etc/odoogen/current/x.d\nabsent\t/etc/x.d/default\n'
turn n1 1-a one
confirm n1
told pushed
echo 'and theirs' >>/etc/x.d/include
rm /usr/local/lib/x.d
echo theirs >/etc/x.d/default
told edited
doors=$include'door\t/usr/local/lib/x.d\tlink\t/etc/odoogen/current/x.d\nabsent\t/etc/x.d/default\n'
turn n2 2-b two
confirm n2
told 'made anew'
echo 'more of theirs' >>/etc/x.d/include
doors='closed\t/etc/x.d/include\n'
turn n3 3-c three
confirm n3
told closed
# sed -i makes a file of a link.
doors='door\t/etc/x.d/a\tlink\t/etc/odoogen/current/x.d/a\ndoor\t/etc/x.d/b\tlink\t/etc/odoogen/current/x.d/a\n'
turn n4 4-d four
confirm n4
sed -i 's|$|, and theirs|' /etc/x.d/a
sed -i 's|$|, and theirs of /etc/odoogen/current|' /etc/x.d/b
rm -r $etc/set-aside
told 'links are files'
turn n5 5-e five
confirm n5
told 'made anew'
find $etc/generations/0 ! -type d
doors='closed\t/etc/x.d/a\nclosed\t/etc/x.d/b\n'
turn n6 6-f six
confirm n6
find /etc/x.d /usr/local/lib/x.d
# A directory with somebody's files is where a link shall be.
rm /usr/local/lib/x.d
mkdir /usr/local/lib/x.d
touch /usr/local/lib/x.d/theirs
printf 'door\t/usr/local/lib/x.d\tlink\t/etc/odoogen/current/x.d\nend\n' | host observe | grep -E '^(covered|theirs)'

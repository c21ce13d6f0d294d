#!/bin/bash
# What somebody else has at the place of a door is kept, as often as the door comes and goes, and whatever is done to it by hand.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/namespace.sh"

rm -rf /etc/x.d
mkdir -p /etc/x.d
echo found >/etc/x.d/include
mkdir /etc/x.d/folder
echo found >/etc/x.d/folder/file

# state WORD: what stands at the places, and what is kept of them.
state() {
	printf '%s: %s %s' "$1" "$(head -n 1 /etc/x.d/include 2>/dev/null || echo none)" "$(cat /etc/x.d/folder/file 2>/dev/null || echo none)"
	(cd $etc && find generations/0 set-aside as-found* -type f -path '*x.d*' -printf ' %p=' -exec head -n 1 {} \; 2>/dev/null | sort | tr '\n' ' ') || true
	echo
}

leads='door\t/etc/x.d/include\tfile\t0644\tinclude /etc/odoogen/current/x.d\n'
gone='absent\t/etc/x.d/folder\n'

doors=$leads$gone
turn n1 1-a one
confirm n1
state 'the doors came'
doors='closed\t/etc/x.d/include\nclosed\t/etc/x.d/folder\n'
turn n2 2-b two
revert n2
state 'their going was taken back'
turn n3 2-b two
confirm n3
state 'they went'
echo mine >/etc/x.d/include
echo mine >/etc/x.d/folder/file
doors=$leads$gone
turn n4 3-c three
confirm n4
state 'they came again'
echo 'by hand' >/etc/x.d/include
mkdir /etc/x.d/folder
echo 'by hand' >/etc/x.d/folder/file
turn n5 4-d four
confirm n5
state 'and were made again'
echo 'at night' >/etc/x.d/include
odoogen-host rollback 0 >/dev/null
state 'as found'
ls $etc/generations
echo test | host lease n6 120 >/dev/null
odoogen-host rollback 2>&1 | sed 's/:.*//' || true
host abandon n6
odoogen-host rollback
state 'back again'
ln -sfn generations/3-c $etc/confirmed
odoogen-host status | sed -n 1p
ln -sfn generations/4-d $etc/confirmed
odoogen-host rollback 0 --help | sed -n 1p
odoogen-host status | sed -n 1p
odoogen-host eject >/dev/null
state 'ejected'
turn n7 5-e five
confirm n7
odoogen-host eject >/dev/null
state 'ejected again'

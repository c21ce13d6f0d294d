#!/bin/bash
# What somebody leaves in a generation does not come into the next one: modes and owners of directories, and links, as an
# editor makes them.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/namespace.sh"

doors='door\t/usr/local/lib/x.d\tlink\t/etc/odoogen/current/x.d\n'
turn n1 1-a one
confirm n1
chattr -R -i $etc/generations/1-a 2>/dev/null || true
chmod g+w $etc/current/x.d
chown 1 $etc/current
ln -s anna@laptop.1234:5678 $etc/current/x.d/.#a
ln -s /etc/passwd $etc/current/x.d/b
mkdir $etc/current/x.d/c
odoogen-host status
turn n2 2-b two
confirm n2
odoogen-host status
(cd $etc/generations/2-b && find . -printf '%p %U %m\n' | sort)
# The disk was full when the next one was confirmed: the ledger says so when there is room.
mkdir /mnt/full
mount -t tmpfs -o size=4k tmpfs /mnt/full
{ cat $state/ledger; head -c 4096 /dev/zero | tr '\0' x; } 2>/dev/null | dd of=/mnt/full/ledger bs=4096 count=1 iflag=fullblock status=none
mount --bind /mnt/full/ledger $state/ledger
turn n3 3-c three
confirm n3 2>/dev/null
umount $state/ledger
echo test | host lease n4
cut -f 2- $state/ledger

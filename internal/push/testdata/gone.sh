#!/bin/bash
# Somebody removes or replaces what odoogen itself stands on: it is told, and the next push, or way back, needs no hand.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/namespace.sh"

doors='door\t/usr/local/lib/x.d\tlink\t/etc/odoogen/current/x.d\n'
free() { chattr -R -i "$@" 2>/dev/null || true; }
told() {
	printf '%s: %s\n' "$1" "$(odoogen-host status | sed "s/$one/1-ONE/" | paste -sd ';')"
	host observe <<<end | grep -E '^(drift|hand|manifest|host)' | sed -E 's/^(manifest|host)\t.+/\1\ttold/; s/\t/ /g; s/^/  /' || true
}

tree one
one=1-$(sha256sum </mnt/tree/MANIFEST | cut -c 1-12)
turn n1 "$one" one
confirm n1
told pushed
free $etc/generations/1-*
chmod +w $etc/current/MANIFEST
printf 'what is this\n' >>$etc/current/MANIFEST
told 'MANIFEST is edited'
rm $etc/current/MANIFEST
told 'MANIFEST is removed'
turn n2 2-b two
confirm n2
told 'pushed again'
free $etc/generations/2-b
rm -rf $etc/generations/2-b
told 'the generation is removed'
turn n3 3-c three
confirm n3
rm $etc/confirmed
told 'confirmed is removed'
turn n4 4-d four
revert n4
told 'and a push taken back'
turn n5 5-e five
rm -rf /run/odoogen
host boot
told 'and one by a loss of power'
confirm n5 2>/dev/null || host boot_state
# Or the power goes in the moment before there is a way back.
printf '#!/bin/sh\n[ "$2" != %s/armed.new ] || kill -KILL 0\nexec /usr/bin/mv "$@"\n' $state >/usr/local/sbin/mv
chmod +x /usr/local/sbin/mv
tree late
echo test | host lease n5 >/dev/null
host stage n5 5-l </mnt/tree.tar
printf '%b' "$doors" 'end\n' >/mnt/facts
{ setsid --wait bash -c "$script" odoogen turn n5 5-l 60 </mnt/facts >/dev/null || true; } 2>/dev/null
rm /usr/local/sbin/mv
for when in 'about to turn' booted; do
	echo "$when: $(ls $state | paste -sd ' ')"
	host boot
	host boot_state
done
host abandon n5
# What takes a push back at boot, and what is for the night.
rm /etc/systemd/system/sysinit.target.wants/odoogen-boot.service /usr/local/sbin/odoogen-host
mkdir -p /etc/systemd/system/odoogen-boot-state.service.d
echo '[Unit]' >/etc/systemd/system/odoogen-boot-state.service.d/mine.conf
echo '# mine' >>/etc/systemd/system/odoogen-boot-state.service
odoogen-host() { host "$@"; }
told 'nothing at boot'
unset -f odoogen-host
turn n6 6-f six
confirm n6
told 'made anew'
tail -n 1 $etc/set-aside/etc/systemd/system/*
# A directory of the generation is elsewhere, and files are directories.
rm -r /etc/systemd/system/odoogen-boot-state.service.d
free $etc/generations/6-f
mv $etc/current/x.d /mnt/theirs
chmod +w /mnt/theirs/a
echo theirs >/mnt/theirs/a
ln -s /mnt/theirs $etc/current/x.d
rm $etc/current/HOST.json
mkdir -p $etc/current/HOST.json/deep $'/etc/odoogen/current/a\nb'
turn n7 7-g seven
confirm n7
told 'a directory that is elsewhere'
cat /mnt/theirs/a $etc/current/x.d/a
# Modes of directories.
free $etc/generations/7-g
chmod 700 $etc/current/x.d
chmod g+s $etc/current/.
told 'modes'
turn n8 8-h eight
confirm n8
told 'and as they were'
# What counts for an instance is its template's, and the other way round.
free $etc/generations/8-h
mkdir -p $etc/current/systemd/system /etc/systemd/system/{postgresql@,other@}.service.d
printf 'Wants=postgresql@15-main.service\n' >$etc/current/systemd/system/odoogen.target
touch $etc/current/systemd/system/odoogen-venv@.service /etc/systemd/system/{postgresql@,other@}.service.d/mine.conf
for unit in postgresql@ odoogen-venv@17 other@ other@17; do ln -s /dev/null /etc/systemd/system/$unit.service; done
# And what is read beside it may be gone: a cluster, a file that sshd includes.
chmod +w $etc/current/HOST.json
printf '"/etc/postgresql/15/gone/conf.d/odoogen.conf"\n  "file": "%s/secrets/gone",\n' $state >$etc/current/HOST.json
mkdir -p $etc/current/{tmpfiles,sysctl}.d /etc/{tmpfiles,sysctl}.d
echo 'vm.swappiness = 10' >$etc/current/sysctl.d/ours.conf
for name in early zlate; do echo '-vm/swappiness=1' >/etc/sysctl.d/$name.conf; done # the later counts
echo 'vm.dirty_ratio = 1' >/etc/sysctl.d/zother.conf
cp $etc/current/sysctl.d/{ours,own}.conf
echo 'd /srv/x 0750' >$etc/current/tmpfiles.d/ours.conf
for name in early zlate; do echo 'd /srv/x 0755' >/etc/tmpfiles.d/$name.conf; done # the earlier counts
mkdir -p $etc/current/ssh /etc/ssh/sshd_config.d
echo 'Include /etc/ssh/sshd_config.d/*.conf' >/etc/ssh/sshd_config
echo 'MaxAuthTries 3' >$etc/current/ssh/ours.conf
echo 'MaxAuthTries 9' >/etc/ssh/sshd_config.d/00-mine.conf
ln -s nowhere /etc/ssh/sshd_config.d/05-gone.conf
host observe <<<end | grep ^hand
odoogen-host status | grep -c '^by hand: '
odoogen-host status | grep ^missing
rm -r $etc/current/{systemd,ssh,tmpfiles.d,sysctl.d} /etc/{tmpfiles,sysctl}.d/{early,zlate}.conf /etc/sysctl.d/zother.conf /etc/ssh/sshd_config.d/{00-mine,05-gone}.conf /etc/systemd/system/{postgresql@*,other@*,odoogen-venv@17.service}
# A door that leads elsewhere is left so by an eject.
mkdir /mnt/elsewhere
ln -sfn /mnt/elsewhere /usr/local/lib/x.d
odoogen-host eject
readlink /usr/local/lib/x.d
# The clock was an hour ahead.
echo test | host lease n9 >/dev/null
touch -d '+1 hour' $state/lease
echo test | host lease n10
echo other | host lease n11

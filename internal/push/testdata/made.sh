#!/bin/bash
# A user and a directory are there already.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/namespace.sh"

mkdir -p $etc/generations/{0,1-a} /var/lib/theirs
ln -s generations/1-a $etc/current
useradd --no-create-home theirs

record() { echo "$1: $(tr '\t\n' ' ;' <$state/made)"; }
purge() { # WORDS...
	local IFS=$'\t'
	printf '%s\nend\n' "$*" | host purge n 2>&1 || true
}

echo test | host lease n
printf 'made\tuser\ttheirs\t-\t-\nmade\tdirectory\t/var/lib/theirs\t-\tqa\nmade\tuser\tours\t-\t-\nmade\tdirectory\t/var/lib/ours\t-\tqa\nend\n' |
	host turn n 1-a 60 >/dev/null
record made
host confirm n 10 <<<test >/dev/null
useradd --no-create-home ours
mkdir -p /var/lib/ours/deep $state/secrets
echo x >$state/secrets/by-hand
echo test | host lease n
purge user theirs -
purge directory /var/lib/theirs -
purge directory / -
purge user ours -
purge directory /var/lib/ours -
purge secret by-hand -
record purged
for name in theirs ours; do
	getent passwd $name >/dev/null && echo "user $name is there"
	[ ! -d /var/lib/$name ] || echo "directory $name is there"
done || true
ls $state/secrets
# What a push that was taken back has not come to make is in no record: who makes it then is somebody else.
odd='made\tuser\tlate\t-\t-\nmade\tdirectory\t/var/lib/late\t-\tqb\nmade\tdirectory\t/var/lib/soon\t-\tqb\nend\n'
mkdir -p $etc/generations/2-b
printf '%b' "$odd" | host turn n 2-b 60 >/dev/null
record 'about to be'
mkdir /var/lib/soon
host revert n >/dev/null
record 'taken back'
useradd --no-create-home late
echo test | host lease n >/dev/null
printf '%b' "$odd" | host turn n 2-b 60 >/dev/null
record 'wanted again'
host revert n >/dev/null
record 'and not'
# Of databases, nobody knows while the host boots.
echo test | host lease n >/dev/null
printf 'made\tcluster\t15/ours\t-\t-\nmade\tdatabase\tqb\t15/ours\tqb\nmade\tuser\tlater\t-\t-\nend\n' | host turn n 2-b 60 >/dev/null
mkdir -p /etc/postgresql/15/ours
touch /etc/postgresql/15/ours/postgresql.conf
host boot_state
record booted
printf '#!/bin/sh\necho postgres\n' >/usr/local/sbin/runuser
chmod +x /usr/local/sbin/runuser
echo test | host lease n >/dev/null
record 'asked again'
cut -f 3,4 $state/ledger

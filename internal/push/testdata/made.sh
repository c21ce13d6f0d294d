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
cut -f 3,4 $state/ledger

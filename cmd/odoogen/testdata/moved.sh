#!/bin/bash
# A host in namespaces of its own (mounts, network, processes), on which data is moved as a review says. $1 is a folder with
#   before, after            trees of the host
#   clusters-before, -after  a line "VERSION NAME PORT" for each cluster, and below root-before, root-after its doors
#   steps                    the commands that are printed, for root; below "# after it" those after the push
#   from, to                 "VERSION/NAME DATABASE ROLE DATADIR RELEASES" of the instance
# It says what the database and the folders of the instance are before and after.
set -euo pipefail
dir=$1
mount -t proc proc /proc
mount -t tmpfs tmpfs /mnt
mkdir -p /mnt/{etc,bin,work} /run/postgresql /opt/odoo /var/lib/odoo{,gen}
mount -t overlay -o lowerdir=/etc,upperdir=/mnt/etc,workdir=/mnt/work overlay /etc
for a in /etc/postgresql /var/lib/postgresql /var/log/postgresql /run/postgresql /var/lib/odoo /var/lib/odoogen /opt/odoo /root /etc/odoogen; do
	mkdir -p "$a"
	mount -t tmpfs -o mode=0755 tmpfs "$a"
done
chown postgres: /var/lib/postgresql /var/log/postgresql /run/postgresql
printf '#!/bin/sh\necho "systemctl $*"\n' >/mnt/bin/systemctl
chmod +x /mnt/bin/systemctl
export PATH=/mnt/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8

# turn before|after: what a push brings about: users, clusters with their settings, roles and databases.
turn() {
	local version name port
	cp -r "$dir/$1" /etc/odoogen/
	ln -sfn "$1" /etc/odoogen/current
	systemd-sysusers /etc/odoogen/current/sysusers.d/*.conf 2>/dev/null
	while read -r version name; do
		grep -q "^$version $name " "$dir/clusters-$1" || pg_ctlcluster --skip-systemctl-redirect "$version" "$name" stop -m fast
	done < <(pg_lsclusters -h | awk '{ print $1, $2 }')
	while read -r version name port; do
		if [ -d "/etc/postgresql/$version/$name" ]; then
			pg_ctlcluster --skip-systemctl-redirect "$version" "$name" reload
			continue
		fi
		pg_createcluster "$version" "$name" --port "$port" --locale C.UTF-8 --encoding UTF8 -- --data-checksums --no-sync >/dev/null
		cp -r "$dir/root-$1/etc/postgresql/$version/$name/." "/etc/postgresql/$version/$name/"
		pg_ctlcluster --skip-systemctl-redirect "$version" "$name" start -- -o '-c fsync=off'
	done <"$dir/clusters-$1"
	while read -r version name port; do
		runuser -u postgres -- /etc/odoogen/current/bin/postgres-apply "$version-$name"
	done <"$dir/clusters-$1"
}

# as CLUSTER DATABASE ROLE: runs the SQL on stdin as Odoo would.
as() { runuser -u "$3" -- psql --cluster "$1" -XAtq -v ON_ERROR_STOP=1 -d "$2"; }

look() {
	as "$1" "$2" "$3" <<<"SELECT count(*), sum(length(name)), min(name), max(id) FROM thing;
		SELECT tableowner FROM pg_tables WHERE tablename = 'thing'; SELECT nextval('thing_id_seq') > 100; SELECT unaccent('é'), convert_from(lo_get(4711), 'UTF8')"
	stat -c '%U %a' "$4/filestore/$2/ab/abc"
	cat "$4/filestore/$2/ab/abc" "$(dirname "$5")/current"
}

read -r cluster database role data releases <"$dir/from"
turn before
as "$cluster" "$database" "$role" <<<"CREATE TABLE thing (id serial PRIMARY KEY, name text NOT NULL);
	INSERT INTO thing (name) SELECT 'naïve \\ '' \" ' || n FROM generate_series(1, 1000) n;
	CREATE INDEX ON thing (lower(name)); CREATE VIEW v AS SELECT * FROM thing; SELECT lo_from_bytea(4711, 'large');" >/dev/null
install -d -o "$role" -g "$role" "$data" "$data/filestore" "$data/filestore/$database" "$data/filestore/$database/ab"
install -o "$role" -g "$role" -m 0600 <(echo an attachment) "$data/filestore/$database/ab/abc"
mkdir -p "$releases"
echo a release >"$(dirname "$releases")/current"
look "$cluster" "$database" "$role" "$data" "$releases" | paste -sd ' '

bash -euo pipefail <(sed '/^# after/,$d' "$dir/steps")
turn after
bash -euo pipefail <(sed '0,/^# after/d' "$dir/steps")
read -r cluster database role data releases <"$dir/to"
look "$cluster" "$database" "$role" "$data" "$releases" | paste -sd ' '
find /var/lib/odoogen -type f

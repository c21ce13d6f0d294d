# shellcheck shell=bash
# A saved database becomes a live one again: what restore and drill share.
# shellcheck source-path=SCRIPTDIR source=restic.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/restic.sh"

# sql runs one statement as the cluster's superuser. Never in a database of Odoo's: what is in there could make it call
# its own functions.
sql() { as postgres "$PG_BIN/psql" -h "$PG_SOCKET" -p "$PG_PORT" -d postgres -XAtq -v ON_ERROR_STOP=1 \
	-c "SET client_min_messages = warning" -c "$1"; }

# query runs statements as the instance's user: query DATABASE STATEMENTS
query() { as "$ODOO_USER" "$PG_BIN/psql" -h "$PG_SOCKET" -p "$PG_PORT" -d "$1" -XAtq -v ON_ERROR_STOP=1 -c "$2"; }

# drop_database ends whoever is connected.
drop_database() { sql "DROP DATABASE IF EXISTS \"$1\" WITH (FORCE)"; }

# fetch puts dump and filestore of a snapshot below FOLDER/own, which is the instance's user's: what is done there is
# done as that user, so that no link planted in it leads root astray. fetch INSTANCE SNAPSHOT FOLDER
fetch() {
	rm -rf -- "$3"
	install -d -m 0711 -- "$3"
	open_repository shared
	restic restore "$2" --host "$HOST" --tag "instance:$1" --target "$3"
	[ -d "$3$DUMPS/$1/dump" ] || die "snapshot $2 is not one of $1"
	# User ids of another machine, or of another instance, mean nothing here.
	chown --recursive --no-dereference "$ODOO_USER:" "$3$DUMPS/$1"
	mv -T -- "$3$DUMPS/$1" "$3/own"
}

# fill makes a new database of a dump, as Odoo itself makes one: fill DATABASE DUMP
# The extensions come first, while nothing of Odoo's is in it: a dump does not say that unaccent() is immutable, and
# indexes of the dump may need it. Their comments are left out, which only their owner may write.
fill() {
	local list
	drop_database "$1"
	sql "CREATE DATABASE \"$1\" OWNER \"$ODOO_USER\" TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C'"
	as postgres "$PG_BIN/psql" -h "$PG_SOCKET" -p "$PG_PORT" -d "$1" -Xq -v ON_ERROR_STOP=1 <"$tree/$EXTENSIONS"
	list=$(mktemp)
	as "$ODOO_USER" "$PG_BIN/pg_restore" --list "$2" | grep -v ' COMMENT - EXTENSION ' >"$list"
	chmod 0644 -- "$list"
	as "$ODOO_USER" "$PG_BIN/pg_restore" -h "$PG_SOCKET" -p "$PG_PORT" -d "$1" --jobs=2 --no-owner --exit-on-error \
		--use-list "$list" "$2"
	rm -f -- "$list"
}

# odoo runs the instance's own code: odoo ARGUMENT...
odoo() { as "$ODOO_USER" "$VENV/bin/python" "$ROOT/current/$ODOO_BIN" "$@"; }

# estrange makes a copy harmless before any server sees it: no mail, no cron, no payment; and a new identity, which
# Odoo's neutralize leaves alone. Neutralize finds its statements in the addons path: an instance without code cannot.
# estrange DATABASE [OPTION...]
estrange() {
	odoo neutralize -c "$ODOO_CONF" -d "$1" "${@:2}"
	query "$1" "DELETE FROM ir_config_parameter WHERE key = 'web.base.url.freeze';
		UPDATE ir_config_parameter SET value = gen_random_uuid()::text WHERE key IN ('database.secret', 'database.uuid');
		UPDATE ir_config_parameter SET value = to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')
			WHERE key = 'database.create_date';
		UPDATE ir_config_parameter SET value = 'http://localhost:$HTTP_PORT' WHERE key = 'web.base.url'"
}

# lost prints the attachments that the database names and the folder does not hold: lost DATABASE FILESTORE
lost() {
	query "$1" "SELECT DISTINCT store_fname FROM ir_attachment WHERE store_fname <> ''" | while read -r file; do
		[ -f "$2/$file" ] || printf '%s\n' "$file"
	done
}

# answers waits until Odoo serves its login page: a 200 there needs a database that works, /web/health does not.
# answers PORT SECONDS
answers() {
	local end=$((SECONDS + $2)) code
	while ((SECONDS <= end)); do
		code=$(curl --silent --max-time 10 --output /dev/null --write-out '%{http_code}' --header "Host: $DOMAIN" \
			--header "X-Forwarded-Host: $DOMAIN" --header "X-Forwarded-Proto: https" \
			"http://127.0.0.1:$1/web/login") || true
		[ "$code" != 200 ] || return 0
		sleep 1
	done
	say "no login page at port $1 after $2 s: HTTP $code"
	return 1
}

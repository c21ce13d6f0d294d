package generators

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"odoogen/internal/pgtest"
)

// The updater believes the database and the log, not Odoo's exit code. Odoo is a script here that says and does to the
// table of modules what Odoo would; all else is real.
func TestUpdateBelievesTheDatabase(t *testing.T) {
	server := pgtest.New(t, "update", 5432, nil)
	server.Query("postgres", "postgres", "CREATE DATABASE db")
	program := filepath.Join(server.Dir, "odoo-bin")
	script := filepath.Join(server.Dir, "odoo-update")
	data, err := os.ReadFile("files/bin/odoo-update")
	if err != nil {
		t.Fatal(err)
	}
	write(t, script, string(data), 0o755)

	const table = "CREATE TABLE IF NOT EXISTS ir_module_module (name text, state text);"
	const info, failure = "echo '2026-01-01 00:00:00,000 7 INFO db odoo: loaded';", "echo '2026-01-01 00:00:00,000 7 ERROR db odoo: broken view';"
	for name, c := range map[string]struct{ before, odoo, modules, init, want string }{
		"an update that works":         {before: "web:installed", odoo: info, modules: "web"},
		"a first installation":         {odoo: info + "module base installed", init: "base"},
		"both at once":                 {before: "web:installed", odoo: info + "module sale installed", modules: "web", init: "sale"},
		"after one that was cut off":   {before: "web:to_upgrade", odoo: info + "module web installed", modules: "web"},
		"an unknown module":            {before: "web:installed", odoo: info, modules: "web,nosuch", want: "not installed in db: nosuch"},
		"one that is not installed":    {before: "sale:uninstalled", odoo: info, modules: "sale", want: "not installed in db: sale"},
		"an empty database":            {odoo: info, modules: "web", want: "db is empty: nothing to update"},
		"one that Odoo cannot install": {before: "web:installed", odoo: info, init: "nosuch", want: "not installed in db after the update: nosuch"},
		"Odoo's own failure":           {before: "web:installed", odoo: "exit 255", modules: "web", want: "exit status 255"},
		"an error in the log":          {before: "web:installed", odoo: failure, modules: "web", want: "Odoo logged an error: db may be half updated"},
		"another one half done":        {before: "web:installed sale:to_upgrade", odoo: info, modules: "web", want: "half done in db: sale (to upgrade)"},
		"nothing to do":                {want: "neither MODULES nor INIT say what to do"},
		"what is no list of modules":   {modules: "web'; DROP TABLE x", want: "not a list of modules: web'; DROP TABLE x"},
	} {
		t.Run(name, func(t *testing.T) {
			before := "DROP TABLE IF EXISTS ir_module_module;"
			for m := range strings.FieldsSeq(c.before) {
				module, state, _ := strings.Cut(m, ":")
				before += table + "INSERT INTO ir_module_module VALUES ('" + module + "', '" + strings.ReplaceAll(state, "_", " ") + "');"
			}
			server.Query("postgres", "db", before)
			write(t, program, `module() { psql -qX -h "$SOCKETS" -p "$PORT" -d db -c "`+table+`
				DELETE FROM ir_module_module WHERE name = '$1'; INSERT INTO ir_module_module VALUES ('$1', '$2')" 2>/dev/null; }
`+c.odoo+"\n", 0o644)
			out, err := server.Command("env", "PGUSER=postgres", "PYTHON=bash", "PROGRAM="+program, "CONFIG=/odoo.conf", "DATABASE=db",
				"SOCKETS="+server.Socket(), "PORT=5432", "MODULES="+c.modules, "INIT="+c.init, script).CombinedOutput()
			said := string(out)
			if err != nil {
				said += err.Error()
			}
			if (err != nil) != (c.want != "") || !strings.Contains(said, c.want) {
				t.Errorf("%v, want %q\n%s", err, c.want, said)
			}
		})
	}
}

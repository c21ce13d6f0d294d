package conf

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"odoogen/internal/pgtest"
)

// odd are names and values that a careless writer breaks on. None is longer than the 63 bytes of a name.
var odd = []string{
	"plain", "two words", "quo'te", `quo"te`, "''", `""`, `\`, `back\slash`, `\n`, `end\`, "#hash", "a#b", "semi;colon", "a,b",
	"all", "replication", "sameuser", "samerole", "+group", "@file", "-dash", "1", "4x", "%d", "$1", ":x", `:'x'`, "%I", "é", "日本",
	"upper CASE", "null", "default", "--", "x /* c */", "$$", `\gexec`, "a.b", "{x}", "0x10", "1.5", "10 MB", "true", "don''t",
}

// A real server reads settings, rules of access, names and texts back as they were given to the writers.
func TestPostgresReadsBackWhatIsWritten(t *testing.T) {
	settings := NewPostgres("spec", "test")
	rules := NewHBA("spec", "test")
	rules.Local(nil, "postgres", "trust")
	script := NewSQL("spec", "test")
	for n, s := range odd {
		settings.Set(fmt.Sprintf("odoogen.value_%d", n), s)
		rules.Local([]string{s, "other"}, s, "reject")
		script.Unless("SELECT FROM pg_roles WHERE rolname = "+script.Literal("r "+s), "CREATE ROLE "+script.Name("r "+s))
		script.Run("COMMENT ON ROLE " + script.Name("r "+s) + " IS " + script.Literal(s))
	}
	var file string
	server := pgtest.New(t, "writers", 5432, func(c *pgtest.Cluster) {
		hba := filepath.Join(c.Dir, "hba.conf")
		settings.Set("hba_file", hba)
		for path, text := range map[string]*Text{
			filepath.Join(c.ConfD(), "odd.conf"): &settings.Text, hba: &rules.Text, filepath.Join(c.Dir, "odd.sql"): &script.Text,
		} {
			if err := os.WriteFile(path, resultOf(t, text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		file = filepath.Join(c.Dir, "odd.sql")
	})
	query := func(sql string) string { return server.Query("postgres", "postgres", sql) }

	if errors := query("SELECT line_number, error FROM pg_hba_file_rules WHERE error IS NOT NULL"); errors != "" {
		t.Fatal(errors)
	}
	for range 2 {
		server.Run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", server.Socket(), "-p", "5432", "-U", "postgres", "-d", "postgres", "-f", file)
	}
	databases := strings.Split(query("SELECT replace(database[1], E'\\n', '') FROM pg_hba_file_rules WHERE auth_method = 'reject' ORDER BY line_number"), "\n")
	users := strings.Split(query("SELECT user_name[1] FROM pg_hba_file_rules WHERE auth_method = 'reject' ORDER BY line_number"), "\n")
	for n, s := range odd {
		if got := query(fmt.Sprintf("SHOW odoogen.value_%d", n)); got != s {
			t.Errorf("setting %q became %q", s, got)
		}
		if databases[n] != s || users[n] != s {
			t.Errorf("rule for %q became one for database %q, user %q", s, databases[n], users[n])
		}
	}
	comments := query("SELECT rolname || '|' || shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname LIKE 'r %' ORDER BY oid")
	want := make([]string, len(odd))
	for n, s := range odd {
		want[n] = "r " + s + "|" + s
	}
	if got := strings.Split(comments, "\n"); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("roles and comments\ngot  %q\nwant %q", got, want)
	}
}

// A keyword in quotes is a name: no rule for a database called "all" lets anybody into another.
func TestKeywordsOfHBAAreNames(t *testing.T) {
	h := NewHBA("spec", "test")
	for _, name := range []string{"all", "replication", "+group", "@file"} {
		h.Local([]string{name}, name, "peer")
	}
	for line := range strings.Lines(string(resultOf(t, &h.Text))) {
		if strings.HasPrefix(line, "local") && strings.Count(line, `"`) != 4 {
			t.Errorf("not a name: %s", line)
		}
	}
}

// What PostgreSQL cannot carry is refused, and not cut or taken for something else.
func TestPostgresRefuses(t *testing.T) {
	for name, write := range map[string]func() *Text{
		"a name of 64 bytes":          func() *Text { s := NewSQL("spec", "test"); s.Name(strings.Repeat("x", 64)); return &s.Text },
		"a text of two lines":         func() *Text { s := NewSQL("spec", "test"); s.Literal("a\nb"); return &s.Text },
		"a connection string":         func() *Text { s := NewSQL("spec", "test"); s.Connect("host=evil"); return &s.Text },
		"a regular expression":        func() *Text { h := NewHBA("spec", "test"); h.Local([]string{"/."}, "x", "peer"); return &h.Text },
		"a setting of two lines":      func() *Text { p := NewPostgres("spec", "test"); p.Set("x", "a\nfsync=off"); return &p.Text },
		"a database without any name": func() *Text { h := NewHBA("spec", "test"); h.Local([]string{""}, "x", "peer"); return &h.Text },
	} {
		if _, _, err := write().Result(); err == nil {
			t.Errorf("%s was written", name)
		}
	}
}

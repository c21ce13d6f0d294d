package provenance_test

import (
	"strings"
	"testing"

	"odoogen/internal/provenance"
)

// A hand edit, and what the spec would say to have it so. Files that begin with / lie beside the tree: systemctl edit,
// systemctl set-property and ALTER SYSTEM leave them.
func TestAdopt(t *testing.T) {
	b, _ := built(t)
	// edited is a file of the sample's tree of tests, with one text for another.
	edited := func(path, old, new string) provenance.Edit {
		t.Helper()
		for _, tree := range b.Trees {
			if f := tree.File(path); tree.Host == "tests" && f != nil && strings.Contains(string(f.Data), old) {
				return provenance.Edit{File: path, New: []byte(strings.Replace(string(f.Data), old, new, 1))}
			}
		}
		t.Fatalf("no %q in %s", old, path)
		return provenance.Edit{}
	}
	for _, c := range []struct {
		edit provenance.Edit
		want string // setting | CUE | part of the note
	}{
		{edited("systemd/system/odoo-qa17.service.d/10-limits.conf", "CPUQuota=150%", "CPUQuota=200%"),
			`CPUQuota = 200% | instances: qa17: CPUQuota: "200%" |`},
		{provenance.Edit{File: "/etc/systemd/system/odoo-qa17.service.d/override.conf", New: []byte("[Service]\nMemoryMax=4G\n")},
			`MemoryMax = 4G | instances: qa17: MemoryMax: "4G" |`},
		{provenance.Edit{File: "/etc/systemd/system.control/odoo-qa17.service.d/50-MemoryMax.conf", New: []byte("# set-property\n[Service]\nMemoryMax=4294967296\n")},
			`MemoryMax = 4294967296 | instances: qa17: MemoryMax: "4G" |`},
		{edited("systemd/system/odoo-qa17.slice.d/10-limits.conf", "MemoryMax=4G", "MemoryMax=6G"),
			`MemoryMax = 6G |  | is computed, from classes.qa.MemoryMax, classes.qa.update.MemoryMax`},
		{edited("postgresql/main/reload.conf", "log_min_duration_statement = 5s", "log_min_duration_statement = 1s"),
			`log_min_duration_statement = 1s | clusters: main: settings: log_min_duration_statement: "1s" |`},
		{provenance.Edit{File: "/var/lib/postgresql/15/main/postgresql.auto.conf", New: []byte("# ALTER SYSTEM\nwork_mem = '24MB'\n")},
			`work_mem = 24MB | clusters: main: settings: work_mem: "24MB" |`},
		{provenance.Edit{File: "/etc/postgresql/15/main/postgresql.conf", New: []byte("max_connections = 100\ninclude_dir = 'conf.d'\t# files\nwork_mem 24MB # more\n")},
			`work_mem = 24MB | clusters: main: settings: work_mem: "24MB" |`},
		{edited("odoo/qa17.conf", "http_port = 8017", "http_port = 8018"), `http_port = 8018 |  | is computed, from`},
		{edited("odoo/qa17.conf", "proxy_mode = True", "proxy_mode = False"), `proxy_mode = False |  | odoogen sets it itself`},
		{edited("odoo/qa17.conf", "limit_time_real = 120", "limit_time_real = 300"), `limit_time_real = 300 | instances: qa17: limit_time_real: 300 |`},
		{edited("odoo/qa17.conf", "without_demo = all\n", ""), `without_demo = all |  | was taken out`},
		{edited("odoo/qa17.conf", "[options]", "# a word\n[options]"), ` |  | sets nothing otherwise`},
		{edited("nginx/snippets/odoo.conf", "\n", "\n# x\n"), ` |  | the spec has no word`},
	} {
		found, err := b.Adopt("tests", c.edit)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range found {
			got = append(got, p.Setting+" | "+p.CUE+" | "+p.Note)
		}
		if len(got) != 1 || !strings.HasPrefix(got[0], strings.TrimSpace(c.want)) && !strings.HasPrefix(got[0], c.want) {
			t.Errorf("%s:\n%s\nwant\n%s", c.edit.File, strings.Join(got, "\n"), c.want)
		}
	}
}

package topology

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// loadSpec loads the sample with more text below it, from a directory of its own.
func loadSpec(t testing.TB, edit func(sample string) string) (*Topology, *Origins, error) {
	t.Helper()
	sample, err := os.ReadFile(filepath.Join(repository, "envs.cue"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "envs.cue"), []byte(edit(string(sample))), 0o644); err != nil {
		t.Fatal(err)
	}
	return Load(dir)
}

// TestOriginIsWhereTheUserDecided pins, for every way in which a field can get its value, which place is its origin.
func TestOriginIsWhereTheUserDecided(t *testing.T) {
	const small = `{class: "qa", version: "19.0", domain: "x.example.com", CPUQuota: "10%", MemoryMax: "1G", workers: 2, db_maxconn: 2, db_maxconn_gevent: 2, update: MemoryMax: "512M", disk: {database: "1G", filestore: "1G", release: "1G"}, `
	for _, tt := range []struct {
		name, text, path, want string // want: the line that is the origin, by what it holds, or the schema's file
	}{
		{"a literal in the instance", `instances: x: #Instance & ` + small + "\n\thttp_port: 9001\n}",
			"instances.x.http_port", "http_port: 9001"},
		{"a template", "#X: #Instance & " + small + "\n\thttp_port: 9001\n}\ninstances: x: #X",
			"instances.x.http_port", "http_port: 9001"},
		{"arithmetic", "_base: 9000\ninstances: x: #Instance & " + small + "\n\thttp_port: _base + 1\n}",
			"instances.x.http_port", "http_port: _base + 1"},
		{"a reference: the line that refers", "_port: 9001\ninstances: x: #Instance & " + small + "\n\thttp_port: _port\n}",
			"instances.x.http_port", "http_port: _port"},
		{"a let", "let P = 9001\ninstances: x: #Instance & " + small + "\n\thttp_port: P\n}",
			"instances.x.http_port", "http_port: P"},
		{"a default of the user's own template", "#X: #Instance & {\n\thttp_port: int | *9001\n\t...\n}\ninstances: x: #X & " + small + "}",
			"instances.x.http_port", "http_port: int | *9001"},
		{"two equal declarations: the first", "instances: x: #Instance & " + small + "\n\thttp_port: 9001\n}\ninstances: x: http_port:  9001",
			"instances.x.http_port", "http_port: 9001"},
		{"a list", "instances: x: #Instance & " + small + "\n\thttp_port: 9001\n\taliases: [\n\t\t\"y.example.com\",\n\t]\n}",
			"instances.x.aliases", "aliases: ["},
		{"an element of a list", "instances: x: #Instance & " + small + "\n\thttp_port: 9001\n\taliases: [\n\t\t\"y.example.com\",\n\t]\n}",
			"instances.x.aliases[0]", `"y.example.com"`},
		{"the default of the schema", "", "clusters.main.settings.jit", "schema/postgres.cue"},
		{"a default out of the schema's table", "", "clusters.main.settings.work_mem", "schema/postgres.cue"},
		{"what is not there: what is around it", "instances: x: #Instance & " + small + "\n\thttp_port: 9001\n}", "instances.x.upload", "instances: x:"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var spec string
			_, origins, err := loadSpec(t, func(sample string) string {
				spec = sample + "\n" + tt.text + "\n"
				return spec
			})
			if err != nil {
				t.Fatal(err)
			}
			place, ok := origins.Of(tt.path)
			if !ok {
				t.Fatalf("%s has no origin", tt.path)
			}
			if strings.HasPrefix(tt.want, "schema/") {
				if !strings.HasSuffix(place.File, tt.want) {
					t.Errorf("%s comes from %s, want %s", tt.path, place, tt.want)
				}
				return
			}
			line := strings.Split(spec, "\n")[place.Line-1]
			if !strings.Contains(line, tt.want) {
				t.Errorf("%s comes from line %d, %q, want the one with %q", tt.path, place.Line, line, tt.want)
			}
		})
	}
}

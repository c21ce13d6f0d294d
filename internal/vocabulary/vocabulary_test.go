package vocabulary

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"odoogen/internal/pgtest"
)

// The settings of PostgreSQL 15 are those that a real one knows, and what wants a restart is what it says so of.
func TestPostgresKnowsTheseSettings(t *testing.T) {
	notInFiles := []string{"config_file", "transaction_deferrable", "transaction_isolation", "transaction_read_only"}
	cluster := pgtest.New(t, "vocabulary", 15432, nil)
	var want []string
	for line := range strings.Lines(cluster.Query("postgres", "postgres", "SELECT name || ' ' || context FROM pg_settings WHERE context <> 'internal'")) {
		name, context, _ := strings.Cut(strings.TrimSpace(line), " ")
		if slices.Contains(notInFiles, name) || strings.Contains(name, ".") {
			continue
		}
		want = append(want, name)
		if restart := context == "postmaster"; PostgresWantsRestart(name) != restart {
			t.Errorf("%s: wants a restart: %t, PostgreSQL says %s", name, !restart, context)
		}
	}
	for name, unit := range PostgresUnits {
		if is := cluster.Query("postgres", "postgres", "SELECT unit FROM pg_settings WHERE name = '"+name+"'"); is != unit {
			t.Errorf("%s: is measured in %s, PostgreSQL says %s", name, unit, is)
		}
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, PostgresSettings(15)); diff != "" {
		t.Errorf("-PostgreSQL +here:\n%s", diff)
	}
}

func TestPostgresSettingsDifferByVersion(t *testing.T) {
	for _, tt := range []struct {
		name        string
		first, last int
	}{
		{"stats_temp_directory", 13, 14}, {"idle_session_timeout", 14, 18}, {"archive_library", 15, 18},
		{"promote_trigger_file", 13, 15}, {"reserved_connections", 16, 18}, {"old_snapshot_threshold", 13, 16},
		{"transaction_timeout", 17, 18}, {"io_method", 18, 18}, {"work_mem", 13, 18},
	} {
		for v := 13; v <= 18; v++ {
			if known := slices.Contains(PostgresSettings(v), tt.name); known != (v >= tt.first && v <= tt.last) {
				t.Errorf("%s in PostgreSQL %d: %t", tt.name, v, known)
			}
		}
	}
}

// The settings of units are those that systemd lists itself, but for old names.
func TestSystemdKnowsTheseSettings(t *testing.T) {
	out, err := exec.Command("/lib/systemd/systemd", "--dump-configuration-items").Output()
	if err != nil {
		t.Fatalf("%v (Debian package systemd)", err)
	}
	dumped := map[string][]string{}
	section := ""
	for line := range strings.Lines(string(out)) {
		if name, is := strings.CutPrefix(strings.TrimSpace(line), "["); is {
			section = strings.TrimSuffix(name, "]")
		} else if key, _, is := strings.Cut(line, "="); is {
			dumped[section] = append(dumped[section], key)
		}
	}
	for _, section := range []string{"Unit", "Service", "Slice", "Socket", "Timer", "Path", "Mount"} {
		if len(dumped[section]) == 0 {
			t.Errorf("systemd lists nothing in [%s]", section)
		}
		for _, key := range UnitSettings(section, 12) {
			if !slices.Contains(dumped[section], key) {
				t.Errorf("[%s] %s: systemd does not list it", section, key)
			}
		}
		for _, key := range dumped[section] {
			old := slices.Contains(oldNames, key) || strings.Contains(key, "BlockIO")
			if known := slices.Contains(UnitSettings(section, 12), key); known == old {
				t.Errorf("[%s] %s: here %t, an old name: %t", section, key, known, old)
			}
		}
	}
}

// oldNames are settings that systemd still takes, of which it warns or knows better names.
var oldNames = words(`CPUShares StartupCPUShares MemoryLimit BindTo PropagateReloadTo PropagateReloadFrom RequiresOverridable
	RequisiteOverridable OnFailureIsolate StartLimitInterval`)

func TestOptionsOfOdoo(t *testing.T) {
	for _, tt := range []struct {
		key    string
		series int
		known  bool
	}{
		{"log_level", 17, true}, {"log_level", 19, true}, {"with_demo", 17, false}, {"with_demo", 19, true},
		{"translate_in", 17, true}, {"translate_in", 19, false}, {"longpolling_port", 17, false}, {"Workers", 17, false},
	} {
		if known := OdooOption(tt.key, tt.series) != 0; known != tt.known {
			t.Errorf("%s in Odoo %d: %t", tt.key, tt.series, known)
		}
	}
	if all := OdooOptions(19); slices.Contains(all, "stop_after_init") || !slices.Contains(all, "workers") {
		t.Errorf("options of a file: %v", all)
	}
}

func TestNginxDirective(t *testing.T) {
	for line, want := range map[string]string{
		`client_body_timeout 5m;`:                         "client_body_timeout",
		`  location = /x { return 204; }  `:               "location",
		`location /x { if ($a) { return 1; } return 2; }`: "location",
		`return 200 "a;b}{#\"c";`:                         "return",
		`return 200 'it"s';`:                              "return",
		`rewrite ^/a\;b$ /c;`:                             "rewrite",
		`set $x a#b;`:                                     "set",
		`set $x ${host};`:                                 "set",
		`location ~ "^/[a-z]{2}$" { return 204; }`:        "location",
		`x{}`:                                    "x",
		"":                                       "",
		"   ":                                    "",
		"x":                                      "",
		";":                                      "",
		"{ }":                                    "",
		"}":                                      "",
		"x; y;":                                  "",
		"x {":                                    "",
		"x { y }":                                "",
		"x { } }":                                "",
		"x } y {":                                "",
		"x; # y":                                 "",
		"# x;":                                   "",
		`x "y;`:                                  "",
		`x "y"z;`:                                "",
		`x 'y;`:                                  "",
		`x \;`:                                   "",
		`x "y\";`:                                "",
		`location ~ ^/[a-z]{2}$ { return 204; }`: "",
	} {
		name, err := NginxDirective(line)
		if name != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v; want %q", line, name, err, want)
		}
	}
}

// A file of nginx's comes back as its directives, each in one line with its block, and with the line that it begins at.
func TestNginxDirectives(t *testing.T) {
	for file, want := range map[string]string{
		"":                              "",
		"# x\n":                         "",
		"a;\n\tb  c\n d;":               "0 a;|1 b c d;",
		"x {\n\t# y }\n\ty 1;\n}\nz;\n": "0 x { y 1; }|4 z;",
		"x{}":                           "0 x { }",
		"x {\n\ty {\n\t\tz;\n\t}\n}":    "0 x { y { z; } }",
		"x \"a  ;{}#\n\\\" b\" 'c';":    "0 x \"a  ;{}#\n\\\" b\" 'c';",
		"x ${a}b;":                      "0 x ${a}b;",
		"x a#b; # c":                    "0 x a#b;",
		"x":                             "has no ; at its end",
		"x {":                           "does not close its {",
		"x { y }":                       "has a } that closes nothing",
		"a; }":                          "has a } that closes nothing",
		"a; ;":                          "has ; where a directive begins",
		"a 'b":                          "does not close a quote",
	} {
		all, err := NginxDirectives(file)
		var got []string
		for _, d := range all {
			got = append(got, fmt.Sprint(d.Line, " ", d))
		}
		if err != nil {
			got = []string{err.Error()}
		}
		if text := strings.Join(got, "|"); text != want {
			t.Errorf("%q: %s, want %s", file, text, want)
		}
	}
}

// A list among the settings of units is a setting.
func TestUnitListsAreSettings(t *testing.T) {
	known := map[string]bool{}
	for _, settings := range unitSettings {
		for _, s := range settings {
			known[s] = true
		}
	}
	for _, l := range unitLists {
		if !known[l] || !UnitList(l) {
			t.Errorf("systemd has no setting %s", l)
		}
	}
	if !UnitList("ConditionPathExists") || UnitList("CPUQuota") {
		t.Error("conditions are joined, and of quotas the last counts")
	}
}

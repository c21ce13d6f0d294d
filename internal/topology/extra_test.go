package topology

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"odoogen/internal/vocabulary"
)

// found are what a pattern finds in the repository's files, each once.
func found(t *testing.T, glob, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(repository, glob))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %v, %v", glob, files, err)
	}
	var all []string
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(data), -1) {
			all = append(all, m[1])
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// What odoogen sets itself is refused as a way out: a second line would be an error to the program, or the last word.
func TestWhatOdoogenSetsIsItsOwn(t *testing.T) {
	for _, key := range found(t, "golden/tests/odoo/*.conf", `(?m)^([a-z_]+) = `) {
		if _, own := ownOptions[key]; !own {
			t.Errorf("odoo.conf has %s, which is not in ownOptions", key)
		}
	}
	typed := fieldNames(reflect.TypeFor[ClusterSettings]())
	for _, key := range found(t, "golden/tests/postgresql/*/*.conf", `(?m)^([a-z_]+) = `) {
		if _, own := ownSettings[key]; !own && !slices.Contains(typed, key) {
			t.Errorf("PostgreSQL's files have %s, which is not in ownSettings", key)
		}
	}
	if kernel := found(t, "generators/files/sysctl.d/odoogen.conf", `(?m)^([a-z0-9_.]+) = `); !slices.Equal(kernel, slices.Sorted(slices.Values(ownSysctl))) {
		t.Errorf("sysctl.d has %v, ownSysctl %v", kernel, ownSysctl)
	}
	// Of a vhost those are left to the user that nginx takes more than once, or that stand in a location.
	repeatable := strings.Fields("include add_header proxy_hide_header proxy_set_header access_log location default_type return root proxy_pass")
	for _, glob := range []string{"golden/tests/nginx/qa17.conf", "golden/tests/nginx/snippets/odoo.conf", "golden/tests/nginx/snippets/tls.conf"} {
		for _, name := range found(t, glob, `(?m)^\s*([a-z_0-9]+)(?: .*)?[;{]$`) {
			if _, own := ownDirectives[name]; !own && !slices.Contains(repeatable, name) && name != "server" && name != "upstream" {
				t.Errorf("%s has %s, which is not in ownDirectives", glob, name)
			}
		}
	}
}

// Every unit that a tree of the sample brings or limits can have a drop-in, and is known by its name.
func TestOwnUnitsAreThoseOfTheTrees(t *testing.T) {
	top, _ := loadSample(t)
	for _, h := range top.Hosts {
		own := top.ownUnits(h)
		entries, err := os.ReadDir(filepath.Join(repository, "golden", h.Name, "systemd/system"))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			name := strings.TrimSuffix(e.Name(), ".d")
			if _, known := own[name]; !known && (strings.HasPrefix(name, "odoo") || strings.HasPrefix(name, "postgresql@")) {
				t.Errorf("%s: %s is not among ownUnits", h.Name, name)
			}
		}
	}
}

// Every name that is odoogen's own is one that the program knows: a misspelt one would guard nothing.
func TestOwnNamesExist(t *testing.T) {
	for key := range ownOptions {
		if vocabulary.OdooOption(key, 17)+vocabulary.OdooOption(key, 19) == 0 {
			t.Errorf("Odoo has no option %s", key)
		}
	}
	for _, key := range secretOptions {
		if vocabulary.OdooOption(key, 19) == 0 {
			t.Errorf("Odoo has no option %s", key)
		}
	}
	for key := range ownSettings {
		if !slices.Contains(vocabulary.PostgresSettings(15), key) && key != "config_file" {
			t.Errorf("PostgreSQL has no setting %s", key)
		}
	}
}

// An instance has its class's further options beside its own, which come first.
func TestExtraIsInherited(t *testing.T) {
	top, _, err := loadSpec(t, func(sample string) string {
		return sample + `
classes: qa: extra: {log_level: "warn", limit_request: 4096}
instances: qa17: extra: {log_level: "debug", unaccent: true}
`
	})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, i := range top.Instances {
		for _, s := range i.Extra {
			got[i.Name] += s.Name + "=" + s.Value.Odoo() + " (" + s.Path + ") "
		}
	}
	want := map[string]string{
		"qa17": "limit_request=4096 (classes.qa.extra.limit_request) log_level=debug (instances.qa17.extra.log_level) unaccent=True (instances.qa17.extra.unaccent) ",
		"qa19": "limit_request=4096 (classes.qa.extra.limit_request) log_level=warn (classes.qa.extra.log_level) ",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

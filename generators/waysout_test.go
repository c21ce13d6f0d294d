package generators_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Each way out reaches some host, and every line that changes with it names its path.
func TestEveryWayOutMatters(t *testing.T) {
	envs := read(t, "envs.cue")
	all := read(t, "cmd/odoogen/testdata/ways-out.cue")
	dir := t.TempDir()
	build := func(more string) *compiled {
		t.Helper()
		if err := writeSpec(dir, envs, strings.TrimPrefix(more, "package envs\n")); err != nil {
			t.Fatal(err)
		}
		c, err := compile(dir)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	base := build(all)
	for _, tt := range []struct{ path, old, now string }{
		{"packages.extra[0]", `"htop"`, `"iotop"`},
		{"hosts.tests.reserve.ports[0]", `11434`, `11435`},
		{"hosts.tests.packages[1]", `"strace"`, `"ltrace"`},
		{`hosts.tests.sysctl."vm.overcommit_memory"`, `"vm.overcommit_memory": 2`, `"vm.overcommit_memory": 1`},
		{`hosts.tests.units."odoo-qa17.service".dropin.Service.Nice`, `Nice: 5`, `Nice: 6`},
		{`hosts.tests.units."odoo-qa17.service".dropin.Service.Environment[0]`, `DEVMODE=1`, `DEVMODE=0`},
		{`hosts.tests.units."odoo-qa17.service".dropin.Unit.Documentation`, `example.com/runbook`, `example.com/other`},
		{"clusters.main.extra.deadlock_timeout", `"2s"`, `"3s"`},
		{"clusters.main.extra.track_io_timing", `track_io_timing:                true`, `track_io_timing:                false`},
		{"clusters.main.extra.max_prepared_transactions", `max_prepared_transactions:      10`, `max_prepared_transactions:      11`},
		{"classes.qa.extra.limit_request", `4096`, `4097`},
		{"classes.qa.extra.unaccent", `unaccent:      true`, `unaccent:      false`},
		{"instances.qa19.extra.log_level", `"info"`, `"error"`},
		{"instances.qa19.nginx[0]", `timeout 5m`, `timeout 6m`},
	} {
		t.Run(tt.path, func(t *testing.T) {
			if n := strings.Count(all, tt.old); n != 1 {
				t.Fatalf("%s is there %d times", tt.old, n)
			}
			now := build(strings.Replace(all, tt.old, tt.now, 1))
			if identical(base.trees, now.trees) {
				t.Error("changes no byte")
			}
			for _, u := range unlisted(base.trees, now.trees, map[string]bool{tt.path: true}) {
				t.Error("changes, unsaid:", u)
			}
		})
	}
	// The effect of a drop-in is no byte of it, but one of MANIFEST.
	now := build(strings.Replace(all, `effect: "restart"`, `effect: "daemon-reload"`, 1))
	if identical(base.trees, now.trees) {
		t.Error("the effect of a drop-in changes nothing")
	}
}

// Without them no tree has a trace of ways out.
func TestTheSampleIsModelled(t *testing.T) {
	for _, tree := range sample(t).trees {
		for _, f := range tree.Files {
			if strings.Contains(string(f.Data), "Unmodelled") {
				t.Errorf("%s/%s has unmodelled parts", tree.Host, f.Path)
			}
		}
		host, err := tree.ReadHost()
		if err != nil {
			t.Fatal(err)
		}
		if len(host.Unmodelled) > 0 {
			t.Errorf("%s: unmodelled: %v", tree.Host, host.Unmodelled)
		}
	}
}

// read is a file of the repository.
func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(repository, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

package generators

import (
	"os/exec"
	"strings"
	"testing"

	"odoogen/internal/topology"
)

// No exporter can be reached from outside the host, and each listens where the topology says.
func TestExportersListenOnLoopback(t *testing.T) {
	spec := sampleTopology(t)
	for _, host := range []string{"tests", "ci"} {
		files := generated(t, Exporters, spec, host)
		for _, l := range spec.Listeners(sampleHost(t, spec, host)) {
			if !strings.Contains(l.What, "exporter") {
				continue
			}
			path := "systemd/system/" + l.Unit
			if _, whole := files[path]; !whole {
				path += ".d/10-odoogen.conf"
			}
			if want := "--web.listen-address=" + topology.Local(l.Port); !strings.Contains(files[path], want) {
				t.Errorf("%s: no %s in\n%s", path, want, files[path])
			}
		}
	}
}

func TestExporterOfEachCluster(t *testing.T) {
	files := generated(t, Exporters, sampleTopology(t), "tests")
	wantLines(t, files, "systemd/system/odoogen-postgres-exporter@main.service",
		`Environment="DATA_SOURCE_NAME=user=prometheus host=/run/postgresql port=5432 dbname=postgres sslmode=disable"`,
		"After=postgresql@15-main.service", "User=prometheus")
	wantLines(t, files, "systemd/system/odoogen-postgres-exporter@staging.service",
		`Environment="DATA_SOURCE_NAME=user=prometheus host=/run/postgresql port=5433 dbname=postgres sslmode=disable"`)
	wantLines(t, files, "systemd/system/prometheus-postgres-exporter.service.d/10-odoogen.conf", "ConditionPathExists=!/etc/odoogen/current")
}

// The exporters themselves know every flag that they are given.
func TestExportersKnowTheirFlags(t *testing.T) {
	files := generated(t, Exporters, sampleTopology(t), "tests")
	seen := 0
	for path, text := range files {
		for line := range strings.SplitSeq(text, "\n") {
			command, ok := strings.CutPrefix(line, "ExecStart=/")
			if !ok {
				continue
			}
			seen++
			var flags []string
			for _, word := range strings.Fields(command)[1:] {
				flag, _, _ := strings.Cut(strings.Trim(word, `"`), "=")
				flags = append(flags, strings.TrimLeft(flag, "-"))
			}
			help, err := exec.Command("/"+strings.Fields(command)[0], "--help").CombinedOutput()
			if len(help) == 0 {
				t.Fatalf("%v; install it with: apt-get install prometheus-node-exporter prometheus-postgres-exporter prometheus-nginx-exporter", err)
			}
			for _, flag := range flags {
				if !strings.Contains(string(help), "-"+flag) {
					t.Errorf("%s: no flag %s", path, flag)
				}
			}
		}
	}
	if seen != 4 {
		t.Errorf("%d exporters, want 4", seen)
	}
}

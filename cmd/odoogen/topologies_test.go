package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"odoogen/internal/workspace"
)

// perHost is how many instances each host of a generated topology has: those of the sample's.
const perHost = 6

// writeTopology makes dir, as init would, a topology of so many instances, a multiple of six: the sample, and for each
// six more a host like its first, with clusters, classes and a patch window of its own. Only what grows with the
// number of hosts has other values than in the sample: the private network, the budget and the storage.
func writeTopology(tb testing.TB, dir string, instances int) {
	tb.Helper()
	if _, err := workspace.Init(dir); err != nil {
		tb.Fatal(err)
	}
	sample, err := os.ReadFile(filepath.Join(repository, "envs.cue"))
	if err != nil {
		tb.Fatal(err)
	}
	envs := string(sample)
	for _, change := range [][2]string{
		{`subnet: "10.0.0.0/24"`, `subnet: "10.0.0.0/16"`},
		{`monthly: 130`, `monthly: 1000000`},
		{`sizeTB:  5`, `sizeTB:  10000`},
	} {
		if strings.Count(envs, change[0]) != 1 {
			tb.Fatalf("the sample has %q %d times, want once", change[0], strings.Count(envs, change[0]))
		}
		envs = strings.Replace(envs, change[0], change[1], 1)
	}
	more := bytes.NewBufferString("package envs\n")
	for n := 1; n < instances/perHost; n++ {
		fmt.Fprintf(more, `
hosts: tests%[1]d: #Host & {
	fqdn:     "tests%[1]d.internal"
	debian:   12
	hardware: #AX42U
	private:  "10.0.%[2]d.%[3]d"
	public:   "100.64.%[2]d.%[3]d"
	open: [80, 443]
}
patching: windows: tests%[1]d: {at: "%[4]s %[5]d:00", maxDuration: "2h"}
clusters: main%[1]d: #Cluster & {host: "tests%[1]d", version: 15, port: 5432, workload: "oltp", ram: "14G"}
clusters: staging%[1]d: #Cluster & {host: "tests%[1]d", version: 15, port: 5433, workload: "migrations", ram: "14G"}
classes: qa%[1]d: #Class & {cluster: "main%[1]d", CPUQuota: "150%%", MemoryMax: "3G", port: 8000}
classes: ba%[1]d: #Class & {cluster: "main%[1]d", CPUQuota: "150%%", MemoryMax: "3G", port: 8100}
classes: staging%[1]d: #Class & {cluster: "staging%[1]d", CPUQuota: "300%%", MemoryMax: "4G", port: 8200, update: MemoryMax: "2G"}
`, n, 1+n/250, 1+n%250, []string{"Sat", "Sun"}[n%2], 10+n/2%4*2) // of few hosts no two are patched together
		for _, class := range []string{"qa", "ba", "staging"} {
			for _, version := range []int{17, 19} {
				fmt.Fprintf(more, "instances: %[1]s%[2]dx%[3]d: #Instance & {class: \"%[1]s%[2]d\", version: \"%[3]d.0\", domain: \"%[1]s%[3]d.tests%[2]d.example.com\"}\n",
					class, n, version)
			}
		}
	}
	for name, data := range map[string][]byte{"envs.cue": []byte(envs), "more.cue": more.Bytes()} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			tb.Fatal(err)
		}
	}
}

// changeOneInstance gives one instance of a generated topology another limit.
func changeOneInstance(tb testing.TB, dir string) {
	tb.Helper()
	path := filepath.Join(dir, "envs.cue")
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	before, after := []byte(`domain: "qa17.example.com"`), []byte(`domain: "qa17.example.com", limit_time_cpu: 61`)
	if bytes.Count(data, before) != 1 {
		tb.Fatalf("%s: no %s", path, before)
	}
	if err := os.WriteFile(path, bytes.Replace(data, before, after, 1), 0o666); err != nil {
		tb.Fatal(err)
	}
}

// TestOneChangedInstanceWritesItsFilesAlone builds a topology of ten hosts again after a change to one instance:
// files with other bytes are that instance's, and all others are the same files as before.
func TestOneChangedInstanceWritesItsFilesAlone(t *testing.T) {
	dir := t.TempDir()
	writeTopology(t, dir, 60)
	t.Chdir(dir)
	build := func() string {
		var stdout, stderr bytes.Buffer
		if code := run([]string{"build"}, &stdout, &stderr); code != exitOK {
			t.Fatalf("exit code %d: %s", code, &stderr)
		}
		return stdout.String()
	}
	build()
	old := files(t, filepath.Join(dir, "out"))
	changeOneInstance(t, dir)
	said := build()
	now := files(t, filepath.Join(dir, "out"))
	if len(now) != len(old) {
		t.Errorf("%d files, before %d", len(now), len(old))
	}
	written := 0
	for path, info := range now {
		if os.SameFile(info, old[path]) && info.ModTime().Equal(old[path].ModTime()) {
			continue
		}
		written++
		if !strings.HasPrefix(path, "tests/") || !strings.Contains(said, "M "+filepath.Join("out", path)+"\n") {
			t.Errorf("%s was written", path)
		}
	}
	if named := strings.Count(said, "\nM "); written != named || written < 2 || written > 10 {
		t.Errorf("%d files were written, %d named:\n%s", written, named, said)
	}
}

func files(t *testing.T, dir string) map[string]os.FileInfo {
	t.Helper()
	all := map[string]os.FileInfo{}
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			all[rel] = info
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"odoogen/internal/artifact"
	"odoogen/internal/native"
)

var updateExposure = flag.Bool("update-exposure", false, "write testdata/exposure.txt anew")

// Every file of the sample's trees is read by the program that reads it on the host, and none complains. What each
// service could still do to its host stands in testdata/exposure.txt: a number that grows is a regression.
func TestNativeCheckersAcceptTheSample(t *testing.T) {
	const pinned = "cmd/odoogen/testdata/exposure.txt"
	t.Chdir(repository)
	report := vetNatively(t)
	var exposure strings.Builder
	for _, res := range report.Results {
		for _, note := range res.Notes {
			if level, ok := strings.CutPrefix(note, "exposure "); ok {
				fmt.Fprintf(&exposure, "%s %s\n", res.Host, level)
			}
		}
	}
	if *updateExposure {
		if err := artifact.WriteFile(pinned, []byte(exposure.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(pinned)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), exposure.String()); d != "" {
		t.Errorf("%s (-want +got; -update-exposure writes it):\n%s", pinned, d)
	}
}

// What the sample does not have is read too: each variant changes a part of it.
func TestNativeCheckersAcceptVariantsOfTheSample(t *testing.T) {
	for name, edits := range map[string][]string{
		"networkd": {
			`private:  "10.0.0.2"`, `private:  "10.0.0.2", uplink: {manager: "networkd", name: "enp193s0f0np0"}`},
		"IPv6": {
			`public:   "203.0.113.10"`, `public: "203.0.113.10", public6: "2001:db8::10"`,
			`{from: "198.51.100.0/28", who: "the office"}`, `{from: "2001:db8:1::/48", who: "the office"}`},
		"awkward text": {
			`who: "the office"`, `who: "the \"office\"; 100% $HOME \\ {x} #1 'y'"`,
			`because: "one kernel`, `because: "| $(x) %n one kernel`},
		"no pipelines": {
			`jobs: "e2e-nightly": {at: "02:00", maxDuration: "3h", agents: 2, repository: "addons19", script: "ci/e2e.Jenkinsfile"}`, ``},
		"another zone, one instance in threads": {
			`acme: email: "ops@example.com"`, "acme: email: \"ops@example.com\"\n\ttime: zone: \"Europe/Berlin\"",
			`domain: "qa17.example.com"}`, `domain: "qa17.example.com", workers: 0}`},
	} {
		t.Run(name, func(t *testing.T) {
			spec, err := os.ReadFile(filepath.Join(repository, "envs.cue"))
			if err != nil {
				t.Fatal(err)
			}
			text := string(spec)
			for i := 0; i < len(edits); i += 2 {
				if strings.Count(text, edits[i]) != 1 {
					t.Fatalf("envs.cue has %q %d times, want once", edits[i], strings.Count(text, edits[i]))
				}
				text = strings.Replace(text, edits[i], edits[i+1], 1)
			}
			t.Chdir(t.TempDir())
			if err := os.WriteFile("envs.cue", []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
			vetNatively(t)
		})
	}
}

func TestNativeCheckersAcceptAUsedHost(t *testing.T) {
	acceptNatively(t, "testdata/used-host.cue")
}

func TestNativeCheckersAcceptOneHostForAll(t *testing.T) {
	acceptNatively(t, "testdata/one-host.cue")
}

// acceptNatively has the checkers read a spec that stands for itself.
func acceptNatively(t *testing.T, name string) {
	t.Helper()
	spec, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if err := os.WriteFile("envs.cue", spec, 0o666); err != nil {
		t.Fatal(err)
	}
	vetNatively(t)
}

// What the spec adds in the programs' own words is read by these programs as well.
func TestNativeCheckersAcceptTheWaysOut(t *testing.T) {
	dir := t.TempDir()
	for from, to := range map[string]string{"envs.cue": "envs.cue", "cmd/odoogen/testdata/ways-out.cue": "more.cue"} {
		data, err := os.ReadFile(filepath.Join(repository, from))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, to), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{
		"files.cue": "package envs\nhosts: tests: files: {\"/etc/nginx/conf.d/acme.conf\": source: \"acme\"" +
			", \"/opt/acme/report\": {source: \"report\", mode: \"0555\"}}\n",
		"acme":   "map $host $acme { default 1; }\n",
		"report": "#!/usr/bin/env python3\nprint(\"report\")\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	vetNatively(t)
}

// vetNatively has the checkers read the trees of the working directory's spec, and fails where one complains.
func vetNatively(t *testing.T) *native.Report {
	t.Helper()
	var talk bytes.Buffer
	b, err := compile(&talk)
	if err != nil {
		t.Fatal(err)
	}
	report, err := native.NewVetter("/").Vet(t.Context(), b.Trees)
	if err != nil {
		t.Fatal(err)
	}
	if !report.Accepted() {
		var text bytes.Buffer
		report.Text(&text, "out")
		t.Errorf("the checkers found %d problems:\n%s", report.Problems(), text.String())
	}
	return report
}

package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"odoogen/generators"
	"odoogen/internal/artifact"
	"odoogen/internal/push"
	"odoogen/internal/review"
	"odoogen/internal/topology"
)

var write = flag.Bool("write", false, "write the comments in testdata/diff")

// pullRequest is a change of the sample, as a pull request would bring it: each text takes another's place, which must be in
// envs.cue once.
type pullRequest struct {
	name    string
	changes [][2]string
}

// add is a line more, before the first instance.
func add(line string) [2]string {
	return [2]string{"instances: qa17: #Instance", line + "\ninstances: qa17: #Instance"}
}

// pullRequests are what teams change. The comment of each is in testdata/diff, whole: read it as who has to sign it.
var pullRequests = []pullRequest{
	{"cpu-quota", [][2]string{{`classes: qa: #Class & {cluster: "main", CPUQuota: "150%"`, `classes: qa: #Class & {cluster: "main", CPUQuota: "200%"`}}},
	{"memory", [][2]string{{`MemoryMax: "4G"`, `MemoryMax: "5G"`}}},
	{"workers", [][2]string{{`MemoryMax: "3G", port: 8100`, `MemoryMax: "3G", workers: 2, port: 8100`}}},
	{"upload", [][2]string{{`domain: "qa17.example.com"`, `domain: "qa17.example.com", upload: "512M"`}}},
	{"domain", [][2]string{{`domain: "qa17.example.com"`, `domain: "quality17.example.com"`}}},
	{"alias", [][2]string{{`domain: "qa17.example.com"`, `domain: "qa17.example.com", aliases: ["old17.example.com"]`}}},
	{"postgres-reload", [][2]string{{`workload: "oltp", ram: "14G"`, `workload: "oltp", ram: "14G", settings: work_mem: "8MB"`}}},
	{"postgres-restart", [][2]string{{`workload: "oltp", ram: "14G"`, `workload: "oltp", ram: "14G", settings: max_connections: 400`}}},
	{"cluster-ram", [][2]string{{`workload: "migrations", ram: "14G"`, `workload: "migrations", ram: "12G"`}}},
	{"timer", [][2]string{{`backup: {`, "backup: {\n\tnightly: at: \"00:30\""}}},
	{"retention", [][2]string{{`daily: 7`, `daily: 14`}}},
	{"firewall", [][2]string{{`	whitelist: [`, "\twhitelist: [\n\t\t{from: \"192.0.2.8\", who: \"the second office\"},"}}},
	{"runbook", [][2]string{{`because: "test environments do not need`, `because: "these environments do not need`}}},
	{"admin-key", [][2]string{{`AAAAC3NzaC1lZDI1NTE5AAAAIJA5HkyAws6vZg8tHSKBLWgxCf9RTA11zIsz19YavK17 ben`, `AAAAC3NzaC1lZDI1NTE5AAAAIOwqLWd+XrBIqp+64g6Bf2r9vRcl/DSxOThtrpBAlcBp ben`}}},
	{"admin-leaves", [][2]string{{`		ben: keys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJA5HkyAws6vZg8tHSKBLWgxCf9RTA11zIsz19YavK17 ben"]
`, ``}}},
	{"package", [][2]string{{`packages: vendors: {`, "packages: extra: [\"htop\"]\npackages: vendors: {"}}},
	{"python-package", [][2]string{{`"17.0": {community: "odoo17", enterprise: "enterprise17", addons: ["addons17", "web17"], pip: ["phonenumbers==8.13.50"]`,
		`"17.0": {community: "odoo17", enterprise: "enterprise17", addons: ["addons17", "web17"], pip: ["phonenumbers==8.13.55"]`}}},
	{"release-pin", [][2]string{{`1700000000000000000000000000000000000000`, `17000000000000000000000000000000000000aa`}}},
	{"jenkins-plugin", [][2]string{{`"timestamper":           "1.30"`, `"timestamper":           "1.31"`}}},
	{"patch-window", [][2]string{{`tests: {at: "Sun 08:00", maxDuration: "2h"}`, `tests: {at: "Sun 08:30", maxDuration: "2h"}`}}},
	{"add-qa", [][2]string{add(`instances: qb17: #Instance & {class: "qa", version: "17.0", http_port: 8027, domain: "qb17.example.com"}`)}},
	{"add-ba", [][2]string{add(`instances: bb19: #Instance & {class: "ba", version: "19.0", http_port: 8129, domain: "bb19.example.com"}`)}},
	{"add-staging", [][2]string{add(`instances: sb19: #Instance & {class: "staging", version: "19.0", http_port: 8229, domain: "sb19.example.com"}`)}},
	{"remove-instance", [][2]string{{`instances: ba19: #Instance & {class: "ba", version: "19.0", domain: "ba19.example.com"}
`, ``}}},
	{"rename-instance", [][2]string{{`instances: ba19: #Instance & {class: "ba", version: "19.0", domain: "ba19.example.com"}`,
		`instances: analysts19: #Instance & {class: "ba", version: "19.0", domain: "ba19.example.com", moved: from: name: "ba19"}`}}},
	{"move-instance", [][2]string{{`instances: ba19: #Instance & {class: "ba", version: "19.0", domain: "ba19.example.com"}`,
		`instances: ba19: #Instance & {class: "staging", version: "19.0", http_port: 8229, domain: "ba19.example.com", db_maxconn: 5, CPUQuota: "100%", MemoryMax: "3G", moved: from: cluster: "main"}`}}},
	{"move-refused", [][2]string{{`instances: ba19: #Instance & {class: "ba", version: "19.0", domain: "ba19.example.com"}`,
		`instances: ba19: #Instance & {class: "staging", version: "19.0", http_port: 8229, domain: "ba19.example.com", db_maxconn: 5, CPUQuota: "100%", MemoryMax: "3G"}`}}},
	{"remove-cluster", [][2]string{
		{`clusters: staging: #Cluster & {host: "tests", version: 15, port: 5433, workload: "migrations", ram: "14G"}`, ``},
		{`classes: staging: #Class & {
	cluster:   "staging"
	CPUQuota:  "300%"
	MemoryMax: "4G"
	port:      8200
	update: MemoryMax: "2G"
}`, ``},
		{`instances: staging17: #Instance & {class: "staging", version: "17.0", domain: "staging17.example.com"}`, ``},
		{`instances: staging19: #Instance & {class: "staging", version: "19.0", domain: "staging19.example.com"}`, ``},
	}},
	{"rename-cluster", [][2]string{
		{`clusters: main: #Cluster & {host: "tests", version: 15, port: 5432`, `clusters: primary: #Cluster & {host: "tests", moved: from: name: "main", version: 15, port: 5432`},
		{`classes: qa: #Class & {cluster: "main"`, `classes: qa: #Class & {cluster: "primary"`},
		{`classes: ba: #Class & {cluster: "main"`, `classes: ba: #Class & {cluster: "primary"`},
	}},
	{"accept", [][2]string{
		{`classes: staging: #Class & {
	cluster:   "staging"
	CPUQuota:  "300%"
	MemoryMax: "4G"`, `classes: staging: #Class & {
	cluster:   "staging"
	CPUQuota:  "300%"
	MemoryMax: "9G"`},
		add(`accept: [{rule: "ram", at: "hosts.tests", reason: "a large import is tried; more RAM is ordered | by Ben", until: "2027-01-31"}]`),
	}},
	{"reserve", [][2]string{{`	open: [80, 443]`, "\topen: [80, 443, 9443]\n\treserve: {ram: \"5G\", disk: \"40G\", ports: [9443]}"}}},
	{"manage", [][2]string{{`	open: [80, 443]`, "\topen: [80, 443]\n\tmanage: [\"units\", \"users\", \"nginx\", \"postgresql\", \"sshd\", \"sudo\", \"packages\", \"network\", \"sysctl\", \"time\", \"journal\"]"}}},
	{"odoo-option", [][2]string{{`domain: "qa17.example.com"`, `domain: "qa17.example.com", extra: log_level: "debug"`}}},
	{"postgres-setting", [][2]string{{`workload: "oltp", ram: "14G"`, `workload: "oltp", ram: "14G", extra: {deadlock_timeout: "2s", max_prepared_transactions: 10}`}}},
	{"nginx-directive", [][2]string{{`domain: "qa17.example.com"`, `domain: "qa17.example.com", nginx: ["client_body_timeout 5m;"]`}}},
	{"drop-in", [][2]string{{`	open: [80, 443]`, "\topen: [80, 443]\n\tunits: \"odoo-qa17.service\": dropin: Service: Nice: 5"}}},
	{"kernel-setting", [][2]string{{`	open: [80, 443]`, "\topen: [80, 443]\n\tsysctl: \"vm.overcommit_memory\": 2"}}},
	{"add-host", [][2]string{
		{`// --- Network and access`, `hosts: more: #Host & {
	fqdn:     "more.internal"
	debian:   12
	hardware: #AX42U
	private:  "10.0.0.4"
	public:   "203.0.113.30"
	open: [80, 443]
	hostKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINn3+mfZCi9L4W2YNdbgwdo38s52sfWhkcmzveylGkca more"]
}
clusters: more: #Cluster & {host: "more", version: 15, port: 5432, workload: "oltp", ram: "14G"}
classes: more: #Class & {cluster: "more", CPUQuota: "150%", MemoryMax: "3G", port: 8000}
instances: more17: #Instance & {class: "more", version: "17.0", domain: "more17.example.com"}
patching: windows: more: {at: "Fri 08:00", maxDuration: "2h"}

// --- Network and access`},
		{`monthly: 130`, `monthly: 190`},
	}},
}

// TestDiffComments pins the comment of each edit; -write writes what it is now.
func TestDiffComments(t *testing.T) {
	envs, err := os.ReadFile(filepath.Join(repository, "envs.cue"))
	if err != nil {
		t.Fatal(err)
	}
	before := built(t, string(envs))
	for _, e := range pullRequests {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			d := compare(t, before, built(t, envsWith(t, string(envs), e.changes)))
			var got bytes.Buffer
			if err := d.Markdown(&got, false, ""); err != nil {
				t.Fatal(err)
			}
			pinned(t, e.name+".md", got.String())
		})
	}
}

// An instance more restarts nothing that was there, and nobody notices.
func TestAnotherInstanceIsNotNoticed(t *testing.T) {
	envs, err := os.ReadFile(filepath.Join(repository, "envs.cue"))
	if err != nil {
		t.Fatal(err)
	}
	before, tried := built(t, string(envs)), 0
	for _, e := range pullRequests {
		if !strings.HasPrefix(e.name, "add-") {
			continue
		}
		tried++
		d := compare(t, before, built(t, envsWith(t, string(envs), e.changes)))
		if len(d.Felt.Instances) > 0 {
			t.Errorf("%s is noticed by %v", e.name, d.Felt.Instances)
		}
		for _, p := range d.Hosts {
			for _, unit := range p.Units.Restart {
				if p.From != "" && !strings.HasSuffix(unit, ".timer") {
					t.Errorf("%s restarts %s on %s", e.name, unit, p.Host)
				}
			}
		}
	}
	if tried < 4 {
		t.Errorf("%d additions tried", tried)
	}
}

func envsWith(t *testing.T, envs string, changes [][2]string) string {
	t.Helper()
	for _, c := range changes {
		if n := strings.Count(envs, c[0]); n != 1 {
			t.Fatalf("envs.cue has %q %d times, want once", c[0], n)
		}
		envs = strings.Replace(envs, c[0], c[1], 1)
	}
	return envs
}

// built is what a spec gives.
func built(t *testing.T, envs string) []*artifact.Tree {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "envs.cue"), []byte(envs), 0o666); err != nil {
		t.Fatal(err)
	}
	spec, _, err := topology.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	trees, err := generators.Build(spec)
	if err != nil {
		t.Fatal(err)
	}
	return trees
}

func compare(t *testing.T, before, after []*artifact.Tree) *review.Diff {
	t.Helper()
	d, err := review.Compare(&push.Past{Commit: "5ee1e7d", Author: "Anna", Trees: before}, after)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// digests are the names of generations: any change of any file changes them, so they are not pinned.
var digests = regexp.MustCompile("`[0-9a-f]{4}`")

// pinned holds a comment against its file in testdata/diff.
func pinned(t *testing.T, name, got string) {
	t.Helper()
	got = digests.ReplaceAllString(got, "`....`")
	file := filepath.Join("testdata/diff", name)
	if *write {
		if err := artifact.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got)\n%s\ngo test ./cmd/odoogen -run TestDiffComments -write writes it: read it, and commit", file, diff)
	}
}

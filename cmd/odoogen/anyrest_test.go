package main

import (
	"fmt"
	"maps"
	"slices"

	"pgregory.net/rapid"
)

func (s *anySpec) network() {
	if s.private {
		subnet := map[bool]string{false: s.pick("a network", "10.0.0.0/24", "10.0.0.0/8", "10.0.0.0/28"), true: s.pick("a network", "fd00:1::/64", "fd00::/8", "fd00:1::/120")}[s.six]
		s.line("network: vswitch: {subnet: %q, %s}", subnet, s.pick("a VLAN", "vlan: 4000, mtu: 1400", "vlan: 1, mtu: 1500", "vlan: 4094, mtu: 1280", "vlan: 100, mtu: 1499"))
		s.maybe("the network's interface", `network: vswitch: interface: "a"`, `network: vswitch: interface: "vlan4000private"`)
	}
	s.line("network: acme: email: %q", s.pick("a mail address", "ops@example.com", "a._+-1@x", "A@b.c-d"))
	s.maybe("an authority", `network: acme: directory: "https://acme-staging-v02.api.letsencrypt.org/directory"`, `network: acme: directory: "https://ca.internal:14000/a/~b_c.d-e+f"`)
	s.maybe("a time zone", `network: time: zone: "Europe/Berlin"`, `network: time: zone: "America/Argentina/ComodRivadavia"`, `network: time: zone: "Etc/GMT+12"`, `network: time: zone: "UTC"`)
	s.maybe("time servers", "network: time: servers: []", `network: time: servers: ["a", "0.de.pool.ntp.org"]`)
}

func (s *anySpec) access() {
	s.line("access: admins: anna: keys: [%s]", s.key("anna", keyED25519))
	s.maybe("more administrators", "access: admins: a: keys: ["+s.key("a", keyECDSA)+"]", "access: admins: a_b: keys: []",
		`access: admins: "a_b-c_of_the_whole_company_2026": keys: [`+s.key("long", keyED25519)+", "+s.key("long", keyECDSA)+"]", `access: admins: "z-": keys: [`+s.key("z", keyED25519)+"]")
	s.line("access: whitelist: [{from: \"198.51.100.0/28\", who: %s}%s]", s.text("an office", "the office"), s.pick("more offices", "",
		`, {from: "2001:db8:1::/48", who: "IPv6"}`, `, {from: "192.0.2.1", who: "a"}, {from: "192.0.2.2/31", who: "b"}, {from: "2001:db8:2::1", who: "c"}`, `, {from: "128.0.0.0/1", who: "half"}`))
	s.maybe("the deploy account", `access: deploy: user: "d"`, `access: deploy: user: "release-manager-of-the-company1"`)
	if s.ci || s.departs("a key that deploys") {
		s.line("access: deploy: keys: [%s]", s.key("deploy", keyDeploy))
	}
}

func (s *anySpec) backup() {
	if !s.saved {
		s.line("backup: none: reason: %s", s.text("why there is no backup", "a trial"))
		return
	}
	s.line("backup: repository: %q", s.pick("a repository", "sftp://u1@u1.your-storagebox.de:23/restic", "sftp://a-b@x/y", "sftp://0@10.0.0.250:65535/a/._-b"))
	s.line("backup: storage: {product: %s, sizeTB: %s, monthly: 13, hostKey: %s}", s.text("a storage", "BX21"), s.pick("its size", "100", "99.5"), s.key("storage", keyServer))
	s.line("backup: keep: %s", s.pick("what is kept", "{daily: 7, weekly: 4, monthly: 3}", "daily: 1", "{weekly: 1, monthly: 1}", "daily: 60"))
	s.maybe("secrets of the backup", `backup: {password: "p", storage: credential: "the-key-of-the-storage-that-has-a-name-of-sixty-three-letters-x"}`, `backup: password: "a-"`)
	s.maybe("the night", `backup: nightly: {at: "00:15", maxDuration: "5400s"}`, `backup: nightly: {at: "Mon,Wed,Fri 01:00", maxDuration: "2h"}`,
		`backup: maintenance: at: "*-*-01,15 05:00"`, `backup: drill: {at: "Sat,Sun 06:00", limits: CPUQuota: "100%"}`, `backup: nightly: limits: {MemoryMax: "512M", IOWeight: 1, CPUQuota: "1%"}`)
	s.maybe("parts", "backup: checkParts: 1", "backup: checkParts: 100")
	s.maybe("pings", "backup: ping: {}", `backup: ping: {url: "https://hc.example.com:8443/ping/a.b~c", key: "k"}`)
}

func (s *anySpec) pipelines() {
	if !s.ci {
		return
	}
	s.line("ci: {host: %q, jenkins: url: %q, agents: key: %s}", s.hosts[len(s.hosts)-1].name, s.pick("Jenkins' address", "http://ci.internal:8080/", "https://a.b-c/", "http://0/"), s.key("agents", keyAgent))
	s.vendors["jenkins"], s.vendors["temurin-21-jre"] = s.pick("Jenkins", "2.568.*", "*", "2.568.1"), s.pick("Java", "21.*", "*")
	s.maybe("plugins", `ci: jenkins: plugins: {git: "5.10.1", "configuration-as-code": "2117.vc05a_0b_e6b_f4e"}`, `ci: jenkins: plugins: "A_b-9": "0-x._y"`)
	s.maybe("Jenkins", "ci: jenkins: port: 18080", `ci: jenkins: {heap: "1G", limits: {CPUQuota: "100%", MemoryMax: "2G", IOWeight: 500}}`, `ci: jenkins: {admin: "a", agentKey: "b", deployKey: "c"}`, `ci: jenkins: heap: "4000M"`)
	s.maybe("agents", "ci: agents: {min: 0, max: 1}", `ci: agents: {max: 7, executors: 3, labels: ["a-b", "0"]}`, "ci: agents: labels: []", `ci: agents: limits: {CPUQuota: "50%", MemoryMax: "1G"}`)
	s.maybe("the mirror", `ci: mirror: {every: "1h", maxDuration: "59min"}`, `ci: mirror: {port: 29418, disk: "1G", limits: MemoryMax: "256M"}`, `ci: mirror: every: "30s", ci: mirror: maxDuration: "30s"`)
	s.maybe("a pipeline", `ci: jobs: "e2e-nightly": {at: "02:00", repository: `+quoted(s.code)+"}",
		`ci: jobs: "0._-A": {at: "*-02,03-29 23:59", maxDuration: "30min", script: "a_b/.c-d/X.Jenkinsfile", repository: `+quoted(s.code)+"}")
	s.maybe("Jenkins' disk", `ci: disk: "1T"`)
	s.maybe("a registry", "ci: registry: {}", `ci: registry: {port: 5001, disk: "1G"}`)
}

func (s *anySpec) observability() {
	if !s.observed {
		return
	}
	s.line("observability: exporters: %s", s.pick("exporters", "{node: 9100, nginx: 9113}", "{node: 29100, nginx: 29113, nginxStatus: 28079}", "{}"))
	if s.grafana {
		s.vendors["alloy"] = s.pick("Alloy", "1.*", "*", "1.10.2-1")
		s.line(`observability: grafana: {metrics: {url: "https://%s/api/prom/push", user: "100001"}, logs: {url: "https://logs.example.net:8443/loki/api/v1/push", user: "0"}}`, s.pick("Grafana's address", "prometheus.example.net", "0.a-b.c"))
		s.maybe("Grafana's plan", "observability: grafana: plan: {series: 1000, logsGB: 1}", "observability: grafana: alloy: 22345", `observability: grafana: token: "t"`)
	}
	s.maybe("an interval", `observability: interval: "15s"`, `observability: interval: "1h"`, `observability: interval: "2min"`)
	s.maybe("alerts", "observability: alerts: {diskPercent: 99, certificateDays: 1}", `observability: alerts: {backupAge: "1d", connectionsPercent: 1}`, `observability: alerts: backupAge: "90000s"`)
}

func (s *anySpec) packages() {
	origins := map[string]string{
		"jenkins":        `uri: "https://pkg.jenkins.io/debian-stable", suite: "binary/", key: "https://pkg.jenkins.io/k.key"`,
		"temurin-21-jre": `uri: "https://packages.adoptium.net/artifactory/deb", suite: "bookworm", components: ["main"], key: "https://packages.adoptium.net/key/public"`,
		"alloy":          `uri: "https://apt.grafana.com:8443/~a/b+c", suite: "stable", components: ["main", "0-x"], key: "https://apt.grafana.com/gpg.key"`,
	}
	for n, name := range slices.Sorted(maps.Keys(s.vendors)) {
		s.line("packages: vendors: %q: #Vendor & {%s, fingerprint: \"%040X\", packages: %q: %q}", s.pick("a vendor", fmt.Sprintf("v%d", n), fmt.Sprintf("%d.a_b-c", n)), origins[name], n+0xABC, name, s.vendors[name])
	}
	s.maybe("packages of all hosts", `packages: extra: ["htop", "vim-tiny"]`, `packages: extra: ["g++"]`)
}

// operations draws windows, money, promises, decisions and waivers.
func (s *anySpec) operations() {
	days := []string{"Sun", "Sat", "Fri"}
	for n, h := range s.hosts {
		s.line("patching: windows: %q: at: %q", h.name, days[n]+" "+s.pick("a window", "10:00", "08:30", "14:59"))
	}
	s.maybe("how long it is", fmt.Sprintf("patching: windows: %q: maxDuration: %q", s.hosts[0].name, rapid.SampledFrom([]string{"30min", "1h", "5400s"}).Draw(s.T, "so long")))
	s.maybe("what is held", `patching: hold: ["nginx", "libstdc++6"]`, "patching: reboot: false")
	s.line("budget: {currency: %q, monthly: 100000%s}", s.pick("a currency", "EUR", "CHF"), s.pick("a buffer", "", `, buffer: "5%"`, `, buffer: "99%"`))
	s.maybe("promises", `targets: {deployP50: "1s", deployP95: "1d", recovery: "10s", restore: "30d", isolationDays: 1}`, "targets: isolationDays: 3650")
	s.maybe("decisions", "decisions: [{title: "+s.text("a decision", "a")+", instead: "+s.text("what lost", "b")+", because: "+s.text("why", "c")+"}]")
	if s.departs("a waiver") {
		s.line(`accept: [{rule: %q, reason: %s, until: "2099-12-31"%s}]`, s.pick("its rule", "ram", "cpu-night", "cost"), s.text("its reason", "for a while"), s.pick("its place", "", `, at: "hosts"`))
	}
	s.maybe("a row of the table", `compatibility: odoo: "20.0": {python: {from: "3.11", to: "3.14"}, postgresql: 14, ends: "2029-09-30"}`, `compatibility: postgresql: "19": ends: "2031-11-13"`)
}

package main

import (
	"fmt"

	"pgregory.net/rapid"
)

// host draws a host, and what it carries: clusters and instances, Jenkins, or nothing.
func (s *anySpec) host(n int, ci bool) {
	names := make([]string, len(s.hosts))
	for i, h := range s.hosts {
		names[i] = h.name
	}
	h := anyHost{number: n, name: s.name("a host", fmt.Sprintf("h%d", n), names, "a", "x-9", "tests-of-the-whole-company-20261", "ci", "nginx")}
	h.path = "hosts: " + quoted(h.name) + ": "
	s.hosts = append(s.hosts, h)
	odoo := !ci && (n == 0 || !s.departs("a host for nothing"))

	s.line("%s#Host & {fqdn: %q, debian: 12}", h.path, fmt.Sprintf("h%d.%s", n, s.pick("the hosts' domain", "internal", "srv-1.example.org", "x")))
	s.line("%shardware: {model: %s, cpu: %s, threads: %s, ram: %q, monthly: %s}", h.path, s.text("a model", "AX"), s.text("a CPU", "16 cores"),
		s.pick("threads", "64", "48", "128", "1024"), s.pick("RAM", "256G", "128G", "1T"), s.pick("a price", "50", "0", "49.99", "0.005"))
	s.line("%shardware: disks: %s", h.path, s.pick("disks", "{count: 2, sizeGB: 4000, raid: 1}", "{count: 1, sizeGB: 8000, raid: 0}",
		"{count: 3, sizeGB: 4000, raid: 5}", "{count: 4, sizeGB: 4000, raid: 10}", "{count: 5, sizeGB: 4000, raid: 6}"))
	if s.private {
		s.line("%sprivate: %q", h.path, map[bool]string{false: fmt.Sprintf("10.0.0.%d", n+2), true: fmt.Sprintf("fd00:1::%x", n+0x10)}[s.six])
	}
	if ci && !s.departs("CI in public") {
		s.line("%sjump: %q", h.path, s.hosts[0].name)
		s.maybe("the first way to a host", h.path+`bootstrap: "203.0.113.99"`, h.path+`bootstrap: "2001:db8::99"`)
	} else {
		s.public(h, odoo)
	}
	s.uplink(h)
	s.maybe("host keys", h.path+"hostKeys: ["+s.key("host", keyServer)+"]", h.path+"hostKeys: ["+s.key("host", keyECDSA)+", "+s.key("host", keyServer)+"]")
	s.maybe("what is reserved", h.path+`reserve: ram: "6G"`, h.path+`reserve: {disk: "100G", ports: [9999, 1]}`, h.path+"reserve: ports: [65535]")
	s.hostWaysOut(h)
	if odoo {
		s.databases(h)
	}
}

// public gives a host its public addresses, and opens what is served there.
func (s *anySpec) public(h anyHost, odoo bool) {
	four := fmt.Sprintf("%spublic: \"203.0.113.%d\"", h.path, h.number+10)
	six := fmt.Sprintf("%spublic6: \"2001:db8::%d\"", h.path, h.number+10)
	switch s.pick("public addresses", "IPv4", "IPv6", "both") {
	case "IPv4":
		s.line("%s", four)
	case "IPv6":
		s.line("%s", six)
	default:
		s.line("%s\n%s", four, six)
	}
	switch {
	case odoo:
		s.line("%sopen: %s", h.path, s.pick("open ports", "[80, 443]", "[443, 80, 22]"))
	default:
		s.maybe("ssh for the world", h.path+"open: [22]")
	}
}

func (s *anySpec) uplink(h anyHost) {
	s.maybe("a card", h.path+`uplink: name: "eth0"`, h.path+`uplink: name: "enp193s0f0np0_1"`, h.path+`uplink: {manager: "networkd", name: "a.b-c_d"}`,
		h.path+`uplink: {manager: "networkd", networkFile: "x.network"}`, h.path+"uplink: mtu: 9000", h.path+`uplink: {manager: "networkd", mtu: 1600, name: "0"}`)
}

// hostWaysOut draws what a host may have beyond what odoogen knows.
func (s *anySpec) hostWaysOut(h anyHost) {
	s.maybe("packages of a host", h.path+`packages: ["htop"]`, h.path+`packages: ["g++", "libstdc++6", "0ad"]`)
	s.maybe("kernel settings", h.path+`sysctl: "vm.overcommit_memory": 2`, h.path+`sysctl: {"kernel.core_pattern": "|/bin/false %p", "net.core.somaxconn": 4096}`,
		h.path+`sysctl: "net.ipv4.tcp_rmem": "4096 131072 6291456"`)
	s.maybe("a drop-in", h.path+`units: "ssh.service": dropin: Service: {Nice: -5, LimitNOFILE: 65536}`,
		h.path+`units: "systemd-timesyncd.service": {dropin: {Unit: Description: `+s.text("a description", "time")+`, Service: Environment: ["A=b", "D=%n"]}, effect: "restart"}`,
		h.path+`units: "odoogen-jobs.slice": dropin: Slice: TasksMax: 5000`)
	if s.departs("a file") {
		s.files["carried"] = rapid.SampledFrom([]string{"# nothing\n", "#!/bin/sh\necho 'a file'\n", "é \\ \" $x\n\tand more\n", "#!/usr/bin/env python3\nprint(1)\n"}).Draw(s.T, "its text")
		s.line(`%sfiles: %q: {source: "carried", %s}`, h.path, s.pick("its place", "/etc/logrotate.d/acme", "/opt/acme/bin/x_1+2@3.sh", "/usr/local/sbin/x", "/etc/cron.d/x"),
			s.pick("its mode and effect", `mode: "0444"`, `mode: "0555", effect: "daemon-reload"`, `mode: "0440", effect: "reload:ssh.service"`))
	}
}

// databases draws clusters with classes and instances on them.
func (s *anySpec) databases(h anyHost) {
	for n := range rapid.IntRange(1, 2).Draw(s.T, "clusters") {
		taken := make([]string, len(s.clusters))
		for i, c := range s.clusters {
			taken[i] = c.name
		}
		number := h.number*2 + n
		c := anyCluster{name: s.name("a cluster", fmt.Sprintf("db%d", number), taken, "a", "all_of_the_company_s_databases_", "postgres", "main", "replication", "x__")}
		s.clusters = append(s.clusters, c)
		path := "clusters: " + c.name + ": "
		s.line("%s#Cluster & {host: %q, version: 15, port: %d, workload: %q, ram: %q}", path, h.name, 5432+n, s.pick("a workload", "oltp", "migrations"), s.pick("a cluster's RAM", "8G", "3G", "16G"))
		s.clusterSettings(path, 5432+n)
		s.classes(c, number)
	}
}

func (s *anySpec) clusterSettings(path string, port int) {
	s.maybe("limits of a cluster", path+`limits: {CPUQuota: "250%", CPUWeight: 1}`, path+`limits: IOWeight: 10000`)
	s.maybe("an exporter", path+fmt.Sprintf("exporter: %d", port+20000))
	s.maybe("settings that a start reads", path+"settings: {max_connections: 500, superuser_reserved_connections: 5}", path+`settings: {huge_pages: "off", max_worker_processes: 16, autovacuum_max_workers: 5}`,
		path+"settings: max_locks_per_transaction: 64", path+`settings: huge_pages: "try"`)
	s.maybe("settings that a reload reads", path+`settings: {work_mem: "1MB", maintenance_work_mem: "64MB", autovacuum_work_mem: "1024kB"}`, path+`settings: {max_wal_size: "2GB", min_wal_size: "80MB", checkpoint_timeout: "1h"}`,
		path+`settings: {wal_compression: "pglz", random_page_cost: 0.1, effective_io_concurrency: 0, jit: "on"}`, path+`settings: {wal_compression: "off", checkpoint_completion_target: 0.001}`,
		path+`settings: {log_min_duration_statement: "-1", log_lock_waits: "off", idle_in_transaction_session_timeout: "1d"}`, path+`settings: {log_min_duration_statement: "1ms", max_parallel_workers_per_gather: 0}`,
		path+`settings: checkpoint_timeout: "1d"`, path+`settings: random_page_cost: 100`)
	s.maybe("settings that odoogen does not know", path+`extra: {deadlock_timeout: "2s", track_io_timing: true}`, path+`extra: {max_prepared_transactions: 10, "a.b": `+s.text("a setting's text", "c")+`}`,
		path+`extra: {"auto_explain.log_min_duration": "3s", search_path: `+quoted(`"$user", public`)+`}`, path+"extra: seq_page_cost: 0.5")
}

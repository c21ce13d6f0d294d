package native

import (
	"fmt"
	"path"
	"strings"

	"odoogen/internal/artifact"
)

// Class is a kind of file with the checker that accepts it.
type Class struct {
	Name     string
	Patterns []string // paths in the tree: path.Match, and "/**" for everything below
	Checker  string   // what is run, for the reader

	// Structure says in words what a check that is not the reader's own program covers. Empty: the program that
	// reads the file on the host has read it.
	Structure string

	programs []string // what must be installed
	first    bool     // runs alone and before the others

	// What is accepted once is not read again. Into groups that are each judged by themselves; nil for all in one.
	groups func([]*artifact.File) [][]*artifact.File
	// Adds what the checker looks at beside a group's files; nil for nothing.
	beside func(h *host, t *artifact.Tree, files []*artifact.File, add func(...any))
	check  func(*check)
}

// Classes is every kind of file that a tree may hold. A script is known by its first line, wherever it lies, and
// belongs to the first class; every other file to the one class that has a pattern for it.
var Classes = []Class{
	{Name: "scripts", Patterns: []string{"bin/*"}, Checker: "shellcheck",
		programs: []string{"/usr/bin/shellcheck"}, groups: each, check: shellcheck},
	{Name: "users", Patterns: []string{"sysusers.d/*.conf"}, Checker: "systemd-sysusers, for real", first: true, check: sysusers, beside: doorsAndUsers},
	{Name: "directories", Patterns: []string{"tmpfiles.d/*.conf"}, Checker: "systemd-tmpfiles --create, for real", first: true, check: tmpfiles, beside: doorsAndUsers},
	{Name: "sysctl", Patterns: []string{"sysctl.d/*.conf"}, Checker: "sysctl --dry-run: every key is one of this kernel's",
		programs: []string{"/usr/sbin/sysctl"}, check: sysctl},
	{Name: "systemd units", Patterns: []string{"systemd/system/**"},
		Checker: "systemd-analyze verify, calendar, security", programs: []string{"/usr/bin/systemd-analyze"}, check: systemdUnits,
		groups: byFolder("systemd/system/", unitOf), beside: whatUnitsName},
	{Name: "networkd", Patterns: []string{"systemd/network/**"}, Checker: "systemd-networkd, in a network of its own",
		programs: []string{"/lib/systemd/systemd-networkd"}, check: networkd, beside: doorsAndUsers},
	{Name: "time", Patterns: []string{"systemd/timesyncd.conf.d/*.conf"}, Checker: "systemd-timesyncd, without a network",
		programs: []string{"/lib/systemd/systemd-timesyncd"}, check: timesyncd, beside: doorsAndUsers},
	{Name: "journal", Patterns: []string{"systemd/journald.conf.d/*.conf"}, Checker: "systemd-journald",
		programs: []string{"/lib/systemd/systemd-journald"}, check: journald, beside: doorsAndUsers},
	{Name: "nginx", Patterns: []string{"nginx/**"}, Checker: "nginx -t", programs: []string{"/usr/sbin/nginx"}, check: nginx, beside: doorsAndUsers},
	{Name: "postgresql", Patterns: []string{"postgresql/**"},
		Checker:  "a cluster started with the settings: pg_file_settings, pg_hba_file_rules, the SQL twice, each role's login",
		programs: []string{"/usr/bin/pg_createcluster"}, check: postgresql,
		groups: byFolder("postgresql/", clusterOf), beside: clustersAndUsers},
	{Name: "odoo.conf", Patterns: []string{"odoo/*.conf"}, Checker: "the rules of Odoo's own parser, per version",
		Structure: "syntax, known keys and their types (odoo/tools/config.py of 17.0 and 19.0); Odoo itself is not run", groups: each, check: odooConf},
	{Name: "nftables", Patterns: []string{"nftables/*.nft"}, Checker: "nft -c -f, then loaded twice in a network of its own",
		programs: []string{"/usr/sbin/nft"}, check: nftables, beside: doorsAndUsers},
	{Name: "sshd", Patterns: []string{"ssh/*.conf"}, Checker: "sshd -t, and sshd -T for each user that a Match block names",
		programs: []string{"/usr/sbin/sshd"}, check: sshd, beside: doorsAndUsers},
	{Name: "authorized keys", Patterns: []string{"ssh/authorized_keys/*"}, Checker: "ssh-keygen -l for each key; options after sshd(8)",
		programs: []string{"/usr/bin/ssh-keygen"}, groups: each, check: authorizedKeys},
	{Name: "known hosts", Patterns: []string{"ssh/known_hosts", "*/known_hosts"}, Checker: "ssh-keygen -l for each key",
		programs: []string{"/usr/bin/ssh-keygen"}, groups: each, check: knownHosts},
	{Name: "ssh client", Patterns: []string{"*/ssh_config"}, Checker: "ssh -G for each host that it names",
		programs: []string{"/usr/bin/ssh"}, groups: each, check: sshClient},
	{Name: "sudo", Patterns: []string{"sudoers.d/*"}, Checker: "visudo -c, strict, through the door as sudo reads it",
		programs: []string{"/usr/sbin/visudo"}, check: sudo, beside: doorsAndUsers},
	{Name: "apt", Patterns: []string{"apt/*"}, Checker: "apt-config dump, apt-get indextargets, apt-cache policy",
		programs: []string{"/usr/bin/apt-get"}, check: apt, beside: doorsAndUsers},
	{Name: "alert rules", Patterns: []string{"alerts/rules.yaml"}, Checker: "promtool check rules",
		programs: []string{"/usr/bin/promtool"}, groups: each, check: promtoolRules},
	{Name: "prometheus", Patterns: []string{"alerts/prometheus.yaml"}, Checker: "promtool check config",
		programs: []string{"/usr/bin/promtool"}, check: promtoolConfig, beside: doorsAndUsers},
	{Name: "alloy", Patterns: []string{"alloy/*.alloy"}, Checker: "Grafana's own grammar, and the published keys of each component",
		Structure: "syntax and keys; Alloy is not in Debian and is not run", groups: each, check: alloy},
	{Name: "jenkins", Patterns: []string{"jenkins/casc/*.yaml"}, Checker: "YAML, and the published keys of Configuration as Code",
		Structure: "syntax and the upper keys; Jenkins is not in Debian and is not run", check: casc},
	{Name: "jenkins plugins", Patterns: []string{"jenkins/plugins.txt"}, Checker: "one id:version in each line",
		Structure: "shape", groups: each, check: plugins},
	{Name: "new clusters", Patterns: []string{"postgresql-common/createcluster.conf"}, Checker: "the parser of postgresql-common",
		programs: []string{"/usr/bin/pg_createcluster"}, groups: each, check: createcluster},
	{Name: "needrestart", Patterns: []string{"needrestart/*.conf"}, Checker: "perl -c, which is what needrestart does with it", groups: each, check: perl},
	{Name: "pip requirements", Patterns: []string{"python/*.txt"}, Checker: "one package==version in each line",
		Structure: "shape; no package index is asked", groups: each, check: requirements},
	{Name: "lists of scripts", Patterns: []string{"restic/host.paths", "restic/host.exclude", "restic/instances", "mirror/repositories",
		"restic/NONE", "metrics/certificates", "certbot/names", "instances/*.repositories", "releases/instances"}, Checker: "each line has as many words",
		Structure: "shape; their readers are odoogen's own scripts", groups: each, check: lists},
	{Name: "settings of scripts", Patterns: []string{"*.env", "*/*.env"}, Checker: "bash -n, and a form in which bash and systemd read the same values",
		programs: []string{"/usr/bin/bash"}, groups: each, check: envFiles},
	{Name: "dashboards", Patterns: []string{"dashboards/*.json"}, Checker: "JSON", Structure: "well-formed; Grafana is not run", groups: each, check: jsonFiles},
	{Name: "files of the spec", Patterns: []string{"files/**"}, Checker: "no file of the distribution is at its place",
		Structure: "only the spec knows who reads them; those that a checked program includes are read with its own", check: carried, beside: doorsAndUsers},
	{Name: "HOST.json", Patterns: []string{"HOST.json"}, Checker: "JSON", Structure: "well-formed; its reader is odoogen itself", groups: each, check: jsonFiles},
	{Name: "runbook", Patterns: []string{"RUNBOOK.md"}, Checker: "none: read by people", Structure: "nothing to check", groups: each, check: func(*check) {}},
}

// claimed is a class with its files in one tree.
type claimed struct {
	class *Class
	files []*artifact.File
}

// claim gives every file to its class. Files of none, or of several, come in a last class that refuses them.
func claim(t *artifact.Tree) []claimed {
	byClass := make([][]*artifact.File, len(Classes))
	orphans := claimed{class: &Class{Name: "without a checker", check: refuse}}
	for i := range t.Files {
		f := &t.Files[i]
		if of := classesOf(f); len(of) == 1 {
			byClass[of[0]] = append(byClass[of[0]], f)
		} else {
			orphans.files = append(orphans.files, f)
		}
	}
	var all []claimed
	for i, files := range byClass {
		if len(files) > 0 {
			all = append(all, claimed{&Classes[i], files})
		}
	}
	if len(orphans.files) > 0 {
		all = append(all, orphans)
	}
	return all
}

// filesOf are the files of one class.
func filesOf(t *artifact.Tree, class string) []*artifact.File {
	for _, c := range claim(t) {
		if c.class.Name == class {
			return c.files
		}
	}
	return nil
}

// classesOf are the indices of the classes that claim a file.
func classesOf(f *artifact.File) []int {
	if isScript(f) {
		return []int{0}
	}
	var of []int
	for i := range Classes {
		for _, p := range Classes[i].Patterns {
			if matches(p, f.Path) {
				of = append(of, i)
				break
			}
		}
	}
	return of
}

func matches(pattern, name string) bool {
	if dir, ok := strings.CutSuffix(pattern, "/**"); ok {
		return strings.HasPrefix(name, dir+"/")
	}
	ok, _ := path.Match(pattern, name)
	return ok
}

// isScript tells whether shellcheck can read a file. What the spec carries may be a script of another language.
func isScript(f *artifact.File) bool {
	if strings.HasPrefix(f.Path, "files/") {
		return shebang().Match(f.Data)
	}
	return strings.HasPrefix(string(f.Data), "#!")
}

var shebang = lazily(`^#! ?(/usr)?/bin/(env )?(ba|da)?sh\b`)

func refuse(c *check) {
	for _, f := range c.files {
		var names []string
		for _, i := range classesOf(f) {
			names = append(names, Classes[i].Name)
		}
		if len(names) == 0 {
			c.fail(f.Path, 0, "no checker for %s/%s", c.Host, f.Path)
		} else {
			c.fail(f.Path, 0, "several checkers for %s/%s: %s", c.Host, f.Path, strings.Join(names, ", "))
		}
	}
}

// Markdown is the table of classes for docs/native-checks.md.
func Markdown() string {
	var b strings.Builder
	b.WriteString("| Files | Checked by | By structure only |\n|---|---|---|\n")
	for _, c := range Classes {
		patterns := "`" + strings.Join(c.Patterns, "`, `") + "`"
		if c.Name == "scripts" {
			patterns += ", and every file that begins with `#!`"
		}
		fmt.Fprintf(&b, "| %s: %s | %s | %s |\n", c.Name, patterns, c.Checker, c.Structure)
	}
	return b.String()
}

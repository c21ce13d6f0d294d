package generators

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"odoogen/internal/topology"
)

func TestJobUnits(t *testing.T) {
	files := generated(t, Backup, sampleTopology(t), "tests")
	const dir = "systemd/system/"
	wantLines(t, files, dir+"odoogen-backup.service", "Type=oneshot", "Slice=odoogen-jobs.slice", "TimeoutStartSec=3h",
		"After=postgresql@15-main.service", "ExecStart=/etc/odoogen/current/bin/backup",
		"LoadCredential=password:/var/lib/odoogen/secrets/restic-password",
		"OnSuccess=odoogen-ping@backup:success.service", "OnFailure=odoogen-ping@backup:failure.service")
	wantLines(t, files, dir+"odoogen-backup.service.d/10-limits.conf", "CPUQuota=100%", "MemoryMax=1G", "IOWeight=20")
	wantLines(t, files, dir+"odoogen-backup.timer", "OnCalendar=01:00 Etc/UTC", "Persistent=yes", "AccuracySec=1min")
	wantLines(t, files, dir+"odoogen-drill.timer", "OnCalendar=*-01,04,07,10-15 06:00 Etc/UTC")
	wantLines(t, generated(t, Mirror, sampleTopology(t), "ci"), dir+"odoogen-mirror.timer", "OnActiveSec=5s", "OnUnitInactiveSec=10min")
}

// Each host has a repository of its own, and what a script must not guess stands in its settings.
func TestBackupSettings(t *testing.T) {
	spec := sampleTopology(t)
	for _, host := range []string{"tests", "ci"} {
		files := generated(t, Backup, spec, host)
		wantLines(t, files, "restic/backup.env",
			"RESTIC_REPOSITORY=sftp://u123456@u123456.your-storagebox.de:23/restic/"+host, "KEEP_DAILY=7", "KEEP_WEEKLY=4", "KEEP_MONTHLY=3")
		wantLines(t, files, "restic/known_hosts",
			"[u123456.your-storagebox.de]:23 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIICf9svRenC/PLKIL9nk6K/pxQgoiFC41wTNvoIncOxs")
		wantLines(t, files, "restic/ssh_config", "HostName u123456.your-storagebox.de", "Port 23", "User u123456", "StrictHostKeyChecking yes")
	}
}

func TestNoBackupIsAVisibleFile(t *testing.T) {
	spec := sampleTopology(t)
	spec.Backup = topology.Backup{None: &topology.NoBackup{Reason: "a demo; nothing to lose"}}
	files := generated(t, Backup, spec, "tests")
	if diff := cmp.Diff([]string{"restic/NONE"}, slices.Collect(maps.Keys(files))); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	wantLines(t, files, "restic/NONE", "# Why: a demo; nothing to lose")
}

// Where there is a CI host, no key of a repository lies on a host of instances; where there is none, it fetches itself.
func TestWhoFetches(t *testing.T) {
	spec := sampleTopology(t)
	files := generated(t, Mirror, spec, "tests")
	wantLines(t, files, "mirror/repositories", "addons17 17.0 - -", "odoo19 19.0 - -")
	wantLines(t, files, "systemd/system/odoogen-mirror.service", "User=deploy")
	if strings.Contains(files["systemd/system/odoogen-mirror.service"], "LoadCredential") {
		t.Error("a deploy key on the host of the instances")
	}
	wantLines(t, generated(t, Release, spec, "tests"), "releases/releases.env", "FETCH=no", "MIRROR_USER=deploy", "SOURCE=git://10.0.0.3:9418")

	spec.CI = nil
	for _, h := range spec.Hosts {
		h.CI = nil
	}
	files = generated(t, Mirror, spec, "tests")
	wantLines(t, files, "mirror/repositories", "addons17 17.0 git@git.example.com:odoo/addons.git addons-deploy-key")
	wantLines(t, files, "systemd/system/odoogen-mirror.service", "User=deploy",
		"LoadCredential=addons-deploy-key:/var/lib/odoogen/secrets/addons-deploy-key")
	wantLines(t, generated(t, Release, spec, "tests"), "releases/releases.env", "FETCH=yes", "SOURCE=")
	if files := generated(t, Mirror, spec, "ci"); len(files) != 0 {
		t.Errorf("mirrors on a host without use for them: %v", files)
	}
}

// A git server at a port of its own is looked up by ssh as [host]:port.
func TestGitServersAtTheirPorts(t *testing.T) {
	spec := &topology.Topology{Sources: topology.Sources{
		KnownHosts: []*topology.KnownHost{{Name: "git.example.com", Path: "sources.knownHosts.a", Keys: []string{"ssh-ed25519 AAAA"}}},
		Repositories: []*topology.Repository{
			{Git: "git@git.example.com:a.git"}, {Git: "ssh://git@git.example.com:2222/b.git"},
			{Git: "ssh://git@git.example.com/c.git"}, {Git: "https://github.com/odoo/odoo.git"},
		},
	}}
	var lines []string
	for line := range strings.Lines(text(t, gitServers(spec))) {
		if !strings.HasPrefix(line, "#") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	want := []string{"git.example.com ssh-ed25519 AAAA", "[git.example.com]:2222 ssh-ed25519 AAAA"}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatAScriptMustKnowOfAnInstance(t *testing.T) {
	files := generated(t, Release, sampleTopology(t), "tests")
	wantLines(t, files, "instances/staging19.env", "MAJOR=19", "DOMAIN=staging19.example.com", "DATABASE=staging19",
		"PG_PORT=5433", "PG_BIN=/usr/lib/postgresql/15/bin", "ROOT=/opt/odoo/instances/staging-19", "ODOO_BIN=odoo19/odoo-bin",
		`ADDONS="addons19 web19 enterprise19 odoo19/addons odoo19/odoo/addons"`)
	wantLines(t, files, "instances/qa17.repositories", "addons17 1700000000000000000000000000000000000000",
		"odoo17 a46788a04909d5fef3e42ce7ecc5286b4c6926bf")
	wantLines(t, files, "python/17.txt", "phonenumbers==8.13.50")
}

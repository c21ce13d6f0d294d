package generators

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"odoogen/internal/artifact"
)

// systemd itself makes users and directories of both trees in an empty root.
func TestUsersAndDirectoriesAreMade(t *testing.T) {
	for host, want := range map[string]struct{ users, directories []string }{
		"tests": {
			users: []string{"odoo-qa17:/var/lib/odoo/qa17:/usr/sbin/nologin", "deploy:/home/deploy:/bin/bash", "anna:/home/anna:/bin/bash"},
			directories: []string{
				"drwx------ /var/lib/odoogen/secrets", "drwx--x--x /var/lib/odoogen/dumps", "drwxr-x--- /var/lib/odoo/qa17",
				"drwxr-xr-x /opt/odoo/instances/qa-17/releases", "drwxr-xr-x /run/odoogen/update", "drwxr-xr-x /var/lib/odoogen/tls",
			},
		},
		"ci": {
			users:       []string{"odoogen-git:/srv/git:/usr/sbin/nologin", "agent4:/var/lib/jenkins-agents/agent4:/bin/bash", "deploy:/home/deploy:/bin/bash"},
			directories: []string{"drwx------ /var/lib/odoogen/secrets", "drwxr-xr-x /srv/git", "drwxr-x--- /var/lib/jenkins-agents/agent1"},
		},
	} {
		t.Run(host, func(t *testing.T) {
			root := t.TempDir()
			tree := sampleTree(t, host)
			users, directories := place(t, root, tree, "sysusers.d/"), place(t, root, tree, "tmpfiles.d/")
			tool(t, "systemd", "systemd-sysusers", append([]string{"--root=" + root}, users...)...)
			for range 2 { // as at every boot
				tool(t, "systemd", "systemd-tmpfiles", append([]string{"--root=" + root, "--create"}, directories...)...)
			}

			passwd := read(t, filepath.Join(root, "etc/passwd"))
			for _, u := range want.users {
				name, rest, _ := strings.Cut(u, ":")
				if !regexp.MustCompile(`(?m)^` + name + `:x:\d+:\d+:[^:]*:` + rest + `$`).MatchString(passwd) {
					t.Errorf("no user %s in\n%s", u, passwd)
				}
			}
			for _, d := range want.directories {
				mode, path, _ := strings.Cut(d, " ")
				info, err := os.Stat(root + path)
				if err != nil || info.Mode().String() != mode {
					t.Errorf("want %s, got %v %v", d, info, err)
				}
			}
		})
	}
}

// One more instance is two more files: no other instance's changes, and none of the host's own.
func TestAnInstanceHasFilesOfItsOwn(t *testing.T) {
	tree := sampleTree(t, "tests")
	for _, f := range tree.Files {
		if strings.HasPrefix(f.Path, "sysusers.d/odoogen") || strings.HasPrefix(f.Path, "tmpfiles.d/odoogen") || f.Path == "sysusers.d/odoo-ba17.conf" {
			if strings.Contains(string(f.Data), "qa17") {
				t.Errorf("%s speaks of qa17", f.Path)
			}
		}
	}
	want := []artifact.Effect{"run:odoogen-users.service"}
	for _, path := range []string{"sysusers.d/odoo-qa17.conf", "tmpfiles.d/odoo-qa17.conf", "sysusers.d/odoogen.conf", "tmpfiles.d/odoogen.conf"} {
		if diff := cmp.Diff(want, effectsOf(t, tree, path)); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
}

// place puts the tree's files below a folder into root, and returns where.
func place(t *testing.T, root string, tree *artifact.Tree, below string) []string {
	t.Helper()
	var paths []string
	for _, f := range tree.Files {
		if strings.HasPrefix(f.Path, below) {
			path := filepath.Join(root, "etc/odoogen/current", f.Path)
			write(t, path, string(f.Data), os.FileMode(f.Mode))
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths
}

// tool runs a program that must be content and say nothing.
func tool(t *testing.T, pkg, name string, args ...string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Fatalf("%v: apt-get install %s", err, pkg)
	}
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "SYSTEMD_LOG_LEVEL=warning")
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

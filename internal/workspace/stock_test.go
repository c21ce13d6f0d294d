package workspace_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"odoogen/internal/workspace"
)

const repository = "../.."

// stockCUE builds CUE's own command line, at the version that odoogen compiles with.
func stockCUE(t *testing.T) string {
	t.Helper()
	path, err := exec.Command("go", "tool", "-n", "cue").Output()
	if err != nil {
		t.Fatalf("go tool -n cue: %v", err)
	}
	return strings.TrimSpace(string(path))
}

// cueCommand is stock cue in dir, without a network and with nothing of ours in its environment.
func cueCommand(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(stockCUE(t), args...)
	cmd.Dir = dir
	home := t.TempDir()
	cmd.Env = []string{"HOME=" + home, "CUE_CACHE_DIR=" + home, "PATH=/nonexistent",
		"HTTPS_PROXY=http://127.0.0.1:9", "HTTP_PROXY=http://127.0.0.1:9"}
	return cmd
}

// directories are the two that a user may stand in: the repository, and one that init made.
func directories(t *testing.T) map[string]string {
	t.Helper()
	dir := t.TempDir()
	if _, err := workspace.Init(dir); err != nil {
		t.Fatal(err)
	}
	return map[string]string{"init": dir, "repository": repository}
}

func TestStockCUEAcceptsTheDirectoryOffline(t *testing.T) {
	for name, dir := range directories(t) {
		t.Run(name, func(t *testing.T) {
			for _, args := range [][]string{
				{"vet", "-c", "."},
				{"export", ".", "-e", "hosts.tests.fqdn"},
				{"fmt", "--check", "."},
				{"fmt", "--check", "./schema"},
			} {
				if out, err := cueCommand(t, dir, args...).CombinedOutput(); err != nil {
					t.Errorf("cue %s: %v\n%s", strings.Join(args, " "), err, out)
				}
			}
		})
	}
}

func TestStockCUEFindsATypo(t *testing.T) {
	for name, dir := range directories(t) {
		spec, err := os.ReadFile(filepath.Join(dir, "envs.cue"))
		if err != nil {
			t.Fatal(err)
		}
		for _, typo := range []struct{ what, old, new, want string }{
			{"in a struct", `fqdn: "ci.internal"`, `fqnd: "ci.internal"`, "hosts.ci.fqnd: field not allowed"},
			{"at the top", "\nbudget:", "\nbugdet:", "bugdet: field not allowed"},
			{"of a type", `debian: 12`, `debian: "12"`, "hosts.tests.debian"},
		} {
			t.Run(name+"/"+typo.what, func(t *testing.T) {
				dir := t.TempDir()
				if _, err := workspace.Init(dir); err != nil {
					t.Fatal(err)
				}
				// cue fmt aligns values: one space between a field and its value is enough to find it.
				wrong := bytes.Replace(squeeze(spec), []byte(typo.old), []byte(typo.new), 1)
				if bytes.Equal(wrong, squeeze(spec)) {
					t.Fatalf("envs.cue has no %s", typo.old)
				}
				if err := os.WriteFile(filepath.Join(dir, "envs.cue"), wrong, 0o666); err != nil {
					t.Fatal(err)
				}
				out, err := cueCommand(t, dir, "vet", "-c", ".").CombinedOutput()
				if err == nil || !strings.Contains(string(out), typo.want) || !strings.Contains(string(out), "envs.cue:") {
					t.Errorf("cue vet: %v\n%s\nwant %s, and its place", err, out, typo.want)
				}
			})
		}
	}
}

// squeeze takes the alignment out of CUE source.
func squeeze(spec []byte) []byte {
	lines := strings.Split(string(spec), "\n")
	for i, l := range lines {
		indent := l[:len(l)-len(strings.TrimLeft(l, "\t"))]
		lines[i] = indent + strings.Join(strings.Fields(l), " ")
	}
	return []byte(strings.Join(lines, "\n"))
}

func TestTheRepositoryIsADirectoryAsInitMakesIt(t *testing.T) {
	stale, err := workspace.Stale(repository)
	if err != nil {
		t.Fatal(err)
	}
	if len(stale) > 0 {
		t.Errorf("%v differ from what odoogen holds; run: go run ./cmd/odoogen init --upgrade .", stale)
	}
	made := t.TempDir()
	if _, err := workspace.Init(made); err != nil {
		t.Fatal(err)
	}
	module := func(dir string) string {
		data, err := os.ReadFile(filepath.Join(dir, "cue.mod/module.cue"))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	if got, want := module(repository), module(made); got != want {
		t.Errorf("cue.mod/module.cue is\n%s\nwant\n%s", got, want)
	}
}

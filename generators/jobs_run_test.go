package generators

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"odoogen/internal/conf"
	"odoogen/internal/topology"
)

// text is a written file, which must not be refused.
func text(t *testing.T, written *conf.Text) string {
	t.Helper()
	data, _, err := written.Result()
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestRepositoryOverSFTP reaches a repository as the Storage Box is reached: at a port of its own, with the unit's key,
// and only while the server proves to hold the pinned key.
func TestRepositoryOverSFTP(t *testing.T) {
	h := newScratchHost(t)
	port, hostKey := h.sshServer("storage")
	b := &topology.Backup{
		Repository: fmt.Sprintf("sftp://root@127.0.0.1:%d/%s", port, h.path("repository")),
		Storage:    &topology.Storage{HostKey: hostKey},
	}
	h.settings("restic/backup.env", map[string]string{"RESTIC_REPOSITORY": b.Repository, "RESTIC_CACHE_DIR": h.path("cache")})
	h.write("tree/restic/ssh_config", strings.ReplaceAll(text(t, storageConfig(b)), topology.Current, h.path("tree")))
	h.write("tree/restic/known_hosts", text(t, storageKey(b)))
	h.write("tree/restic/host.paths", h.path("tree")+"\n")
	h.write("credentials/password", "secret\n")
	h.must(0, "the host's own files: saved", "backup", "--host")

	b.Storage.HostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
	h.write("tree/restic/known_hosts", text(t, storageKey(b)))
	h.must(1, "unable to start the sftp session", "backup", "--host")
}

func TestPingTellsStartAndEnd(t *testing.T) {
	h := newScratchHost(t)
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked = append(asked, r.URL.String()) }))
	defer server.Close()
	h.settings("restic/backup.env", map[string]string{"PING_URL": server.URL})
	h.write("credentials/ping", "a-Key_1\n")
	const id = "0123456789abcdef0123456789abcdef"
	h.env = []string{"INVOCATION_ID=" + id}
	h.must(0, "", "ping", "backup:start")
	h.env = []string{"INVOCATION_ID=" + strings.Repeat("f", 32), "MONITOR_INVOCATION_ID=" + id, "MONITOR_SERVICE_RESULT=timeout"}
	h.must(0, "", "ping", "backup:success")
	h.must(0, "", "ping", "backup:failure")
	const query = "?create=1&rid=01234567-89ab-cdef-0123-456789abcdef"
	want := []string{"/a-Key_1/tests-backup/start" + query, "/a-Key_1/tests-backup" + query, "/a-Key_1/tests-backup/fail" + query}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	h.write("credentials/ping", "a\"\nurl = \"file:///etc/shadow\n")
	h.must(1, "the ping key holds what no ping key holds", "ping", "backup:success")
}

// TestMirror fetches over SSH as the CI host does, and makes an empty mirror to push to as the others do.
func TestMirror(t *testing.T) {
	h := newScratchHost(t)
	port, hostKey := h.sshServer("addons-deploy-key")
	h.command("git", "init", "--quiet", "--bare", h.path("git/origin.git"))
	first := h.repositoryAt("origin", "root", "a.py")

	h.settings("mirror/mirror.env", map[string]string{"MIRROR": h.path("mirrors")})
	h.mkdir("mirrors")
	r := &topology.Repository{Name: "addons17", Git: fmt.Sprintf("ssh://root@127.0.0.1:%d%s", port, h.path("git/origin.git"))}
	known := &topology.KnownHost{Name: "127.0.0.1", Keys: []string{hostKey}, Path: "sources.knownHosts.a"}
	spec := &topology.Topology{Sources: topology.Sources{Repositories: []*topology.Repository{r}, KnownHosts: []*topology.KnownHost{known}}}
	h.write("tree/mirror/known_hosts", text(t, gitServers(spec)))
	h.write("tree/mirror/repositories", "addons17 17.0 "+r.Git+" addons-deploy-key\nodoo17 17.0 - -\ngone 17.0 file:///nonexistent.git -\n")

	h.must(1, "not fetched: gone", "mirror")
	has := func(commit string) bool {
		out := h.command("git", "--git-dir", h.path("mirrors/addons17.git"), "rev-parse", "refs/heads/17.0")
		return strings.TrimSpace(out) == commit
	}
	if !has(first) {
		t.Error("the commit was not fetched")
	}
	second := h.repositoryAt("origin", "root", "b.py")
	h.must(1, "not fetched: gone", "mirror")
	if !has(second) {
		t.Error("the newer commit was not fetched")
	}
	if got := h.command("git", "--git-dir", h.path("mirrors/odoo17.git"), "config", "gc.auto"); got != "0\n" {
		t.Errorf("gc.auto = %s", got)
	}

	h.write("mirrors/cert.pem", h.command("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
		"-nodes", "-keyout", "/dev/null", "-subj", "/CN=a", "-days", "10"))
	h.write("tree/metrics/certificates", "qa17 "+h.path("mirrors/cert.pem")+"\nqa19 /nonexistent\n")
	h.must(0, "", "metrics")
	metrics := h.read("metrics/odoogen.prom")
	for _, wrong := range []string{`repository="addons17"} 0`, `repository="odoo17"`, `expiry_timestamp_seconds{name="qa17"} 0`} {
		if strings.Contains(metrics, wrong+"\n") {
			t.Errorf("%s in\n%s", wrong, metrics)
		}
	}
	if !strings.Contains(metrics, `odoogen_mirror_last_success_timestamp_seconds{repository="gone"} 0`) {
		t.Errorf("the mirror that was never fetched is not 0 in\n%s", metrics)
	}

	known.Keys = []string{"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"}
	h.write("tree/mirror/known_hosts", text(t, gitServers(spec)))
	h.must(1, "not fetched: addons17 gone", "mirror")
}

func TestVenvIsMadeOnceForAList(t *testing.T) {
	h := newScratchHost(t)
	h.mkdir("opt/venv")
	h.settings("python/17.env", map[string]string{"VENV": h.path("opt/venv/17")})
	h.write("tree/python/17.txt", "# nothing beyond Debian's\n")
	h.must(0, "as listed", "venv", "17")
	h.command(h.path("opt/venv/17/bin/python"), "-c", "import sys; assert sys.prefix != sys.base_prefix")
	made := h.read("opt/venv/17/odoogen.stamp")
	if _, out := h.run("venv", "17"); out != "" {
		t.Errorf("made again with the same list: %s", out)
	}
	h.write("tree/python/17.txt", "# another list\n")
	h.must(0, "as listed", "venv", "17")
	if h.read("opt/venv/17/odoogen.stamp") == made {
		t.Error("not made again with another list")
	}
}

package push

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"odoogen/internal/artifact"
	"odoogen/internal/lab"
)

// TestNoConnectionIsLeftOverABootstrap: the push closes that way, and who found the connection would not notice.
func TestNoConnectionIsLeftOverABootstrap(t *testing.T) {
	n := &network{dir: "/tmp/odoogen-1", keepIn: "/tmp/odoogen-ssh-0", trees: map[string]*artifact.Host{"ci": {}}}
	for name, left := range map[string]bool{"private": true, "public": true, "bootstrap": false} {
		if way := n.by(connection{"ci", false}, artifact.Route{Name: name, Address: "203.0.113.20"}, false); (way.socket != "") != left {
			t.Errorf("%s: the connection has the socket %q", name, way.socket)
		}
	}
}

// connectionsAreKept shows that a command finds the connection of the last one, does not trust it to confirm, and does not
// wait for it where its network is gone.
func connectionsAreKept(r *rig) {
	sockets := filepath.Join(r.dir, "run") // names of sockets are short
	r.must(os.Mkdir(sockets, 0o700))
	built := filepath.Join(r.t.TempDir(), "out")
	// try is a command of a user who does not know that he is in a lab.
	try := func(c change, args ...string) (string, error) {
		r.t.Helper()
		if _, err := artifact.Write(built, r.trees(c)); err != nil {
			r.t.Fatal(err)
		}
		argv := append([]string{"-C", r.dir, "lab", "exec", "--from", lab.VPN, "env", "-u", lab.Variable, "-u", lab.Sockets, "XDG_RUNTIME_DIR=" + sockets, r.odoogen}, args...)
		out, err := exec.CommandContext(r.t.Context(), r.odoogen, append(argv, "--built", built)...).CombinedOutput()
		return string(out), err
	}
	command := func(c change, args ...string) string {
		r.t.Helper()
		said, err := try(c, args...)
		if err != nil {
			r.t.Fatalf("%v: %v\n%s", args, err, said)
		}
		return said
	}
	logins := func() string {
		return r.on("tests", "journalctl --quiet --no-pager -o cat -u ssh | grep -c '^Accepted publickey'")
	}
	r.push(Applied, pushed)
	command(pushed, "plan", "tests")
	before := logins()
	command(pushed, "plan", "tests")
	command(pushed, "status", "tests")
	if after := logins(); after != before {
		r.t.Errorf("there were %s logins, and then %s", before, after)
	}
	command(with(change{"tests/readme": "kept\n"}), "push", "tests", "--yes", "--unreviewed")
	r.holds("tests", "journalctl --quiet --no-pager -o cat -u ssh | grep -c '^Accepted publickey' | awk '{ print $1 - "+before+" }'", "1")
	command(pushed, "push", "tests", "--yes", "--unreviewed")

	r.must(r.Cut(r.t.Context(), "tests", lab.Private))
	begun := time.Now()
	if said := command(pushed, "plan", "tests"); !strings.Contains(said, "nothing to do") {
		r.t.Errorf("plan:\n%s", said)
	}
	r.t.Logf("the public route was taken after %v", time.Since(begun).Round(100*time.Millisecond))
	r.must(r.Heal(r.t.Context(), "tests", lab.Private))

	// Where nothing leads to the host, the command ends before the connection does.
	r.must(r.Cut(r.t.Context(), "tests", lab.Public, lab.Private))
	if said, err := try(pushed, "plan", "tests"); err == nil || !strings.Contains(said, "tests: unreachable") {
		r.t.Errorf("plan: %v\n%s", err, said)
	}
	stands, _ := filepath.Glob(filepath.Join(sockets, "*", "*"))
	if !slices.ContainsFunc(stands, func(socket string) bool { return exec.Command("ssh", "-S", socket, "-O", "check", "host").Run() == nil }) {
		r.t.Error("the command waited until the connection had ended")
	}
	r.must(r.Heal(r.t.Context(), "tests", lab.Public, lab.Private))

	left, err := filepath.Glob(filepath.Join(sockets, "*", "*"))
	if err != nil || len(left) == 0 {
		r.t.Errorf("no connection was left: %v", err)
	}
	// The socket of an ssh that was killed is in nobody's way.
	for _, socket := range left {
		said, _ := exec.Command("ssh", "-S", socket, "-O", "check", "host").CombinedOutput()
		if _, id, is := strings.Cut(strings.TrimRight(string(said), ")\r\n"), "pid="); is {
			r.must(exec.Command("kill", "-KILL", id).Run())
		}
	}
	command(pushed, "plan", "tests")
	after, _ := filepath.Glob(filepath.Join(sockets, "*", "*"))
	for _, socket := range after {
		if slices.Contains(left, socket) {
			r.t.Errorf("%s is still there", socket)
		}
		_ = exec.Command("ssh", "-S", socket, "-O", "exit", "host").Run() // it would go by itself in a minute
	}
}

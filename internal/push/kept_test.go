package push

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"odoogen/internal/artifact"
	"odoogen/internal/lab"
)

// connectionsAreKept shows that a command finds the connection of the last one, does not trust it to confirm, and does not
// wait for it where its network is gone.
func connectionsAreKept(r *rig) {
	sockets := filepath.Join(r.dir, "run") // names of sockets are short
	r.must(os.Mkdir(sockets, 0o700))
	built := filepath.Join(r.t.TempDir(), "out")
	// command is one of a user who does not know that he is in a lab.
	command := func(c change, args ...string) string {
		r.t.Helper()
		if _, err := artifact.Write(built, r.trees(c)); err != nil {
			r.t.Fatal(err)
		}
		argv := append([]string{"-C", r.dir, "lab", "exec", "--from", lab.VPN, "env", "-u", lab.Variable, "-u", lab.Sockets, "XDG_RUNTIME_DIR=" + sockets, r.odoogen}, args...)
		out, err := exec.CommandContext(r.t.Context(), r.odoogen, append(argv, "--built", built)...).CombinedOutput()
		if err != nil {
			r.t.Fatalf("%v: %v\n%s", args, err, out)
		}
		return string(out)
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

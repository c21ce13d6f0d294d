package generators

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// repository makes a mirror with one commit of the files, and returns the commit.
func (h *scratchHost) repository(name string, files ...string) string {
	h.t.Helper()
	return h.repositoryAt(name, instanceUser, files...)
}

// repositoryAt makes it another user's.
func (h *scratchHost) repositoryAt(name, owner string, files ...string) string {
	h.t.Helper()
	for _, f := range files {
		h.write("src/"+name+"/"+f, "x = '"+h.t.Name()+"'\n")
	}
	src := h.path("src/" + name)
	git := func(arguments ...string) string {
		return strings.TrimSpace(h.command("git", append([]string{"-C", src, "-c", "user.name=a", "-c", "user.email=a@example.com"}, arguments...)...))
	}
	git("init", "--quiet", "--initial-branch=17.0")
	git("add", ".")
	git("commit", "--quiet", "--message=more")
	mirror := h.path("git/" + name + ".git") // git trusts no folder of another's
	h.command("chown", "-R", "root:", mirror)
	h.command("git", "-C", src, "push", "--quiet", mirror, "HEAD:refs/heads/17.0")
	h.command("chown", "-R", owner+":", mirror)
	return git("rev-parse", "HEAD")
}

// releaseHost is a host whose instance qa17 has a database, and mirrors with one commit each. It returns the commits.
func releaseHost(t *testing.T) (*scratchHost, map[string]string) {
	h := newScratchHost(t)
	h.cluster()
	h.instance("qa17")
	h.database("qa17")
	h.settings("releases/releases.env", map[string]string{"MIRROR": h.path("git"), "MIRROR_USER": instanceUser, "KEEP": "2"})
	h.mkdir("opt/venv/17/bin")
	if err := os.Symlink("/usr/bin/python3", h.path("opt/venv/17/bin/python")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"addons17", "web17", "enterprise17", "odoo17"} {
		h.command("git", "init", "--quiet", "--bare", h.path("git/"+name+".git"))
	}
	commits := map[string]string{
		"addons17":     h.repository("addons17", "team/__manifest__.py", "team/models.py"),
		"web17":        h.repository("web17", "README"),
		"enterprise17": h.repository("enterprise17", "README"),
		"odoo17":       h.repository("odoo17", "odoo-bin", "addons/web/__manifest__.py", "odoo/addons/base/__manifest__.py"),
	}
	pins := ""
	for _, name := range []string{"addons17", "web17", "enterprise17", "odoo17"} {
		pins += name + " " + commits[name] + "\n"
	}
	h.write("tree/instances/qa17.repositories", "# a comment\n"+pins)
	return h, commits
}

// current is the release that the instance runs.
func (h *scratchHost) current() string {
	target, _ := os.Readlink(h.path("opt/instances/qa17/current"))
	return strings.TrimPrefix(target, "releases/")
}

func (h *scratchHost) releases() []string {
	entries, _ := os.ReadDir(h.path("opt/instances/qa17/releases"))
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestRelease runs the real script with git and PostgreSQL: a deploy, one that fails while it updates, one whose Odoo
// does not come up, one that is cut off, and rollbacks.
func TestRelease(t *testing.T) {
	h, commits := releaseHost(t)

	h.must(0, "qa17 runs", "release", "deploy", "qa17", "--restart-only")
	first := h.current()
	if !strings.HasSuffix(first, "-"+commits["addons17"][:12]) {
		t.Fatalf("the release is called %q", first)
	}
	code := h.path("opt/instances/qa17/releases/" + first)
	if got, _ := filepath.Glob(code + "/addons17/team/__pycache__/models.*.pyc"); len(got) != 1 {
		t.Error("the code is not compiled")
	}
	if info, err := os.Stat(code + "/addons17/team/models.py"); err != nil || info.Mode().Perm() != 0o444 {
		t.Errorf("the code can be written: %v, %v", info.Mode(), err)
	}
	want := []string{"start odoogen-venv@17.service\n", "restart odoo-qa17.service\n"}
	if diff := cmp.Diff(want, h.asked()); diff != "" {
		t.Errorf("systemctl (-want +got):\n%s", diff)
	}
	if h.hosts[0] != "qa17.example.com" {
		t.Errorf("Odoo was asked as %q", h.hosts[0])
	}

	// An update that fails has changed the database: it is put back, and so is the code.
	newer := h.repository("addons17", "team/views.py")
	update := "setpriv --reuid=" + instanceUser + " --regid=" + instanceUser + " --clear-groups psql -h " + h.path("pg") +
		` -d qa17 -qc "UPDATE ir_module_module SET state = 'to upgrade'"` + "\n"
	h.standIn(`case $2 in odoo-update-qa17.service) [ "$1" = stop ] || { ` + update + `exit 1; } ;; esac`)
	h.must(1, "put back to "+first, "release", "deploy", "qa17", newer, "-u", "base,team")
	if got := h.read("update/qa17.env"); got != "MODULES=base,team\nINIT=\n" {
		t.Errorf("the updater was asked for %q", got)
	}
	if got := h.sql("qa17", "SELECT state FROM ir_module_module"); got != "installed" {
		t.Errorf("base is %s", got)
	}
	if diff := cmp.Diff([]string{first}, h.releases()); diff != "" || h.current() != first {
		t.Errorf("%s is left, %s runs", h.releases(), h.current())
	}
	if owner := h.sql("postgres", "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'qa17'"); owner != instanceUser {
		t.Errorf("the database is %s's", owner)
	}

	// Odoo does not come up with the new code.
	h.standIn("")
	h.loginIs(http.StatusInternalServerError)
	h.must(1, "does not answer: HTTP 500 at /web/login", "release", "deploy", "qa17", newer, "--restart-only")
	h.loginIs(http.StatusOK)
	if h.current() != first {
		t.Errorf("%s runs", h.current())
	}

	// A deploy that was killed between its steps is put back by whatever comes next.
	h.standIn(`case "$*" in "start odoo-update-qa17.service") ` + update + `kill -9 $PPID ;; esac`)
	if code, out := h.run("release", "deploy", "qa17", newer, "-u", "team"); code != -1 {
		t.Fatalf("exit %d of what was killed:\n%s", code, out)
	}
	if h.current() == first {
		t.Fatal("it was killed too early to show anything")
	}
	h.standIn("")
	h.must(0, "put back to "+first, "release", "deploy", "qa17", newer, "-u", "team")
	second := h.current()
	if got := h.sql("qa17", "SELECT state FROM ir_module_module"); got != "installed" {
		t.Errorf("base is %s", got)
	}
	if got := h.sql("postgres", "SELECT count(*) FROM pg_database WHERE datname = 'qa17_deploy'"); got != "0" {
		t.Error("the copy of the database is still there")
	}

	// Back over an update: only who insists, since old code does not fit the new database.
	h.must(1, "the database was updated after "+first, "release", "rollback", "qa17")
	h.must(0, "qa17 runs "+first, "release", "rollback", "qa17", "--code-only")
	h.must(1, "no release before "+first, "release", "rollback", "qa17")
	h.must(0, "qa17 runs "+second, "release", "rollback", "qa17", second)
	h.must(1, "has no release 20200101000000-aaaaaaaaaaaa", "release", "rollback", "qa17", "20200101000000-aaaaaaaaaaaa")

	// Two good releases stay, and what they share is on disk once.
	h.must(0, "qa17 runs", "release", "deploy", "qa17", "--restart-only")
	third := h.current()
	if _, out := h.run("release", "list", "qa17"); out != second+"\n"+third+" current\n" {
		t.Errorf("list: %s", out)
	}
	shared := "/odoo17/odoo-bin"
	a, _ := os.Stat(h.path("opt/instances/qa17/releases/" + second + shared))
	b, _ := os.Stat(h.path("opt/instances/qa17/releases/" + third + shared))
	if !os.SameFile(a, b) {
		t.Error("two releases hold a copy each of one commit")
	}

	var verdicts []string
	for line := range strings.Lines(h.read("state/releases/qa17.log")) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		verdicts = append(verdicts, strings.Join([]string{f[2], f[3], f[5]}, " "))
	}
	want = []string{"deploy good -", "deploy failed base,team", "deploy failed -", "deploy good team", "rollback good -", "rollback good -", "deploy good -"}
	if diff := cmp.Diff(want, verdicts); diff != "" {
		t.Errorf("ledger (-want +got):\n%s", diff)
	}
}

func TestReleaseRefuses(t *testing.T) {
	h, commits := releaseHost(t)
	h.must(1, "no repository of qa17 has the commit "+strings.Repeat("a", 40), "release", "deploy", "qa17", strings.Repeat("a", 40), "--restart-only")
	h.write("tree/instances/qa17.repositories", "odoo17 "+strings.Repeat("b", 40)+"\n")
	h.must(1, "odoo17 has no commit "+strings.Repeat("b", 40), "release", "deploy", "qa17", "--restart-only")
	h.write("tree/instances/qa17.repositories", "addons17 "+commits["addons17"]+"\n")
	h.must(1, "has the module base, which qa17 declares", "release", "deploy", "qa17", "--restart-only")
	if len(h.releases()) != 0 || h.current() != "" {
		t.Errorf("left behind: %v %s", h.releases(), h.current())
	}
}

// TestFirstRelease: an instance without a release gets the pinned one, as soon as the CI host has it and not before; what
// failed is not tried again at once; and who has a release is left alone.
func TestFirstRelease(t *testing.T) {
	h, commits := releaseHost(t)
	h.write("tree/releases/instances", "# a comment\nqa17\n")
	h.settings("releases/releases.env", map[string]string{"SOURCE": h.path("ci"), "FETCH": "no", "FIRST_SECONDS": "0"})
	h.command("mv", h.path("git"), h.path("ci"))
	for name := range commits {
		h.command("git", "init", "--quiet", "--bare", h.path("git/"+name+".git"))
	}
	h.command("chown", "-R", instanceUser+":", h.path("git"))
	h.command("mv", h.path("ci/odoo17.git"), h.path("ci/later.git"))
	h.must(1, "odoo17.git does not give the branch 17.0", "first-release")
	h.command("mv", h.path("ci/later.git"), h.path("ci/odoo17.git"))
	h.write("state/armed", "")
	h.must(1, "waits for the push to be confirmed", "first-release")
	os.Remove(h.path("state/armed"))
	if asked := h.asked(); len(asked) != 0 || h.current() != "" {
		t.Errorf("a deploy was begun: %v %s", asked, h.current())
	}

	// The push is taken back while they wait: what only it brought is not deployed, let alone said to have failed.
	h.write("state/armed", "")
	h.settings("releases/releases.env", map[string]string{"FIRST_SECONDS": "60"})
	h.command("cp", "--archive", h.path("tree"), h.path("before"))
	h.write("before/releases/instances", "# none\n")
	if err := os.Symlink("tree", h.path("current")); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(time.Second, func() {
		h.command("ln", "-sfn", "before", h.path("current"))
		os.Remove(h.path("state/armed"))
	})
	h.must(0, "waits for the push to be confirmed", "../../current/bin/first-release")
	if asked := h.asked(); len(asked) != 0 || h.current() != "" {
		t.Errorf("a deploy was begun: %v %s", asked, h.current())
	}
	h.settings("releases/releases.env", map[string]string{"FIRST_SECONDS": "0"})

	// A loss of power in the middle of the update: it did not fail, and is begun again at once.
	h.standIn(`[ "$*" != "start odoo-update-qa17.service" ] || { read -r _ _ _ first _ </proc/$PPID/stat; kill -9 "$first" $PPID; }`)
	h.must(1, "no release yet: qa17", "first-release")
	if h.current() == "" {
		t.Error("the update was not begun")
	}
	if _, err := os.Stat(h.path("state/releases/qa17.tried")); err == nil {
		t.Error("what was cut off is said to have failed")
	}
	h.standIn("")
	h.must(0, "put back to no release", "first-release")
	if err := os.Remove(h.path("opt/instances/qa17/current")); err != nil {
		t.Fatal(err)
	}

	// The update fails, as systemctl tells: once.
	h.standIn(`[ "$*" != "start odoo-update-qa17.service" ]`)
	h.must(1, "put back to no release", "first-release")
	if got := h.read("update/qa17.env"); got != "MODULES=\nINIT=base,web\n" {
		t.Errorf("the updater was asked for %q", got)
	}
	h.asked()
	h.must(1, "the last try failed", "first-release")
	if asked := h.asked(); len(asked) != 0 {
		t.Errorf("it was tried again at once: %v", asked)
	}
	h.standIn("")
	h.command("touch", "--date=40 minutes ago", h.path("state/releases/qa17.tried"))
	h.must(0, "qa17 runs", "first-release")
	first := h.current()
	if !strings.HasSuffix(first, "-"+commits["addons17"][:12]) {
		t.Errorf("the release is %q", first)
	}
	if heads := h.command("git", "--git-dir="+h.path("git/odoo17.git"), "for-each-ref", "--format=%(refname)"); heads != "refs/first/17.0\n" {
		t.Errorf("the mirror has %s", heads)
	}

	h.asked()
	if _, out := h.run("first-release"); out != "" {
		t.Errorf("the second run says %s", out)
	}
	if asked := h.asked(); len(asked) != 0 || h.current() != first {
		t.Errorf("the second run does %v", asked)
	}

	// Other commits are pinned: what failed with the ones before is tried with them at once.
	if err := os.Remove(h.path("opt/instances/qa17/current")); err != nil {
		t.Fatal(err)
	}
	h.write("state/releases/qa17.tried", "other commits\n")
	h.must(0, "qa17 runs", "first-release")
	h.settings("releases/releases.env", map[string]string{"SOURCE": ""})
	h.write("tree/instances/qa17.repositories", "odoo17 "+strings.Repeat("b", 40)+"\n")
	os.Remove(h.path("opt/instances/qa17/current"))
	h.must(1, "nobody has pushed "+strings.Repeat("b", 40)+" of odoo17", "first-release")
}

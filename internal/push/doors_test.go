package push

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A door that leaves is closed before anything acts on the new generation, and what was found there comes back; a
// revert opens it again. The host's own script does it, in a mount namespace of its own.
func TestADoorLeavesAndComesBack(t *testing.T) {
	hostSays(t, "testdata/doors.sh", "before: y=ours z=nothing \nturned: z=theirs \nreverted: y=ours z=nothing \n")
}

// A cluster that left the spec does not start when the host boots; one that comes back does so again, and what an
// administrator has disabled stays disabled.
func TestAnOrphanedClusterStaysStopped(t *testing.T) {
	hostSays(t, "testdata/clusters.sh", "before: main=auto off=disabled old=auto\n"+
		"turned: main=auto off=disabled old=manual\nreverted: main=auto off=disabled old=auto\n")
}

// What somebody wrote into a door is told of, and kept when the door is made anew, or goes.
func TestDoorsThatAreEdited(t *testing.T) {
	hostSays(t, "testdata/edited.sh", "pushed: \n"+
		"edited: door /etc/x.d/default door /etc/x.d/include door /usr/local/lib/x.d \n"+
		"made anew: set-aside/etc/x.d/default=theirs set-aside/etc/x.d/include=and theirs \n"+
		"closed: set-aside/etc/x.d/default=theirs set-aside/etc/x.d/include.2=more of theirs set-aside/etc/x.d/include=and theirs \n"+
		"links are files: door /etc/x.d/a door /etc/x.d/b \n"+
		"made anew: set-aside/etc/x.d/a=four, and theirs set-aside/etc/x.d/b=four, and theirs of /etc/odoogen/current \n"+
		"/etc/x.d\n/usr/local/lib/x.d\n"+
		"theirs\t/usr/local/lib/x.d\ncovered\t/usr/local/lib/x.d/theirs\n")
}

// What somebody left in a generation is told of, and does not come into the next one. What the ledger had no room for comes later.
func TestWhatIsStrangeStaysBehind(t *testing.T) {
	hostSays(t, "testdata/strange.sh", "1-a, confirmed\nchanged by hand: x.d/.#a\nchanged by hand: x.d/b\nchanged by hand: .\nchanged by hand: x.d\n2-b, confirmed\n"+
		". 0 755\n./HOST.json 0 444\n./MANIFEST 0 444\n./x.d 0 755\n./x.d/a 0 444\n"+
		"leased\n1-a\tconfirmed\ttest\n2-b\tconfirmed\ttest\n3-c\tconfirmed\ttest\n")
}

// The session removes what odoogen stands on: MANIFEST, the generation, the links, the units that work at boot; then replaces a
// directory, changes modes, leads a door elsewhere, and sets the clock back.
func TestWhatIsRemovedIsToldAndMadeAnew(t *testing.T) {
	const mine = "override /etc/systemd/system/odoogen-boot-state.service.d/mine.conf"
	const edited = "door /etc/systemd/system/odoogen-boot-state.service"
	const boot, host = "door /etc/systemd/system/sysinit.target.wants/odoogen-boot.service", "door /usr/local/sbin/odoogen-host"
	hostSays(t, "testdata/gone.sh", "pushed: 1-ONE, confirmed\n"+
		"MANIFEST is edited: 1-ONE, confirmed;changed by hand: MANIFEST\n"+
		"  drift MANIFEST\n"+
		"MANIFEST is removed: 1-ONE, confirmed;changed by hand: MANIFEST\n"+
		"  manifest \n  host told\n  drift MANIFEST\n"+
		"pushed again: 2-b, confirmed\n"+
		"the generation is removed: 2-b, which somebody has removed: a push, or a rollback, puts another in its place\n"+
		"  manifest \n  host \n  drift MANIFEST\n"+
		"confirmed is removed: 3-c; somebody has removed the link \"confirmed\", which the next push makes anew\n"+
		"and a push taken back: 3-c, confirmed\n"+
		"and one by a loss of power: 3-c: a push was cut off before it turned this host to 5-e; what it did goes back by itself, or now: \"revert\";held by test\n"+
		"about to turn: armed.new lease ledger lock owed.new revert.lock turning\nbooted: lease ledger lock revert.lock\n"+
		"nothing at boot: 3-c, confirmed;by hand: "+mine+";by hand: "+edited+";by hand: "+boot+";by hand: "+host+"\n"+
		"  hand "+mine+"\n  hand "+edited+"\n  hand "+boot+"\n  hand "+host+"\n"+
		"made anew: 6-f, confirmed;by hand: "+mine+"\n"+
		"  hand "+mine+"\n# mine\n"+
		"a directory that is elsewhere: 7-g, confirmed\n"+
		"theirs\nseven\n"+
		"modes: 7-g, confirmed;changed by hand: .;changed by hand: x.d\n"+
		"  drift . strange\n  drift x.d strange\n"+
		"and as they were: 8-h, confirmed\n"+
		"hand\tmasked\todoogen-venv@17.service\nhand\tmasked\tpostgresql@.service\n"+
		"hand\toverride\t/etc/systemd/system/postgresql@.service.d/mine.conf\n"+
		"hand\toverride\t/etc/sysctl.d/zlate.conf\nhand\toverride\t/etc/tmpfiles.d/early.conf\nhand\toverride\t/etc/ssh/sshd_config.d/00-mine.conf\n6\n"+
		"missing: the secret gone; what reads it does not start until a push has brought it\n"+
		"ejected\t8-h\n/mnt/elsewhere\n"+
		"leased\nheld\ttest\n")
}

// The session has programs fail as on a full disk; then a database stands that no push has made.
func TestRecordsOutliveAFullDisk(t *testing.T) {
	hostSays(t, "testdata/full.sh", "taken back on a full disk: user late - -;directory /var/lib/late - qb;\n"+
		"and with room: \n"+
		"current\t1-a\n/etc/odoogen/current/x.d\n2-b\n"+
		"two databases: cluster 15/ours - -;database qb 15/ours qb;\n")
}

// hostSays runs a session with the host's script in a mount namespace of its own.
func hostSays(t *testing.T, session, want string) {
	t.Helper()
	script := scriptFile(t)
	out, err := exec.Command("unshare", "--mount", "bash", session, script).CombinedOutput()
	if err != nil {
		t.Fatalf("%v (it needs root)\n%s", err, out)
	}
	if string(out) != want {
		t.Errorf("got\n%swant\n%s", out, want)
	}
}

func scriptFile(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "host")
	if err := os.WriteFile(file, []byte(hostScript()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// The second of two functions of one name would take the place of the first without a word.
func TestTheHostsScriptHasEachFunctionOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^([a-z_]+)\(\) `).FindAllStringSubmatch(hostScript(), -1) {
		if seen[m[1]] {
			t.Errorf("%s() is there twice", m[1])
		}
		seen[m[1]] = true
	}
	if len(seen) < 50 {
		t.Errorf("%d functions", len(seen))
	}
}

func TestTheHostsScriptIsShellcheckClean(t *testing.T) {
	script := scriptFile(t)
	if out, err := exec.Command("shellcheck", script).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	parts, err := hostParts.ReadDir("host")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range parts {
		if text, err := hostParts.ReadFile("host/" + part.Name()); err != nil || !strings.Contains(hostScript(), string(text)) {
			t.Errorf("%s is no part of the script: %v", part.Name(), err)
		}
	}
}

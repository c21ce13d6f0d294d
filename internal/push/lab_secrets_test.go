package push

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// rotate gives the operator another token, for a push that will not last: the way back must bring the old one. What it
// returns looks whether it did.
func (r *rig) rotate() (back func()) {
	r.t.Helper()
	values := func() string {
		return r.on("tests", "cat /var/lib/odoogen/secrets/{token,RECORD} /run/credentials/reader.service/token")
	}
	before, undo := values(), r.secret("token", "a token that does not last")
	return func() {
		r.t.Helper()
		if after := values(); after != before {
			r.t.Errorf("secrets, and what their reader has, were\n%s\nand are\n%s", before, after)
		}
		undo()
	}
}

// needles are a value and what could be made of it: its base64, at each of three places, and its digest.
func needles(value string) []string {
	sum := sha256.Sum256([]byte(value))
	all := []string{value, hex.EncodeToString([]byte(value)), hex.EncodeToString(sum[:])}
	for skipped := range 3 {
		coded := base64.RawStdEncoding.EncodeToString([]byte(value[skipped:]))
		all = append(all, coded[:len(coded)-4])
	}
	return all
}

func chance(t *testing.T, name string) string {
	t.Helper()
	data := make([]byte, 18)
	if _, err := rand.Read(data); err != nil {
		t.Fatal(err)
	}
	return name + hex.EncodeToString(data)
}

// search looks for the lines of /dev/shm/needles all over a host: in files, in the journal, and in the arguments and
// environments of processes.
const search = `set -o pipefail
	find / \( -path /proc -o -path /sys -o -path /dev/shm/needles \) -prune -o -type f -print0 |
		{ xargs -0 grep -aoHFf /dev/shm/needles || true; } | sort -u
	journalctl --no-pager -o export | { grep -aoFf /dev/shm/needles || true; } | sort -u | sed 's/^/journal:/'
	{ grep -aohFf /dev/shm/needles /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null || true; } | sort -u | sed 's/^/process:/'`

// watch looks at all processes of a host, over and over until /dev/shm/enough is there.
const watch = `rm -f /dev/shm/enough; looks=0
	while [ ! -e /dev/shm/enough ]; do
		grep -aohFf /dev/shm/needles /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null
		looks=$((looks + 1))
	done | sort -u`

func planted(r *rig) {
	value, control := chance(r.t, "planted"), chance(r.t, "control")
	r.secret("token", value)
	r.onWith("tests", "cat >/dev/shm/needles", strings.Join(append(needles(value), control), "\n")+"\n")

	// The control is where the value must not be: what finds it there would find the value.
	r.onWith("tests", "read -r control; echo $control >/root/control; logger <<<$control", control+"\n")
	ctx, stop := context.WithCancel(r.t.Context())
	defer stop()
	argv, err := r.Console(ctx, "tests", []string{"bash", "-c", "exec -a " + control + " sleep infinity"})
	if err != nil {
		r.t.Fatal(err)
	}
	process := exec.CommandContext(ctx, argv[0], argv[1:]...)
	process.Env = append(os.Environ(), "CONTROL="+control)
	if err := process.Start(); err != nil {
		r.t.Fatal(err)
	}
	during, here := make(chan string), r.watchHere(ctx, value, control)
	go func() { during <- r.on("tests", watch) }()

	before := r.started("tests", "worker", "nginx")
	reader, ci := r.started("tests", "reader"), r.current("ci")
	said := r.push(Applied, pushed)
	r.on("tests", "touch /dev/shm/enough")
	if got := <-during; got != control {
		r.t.Errorf("processes of the host had\n%s\nwant the control alone, %s", got, control)
	}
	if got := strings.Join(slices.Sorted(slices.Values(here())), " "); got != control {
		r.t.Errorf("processes of this machine had %s, want the control alone, %s", got, control)
	}
	want := []string{
		"/root/control:" + control, "/run/credentials/reader.service/token:" + value, "/var/lib/odoogen/secrets/token:" + value,
		"journal:" + control, "process:" + control,
	}
	found := strings.Split(r.on("tests", search), "\n")
	found = slices.DeleteFunc(found, func(line string) bool { // the journal's own files are control's as well
		return strings.HasPrefix(line, "/var/log/journal/") && strings.HasSuffix(line, control) ||
			strings.HasPrefix(line, "/run/log/journal/") && strings.HasSuffix(line, control)
	})
	if diff := cmp.Diff(want, found); diff != "" {
		r.t.Errorf("found on the host (-want +got)\n%s", diff)
	}
	if mode := r.on("tests", "stat -c '%a %U' /var/lib/odoogen/secrets /var/lib/odoogen/secrets/*"); mode != "700 root\n600 root\n600 root\n600 root" {
		r.t.Errorf("secrets have modes\n%s", mode)
	}
	if strings.Contains(said, value) || !strings.Contains(said, "secrets: token (changed)") || !strings.Contains(said, "then restart reader.service") {
		r.t.Errorf("said:\n%s", said)
	}
	if err := os.WriteFile(filepath.Join(r.dir, "control"), []byte(value), 0o600); err != nil {
		r.t.Fatal(err)
	}
	if files := r.filesHere(value); !slices.Equal(files, []string{filepath.Join(r.dir, "control")}) {
		r.t.Errorf("files of this machine that hold the value: %v, want the control alone", files)
	}
	_ = os.Remove(filepath.Join(r.dir, "control"))
	if after := r.started("tests", "worker", "nginx"); after != before || r.current("ci") != ci {
		r.t.Errorf("who reads no secret was\n%s, ci %s\nand is\n%s, ci %s", before, ci, after, r.current("ci"))
	}
	if r.started("tests", "reader") == reader {
		r.t.Error("who reads the secret has not started anew")
	}
	r.on("tests", "rm /dev/shm/needles /dev/shm/enough /root/control")
}

// watchHere looks at all processes of this machine, over and over until what it returns is called, for values.
func (r *rig) watchHere(ctx context.Context, values ...string) (found func() []string) {
	ctx, stop := context.WithCancel(ctx)
	seen := make(chan []string)
	go func() {
		var all []string
		for ctx.Err() == nil {
			files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
			for _, f := range files {
				cmdline, _ := os.ReadFile(f)
				environ, _ := os.ReadFile(filepath.Join(filepath.Dir(f), "environ"))
				for _, v := range values {
					if bytes.Contains(append(cmdline, environ...), []byte(v)) && !slices.Contains(all, v) {
						all = append(all, v)
					}
				}
			}
			time.Sleep(5 * time.Millisecond)
		}
		seen <- all
	}()
	return func() []string { stop(); return <-seen }
}

// filesHere are the files of the operator that hold a value: the spec's, what was built, what a push left.
func (r *rig) filesHere(value string) []string {
	r.t.Helper()
	var all []string
	for _, pattern := range []string{"TestPush*", "odoogen-*"} {
		dirs, err := filepath.Glob(filepath.Join(os.TempDir(), pattern))
		if err != nil {
			r.t.Fatal(err)
		}
		for _, dir := range dirs {
			_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
				if err != nil || !d.Type().IsRegular() {
					return nil
				}
				if data, err := os.ReadFile(path); err == nil && bytes.Contains(data, []byte(value)) {
					all = append(all, path)
				}
				return nil
			})
		}
	}
	return all
}

func rotated(r *rig) {
	all := []string{"worker", "nginx", "reader", "job"}
	before := r.started("tests", all...)
	r.secret("password", "another password")
	said := r.push(Applied, pushed)
	if !strings.Contains(said, "secrets: password (changed)") || strings.Contains(said, "job") {
		r.t.Errorf("said:\n%s", said)
	}
	if after := r.started("tests", all...); after != before {
		r.t.Errorf("what a timer starts reads its secrets then, but something started now:\n%s\nafter:\n%s", before, after)
	}
	if got := r.on("tests", "systemctl start job; cat /run/job"); got != "another password" {
		r.t.Errorf("the job reads %q", got)
	}

	// Encrypted anew, as secrets rekey does it: another file, the same value.
	before = r.started("tests", all...)
	r.secret("token", r.on("tests", "cat /var/lib/odoogen/secrets/token"))
	if said := r.push(Applied, pushed); !strings.Contains(said, "secrets: token (changed)") {
		r.t.Errorf("said:\n%s", said)
	}
	if after := r.started("tests", all...); after != before {
		r.t.Errorf("the same value restarts something:\n%s\nafter:\n%s", before, after)
	}
	if said := r.push(Applied, pushed); strings.Count(said, "nothing to do") != 2 {
		r.t.Errorf("said:\n%s", said)
	}

	// Changed by hand.
	r.on("tests", "echo by hand >/var/lib/odoogen/secrets/token")
	if said := r.push(Failed, pushed); !strings.Contains(said, "tests: changed by hand: secrets/token") {
		r.t.Errorf("said:\n%s", said)
	}
	r.push(Applied, pushed, "--overwrite-drift")
	if got := r.on("tests", "cat /var/lib/odoogen/secrets/token"); got == "by hand" {
		r.t.Error("what was changed by hand stayed")
	}
}

func keyless(r *rig) {
	key := r.key
	defer func() { r.key = key }()
	other := r.newKey("other")
	r.key = other
	r.push(Applied, pushed) // nothing to do, nothing to open
	r.key = key
	back := r.rotate()
	before := r.current("tests") + r.current("ci")
	for file, want := range map[string]string{
		other:                               filepath.Base(r.secrets.Dir) + "/token.age: " + other + " cannot open it\nhint: --identity FILE or ODOOGEN_IDENTITY names another key",
		filepath.Join(r.dir, "no-such-key"): "no-such-key: there is no such key",
	} {
		r.key = file
		said := r.push(Failed, with(change{"ci/systemd/system/worker.service": "# new\n"}))
		if !strings.Contains(said, want) || !strings.Contains(said, "no host was turned") || strings.Contains(said, "lease") {
			r.t.Errorf("want %q, said:\n%s", want, said)
		}
	}
	r.key = key
	back()
	r.sameAs(before)
}

func comesAndGoes(r *rig) {
	spare := with(change{"spare": ""})
	file := "/var/lib/odoogen/secrets/spare"
	if said := r.push(Failed, spare); !strings.Contains(said, "tests: secrets are missing: spare\nhint: odoogen secrets edit spare") {
		r.t.Errorf("said:\n%s", said)
	}
	// Put there by hand, it suffices and stays.
	r.on("tests", "umask 077; echo by hand >"+file)
	r.push(Applied, spare)
	if got := r.on("tests", "cat "+file+"; grep -c spare /var/lib/odoogen/secrets/RECORD || true"); got != "by hand\n0" {
		r.t.Errorf("after a push of what was put there by hand: %s", got)
	}
	// What the operator has takes its place, and is noted.
	undo := r.secret("spare", "given")
	r.push(Applied, spare)
	if got := r.on("tests", "cat "+file+"; echo; grep -c spare /var/lib/odoogen/secrets/RECORD"); got != "given\n1" {
		r.t.Errorf("after it was given: %s", got)
	}
	// It leaves the spec: a host that goes back still has it, one that stays does not.
	said := r.push(RolledBack, with(change{"ci/systemd/system/worker.service": "ExecStartPre=false\n"}))
	if !strings.Contains(said, "secrets: spare (removed)") {
		r.t.Errorf("said:\n%s", said)
	}
	if got := r.on("tests", "cat "+file); got != "given" {
		r.t.Errorf("a host that went back has %q", got)
	}
	undo()
	r.push(Applied, pushed)
	if got := r.on("tests", "ls /var/lib/odoogen/secrets; cut -f 1 /var/lib/odoogen/secrets/RECORD"); got != "RECORD\npassword\ntoken\npassword\ntoken" {
		r.t.Errorf("after it left: %s", got)
	}
}

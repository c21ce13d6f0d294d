package push

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The host's own functions, on directories of a test: whenever the host dies, before or after any rename of the way
// forth and of the way back, the way back ends with the secrets that were there.
func TestSecretsComeBackFromAnywhere(t *testing.T) {
	h := newSecretsHost(t)
	h.run(`before=$(cd "$secrets"; grep . *)
		mv() { [ $((left--)) -gt 0 ] || exit 9; command mv "$@"; }
		steps=3 # renames of a turn: a value that changes, a new one, and RECORD
		for forth in $(seq 0 $steps); do
			for back in $(seq 0 $steps); do
				mkdir -m 700 "$secrets.new"
				for f in changed new RECORD; do echo "new $f" >"$secrets.new/$f"; done
				{ echo "nonce	2-b	1-a"; echo "forget	gone	7"; keep_secrets; } >"$state/armed"
				died=0; (left=$forth; put_secrets) || died=$?
				[ "$died" = $((forth == steps ? 0 : 9)) ] || die "after $forth renames it ends with $died"
				(left=$back; take_secrets_back) || true
				left=$steps; take_secrets_back
				after=$(cd "$secrets"; grep . *)
				[ "$after" = "$before" ] || die "after $forth renames forth and $back back, and all back again: $after, want $before"
				[ ! -e "$secrets.new" ] && [ ! -e "$secrets.old" ] || die "something is left"
			done
		done`)
}

func TestSecretsThatAreConfirmedStay(t *testing.T) {
	h := newSecretsHost(t)
	h.run(`mkdir "$secrets.new"; for f in changed new RECORD; do echo "new $f" >"$secrets.new/$f"; done
		touch -d @7 "$secrets/gone"; echo mine >"$secrets/byhand"
		{ echo "nonce	2-b	1-a"; printf 'forget\t%s\t7\n' gone byhand; keep_secrets; } >"$state/armed"; put_secrets`)
	if got := h.secrets(); !strings.Contains(got, "gone: gone") {
		t.Errorf("what is forgotten goes when it is confirmed, not before:\n%s", got)
	}
	h.run(`forget_secrets; forget_secrets; [ ! -e "$secrets.old" ]`)
	if got, want := h.secrets(), "RECORD: new RECORD\nbyhand: mine\nchanged: new changed\nnew: new new\nother: other\n"; got != want {
		t.Errorf("confirmed secrets are\n%swant\n%s", got, want)
	}
}

// A loss of power while a host is confirmed: before the rename that counts it goes back, after it it stays.
func TestBootAfterAConfirmationThatWasCutOff(t *testing.T) {
	for confirmed, want := range map[string]string{"1-a": "changed: changed\n", "2-b": "changed: new changed\n"} {
		h := newSecretsHost(t)
		h.run(`mkdir -p "$etc/generations/1-a" "$etc/generations/2-b" "$secrets.new"; echo "new changed" >"$secrets.new/changed"
			{ echo "nonce	2-b	1-a"; keep_secrets; } >"$state/armed"; ln -s generations/1-a "$etc/.back"
			turn_link current 2-b; put_secrets; turn_link confirmed ` + confirmed + `
			systemctl() { :; }; boot; boot_state
			[ "$(target current)" = ` + confirmed + ` ]; [ ! -e "$etc/.back" ]; [ ! -e "$state/armed" ]; [ ! -e "$secrets.old" ]`)
		if got := h.secrets(); !strings.Contains(got, want) {
			t.Errorf("confirmed is %s, and secrets are\n%s", confirmed, got)
		}
	}
}

// A loss of power right after a push: what the ledger says of it was on the disk before what would have said it at the boot
// was removed.
func TestTheLedgerIsOnTheDiskBeforeTheWayBackGoes(t *testing.T) {
	for _, end := range []string{"confirm nonce 10 <<<test", "revert nonce", "turn_link confirmed 2-b; boot_state", "boot_state"} {
		newSecretsHost(t).run(`mkdir -p "$etc/generations/1-a" "$etc/generations/2-b"; printf 'nonce\ttest\n' >"$state/lease"
			turn_link confirmed 1-a; turn_link current 2-b; printf 'nonce\t2-b\t1-a\n' >"$state/armed"
			systemctl() { :; }; : >"$state/ledger"
			sync() { [ "$1" != "$state/ledger" ] || cp "$1" "$state/on-disk"; }
			rm() { [ ! -s "$state/ledger" ] || cmp "$state/ledger" "$state/on-disk"; command rm "$@"; }
			` + end + ` >/dev/null; [ ! -e "$state/armed" ]; [ -s "$state/ledger" ]; cmp "$state/ledger" "$state/on-disk"`)
	}
}

// secretsHost is a directory in which the host's script works.
type secretsHost struct {
	t   *testing.T
	dir string
}

// newSecretsHost has three secrets and a record.
func newSecretsHost(t *testing.T) *secretsHost {
	t.Helper()
	h := &secretsHost{t, t.TempDir()}
	h.run(`mkdir -p "$etc" "$state"; mkdir -m 700 "$secrets"; for f in changed other gone RECORD; do echo "$f" >"$secrets/$f"; done`)
	return h
}

// run runs commands with the script's functions.
func (h *secretsHost) run(commands string) {
	h.t.Helper()
	functions, _, cut := strings.Cut(hostScript(), "\nverb() {\n")
	if !cut {
		h.t.Fatal("the script's end is otherwise")
	}
	for _, place := range []string{"etc=/etc/odoogen", "state=/var/lib/odoogen"} {
		name, path, _ := strings.Cut(place, "=")
		moved := strings.Replace(functions, "\n"+place+"\n", "\n"+name+"="+filepath.Join(h.dir, path)+"\n", 1)
		if moved == functions {
			h.t.Fatalf("the script has no line %s", place)
		}
		functions = moved
	}
	out, err := exec.Command("bash", "-c", functions+"\nsync() { :; }\n"+commands).CombinedOutput()
	if err != nil {
		h.t.Fatalf("%v: %s\n%s", err, commands, out)
	}
}

func (h *secretsHost) secrets() string {
	h.t.Helper()
	var all strings.Builder
	files, err := filepath.Glob(filepath.Join(h.dir, "var/lib/odoogen/secrets/*"))
	if err != nil {
		h.t.Fatal(err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			h.t.Fatal(err)
		}
		fmt.Fprintf(&all, "%s: %s", filepath.Base(f), data)
	}
	return all.String()
}

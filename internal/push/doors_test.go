package push

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// A door that leaves is closed before anything acts on the new generation, and what was found there comes back; a
// revert opens it again. The host's own script does it, in a mount namespace of its own.
func TestADoorLeavesAndComesBack(t *testing.T) {
	script, err := filepath.Abs("host.sh")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("unshare", "--mount", "bash", "testdata/doors.sh", script).CombinedOutput()
	if err != nil {
		t.Fatalf("%v (it needs root)\n%s", err, out)
	}
	const want = "before: y=ours z=nothing \nturned: z=theirs \nreverted: y=ours z=nothing \n"
	if string(out) != want {
		t.Errorf("got\n%swant\n%s", out, want)
	}
}

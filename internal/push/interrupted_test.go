package push

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"odoogen/internal/artifact"
)

// lateInterrupt is a context that ends when all that was asked of hosts has been done.
type lateInterrupt struct{ context.Context }

func (lateInterrupt) Err() error { return context.Canceled }

// Who gives up when the last thing before the flip is done leaves no lease behind. A stand-in for ssh answers as a host does.
func TestWhoGivesUpBeforeTheFlipGivesTheLeaseBack(t *testing.T) {
	standIn, err := filepath.Abs("../../cmd/odoogen/testdata/stand-in")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", standIn+":"+os.Getenv("PATH"))
	t.Setenv("HOME", t.TempDir())
	t.Chdir(t.TempDir())
	const standing = "generation\t-\nconfirmed\t-\n"
	for name, text := range map[string]string{"observe": standing, "lease": "leased\n" + standing} {
		if err := errors.Join(os.MkdirAll("tests", 0o777), os.WriteFile("tests/"+name, []byte(text), 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	bare := &artifact.Tree{Host: "tests", Files: []artifact.File{
		{Path: artifact.HostName, Mode: 0o444, Data: []byte(`{"host": "tests", "routes": [{"name": "public", "address": "203.0.113.10"}]}`)}}}
	p := &Push{Owner: "anna@laptop", Say: func(string, string) {}}
	if err := p.Start([]*artifact.Tree{bare}, nil); err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := p.Plan(t.Context()); err != nil {
		t.Fatal(err)
	}
	var v *Verdict
	if err := p.Execute(lateInterrupt{t.Context()}); !errors.As(err, &v) || v.Code != Failed || err.Error() != "context canceled\nno host was turned" {
		t.Errorf("ends with %v", err)
	}
	if _, err := os.Stat("tests/check.told"); err != nil {
		t.Error("it did not come as far as to the check")
	}
	if _, err := os.Stat("tests/abandon.told"); err != nil {
		t.Error("the lease stays")
	}
}

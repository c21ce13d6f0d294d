package main

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"pgregory.net/rapid"

	"odoogen/generators"
	"odoogen/internal/artifact"
	"odoogen/internal/native"
	"odoogen/internal/topology"
)

var (
	firstSpec = flag.Int("spec", 1, "the first of the specs that TestWhatVetAcceptsTheHostsAccept draws")
	search    = flag.Duration("search", 0, "draw specs for that long, less like each other")
)

// The promise of vet: what it accepts, the hosts accept. Specs are drawn, each by its number, and the trees of those that
// vet accepts are read by the programs that read them on a host; what was read before is not read again. A spec that vet
// refuses breaks no promise, but most must be accepted, or little was tried.
//
// With ALL it draws 200, always the same: 40 that are odd in many places, and then such as are odd in one or two, of
// which much was read before. -spec 1001 draws others; make fuzz searches from a number that the clock gives, for FUZZTIME.
// It is no fuzz test of Go's, which takes an input of more than ten seconds for a hang.
func TestWhatVetAcceptsTheHostsAccept(t *testing.T) {
	specs, odd := 20, 10
	if os.Getenv("ALL") != "" {
		specs, odd = 200, 40
	}
	const together = 10 // fill all cores
	p := promise{vetter: native.NewVetter("/"), refused: map[string]int{}}
	begun := time.Now()
	for n := 0; !t.Failed() && (n < specs && *search == 0 || time.Since(begun) < *search); n += together {
		plain := 7
		switch {
		case *search > 0:
			plain = 3
		case n < odd:
			plain = 4
		}
		for seed := range together {
			p.draw(t, *firstSpec+n+seed, plain)
		}
		p.hold(t)
	}
	t.Logf("%d of %d specs from %d on were accepted; not for: %v", p.accepted, p.drawn, *firstSpec, p.refused)
	if p.accepted*10 < p.drawn*8 {
		t.Errorf("only %d of %d specs were accepted: %v", p.accepted, p.drawn, p.refused)
	}
}

// promise is vet's, over many specs.
type promise struct {
	vetter          *native.Vetter
	trees           []*artifact.Tree // that the programs are still to read
	specs           map[string]string
	drawn, accepted int
	refused         map[string]int // by what is said first
}

// draw draws the spec of a number, and compiles it if vet accepts it.
func (p *promise) draw(t *testing.T, seed, plain int) {
	t.Helper()
	files := rapid.Custom(func(rt *rapid.T) map[string]string { return specOf(rt, plain) }).Example(seed)
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	p.drawn++
	top, _, err := topology.Load(dir)
	var problems topology.Problems
	if errors.As(err, &problems) {
		p.refused[problems[0].Message]++
		return
	}
	if err != nil {
		t.Fatalf("spec %d: %v\n%s", seed, err, archive(files))
	}
	p.accepted++
	trees, err := generators.Build(top)
	if err != nil {
		t.Fatalf("spec %d: vet accepts what cannot be built: %v\n%s", seed, err, archive(files))
	}
	for _, tree := range trees {
		if p.specs == nil {
			p.specs = map[string]string{}
		}
		// A name that tells the spec: only reports say it.
		tree.Host += " of spec " + fmt.Sprint(seed)
		p.specs[tree.Host] = archive(files)
	}
	p.trees = append(p.trees, trees...)
}

// hold has the programs read what was compiled.
func (p *promise) hold(t *testing.T) {
	t.Helper()
	report, err := p.vetter.Vet(t.Context(), p.trees)
	if err != nil {
		t.Fatal(err)
	}
	for _, res := range report.Results {
		if len(res.Problems) > 0 {
			var text strings.Builder
			(&native.Report{Results: []native.Result{res}}).Text(&text, "out")
			t.Errorf("vet accepts what a host refuses:\n%s\n%s", text.String(), p.specs[res.Host])
		}
	}
	p.trees, p.specs = nil, nil
}

// archive is a spec as a script of testdata/script has it.
func archive(files map[string]string) string {
	var a txtar.Archive
	for _, name := range slices.Sorted(maps.Keys(files)) {
		a.Files = append(a.Files, txtar.File{Name: name, Data: []byte(files[name])})
	}
	return string(txtar.Format(&a))
}

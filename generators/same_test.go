package generators_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"odoogen/generators"
	"odoogen/internal/artifact"
	"odoogen/internal/topology"
)

// What the table declares the same on every host is the same, byte for byte; what it declares different does differ,
// so that no reason there outlives its cause.
func TestHostsDifferOnlyWhereDeclared(t *testing.T) {
	c := sampleWith(t, `hosts: tests: sysctl: "vm.overcommit_memory": 2`)
	for _, g := range generators.Table {
		found := differences(t, g, c.topology)
		switch {
		case g.Differs == "" && len(found) > 0:
			t.Errorf("%s is declared the same on every host:\n%s", g.Name, strings.Join(found, "\n"))
		case g.Differs != "" && len(found) == 0:
			t.Errorf("%s is declared to differ (%s), and does not", g.Name, g.Differs)
		}
	}
}

// The comparison finds a stray difference: a byte, a mode, an effect, a file too many.
func TestAStrayDifferenceIsFound(t *testing.T) {
	c := sample(t)
	same := artifact.File{Path: "a", Mode: 0o444, Data: []byte("x\n"), From: []string{"hosts"}}
	for name, stray := range map[string]func(f *artifact.File, h *topology.Host){
		"a byte":          func(f *artifact.File, h *topology.Host) { f.Data = []byte(h.Name + "\n") },
		"a mode":          func(f *artifact.File, h *topology.Host) { f.Mode = 0o555 },
		"an effect":       func(f *artifact.File, h *topology.Host) { f.Effects = []artifact.Effect{artifact.DaemonReload} },
		"a path":          func(f *artifact.File, h *topology.Host) { f.Path = h.Name },
		"nothing, as yet": nil,
	} {
		t.Run(name, func(t *testing.T) {
			g := generators.Generator{Name: "stray", Generate: func(_ *topology.Topology, h *topology.Host) ([]artifact.File, error) {
				f := same
				if stray != nil && h.Name == c.topology.Hosts[1].Name {
					stray(&f, h)
				}
				return []artifact.File{f}, nil
			}}
			if found := differences(t, g, c.topology); (len(found) > 0) != (stray != nil) {
				t.Errorf("found %v", found)
			}
		})
	}
}

// differences says in what the hosts' files of one kind are not those of the first host.
func differences(t *testing.T, g generators.Generator, top *topology.Topology) []string {
	t.Helper()
	if len(top.Hosts) < 2 {
		t.Fatal("one host has nothing to differ from")
	}
	var found []string
	var first []string
	for i, h := range top.Hosts {
		files, err := g.Generate(top, h)
		if err != nil {
			t.Fatal(err)
		}
		all := make([]string, len(files))
		for j, f := range files {
			all[j] = fmt.Sprintf("%s %04o %v %s", f.Path, f.Mode, f.Effects, f.Digest())
		}
		slices.Sort(all)
		if i == 0 {
			first = all
			continue
		}
		for _, f := range all {
			if !slices.Contains(first, f) {
				found = append(found, h.Name+" has "+f)
			}
		}
		for _, f := range first {
			if !slices.Contains(all, f) {
				found = append(found, h.Name+" has not "+f)
			}
		}
	}
	return found
}

package topology

import (
	"strings"
	"testing/fstest"
)

// Assignment is a line of CUE that the user may add to the spec.
type Assignment struct {
	Path string // of what it gives a value
	Line string // as Assign has it
}

// Saying is the spec again, read as if the user had written the lines too, in the place of what he says there now. The
// spec itself stays as it is. Lines that it cannot say are refused as his own would be.
func (o *Origins) Saying(lines []Assignment) (*Topology, error) {
	more := &saying{instead: map[Place]mend{}}
	for _, l := range lines {
		more.lines = append(more.lines, l.Line)
		for _, at := range o.writtenAt(l.Path) {
			more.instead[at] = leave
		}
	}
	t, _, err := read(o.dir, more)
	return t, err
}

// saying is what a spec says more than its files do, and the places of what it takes the place of.
type saying struct {
	lines   []string
	instead map[Place]mend
}

// saidFile is what the lines stand in. No user has a file of that name.
const saidFile = "odoogen drift --adopt.cue"

func (s *saying) file() *fstest.MapFile {
	return &fstest.MapFile{Data: []byte("package " + packageName + "\n" + strings.Join(s.lines, "\n") + "\n"), Mode: 0o444}
}

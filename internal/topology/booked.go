package topology

import "slices"

// Booked is what a budget gives away, and what it has. The rule that holds the one against the other notes it.
type Booked struct {
	Used, Has int64
	Paths     []string // of what it is given to
}

func (ps parts) booked(has int64) Booked { return Booked{ps.sum(), has, ps.paths()} }

// paths are those of the parts, each once.
func (ps parts) paths() []string {
	var all []string
	for _, p := range ps {
		if !slices.Contains(all, p.path) {
			all = append(all, p.path)
		}
	}
	return all
}

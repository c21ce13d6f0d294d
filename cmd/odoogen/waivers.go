package main

import (
	"fmt"
	"io"

	"odoogen/internal/topology"
)

// noteWaivers lists what the spec accepts against the rules, and what it accepts in vain.
func noteWaivers(stderr io.Writer, t *topology.Topology) {
	for _, w := range t.Accept {
		for _, p := range w.Problems {
			p.Message = "accepted until " + w.Until + ": " + p.Message
			p.Also = []topology.Also{{Place: w.Place, Message: w.Path + ": " + w.Reason}}
			p.Hint = ""
			fmt.Fprintln(stderr, p)
		}
		if len(w.Problems) == 0 {
			fmt.Fprintf(stderr, "%s: %s: nothing to accept: rule %s is kept\nhint: leave it out\n", w.Place, w.Path, w.Rule)
		}
	}
}

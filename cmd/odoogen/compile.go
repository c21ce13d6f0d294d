package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"odoogen/generators"
	"odoogen/internal/artifact"
	"odoogen/internal/provenance"
	"odoogen/internal/topology"
	"odoogen/internal/workspace"
)

// compileTrees is compile for who asks no line where it comes from: without the origins, what CUE evaluated is gone
// before the trees take its memory.
func compileTrees(stderr io.Writer) ([]*artifact.Tree, error) {
	t, _, err := load(stderr)
	if err != nil {
		return nil, err
	}
	return generators.Build(t)
}

// compile builds the trees of the working directory's spec, and keeps where they come from.
func compile(stderr io.Writer) (*provenance.Build, error) {
	t, origins, err := load(stderr)
	if err != nil {
		return nil, err
	}
	trees, err := generators.Build(t)
	if err != nil {
		return nil, err
	}
	return &provenance.Build{Trees: trees, Origins: origins}, nil
}

// load reads the spec, and says what of it is to be known.
func load(stderr io.Writer) (*topology.Topology, *topology.Origins, error) {
	limitHeap()
	hugeHeap()
	note := startStale()
	t, origins, err := topology.Load(".")
	note(stderr)
	if err == nil {
		noteWaivers(stderr, t)
	}
	return t, origins, err
}

// startStale looks, while the spec is read, whether the schema that the editor and stock cue read is the one that odoogen
// compiles with. What it returns waits for that, and says so where it is not.
func startStale() (note func(stderr io.Writer)) {
	found := make(chan []string, 1)
	go func() {
		stale, _ := workspace.Stale(".") // a copy that cannot be read is none
		found <- stale
	}()
	return func(stderr io.Writer) {
		if stale := <-found; len(stale) > 0 {
			fmt.Fprintf(stderr, "note: not this odoogen's, and not used: %s\nhint: odoogen init --upgrade .\n", strings.Join(stale, ", "))
		}
	}
}

// printJSON prints a value for programs.
func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"odoogen/generators"
	"odoogen/internal/provenance"
	"odoogen/internal/topology"
	"odoogen/internal/workspace"
)

// compile builds the trees of the working directory's spec.
func compile(stderr io.Writer) (*provenance.Build, error) {
	noteStale(stderr)
	t, origins, err := topology.Load(".")
	if err != nil {
		return nil, err
	}
	noteWaivers(stderr, t)
	trees, err := generators.Build(t)
	if err != nil {
		return nil, err
	}
	return &provenance.Build{Trees: trees, Origins: origins}, nil
}

// noteStale says when the schema that the editor and stock cue read is not the one that odoogen compiles with.
func noteStale(stderr io.Writer) {
	stale, err := workspace.Stale(".")
	if err != nil || len(stale) == 0 {
		return
	}
	fmt.Fprintf(stderr, "note: not this odoogen's, and not used: %s\nhint: odoogen init --upgrade .\n", strings.Join(stale, ", "))
}

// printJSON prints a value for programs.
func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

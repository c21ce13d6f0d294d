// Package provenance answers two questions about a build: where a line of output comes from, and what a line of
// the spec leads to. Every line of a tree carries its origins, CUE paths or a line of a constant file; this package
// turns them into places that an editor opens.
package provenance

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"odoogen/generators"
	"odoogen/internal/artifact"
	"odoogen/internal/topology"
)

// Kind says what an origin is.
type Kind string

// The kinds of origin.
const (
	Spec     Kind = "spec"     // the user wrote it
	Default  Kind = "default"  // the schema's default, or its shape
	Constant Kind = "constant" // a line of a file that odoogen ships as it is
)

// Origin is one thing that decides a line.
type Origin struct {
	Place topology.Place
	Kind  Kind
	Path  string // the CUE path; empty for a constant
}

func (o Origin) String() string {
	switch o.Kind {
	case Constant:
		return o.Place.String() + " (constant of odoogen)"
	case Default:
		return o.Place.String() + ": " + o.Path + " (schema default)"
	}
	return o.Place.String() + ": " + o.Path
}

// Build is a compiled spec that still knows where it comes from.
type Build struct {
	Trees   []*artifact.Tree
	Origins *topology.Origins

	known map[string]Origin // what origin has found: few, beside the lines
}

// Why gives the origins of a line of a built file, the one that decides it first. The file is named as the user
// sees it, in any directory that holds a build. It is refused when it is not what the spec gives now: its lines
// would be answered with the places of others.
func (b *Build) Why(file string, line int) ([]Origin, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	tree, path, err := b.locate(file)
	if err != nil {
		return nil, err
	}
	want, from := tree.Manifest(), manifestFrom(tree)
	if path != artifact.ManifestName {
		f := tree.File(path)
		if f == nil {
			return nil, stale(file)
		}
		want, from = f.Data, f.From
	}
	if string(data) != string(want) {
		return nil, stale(file)
	}
	if line < 1 || line > len(from) {
		return nil, fmt.Errorf("%s has %d lines, none of them is number %d", file, len(from), line)
	}
	return b.resolve(from[line-1])
}

func stale(file string) error {
	return fmt.Errorf("%s is not what the spec gives now\nhint: odoogen build", file)
}

// locate finds the host's tree that a file on disk belongs to, and the file's path in it: the nearest directory
// above that holds a MANIFEST has the host's name.
func (b *Build) locate(file string) (*artifact.Tree, string, error) {
	abs, err := filepath.Abs(file)
	if err != nil {
		return nil, "", err
	}
	for dir := filepath.Dir(abs); ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(filepath.Join(dir, artifact.ManifestName)); err == nil {
			for _, t := range b.Trees {
				if t.Host == filepath.Base(dir) {
					path, err := filepath.Rel(dir, abs)
					return t, filepath.ToSlash(path), err
				}
			}
			return nil, "", fmt.Errorf("%s is a tree of host %s, which the spec does not have", dir, filepath.Base(dir))
		}
		if dir == filepath.Dir(dir) {
			return nil, "", fmt.Errorf("%s is in no tree that odoogen built\nhint: name a file below out/ or golden/", file)
		}
	}
}

// manifestFrom gives each line of a MANIFEST the origins of the first line of the file that it lists: the thing
// that the file exists for.
func manifestFrom(t *artifact.Tree) []string {
	from := make([]string, len(t.Files))
	for i := range t.Files {
		from[i] = t.Files[i].From[0]
	}
	return from
}

// resolve turns the origins of a line, as a writer noted them, into places.
func (b *Build) resolve(from string) ([]Origin, error) {
	var all []Origin
	for word := range strings.FieldsSeq(from) {
		o, err := b.origin(word)
		if err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("a line without an origin: this is a fault of odoogen")
	}
	return all, nil
}

func (b *Build) origin(word string) (Origin, error) {
	if o, ok := b.known[word]; ok {
		return o, nil
	}
	o, err := b.find(word)
	if err == nil {
		if b.known == nil {
			b.known = map[string]Origin{}
		}
		b.known[word] = o
	}
	return o, err
}

func (b *Build) find(word string) (Origin, error) {
	if constant(word) {
		file, number, _ := strings.Cut(word, ":")
		line, err := strconv.Atoi(number)
		if err != nil {
			return Origin{}, fmt.Errorf("%s names no line: this is a fault of odoogen", word)
		}
		return Origin{Place: topology.Place{File: file, Line: line}, Kind: Constant}, nil
	}
	place, ok := b.Origins.Of(word)
	switch {
	case !ok:
		return Origin{}, fmt.Errorf("the spec has no %s: this is a fault of odoogen", word)
	case b.Origins.Schema(place):
		return Origin{place, Default, word}, nil
	}
	return Origin{place, Spec, word}, nil
}

// constant tells whether a name is one of a constant file of odoogen.
func constant(name string) bool { return strings.HasPrefix(name, generators.ConstantPrefix) }

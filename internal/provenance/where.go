package provenance

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"odoogen/internal/artifact"
	"odoogen/internal/topology"
)

// Line is a line of output.
type Line struct {
	File   string // below the output directory, with the host: "tests/odoo/qa17.conf"
	Number int    // from 1
	Text   string
}

// Where lists every line of output that a line of the spec, of the schema or of a constant file decides or goes
// into, in the order of the trees.
func (b *Build) Where(file string, line int) ([]Line, error) {
	file, err := fromHere(file)
	if err != nil {
		return nil, err
	}
	if err := readable(file, line); err != nil {
		return nil, err
	}
	place := topology.Place{File: file, Line: line}
	hit := map[string]bool{} // origins as the writers noted them: few, beside the lines
	var lines []Line
	for _, t := range b.Trees {
		for i := range t.Files {
			more, err := b.linesOf(t, &t.Files[i], place, hit)
			if err != nil {
				return nil, err
			}
			lines = append(lines, more...)
		}
	}
	return lines, nil
}

// linesOf lists the lines of one file that have an origin in the place. What it resolves it remembers in hit.
func (b *Build) linesOf(t *artifact.Tree, f *artifact.File, place topology.Place, hit map[string]bool) ([]Line, error) {
	var lines []Line
	number := 0
	for text := range bytes.Lines(f.Data) {
		from := f.From[number]
		number++
		found, known := hit[from]
		if !known {
			origins, err := b.resolve(from)
			if err != nil {
				return nil, fmt.Errorf("%s/%s:%d: %w", t.Host, f.Path, number, err)
			}
			for _, o := range origins {
				found = found || (o.Place.File == place.File && o.Place.Line == place.Line)
			}
			hit[from] = found
		}
		if found {
			lines = append(lines, Line{t.Host + "/" + f.Path, number, string(bytes.TrimRight(text, "\n"))})
		}
	}
	return lines, nil
}

// fromHere names a file as origins do: from the working directory.
func fromHere(file string) (string, error) {
	if !filepath.IsAbs(file) {
		return filepath.Clean(file), nil
	}
	here, err := os.Getwd()
	if err != nil {
		return "", err
	}
	return filepath.Rel(here, file)
}

// readable refuses a place that no line can come from: a file that is not of the spec or not there, a line after
// its end. A constant file lies in odoogen, not in the user's directory.
func readable(file string, line int) error {
	if constant(file) {
		return nil
	}
	if filepath.Ext(file) != ".cue" {
		return fmt.Errorf("%s is no file of the spec\nhint: odoogen where envs.cue:LINE", file)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	n := bytes.Count(data, []byte("\n"))
	if len(data) > 0 && data[len(data)-1] != '\n' {
		n++
	}
	if line < 1 || line > n {
		return fmt.Errorf("%s has %d lines, none of them is number %d", file, n, line)
	}
	return nil
}

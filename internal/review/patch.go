package review

import (
	"fmt"
	"strings"

	"github.com/aymanbagabas/go-udiff"

	"odoogen/internal/artifact"
)

// patch is one file's change, line by line, as diff -u shows it. A change of the mode alone has no lines.
func (d *Diff) patch(host string, c artifact.Change) string {
	before, was := text(d.before[host], c.Path)
	after, is := text(d.after[host], c.Path)
	from, to := "a/"+host+"/"+c.Path, "b/"+host+"/"+c.Path
	if c.Kind == 'A' {
		from = "/dev/null"
	}
	if c.Kind == 'D' {
		to = "/dev/null"
	}
	lines := udiff.Unified(from, to, before, after)
	if was != is && was != 0 && is != 0 {
		lines = fmt.Sprintf("%s/%s: mode %04o -> %04o\n", host, c.Path, was, is) + lines
	}
	return strings.TrimSuffix(lines, "\n") + "\n"
}

// text is a file's content and mode; of one that is not there, empty.
func text(t *artifact.Tree, path string) (string, uint32) {
	if t == nil {
		return "", 0
	}
	f := t.File(path)
	if f == nil {
		return "", 0
	}
	return string(f.Data), f.Mode
}

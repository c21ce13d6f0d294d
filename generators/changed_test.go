package generators_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"odoogen/internal/artifact"
)

// line is a line of a file, with the origins that its writer noted.
type line struct{ text, from string }

// hunk is a place where two files differ: lines that went, lines that came.
type hunk struct{ gone, came []line }

func linesOf(f *artifact.File) []line {
	if f == nil {
		return nil
	}
	var all []line
	for i, text := range strings.Split(strings.TrimSuffix(string(f.Data), "\n"), "\n") {
		all = append(all, line{text, f.From[i]})
	}
	return all
}

// unlisted are the changes between two builds that no origin explains, when the values at paths are what changed.
//
// A line explains itself by naming one of the paths, or something around one. Lines that are replaced are explained in
// the old tree or in the new one; a stanza or a file that comes or goes as a whole, by any of its lines.
func unlisted(before, after []*artifact.Tree, paths map[string]bool) []string {
	var found []string
	eachFile(before, after, func(host, path string, old, now *artifact.File) {
		for _, h := range hunks(linesOf(old), linesOf(now)) {
			for sign, l := range h.unexplained(paths) {
				found = append(found, fmt.Sprintf("%s/%s: %s%s (from %s)", host, path, sign, l.text, l.from))
			}
		}
	})
	return found
}

// unexplained yields the lines of the hunk that are to blame, each with its sign.
func (h hunk) unexplained(paths map[string]bool) func(yield func(sign string, l line) bool) {
	explained := func(l line) bool { return explains(l, paths) || !strings.ContainsFunc(l.text, wordy) }
	all := func(lines []line) bool {
		return !slices.ContainsFunc(lines, func(l line) bool { return !explained(l) })
	}
	return func(yield func(string, line) bool) {
		switch {
		case len(h.gone) == 0 && slices.ContainsFunc(h.came, explained),
			len(h.came) == 0 && slices.ContainsFunc(h.gone, explained),
			len(h.gone) > 0 && all(h.gone),
			len(h.came) > 0 && all(h.came):
			return
		}
		paired := len(h.gone) == len(h.came)
		for i, l := range h.gone {
			if !explained(l) && !(paired && explained(h.came[i])) && !yield("-", l) {
				return
			}
		}
		for i, l := range h.came {
			if !explained(l) && !(paired && explained(h.gone[i])) && !yield("+", l) {
				return
			}
		}
	}
}

// wordy tells whether a character says something: brackets and commas alone do not.
func wordy(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// explains tells whether a line names one of the paths or something around it.
func explains(l line, paths map[string]bool) bool {
	for from := range strings.FieldsSeq(l.from) {
		if paths[from] {
			return true
		}
		for p := range paths {
			if rest, ok := strings.CutPrefix(p, from); ok && (rest[0] == '.' || rest[0] == '[') {
				return true
			}
		}
	}
	return false
}

// eachFile calls f with every file of two builds, as it was and as it is; nil where it was not or is not. A file
// that got another name is one file.
func eachFile(before, after []*artifact.Tree, f func(host, path string, old, now *artifact.File)) {
	hosts := map[string]*artifact.Tree{}
	for _, t := range before {
		hosts[t.Host] = t
	}
	for _, now := range after {
		old := hosts[now.Host]
		if old == nil {
			old = &artifact.Tree{}
		}
		var gone []*artifact.File
		for i := range old.Files {
			if now.File(old.Files[i].Path) == nil {
				gone = append(gone, &old.Files[i])
			}
		}
		for i := range now.Files {
			file := &now.Files[i]
			was := old.File(file.Path)
			if was == nil {
				if n := renamed(gone, file); n >= 0 {
					was = gone[n]
					gone = slices.Delete(gone, n, n+1)
				}
			}
			if was == nil || !bytes.Equal(was.Data, file.Data) {
				f(now.Host, file.Path, was, file)
			}
		}
		for _, file := range gone {
			f(now.Host, file.Path, file, nil)
		}
	}
}

// renamed finds the file that went which a new one is most like: at least half of its lines. -1 for none.
func renamed(gone []*artifact.File, file *artifact.File) int {
	best, most := -1, 0
	for n, g := range gone {
		lines := map[string]int{}
		for _, l := range linesOf(g) {
			lines[l.text]++
		}
		common := 0
		for _, l := range linesOf(file) {
			if lines[l.text] > 0 {
				lines[l.text]--
				common++
			}
		}
		if 2*common >= max(len(g.From), len(file.From)) && common > most {
			best, most = n, common
		}
	}
	return best
}

// hunks compares two files line by line (longest common subsequence; of lines that read the same, those of the same
// origin are matched first). A comma at the end of a line tells that another follows, and is no change of its own.
func hunks(a, b []line) []hunk {
	same := func(x, y line) bool {
		return strings.TrimSuffix(x.text, ",") == strings.TrimSuffix(y.text, ",")
	}
	for len(a) > 0 && len(b) > 0 && same(a[0], b[0]) {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && same(a[len(a)-1], b[len(b)-1]) {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	common := make([][]int, len(a)+1)
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			common[i][j] = max(common[i+1][j], common[i][j+1])
			if same(a[i], b[j]) {
				weight := 2
				if a[i].from == b[j].from {
					weight = 3
				}
				common[i][j] = max(common[i][j], common[i+1][j+1]+weight)
			}
		}
	}
	var all []hunk
	var h hunk
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case i < len(a) && j < len(b) && same(a[i], b[j]) && common[i][j] > max(common[i+1][j], common[i][j+1]):
			if len(h.gone)+len(h.came) > 0 {
				all = append(all, h)
				h = hunk{}
			}
			i, j = i+1, j+1
		case j == len(b) || (i < len(a) && common[i+1][j] >= common[i][j+1]):
			h.gone = append(h.gone, a[i])
			i++
		default:
			h.came = append(h.came, b[j])
			j++
		}
	}
	if len(h.gone)+len(h.came) > 0 {
		all = append(all, h)
	}
	return all
}

// The search for changes without an origin finds one that is planted, and lets pass what is explained.
func TestUnlisted(t *testing.T) {
	tree := func(text string, from ...string) []*artifact.Tree {
		built, err := artifact.NewTree("a", []artifact.File{{Path: "f", Mode: 0o444, Data: []byte(text), From: from}})
		if err != nil {
			t.Fatal(err)
		}
		return []*artifact.Tree{built}
	}
	before := tree("one\ntwo\n", "hosts.a", "hosts.a.debian")
	for _, c := range []struct {
		name  string
		after []*artifact.Tree
		want  []string
	}{
		{"nothing changed", before, nil},
		{"named", tree("one\n2\n", "hosts.a", "hosts.a.debian"), nil},
		{"named by what is around it", tree("1\ntwo\n", "hosts.a", "hosts.a.debian"), nil},
		{"named in the new tree alone", tree("one\n2\n", "hosts.a", "budget hosts.a.debian"), nil},
		{"a line more", tree("one\ntwo\nthree\n", "hosts.a", "hosts.a.debian", "budget.monthly"),
			[]string{"a/f: +three (from budget.monthly)"}},
		{"a stanza more, with its reason", tree("one\ntwo\nthree\nfour\n", "hosts.a", "hosts.a.debian", "hosts.a.debian", "budget.monthly"), nil},
		{"brackets", tree("one\ntwo\n},\n", "hosts.a", "hosts.a.debian", "budget.monthly"), nil},
		{"a name that only begins alike", tree("one\ntwo\nthree\n", "hosts.a", "hosts.a.debian", "hosts.a.deb"),
			[]string{"a/f: +three (from hosts.a.deb)"}},
		{"a line of another's that is replaced", tree("1\ntwo\n", "hosts.b", "hosts.a.debian"), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, unlisted(before, c.after, map[string]bool{"hosts.a.debian": true})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

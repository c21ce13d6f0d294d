package generators_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"odoogen/generators"
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

// unlisted counts the changes that no origin explains: a line that changed when the value at one of paths did, and
// that names none of them nor anything around them, in the old tree or in the new one.
func unlisted(before, after []*artifact.Tree, paths []string) []string {
	var found []string
	eachFile(before, after, func(host, path string, old, now *artifact.File) {
		say := func(sign string, l line) {
			if strings.TrimSpace(l.text) != "" {
				found = append(found, fmt.Sprintf("%s/%s: %s%s (from %s)", host, path, sign, l.text, l.from))
			}
		}
		whole := old == nil || now == nil
		for _, h := range hunks(linesOf(old), linesOf(now)) {
			paired := len(h.gone) == len(h.came)
			for i, l := range h.gone {
				if !explains(l, paths, whole) && !(paired && explains(h.came[i], paths, whole)) {
					say("-", l)
				}
			}
			for i, l := range h.came {
				if !explains(l, paths, whole) && !(paired && explains(h.gone[i], paths, whole)) {
					say("+", l)
				}
			}
		}
	})
	return found
}

// explains tells whether a line names one of the paths or something around it. The lines of a constant file that
// comes or goes as a whole say where their text is from, not why the file is there.
func explains(l line, paths []string, whole bool) bool {
	for from := range strings.FieldsSeq(l.from) {
		if whole && strings.HasPrefix(from, generators.ConstantPrefix) {
			return true
		}
		for _, p := range paths {
			if rest, ok := strings.CutPrefix(p, from); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
				return true
			}
		}
	}
	return false
}

// eachFile calls f with every file of two builds, as it was and as it is; nil where it was not or is not.
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
		for i := range now.Files {
			f(now.Host, now.Files[i].Path, old.File(now.Files[i].Path), &now.Files[i])
		}
		for i := range old.Files {
			if now.File(old.Files[i].Path) == nil {
				f(now.Host, old.Files[i].Path, &old.Files[i], nil)
			}
		}
	}
}

// hunks compares two files line by line (longest common subsequence). A comma at the end of a line tells that
// another follows, and is no change of the line's own.
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
			if same(a[i], b[j]) {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var all []hunk
	var h hunk
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case i < len(a) && j < len(b) && same(a[i], b[j]):
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
		{"a name that only begins alike", tree("one\ntwo\nthree\n", "hosts.a", "hosts.a.debian", "hosts.a.deb"),
			[]string{"a/f: +three (from hosts.a.deb)"}},
		{"a line less, and not its own", tree("two\n", "hosts.b"), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, unlisted(before, c.after, []string{"hosts.a.debian"})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

package push

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"odoogen/internal/artifact"
)

// facts are lines for the host's script: words apart by tabs, "-" for an empty one.
type facts struct{ b strings.Builder }

var escape = strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\t", `\t`)

func (f *facts) add(words ...string) {
	for i, w := range words {
		if i > 0 {
			f.b.WriteByte('\t')
		}
		if w == "" {
			w = "-"
		}
		f.b.WriteString(escape.Replace(w))
	}
	f.b.WriteByte('\n')
}

// text is what a host is told. The end is marked: of a push that is killed while it speaks, a host does nothing.
func (f *facts) reader() *strings.Reader { return strings.NewReader(f.text()) }

func (f *facts) text() string { return f.b.String() + "end\n" }

// doors adds those of the host that wanted takes, by their paths.
func (f *facts) doors(h *artifact.Host, wanted func(path string) bool) {
	for _, d := range h.Doors {
		switch {
		case !wanted(d.Path):
		case d.Link != "":
			f.add("door", d.Path, "link", d.Link)
		default:
			f.add("door", d.Path, "file", d.Mode, d.Content)
		}
	}
	for _, p := range h.Absent {
		if wanted(p) {
			f.add("absent", p)
		}
	}
	for _, u := range h.Disabled {
		if wanted(u) {
			f.add("disabled", u)
		}
	}
}

// wish is what a host is asked about: all of a tree that an observation needs.
type wish struct {
	name           string // of the host
	manifest, text []byte // MANIFEST and HOST.json
	facts          *artifact.Host
}

func wishOf(t *artifact.Tree) (*wish, error) {
	facts, err := ReadHost(t)
	if err != nil {
		return nil, err
	}
	return &wish{t.Host, t.Manifest(), t.File(artifact.HostName).Data, facts}, nil
}

// observe asks a host what it is, in one round trip. A host answers from memory where none of its files has changed since
// it was asked last, unless it shall look again.
func (n *network) observe(ctx context.Context, w *wish, again bool) (*Observation, error) {
	ctx, cancel := forAtMost(ctx, time.Minute)
	defer cancel()
	q := w.question()
	var args []string
	if again {
		args = []string{"again"}
	}
	if err := n.call(ctx, call{host: w.name, verb: "observe", args: args, stdin: q.ask.reader(), line: q.line}); err != nil {
		return nil, err
	}
	return q.answer()
}

// question is what a host is asked for an observation, and what it has answered so far.
type question struct {
	*wish
	ask    facts
	seen   *Observation
	wanted map[string]string   // the packages that were not found installed, and their versions
	found  map[string][]string // what stands at paths
	other  bool                // than the tree that was asked about is what stands
	bad    error
}

func (w *wish) question() *question {
	host := w.facts
	q := &question{wish: w, seen: &Observation{Given: map[string]Given{}}, wanted: map[string]string{}, found: map[string][]string{}}
	ask := &q.ask
	ask.add("digest", fmt.Sprintf("%x", sha256.Sum256(w.manifest)))
	ask.doors(host, func(string) bool { return true })
	for _, s := range host.Secrets {
		ask.add("secret", s.Name)
	}
	for _, p := range host.Packages {
		q.wanted[p.Name] = p.Version
	}
	for _, d := range host.Downloads {
		q.wanted[d.Package] = d.Version + "*" // the release's own suffix
	}
	for _, name := range slices.Sorted(maps.Keys(q.wanted)) { // what is asked is the same each time, for a host to remember
		ask.add("package", name)
	}
	return q
}

// line takes in one line of the answer, as its words.
func (q *question) line(w []string) {
	if len(w) < 2 {
		return
	}
	seen := q.seen
	switch w[0] {
	case "generation":
		if w[1] != "-" {
			seen.Generation = w[1]
		}
	case "commit":
		seen.Commit = w[1]
	case "confirmed":
		seen.Confirmed = w[1]
	case "stored":
		seen.Stored = append(seen.Stored, w[1])
	case "takenback":
		seen.TakenBack = append(seen.TakenBack, w[1])
	case "drift":
		seen.Drift = append(seen.Drift, w[1])
	case "owed":
		seen.Owed = append(seen.Owed, strings.TrimSuffix(strings.Join(w[1:], " "), " -"))
	case "armed":
		seen.Unconfirmed = true
	case "cluster":
		seen.Clusters = append(seen.Clusters, w[1])
	case "given":
		if g, err := parseGiven(w[1:]); err == nil {
			seen.Given[g.Name] = g
		}
	case "door":
		seen.Doors = append(seen.Doors, w[1])
	case "made":
		if t, ok := parseThing(w[1:]); ok {
			seen.Made = append(seen.Made, t)
		}
	case "was":
		seen.Was = append(seen.Was, w[1])
	case "ejected":
		seen.Ejected = true
	case "frozen":
		seen.Frozen = strings.Join(w[1:], ": ")
	case "hand":
		if len(w) == 3 {
			seen.Hands = append(seen.Hands, Hand{w[1], w[2]})
		}
	case "covered":
		seen.Covered = append(seen.Covered, w[1])
	case "theirs":
		seen.Theirs = append(seen.Theirs, w[1])
	case "found":
		q.found[w[1]] = w[2:]
	case "manifest", "host":
		q.other = true
		data, err := base64.StdEncoding.DecodeString(w[1])
		if err != nil {
			q.bad = err
		}
		if w[0] == "host" {
			seen.Host = data
		} else {
			seen.Manifest = data
		}
	case "package":
		pattern, is := q.wanted[w[1]]
		if is && len(w) == 4 && w[3] == "installed" && fits(pattern, w[2]) {
			delete(q.wanted, w[1])
		}
	}
}

// answer is what the lines amount to.
func (q *question) answer() (*Observation, error) {
	if q.bad != nil {
		return nil, q.bad
	}
	seen, host := q.seen, q.facts
	seen.AsFound = seen.Generation == "" && seen.Confirmed == "0"
	if !q.other && (seen.Generation != "" || seen.Ejected) {
		seen.Manifest, seen.Host = q.manifest, q.text
	}
	if _, err := artifact.ParseManifest(seen.Manifest); err != nil && slices.Contains(seen.Drift, artifact.ManifestName) {
		seen.Manifest = nil // somebody has written into it: all is sent
	}
	seen.Secrets = secretsFound(host, q.found)
	for _, d := range host.Doors {
		if !stands(d, q.found[d.Path]) && !slices.Contains(seen.Doors, d.Path) {
			seen.Doors = append(seen.Doors, d.Path)
		}
		if foreign(d, q.found[d.Path]) {
			seen.Theirs = append(seen.Theirs, d.Path)
		}
	}
	slices.Sort(seen.Drift)
	slices.Sort(seen.Theirs)
	slices.SortFunc(seen.Hands, func(a, b Hand) int { return strings.Compare(a.String(), b.String()) })
	for name := range q.wanted {
		seen.Packages = append(seen.Packages, name)
	}
	slices.Sort(seen.Packages)
	slices.Sort(seen.Doors)
	return seen, nil
}

// foreign tells whether something of somebody else's is where a link leads into a generation.
func foreign(d artifact.Door, found []string) bool {
	return d.Link != "" && len(found) >= 3 && !(found[0] == "l" && strings.HasPrefix(found[2], "/etc/odoogen/"))
}

// stands tells whether a door is what it should be, but for its text: kind, mode and where a link leads.
func stands(d artifact.Door, found []string) bool {
	if len(found) < 3 {
		return false
	}
	if d.Link != "" {
		return found[0] == "l" && found[2] == d.Link
	}
	return found[0] == "f" && found[1] == strings.TrimLeft(d.Mode, "0")
}

// fits tells whether an installed version is one that the spec takes. Epochs are Debian's own.
func fits(pattern, version string) bool {
	if _, after, has := strings.Cut(version, ":"); has {
		version = after
	}
	ok, err := path.Match(pattern, version)
	return pattern == "" || pattern == "*" || err == nil && ok
}

// next is the name of a host's next generation.
func (o *Observation) next(digest string) string {
	highest := 0
	for _, name := range append([]string{o.Generation}, o.Stored...) {
		highest = max(highest, numberOf(name))
	}
	return fmt.Sprintf("%d-%.12s", highest+1, digest)
}

package provenance

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"odoogen/generators"
	"odoogen/internal/artifact"
	"odoogen/internal/topology"
)

// Edit is a file as somebody has left it on a host.
type Edit struct {
	Host string
	File string // a path of the tree; one that begins with / lies beside it, and counts more
	Data []byte
	Gone bool // it was deleted
}

// Proposal is what would keep one setting of an edit.
type Proposal struct {
	Host, File string
	Setting    string // as the file has it; nothing of a secret but its name
	CUE        string // for the spec; empty where it has no word for it, or where a later proposal's line says this, too
	Note       string // what else there is to say: what it takes the place of, or why there is no CUE
}

// String is the proposal's comment: one line, whatever the file holds.
func (p Proposal) String() string {
	var parts []string
	for _, part := range []string{p.Host, p.File, p.Setting, p.Note} {
		if strings.ContainsFunc(part, func(r rune) bool { return !strconv.IsPrint(r) || r == utf8.RuneError }) {
			part = strconv.Quote(part)
			part = part[1 : len(part)-1]
		}
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ": ")
}

// Adopt says for every setting of the edits what the spec would say to have it so. It is told by the origins of the lines that
// were changed; what has none is kept by a way out, where there is one. Each proposal is tried: the spec takes it, beside all
// others, and its trees then have what the edit has.
func (b *Build) Adopt(edits []Edit) []Proposal {
	a := adoption{build: b, trees: b.Trees, says: map[string]topology.Assignment{}, lists: map[string][]string{}}
	for _, t := range b.Trees {
		ofHost := slices.DeleteFunc(slices.Clone(edits), func(e Edit) bool { return e.Host != t.Host })
		for _, c := range changes(b.Origins, t, ofHost) {
			a.consider(c)
		}
	}
	return a.proposals()
}

// change is something that an edit has otherwise than the spec.
type change struct {
	Proposal
	words []word                      // of the spec, one of which may keep it
	kept  func(t *artifact.Tree) bool // whether a tree has it so

	path string // that the word which holds gives a value
}

// word is a value that the spec may give a path.
type word struct {
	path   string
	texts  []string // one, but of a list
	like   string   // of what is no list, a path whose value is of the same kind
	list   bool
	more   bool     // of a list: beside what others put there, or beside
	beside []string // what the spec has there
	note   string   // what is to be said where it holds
}

// adoption is what the spec would say, as far as it was considered.
type adoption struct {
	build *Build
	trees []*artifact.Tree // as the spec then gives them
	all   []change
	says  map[string]topology.Assignment // by path
	lists map[string][]string            // by path, what proposals have put there

	written map[topology.Place][]string // the paths that a place of the spec gives a value, once they were asked for
}

// consider takes in a change, with the first word for it that holds.
func (a *adoption) consider(c change) {
	name := settingName.FindString(c.Setting)
	before := ""
	if strings.HasPrefix(c.Setting, name+" =") {
		before = name + " = "
	}
	said := func(w word) bool { // another file's part of a list
		return slices.ContainsFunc(w.texts, func(text string) bool { return hides(before + text) })
	}
	if hides(c.Setting) || slices.ContainsFunc(c.words, said) {
		if hides(name) {
			name = ""
		}
		c.Setting, c.words, c.kept, c.Note = name, nil, nil, "is or holds a secret: none has a place in a spec or a tree"
	}
	for _, w := range c.words {
		err := a.try(c, w)
		if err == nil {
			return
		}
		if c.Note == "" {
			c.Note = err.Error()
		}
	}
	a.all = append(a.all, c)
}

// settingName is what of a setting is printed where it is a secret: nothing from the first sign on that no name has.
var settingName = regexp.MustCompile(`^[A-Za-z0-9_.*-]*`)

// hides tells whether a setting is a secret or holds one, in whatever program's words. It rather hides too much.
func hides(text string) bool { return secret.MatchString(noSecret.ReplaceAllString(text, ";")) }

var secret = regexp.MustCompile(`(?i)` + strings.Join([]string{
	// A name that says so, and a value: SMTP_PASS=x, "password": "x", s3_secret_key = x, X-Api-Key x, Cookie "sid=x".
	`(pass|pwd|secret|token|credential|authorization|cookie|` +
		`(api|access|account|auth|encryption|master|private|signing)[_-]?key)[a-z0-9_.-]*["']?\s*[=: ]\s*\S`,
	// A name that is too short to be one in the middle of another: GITHUB_PAT=x, REDIS_AUTH=x, ?key=x.
	`(^|[^a-z])(auth|key|pat|pw|sig)["']?(\s*!?[=~]\*?\s*\S|\s+["'])`,
	// Whoever logs in: https://x@host, curl -u bob:x, Bearer x.
	`://[^/\s]*@`, `(^|\s)(-u|--user)[\s=]*[^\s:]+:\S`, `bearer\s`,
	// A value that shows what it is: tokens of GitHub, GitLab, Slack and AWS, keys, and what pings go to.
	`\b(gh[opsu]_|github_pat_|glpat-|xox[abp]-|AKIA)[a-z0-9]`, `-----BEGIN`, `hc-ping\.com/[a-z0-9]`,
	`hooks\.slack\.com/services/`, `discord(app)?\.com/api/webhooks/`, `/bot[0-9]+:`,
	// What nginx makes the hash of a link from.
	`secure_link_md5\s`,
}, "|"))

// noSecret is what has such a name and holds none: settings, lists of names, and what nginx hands on as it came.
var noSecret = regexp.MustCompile(strings.Join([]string{
	`(Pass|Unset)Environment = [A-Za-z0-9_ ]*`, `Pass(Credentials|Security|PacketInfo|FileDescriptorsToExec)`,
	`\b(proxy|fastcgi|uwsgi|scgi|grpc|memcached)_pass(_[a-z_]+)? [^=]`, `proxy_cookie_(path|domain|flags)`, `server_tokens`, `pass_proxy`,
	`\s["']?\$(http|cookie|arg)_[a-z0-9_]+["']?\s*;`,
	`(md5_)?password_(encryption|warnings)`, `ssl_passphrase_command_supports_reload`, `tcp_syncookies`,
	`PasswordAuthentication|PermitEmptyPasswords`, `[Bb]ypass|compass|[Pp]assenger|[Pp]assive|passthrough`,
}, "|"))

// try has the spec say the word too, or tells why it cannot.
func (a *adoption) try(c change, w word) error {
	if slices.ContainsFunc(w.texts, func(text string) bool { return !utf8.ValidString(text) }) {
		return errors.New("is no UTF-8, which a spec is")
	}
	var line topology.Assignment
	if !w.list {
		line = a.build.Origins.Assign(w.path, w.like, w.texts[0])
	} else {
		if before, ok := a.lists[w.path]; ok && w.more {
			w.beside = before
		}
		w.texts = slices.Concat(w.beside, w.texts)
		line = a.build.Origins.AssignList(w.path, w.texts)
	}
	says := maps.Clone(a.says)
	says[w.path] = line
	top, err := a.build.Origins.Saying(slices.SortedFunc(maps.Values(says), func(a, b topology.Assignment) int { return strings.Compare(a.Path, b.Path) }))
	if err != nil {
		return a.refusal(err, w.path)
	}
	trees, err := generators.Build(top)
	if err != nil {
		return err
	}
	if !holds(trees, c) {
		return errors.New("the spec cannot have it so")
	}
	for _, other := range a.all {
		if other.path != "" && !holds(trees, other) {
			return fmt.Errorf("goes against %s of %s", other.Setting, other.File)
		}
	}
	c.path, c.Note = w.path, w.note
	if also := a.changedBeside(c.Host, trees); len(also) > 0 {
		c.Note = noted(c.Note, "changes "+strings.Join(also, ", ")+", too")
	}
	a.trees, a.says, a.lists[w.path], a.all = trees, says, w.texts, append(a.all, c)
	return nil
}

// holds tells whether the trees have a change as the hand made it.
func holds(trees []*artifact.Tree, c change) bool {
	return slices.ContainsFunc(trees, func(t *artifact.Tree) bool { return t.Host == c.Host && c.kept(t) })
}

// changedBeside are the other hosts whose trees are not as before.
func (a *adoption) changedBeside(host string, trees []*artifact.Tree) []string {
	var hosts []string
	for i, t := range trees {
		if t.Host != host && !bytes.Equal(t.Manifest(), a.trees[i].Manifest()) {
			hosts = append(hosts, t.Host)
		}
	}
	return hosts
}

// saidAlso are the other paths that a place of the spec gives their value, as far as trees tell of them. Where the place
// is left out, they do without.
func (a *adoption) saidAlso(at topology.Place, path string) []string {
	if a.written == nil {
		a.written = map[topology.Place][]string{}
		for _, from := range a.build.froms() {
			if place, ok := a.build.Origins.Written(from); ok {
				a.written[place] = append(a.written[place], from)
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(a.written[at]), func(other string) bool { return other == path })
}

// froms are all paths that lines of the trees come from, sorted.
func (b *Build) froms() []string {
	all := map[string]bool{}
	for _, t := range b.Trees {
		for i := range t.Files {
			for _, from := range t.Files[i].From {
				for word := range strings.FieldsSeq(from) {
					if !constant(word) {
						all[word] = true
					}
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// noted is a note with one more thing to say.
func noted(note, more string) string { return strings.TrimPrefix(note+"; "+more, "; ") }

// refusal is why the spec refuses a value at a path, in one line.
func (a *adoption) refusal(err error, path string) error {
	var problems topology.Problems
	if !errors.As(err, &problems) {
		return err
	}
	p := problems[0]
	if i := slices.IndexFunc(problems, func(p topology.Problem) bool { return strings.HasPrefix(p.Path, path) }); i >= 0 {
		p = problems[i]
	} else if at, ok := a.build.Origins.Written(path); ok {
		also := a.saidAlso(at, path)
		if slices.ContainsFunc(problems, func(p topology.Problem) bool { return slices.Contains(also, p.Path) }) {
			return fmt.Errorf("%s says it of %s, too; say it there of each by itself", at, strings.Join(also, ", "))
		}
	}
	why := p.Message
	if !strings.HasPrefix(p.Path, path) {
		why = p.Path + ": " + why
	}
	if p.Hint != "" {
		why += "; " + p.Hint
	}
	return errors.New(why)
}

// proposals are the changes as they are printed: those that one line keeps stand together above it, and below all lines what
// follows from them.
func (a *adoption) proposals() []Proposal {
	var all, follow []Proposal
	printed := map[string]bool{}
	for i, c := range a.all {
		switch {
		case c.path == "" && c.kept != nil && holds(a.trees, c):
			c.Note = "follows from the above"
			follow = append(follow, c.Proposal)
		case c.path == "":
			all = append(all, c.Proposal)
		case !printed[c.path]:
			printed[c.path] = true
			begin := len(all)
			for _, other := range a.all[i:] {
				if other.path == c.path && !slices.Contains(all[begin:], other.Proposal) { // a line may set several
					all = append(all, other.Proposal)
				}
			}
			last := &all[len(all)-1]
			last.CUE = a.says[c.path].Line
			if at, ok := a.build.Origins.Written(c.path); ok {
				last.Note = noted(last.Note, "in the place of what "+at.String()+" says")
				if also := a.saidAlso(at, c.path); len(also) > 0 {
					last.Note += " of " + strings.Join(also, ", ") + ", too"
				}
			}
		}
	}
	return append(all, follow...)
}

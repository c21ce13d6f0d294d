package push

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"odoogen/internal/artifact"
)

// Review is what a commit holds of the trees, and who made it.
type Review struct {
	Commit string // short; empty where there is none
	Author string
	Differ []string // files in which the trees differ from golden/ at HEAD
}

// Reviewed compares trees with golden/ at HEAD of the repository that dir is in. No repository, or no golden/, is an
// error. What is compared are the MANIFESTs: all files hang on them.
func Reviewed(ctx context.Context, dir string, trees []*artifact.Tree) (*Review, error) {
	names := []string{"HEAD"}
	for _, t := range trees {
		names = append(names, "HEAD:./golden/"+path.Join(t.Host, artifact.ManifestName))
	}
	objects, err := gitObjects(ctx, dir, names)
	if err != nil {
		return nil, err
	}
	commit := objects[0]
	if commit.text == nil {
		return nil, errors.New("the repository has no commit yet")
	}
	r := &Review{Commit: commit.name[:10], Author: authorOf(string(commit.text))}
	differ := map[string]bool{}
	for i, t := range trees {
		name := path.Join(t.Host, artifact.ManifestName)
		manifest := objects[i+1].text
		if manifest == nil {
			differ[name] = true
			continue
		}
		if bytes.Equal(manifest, t.Manifest()) {
			continue
		}
		before, err := artifact.ParseManifest(manifest)
		if err != nil {
			return nil, fmt.Errorf("golden/%s at HEAD: %w", t.Host, err)
		}
		after, err := artifact.ParseManifest(t.Manifest())
		if err != nil {
			return nil, err
		}
		for _, c := range (turning{before: before, after: after}).gather(map[Action]bool{}, nil) {
			differ[path.Join(t.Host, c.Path)] = true
		}
	}
	r.Differ = slices.Sorted(maps.Keys(differ))
	return r, nil
}

// object is one of git's; without text there is none of that name.
type object struct {
	name string
	text []byte
}

// gitObjects reads what HEAD and the like name, all with one git.
func gitObjects(ctx context.Context, dir string, names []string) ([]object, error) {
	var all bytes.Buffer
	err := program{argv: []string{"git", "cat-file", "--batch"}, dir: dir, stdin: strings.NewReader(strings.Join(names, "\n") + "\n"),
		line: func(l string) { all.WriteString(l + "\n") }}.run(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]object, len(names))
	for i := range out {
		header, err := all.ReadString('\n')
		if err != nil {
			return nil, fmt.Errorf("git cat-file: %w", err)
		}
		words := strings.Fields(header)
		if len(words) != 3 {
			continue // "HEAD:./golden/... missing"
		}
		size, err := strconv.Atoi(words[2])
		if err != nil || size >= all.Len() {
			return nil, fmt.Errorf("git cat-file says %q", header)
		}
		out[i] = object{words[0], bytes.Clone(all.Next(size))}
		all.Next(1)
	}
	return out, nil
}

// authorOf is who made a commit: "author Anna Noether <anna@example.com> 1700000000 +0100".
func authorOf(commit string) string {
	for line := range strings.Lines(commit) {
		if author, is := strings.CutPrefix(line, "author "); is {
			name, _, _ := strings.Cut(author, " <")
			return name
		}
	}
	return ""
}

// Uncommitted lists the files below a directory of dir's repository that HEAD does not have as they are, or not at all.
func Uncommitted(ctx context.Context, dir, below string) ([]string, error) {
	out, err := output(ctx, dir, "git", "status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all", "--", below)
	if err != nil {
		return nil, err
	}
	var all []string
	for entry := range strings.SplitSeq(strings.TrimRight(out, "\x00\n"), "\x00") {
		if len(entry) > 3 {
			all = append(all, entry[3:])
		}
	}
	return all, nil
}

// TakenBack is the commit that a host runs, where HEAD of dir's repository does not have it in its history: a push from
// there undoes what somebody else has pushed. It is empty otherwise, and where what runs is of no commit.
func (p *Plan) TakenBack(ctx context.Context, dir string) string {
	commit, _, _ := strings.Cut(p.Ran, " ")
	if p.Empty() || len(commit) < 7 || len(commit) > 64 || !hexadecimal.MatchString(commit) {
		return ""
	}
	if _, err := output(ctx, dir, "git", "merge-base", "--is-ancestor", commit, "HEAD"); err == nil {
		return ""
	}
	return commit
}

var hexadecimal = regexp.MustCompile(`^[0-9a-f]+$`)

package push

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
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
// error.
func Reviewed(ctx context.Context, dir string, trees []*artifact.Tree) (*Review, error) {
	head, err := output(ctx, dir, "git", "log", "-1", "--format=%h%x09%an")
	if err != nil {
		return nil, err
	}
	r := &Review{}
	r.Commit, r.Author, _ = strings.Cut(strings.TrimSpace(head), "\t")
	list, err := output(ctx, dir, "git", "ls-tree", "-r", "-z", "--format=%(objectname) %(path)", "HEAD", "--", "golden/")
	if err != nil {
		return nil, err
	}
	// git's own name for a blob would do, but for SHA-256 repositories: the MANIFESTs say it as well, and all files
	// hang on them. So the MANIFESTs are compared, and those of the files that one of both lists otherwise.
	at := map[string]bool{}
	for entry := range strings.SplitSeq(strings.TrimRight(list, "\x00\n"), "\x00") {
		if _, name, ok := strings.Cut(entry, " "); ok {
			at[strings.TrimPrefix(name, "golden/")] = true
		}
	}
	differ := map[string]bool{}
	for _, t := range trees {
		name := path.Join(t.Host, artifact.ManifestName)
		if !at[name] {
			differ[name] = true
			continue
		}
		manifest, err := output(ctx, dir, "git", "show", "HEAD:./golden/"+name)
		if err != nil {
			return nil, err
		}
		if manifest == string(t.Manifest()) {
			continue
		}
		before, err := artifact.ParseManifest([]byte(manifest))
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

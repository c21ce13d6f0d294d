package push

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"odoogen/internal/artifact"
)

// Past is golden/ as a commit has it.
type Past struct {
	Commit string // short
	Author string
	Trees  []*artifact.Tree // sorted by host; none where the commit has no golden/
}

// Tree is the host's, or nil.
func (p *Past) Tree(host string) *artifact.Tree {
	for _, t := range p.Trees {
		if t.Host == host {
			return t
		}
	}
	return nil
}

// ReadPast reads golden/ at a revision of the repository that dir is in. A revision that is none, and a tree that is not
// what its MANIFEST says, are errors.
func ReadPast(ctx context.Context, dir, rev string) (*Past, error) {
	// rev is a word of the command line: no option of git's, and a commit.
	head, err := output(ctx, dir, "git", "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	if err != nil {
		var f *failure
		if errors.As(err, &f) && f.said == "" {
			err = fmt.Errorf("%s is no commit of this repository", rev)
		}
		return nil, err
	}
	id := strings.TrimSpace(head)
	p := &Past{}
	if p.Commit, p.Author, err = commit(ctx, dir, id); err != nil {
		return nil, err
	}
	blobs, err := golden(ctx, dir, id)
	if err != nil || len(blobs) == 0 {
		return p, err
	}
	names := make([]string, len(blobs))
	for i, b := range blobs {
		names[i] = b.id
	}
	objects, err := gitObjects(ctx, dir, names)
	if err != nil {
		return nil, err
	}
	byHost := map[string]map[string][]byte{}
	for i, b := range blobs {
		host, file, _ := strings.Cut(b.path, "/")
		if byHost[host] == nil {
			byHost[host] = map[string][]byte{}
		}
		byHost[host][file] = objects[i].text
	}
	for host, files := range byHost {
		t, err := treeOf(host, files)
		if err != nil {
			return nil, fmt.Errorf("%s at %s: %w", path.Join("golden", host), p.Commit, err)
		}
		p.Trees = append(p.Trees, t)
	}
	slices.SortFunc(p.Trees, func(a, b *artifact.Tree) int { return strings.Compare(a.Host, b.Host) })
	return p, nil
}

// commit is a commit's short name and its author.
func commit(ctx context.Context, dir, rev string) (short, author string, err error) {
	head, err := output(ctx, dir, "git", "log", "-1", "--format=%h%x09%an", rev)
	short, author, _ = strings.Cut(strings.TrimSpace(head), "\t")
	return short, author, err
}

// blob is a file of golden/: git's name of its content, and its path below golden/.
type blob struct{ id, path string }

// golden lists the files of golden/ beside dir, at a commit.
func golden(ctx context.Context, dir, rev string) ([]blob, error) {
	list, err := output(ctx, dir, "git", "ls-tree", "-r", "-z", "--format=%(objectname) %(path)", rev, "golden/")
	if err != nil {
		return nil, err
	}
	var all []blob
	for entry := range strings.SplitSeq(strings.TrimRight(list, "\x00\n"), "\x00") {
		if id, name, ok := strings.Cut(entry, " "); ok {
			all = append(all, blob{id, strings.TrimPrefix(name, "golden/")})
		}
	}
	return all, nil
}

// treeOf makes a tree of a MANIFEST and the files that it lists.
func treeOf(host string, files map[string][]byte) (*artifact.Tree, error) {
	manifest, ok := files[artifact.ManifestName]
	if !ok {
		return nil, errors.New("no " + artifact.ManifestName)
	}
	entries, err := artifact.ParseManifest(manifest)
	if err != nil {
		return nil, err
	}
	t := &artifact.Tree{Host: host}
	for _, e := range entries {
		f := artifact.File{Path: e.Path, Mode: e.Mode, Effects: e.Effects, Data: files[e.Path]}
		if f.Digest() != e.Digest {
			return nil, fmt.Errorf("%s is not what its %s says", e.Path, artifact.ManifestName)
		}
		t.Files = append(t.Files, f)
	}
	return t, nil
}

// AsReviewed is what a host says of itself that is exactly its reviewed tree, when it is asked about another: what a diff
// compares, without a host. before is nil for a host that was not there.
func AsReviewed(before, after *artifact.Tree) (*Observation, error) {
	to, err := ReadHost(after)
	if err != nil {
		return nil, err
	}
	seen, from := &Observation{}, &artifact.Host{}
	if before != nil {
		if from, err = ReadHost(before); err != nil {
			return nil, err
		}
		seen.Generation = before.Digest()[:12]
		seen.Manifest, seen.Host = before.Manifest(), before.File(artifact.HostName).Data
	}
	for _, p := range to.Packages {
		if !slices.Contains(from.Packages, p) {
			seen.Packages = append(seen.Packages, p.Name)
		}
	}
	for _, d := range to.Downloads {
		if !slices.Contains(from.Downloads, d) {
			seen.Packages = append(seen.Packages, d.Package)
		}
	}
	seen.Made = makes(from)
	seen.Secrets = map[string]SecretFile{} // there, as far as a diff goes: what is missing is a push's affair
	for _, s := range to.Secrets {
		seen.Secrets[s.Name] = SecretFile{}
	}
	for _, c := range from.Clusters {
		seen.Clusters = append(seen.Clusters, c.ID())
	}
	for _, d := range to.Doors {
		if !slices.Contains(from.Doors, d) {
			seen.Doors = append(seen.Doors, d.Path)
		}
	}
	for _, absent := range to.Absent {
		if !slices.Contains(from.Absent, absent) {
			seen.Doors = append(seen.Doors, absent)
		}
	}
	for _, unit := range to.Disabled {
		if seen.Generation != "" && !slices.Contains(from.Disabled, unit) { // where a bare host has it, its packages bring it
			seen.Doors = append(seen.Doors, unit)
		}
	}
	return seen, nil
}

// Package workspace makes and refreshes the directory that a user works in: envs.cue and what CUE, the editor, git
// and CI need beside it. What is generated is the same bytes that odoogen compiles with; what is the user's is
// written once and never touched again.
package workspace

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"odoogen/internal/artifact"
	"odoogen/internal/topology"
	"odoogen/schema"
)

//go:embed starter
var starter embed.FS

// theirs are the files that are the user's from the moment they are written, and their names in starter/.
var theirs = map[string]string{
	"envs.cue":                      "envs.cue.txt",
	".gitignore":                    "gitignore.txt",
	".github/workflows/odoogen.yml": "odoogen.yml",
	"Jenkinsfile":                   "Jenkinsfile",
	".vscode/tasks.json":            "tasks.json",
}

// moduleFile makes the directory a CUE module. A user may name the module: it is written only where there is none.
const moduleFile = "cue.mod/module.cue"

// generated are the files that odoogen owns: the binder and the schema.
func generated(dir string) (map[string][]byte, error) {
	files := map[string][]byte{"odoogen.cue": schema.Binder(topology.Module(dir))}
	names, err := fs.Glob(schema.Files, "*.cue")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if files["schema/"+name], err = schema.Files.ReadFile(name); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// Init makes dir a user's directory, with a spec that builds as it is. It returns what it wrote. A directory that
// has a spec is refused; other files in it stay as they are.
func Init(dir string) ([]artifact.Change, error) {
	has, err := filepath.Glob(filepath.Join(dir, "*.cue"))
	if err != nil {
		return nil, err
	}
	if len(has) > 0 {
		return nil, fmt.Errorf("%s is there already\nhint: odoogen init --upgrade %s refreshes what odoogen generates", has[0], dir)
	}
	files, err := generated(dir)
	if err != nil {
		return nil, err
	}
	if old, err := leftOver(dir, files); err != nil || len(old) > 0 {
		return nil, errors.Join(err, inTheWay(old))
	}
	files[moduleFile] = schema.ModuleFile(topology.Module(dir))
	for path, name := range theirs {
		if files[path], err = starter.ReadFile("starter/" + name); err != nil {
			return nil, err
		}
	}
	for path := range files {
		if _, err := os.Lstat(filepath.Join(dir, path)); err == nil {
			delete(files, path)
		}
	}
	return write(dir, files)
}

func inTheWay(paths []string) error {
	if len(paths) == 0 {
		return nil
	}
	return fmt.Errorf("%s is in the way: odoogen keeps its schema in that folder", paths[0])
}

// Upgrade refreshes the files of dir that odoogen generates, and removes definitions that it no longer has. It
// returns what it changed.
func Upgrade(dir string) ([]artifact.Change, error) {
	if has, err := filepath.Glob(filepath.Join(dir, "*.cue")); err != nil || len(has) == 0 {
		return nil, errors.Join(err, fmt.Errorf("%s has no *.cue file to upgrade\nhint: odoogen init %s", dir, dir))
	}
	files, err := generated(dir)
	if err != nil {
		return nil, err
	}
	old, err := leftOver(dir, files)
	if err != nil {
		return nil, err
	}
	if _, err := os.Lstat(filepath.Join(dir, moduleFile)); errors.Is(err, fs.ErrNotExist) {
		files[moduleFile] = schema.ModuleFile(topology.Module(dir))
	}
	changes, err := write(dir, files)
	if err != nil {
		return nil, err
	}
	for _, path := range old {
		if err := os.Remove(filepath.Join(dir, path)); err != nil {
			return nil, err
		}
		changes = append(changes, artifact.Change{Kind: 'D', Path: path})
	}
	return changes, nil
}

// Stale lists the generated files of dir that are not those of this odoogen: stock cue and the editor then say
// something else than it does. A directory without a schema has none.
func Stale(dir string) ([]string, error) {
	if _, err := os.Stat(filepath.Join(dir, "schema")); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	files, err := generated(dir)
	if err != nil {
		return nil, err
	}
	stale, err := leftOver(dir, files)
	if err != nil {
		return nil, err
	}
	for path, want := range files {
		have, err := os.ReadFile(filepath.Join(dir, path))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if !bytes.Equal(have, want) {
			stale = append(stale, path)
		}
	}
	slices.Sort(stale)
	return stale, nil
}

// leftOver lists the definitions in dir that this odoogen does not have: CUE would merge them in.
func leftOver(dir string, files map[string][]byte) ([]string, error) {
	found, err := filepath.Glob(filepath.Join(dir, "schema", "*.cue"))
	if err != nil {
		return nil, err
	}
	var old []string
	for _, path := range found {
		name := "schema/" + filepath.Base(path)
		if _, ours := files[name]; ours {
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if bytes.Contains(data, []byte("package schema\n")) {
			old = append(old, name)
		}
	}
	return old, nil
}

// write writes the files that differ, and returns them sorted.
func write(dir string, files map[string][]byte) ([]artifact.Change, error) {
	var changes []artifact.Change
	for _, path := range slices.Sorted(maps.Keys(files)) {
		full := filepath.Join(dir, filepath.FromSlash(path))
		have, err := os.ReadFile(full)
		kind := byte('M')
		switch {
		case errors.Is(err, fs.ErrNotExist):
			kind = 'A'
		case err != nil:
			return nil, err
		case bytes.Equal(have, files[path]):
			continue
		}
		if err := artifact.WriteFile(full, files[path], 0o644); err != nil {
			return nil, err
		}
		changes = append(changes, artifact.Change{Kind: kind, Path: path})
	}
	return changes, nil
}

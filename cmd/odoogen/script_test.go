package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"odoogen/internal/artifact"
)

// repository is where the sample and the documents lie; scripts run in a directory of their own.
var repository, _ = filepath.Abs("../..")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"odoogen": main})
}

// TestScript runs every testdata/script/FOLDER/*.txtar: a shell session with the files that it needs. Those in refuse/
// break the sample in one way each, and pin what is said of it; UPDATE_SCRIPTS=1 writes what is said now into them.
func TestScript(t *testing.T) {
	folders, err := filepath.Glob("testdata/script/*")
	if err != nil {
		t.Fatal(err)
	}
	if len(folders) == 0 {
		t.Fatal("testdata/script holds no folder")
	}
	for _, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			testscript.Run(t, testscript.Params{
				Setup: func(env *testscript.Env) error {
					env.Setenv("REPOSITORY", repository)
					return nil
				},
				Dir:                folder,
				RequireUniqueNames: true,
				UpdateScripts:      os.Getenv("UPDATE_SCRIPTS") != "",
				Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
					"sample":    sample,
					"replace":   replace,
					"exits":     exits,
					"refused":   refused,
					"manifests": manifests,
				},
			})
		})
	}
}

// sample DIR copies the repository's envs.cue to DIR, which it makes.
func sample(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: sample DIR")
	}
	data, err := os.ReadFile(filepath.Join(repository, "envs.cue"))
	ts.Check(err)
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o777))
	ts.Check(os.WriteFile(filepath.Join(dir, "envs.cue"), data, 0o666))
}

// replace FILE OLD NEW puts NEW in OLD's place, which must be in the file once: a script that changes nothing tests
// nothing. \n, \t and \\ stand for newline, tab and backslash; @NAME for NEW is the text of that file.
func replace(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: replace FILE OLD NEW")
	}
	unescape := strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\t`, "\t")
	text, before, after := ts.ReadFile(args[0]), unescape.Replace(args[1]), unescape.Replace(args[2])
	if name, ok := strings.CutPrefix(args[2], "@"); ok {
		after = strings.TrimSuffix(ts.ReadFile(name), "\n")
	}
	if n := strings.Count(text, before); n != 1 {
		ts.Fatalf("%s has %q %d times, want once", args[0], before, n)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(text, before, after, 1)), 0o666))
}

// manifests DIR writes the MANIFEST of every tree below DIR, as a build would.
func manifests(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: manifests DIR")
	}
	trees, err := os.ReadDir(ts.MkAbs(args[0]))
	ts.Check(err)
	for _, tree := range trees {
		dir := filepath.Join(ts.MkAbs(args[0]), tree.Name())
		files, err := os.ReadDir(dir)
		ts.Check(err)
		t := &artifact.Tree{Host: tree.Name()}
		for _, f := range files {
			data, err := os.ReadFile(filepath.Join(dir, f.Name()))
			ts.Check(err)
			ts.Check(os.Chmod(filepath.Join(dir, f.Name()), 0o444))
			t.Files = append(t.Files, artifact.File{Path: f.Name(), Mode: 0o444, Data: data})
		}
		ts.Check(os.WriteFile(filepath.Join(dir, artifact.ManifestName), t.Manifest(), 0o666))
	}
}

// exits CODE COMMAND... runs a command that must exit with CODE.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// refused builds in the working directory, and asserts exit code 1, no word on stdout, and an out/ that is as the
// build before has left it.
func refused(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: refused")
	}
	const before = "what the last build left here\n"
	ts.Check(os.MkdirAll(ts.MkAbs("out"), 0o777))
	ts.Check(os.WriteFile(ts.MkAbs("out/before"), []byte(before), 0o666))
	exits(ts, false, []string{"1", "odoogen", "build"})
	if said := ts.ReadFile("stdout"); said != "" {
		ts.Fatalf("stdout: %q, want nothing", said)
	}
	entries, err := os.ReadDir(ts.MkAbs("out"))
	ts.Check(err)
	if len(entries) != 1 || ts.ReadFile("out/before") != before {
		ts.Fatalf("a refused spec changed out/: %v", entries)
	}
}

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
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"odoogen": main})
}

// TestRefuse runs one script for each way in which a spec can be wrong. A script edits a copy of the sample and pins
// what is said of it. UPDATE_SCRIPTS=1 writes what is said now into the scripts; review the difference.
func TestRefuse(t *testing.T) { runScripts(t, "testdata/script/refuse") }

// TestAccept runs scripts that show what is not refused.
func TestAccept(t *testing.T) { runScripts(t, "testdata/script/accept") }

func runScripts(t *testing.T, dir string) {
	testscript.Run(t, testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup:               withSample,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"replace": replace,
			"refused": refused,
		},
	})
}

// withSample gives a script the sample's envs.cue, unless it brings one, and an out/ that no refused spec may touch.
func withSample(env *testscript.Env) error {
	spec := filepath.Join(env.WorkDir, "envs.cue")
	if _, err := os.Stat(spec); errors.Is(err, os.ErrNotExist) {
		sample, err := os.ReadFile("../../envs.cue")
		if err != nil {
			return err
		}
		if err := os.WriteFile(spec, sample, 0o644); err != nil {
			return err
		}
	}
	if err := os.Mkdir(filepath.Join(env.WorkDir, "out"), 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(env.WorkDir, "out", "before"), []byte(untouched), 0o644)
}

const untouched = "what the last build left here\n"

// replace OLD NEW puts NEW in the place of OLD in envs.cue, which must hold OLD exactly once. \n, \t and other
// escapes of Go's strings stand for what they do there. With @FILE for NEW, it is that file's text as it stands.
func replace(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: replace OLD NEW")
	}
	before := unescaped(ts, args[0])
	var after string
	if name, ok := strings.CutPrefix(args[1], "@"); ok {
		after = strings.TrimSuffix(ts.ReadFile(name), "\n")
	} else {
		after = unescaped(ts, args[1])
	}
	file := ts.MkAbs("envs.cue")
	text := ts.ReadFile("envs.cue")
	if n := strings.Count(text, before); n != 1 {
		ts.Fatalf("envs.cue holds %q %d times, want once", before, n)
	}
	ts.Check(os.WriteFile(file, []byte(strings.Replace(text, before, after, 1)), 0o644))
}

func unescaped(ts *testscript.TestScript, s string) string {
	out, err := strconv.Unquote(`"` + strings.ReplaceAll(s, `"`, `\"`) + `"`)
	ts.Check(err)
	return out
}

// refused builds, and asserts exit code 1, no word on stdout, and out/ as it was.
func refused(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: refused")
	}
	err := ts.Exec("odoogen", "build")
	if exit := new(exec.ExitError); !errors.As(err, &exit) || exit.ExitCode() != exitWrong {
		ts.Fatalf("odoogen build: %v, want exit code %d", err, exitWrong)
	}
	if out := ts.ReadFile("stdout"); out != "" {
		ts.Fatalf("stdout: %q, want nothing", out)
	}
	entries, err := os.ReadDir(ts.MkAbs("out"))
	ts.Check(err)
	if len(entries) != 1 || ts.ReadFile("out/before") != untouched {
		ts.Fatalf("a refused spec changed out/: %v", entries)
	}
}

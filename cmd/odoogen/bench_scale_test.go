package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// BenchmarkScale runs whole processes over the sample and over generated topologies, six instances to a host: odoogen,
// beside the stock cue that evaluates the same spec and the cp that copies the same trees, by turns. What is reported
// are medians; ratios are those of one turn.
//
//	export    cue export of the spec
//	compile   odoogen build --check against nothing: CUE to trees in memory
//	build     the first build: compile, and write everything
//	unchanged the second: compile, and compare
//	changed   one after a change to one instance
//	write/cp  what the first build takes above compiling, to cp -r of its trees
//	double    the time to compile, to that of half the instances in the same turn
//	-cpu      a ratio of processor time: what is left of it on a busy machine, or on one core
func BenchmarkScale(b *testing.B) {
	bin := b.TempDir()
	odoogen := filepath.Join(bin, "odoogen")
	if out, err := exec.Command("go", "build", "-o", odoogen, ".").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	tool, err := exec.Command("go", "tool", "-n", "cue").Output()
	if err != nil {
		b.Fatal(err)
	}
	cue := strings.TrimSpace(string(tool))

	for _, size := range []struct{ instances, turns int }{{6, 7}, {60, 5}, {300, 3}, {600, 7}, {3000, 1}, {6000, 3}} {
		b.Run(fmt.Sprintf("instances=%d", size.instances), func(b *testing.B) {
			dir := filepath.Join(b.TempDir(), "spec")
			writeTopology(b, dir, size.instances)
			s := &scale{b: b, dir: dir, figures: map[string][]float64{}}
			if size.instances > 6 {
				s.half = filepath.Join(b.TempDir(), "half")
				writeTopology(b, s.half, size.instances/2)
			}
			for b.Loop() {
				for range size.turns {
					s.turn(odoogen, cue)
				}
			}
			b.ReportMetric(0, "ns/op") // of no meaning: a turn is a dozen processes
			for name, all := range s.figures {
				b.ReportMetric(median(all), name)
			}
		})
	}
}

// scale measures one topology.
type scale struct {
	b       *testing.B
	dir     string
	half    string               // a topology of half the instances; empty for the sample, which has none
	figures map[string][]float64 // by their units
}

// turn runs every process once.
func (s *scale) turn(odoogen, cue string) {
	out, copied := filepath.Join(s.dir, "out"), filepath.Join(s.dir, "copied")
	for _, dir := range []string{out, copied} {
		if err := os.RemoveAll(dir); err != nil {
			s.b.Fatal(err)
		}
	}
	envs, err := os.ReadFile(filepath.Join(s.dir, "envs.cue"))
	if err != nil {
		s.b.Fatal(err)
	}
	var half used
	if s.half != "" {
		half = s.run(s.half, exitDifferent, odoogen, "build", "--check")
	}
	compile := s.run(s.dir, exitDifferent, odoogen, "build", "--check")
	build := s.run(s.dir, exitOK, odoogen, "build")
	cp := s.run(s.dir, exitOK, "cp", "-r", out, copied)
	export := s.run(s.dir, exitOK, cue, "export", ".") // while the kernel still writes back, as with the next
	unchanged := s.run(s.dir, exitOK, odoogen, "build")
	changeOneInstance(s.b, s.dir)
	changed := s.run(s.dir, exitOK, odoogen, "build")
	if err := os.WriteFile(filepath.Join(s.dir, "envs.cue"), envs, 0o666); err != nil {
		s.b.Fatal(err)
	}
	add := func(name string, figure float64) { s.figures[name] = append(s.figures[name], figure) }
	ratio := func(name string, a, b used) {
		add(name, float64(a.time)/float64(b.time))
		add(name+"-cpu", float64(a.cpu)/float64(b.cpu))
	}
	add("export-ms", milliseconds(export.time))
	add("compile-ms", milliseconds(compile.time))
	add("build-ms", milliseconds(build.time))
	if s.half != "" {
		ratio("double", compile, half)
	}
	ratio("compile/export", compile, export)
	ratio("unchanged/export", unchanged, export)
	ratio("changed/export", changed, export)
	ratio("write/cp", used{time: build.time - compile.time, cpu: build.cpu - compile.cpu}, cp)
	add("MB", build.memory)
	add("export-MB", export.memory)
	add("files", float64(countFiles(s.b, out)))
}

// used is what a process took: from its start to its end, of all processors together, and of memory at most, in MB.
type used struct {
	time, cpu time.Duration
	memory    float64
}

func (s *scale) run(dir string, want int, name string, args ...string) used {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	var said strings.Builder
	cmd.Stderr = &said
	begun := time.Now()
	err := cmd.Run()
	took := time.Since(begun)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.b.Fatal(err)
	}
	if code := cmd.ProcessState.ExitCode(); code != want {
		s.b.Fatalf("%s %v: exit code %d, want %d: %s", name, args, code, want, &said)
	}
	return used{took, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), float64(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss) / 1024}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func countFiles(b *testing.B, dir string) int {
	n := 0
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return n
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

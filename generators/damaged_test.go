package generators_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"odoogen/internal/topology"
)

// oneHost is a spec of one host, small enough to be damaged hundreds of times.
func oneHost(t testing.TB) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(repository, "cmd/odoogen/testdata/one-host.cue"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// inside are words of CUE, Go or odoogen's own inside that mean nothing to the user of a spec.
var inside = regexp.MustCompile(`disjunction|conflicting values|field not allowed|incomplete value|mismatched types|out of bound|` +
	`non-concrete|structural cycle|_\|_|schema/|goroutine|runtime error|nil pointer|reflect\.|ast\.|%!|CUE gives up`)

// outcome compiles a spec in memory and says what is wrong with what comes of it: empty for trees, and for mistakes that
// a user can mend, each with a place in a file of the spec.
func outcome(dir string) (fault string) {
	defer func() {
		if what := recover(); what != nil {
			fault = fmt.Sprintf("panic: %v", what)
		}
	}()
	_, err := compile(dir)
	var problems topology.Problems
	switch {
	case err == nil:
		return ""
	case !errors.As(err, &problems):
		return fmt.Sprintf("no list of mistakes: %v", err)
	}
	for _, p := range problems {
		name, err := filepath.Rel(dir, p.Place.File)
		switch {
		case p.Place.Line < 1 || err != nil || strings.Contains(name, "/") || !strings.HasSuffix(name, ".cue") || name == "odoogen.cue":
			return "no place of the user's: " + p.String()
		case strings.TrimSpace(p.Message) == "" || strings.Contains(p.Message, "\n") || !utf8.ValidString(p.Message):
			return fmt.Sprintf("no line of text: %q", p.Message)
		case inside.MatchString(p.Message) || inside.MatchString(p.Hint):
			return "not a user's words: " + p.String()
		}
	}
	return ""
}

// word is what a spec is made of, as a user's hand moves it.
var word = regexp.MustCompile(`"[^"\n]*"|[A-Za-z0-9_#.]+|[{}\[\],:&]|\n`)

// slips are what comes into a spec by mistake.
var slips = []string{
	"", "0", "-1", "150", "3G", "150%", "3.5", "1e400", "99999999999999999999", "08", "0x", "true", "True", "null", "_", "_|_", "string", "int",
	`"x"`, `""`, `"150"`, "'x'", "“x”", `"\q"`, `"\(nope)"`, `"\(_x)"`, `"""`, "{}", "{", "}", "[]", "[", "]", "[...]", "[1, \"a\"]", "(", ")",
	",", ":", ";", "=", "?:", "!:", "&", "|", "*", "...", "#", "//", "/*", "- 80", "zz: 1", "#Nothing", "#Host", "nothing", "hosts", "hosts.all",
	"instances[0]", "_x", "len(3)", "1/0", "\"a\" + 1", "div", "if true {", "for x in 3 {}", "for x in nothing {}", "let y = z\n", "import \"strings\"\n",
	"import \"example.com/x\"\n", "package other\n", "@attr(", "\t", "\r\n", "\ufeff", "\u00a0", "\u202e", "\x00", "\xff", "a-b: 1", "1: 2", "_a: {b: _a}\n",
	"[=~\"a\"]: 1", "[string]: {}", "=~\"a\"", ">3", "*1 | int", "error(\"x\")", "hosts: all: null\n", "x\n", "$", "`", "\\", "<", "é", "ci: {}\n",
}

// damage draws a spec with a few slips in it.
func damage(rt *rapid.T, spec string) string {
	for range rapid.IntRange(1, 3).Draw(rt, "slips") {
		at := word.FindAllStringIndex(spec, -1)
		if len(at) == 0 {
			return spec
		}
		pick := func(label string) []int { return at[rapid.IntRange(0, len(at)-1).Draw(rt, label)] }
		w := pick("word")
		slip := rapid.SampledFrom(slips).Draw(rt, "slip")
		switch rapid.IntRange(0, 5).Draw(rt, "how") {
		case 0: // something else
			spec = spec[:w[0]] + slip + spec[w[1]:]
		case 1: // something more
			spec = spec[:w[1]] + " " + slip + " " + spec[w[1]:]
		case 2: // twice
			spec = spec[:w[1]] + " " + spec[w[0]:]
		case 3: // a word from elsewhere
			o := pick("other")
			spec = spec[:w[0]] + spec[o[0]:o[1]] + spec[w[1]:]
		case 4: // a letter wrong
			if w[1]-w[0] > 2 {
				spec = spec[:w[0]+1] + spec[w[0]+2:]
			}
		case 5: // a line of its own
			end := strings.IndexByte(spec[w[0]:], '\n')
			spec = spec[:w[0]+end+1] + slip + spec[w[0]+end+1:]
		}
	}
	return spec
}

// The damage is drawn alike every time, unless -rapid.seed says otherwise: what a commit passes, it passes again.
// make fuzz draws anew.
func TestMain(m *testing.M) {
	flag.Parse()
	if seed := flag.Lookup("rapid.seed"); seed.Value.String() == "0" {
		seed.Value.Set("1")
	}
	os.Exit(m.Run())
}

// Whatever a hand does to a spec: it still compiles, or is refused with places in the user's files and in words for
// users. It never ends in a panic, and never in trees that a generator gave up on.
func TestDamagedSpecsAreRefused(t *testing.T) {
	spec := oneHost(t)
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		for range 3 {
			damaged := damage(rt, spec)
			more := ""
			if rapid.IntRange(0, 4).Draw(rt, "two files") == 0 {
				more = damage(rt, "budget: currency: \"EUR\"\n")
			}
			if err := writeSpec(dir, damaged, more); err != nil {
				rt.Fatal(err)
			}
			if fault := outcome(dir); fault != "" {
				rt.Fatalf("%s\n--- of\n%s\n--- and\n%s", fault, damaged, more)
			}
		}
	})
}

// FuzzSpec looks for bytes that make a spec of something else than trees or mistakes.
func FuzzSpec(f *testing.F) {
	f.Add([]byte(oneHost(f)))
	f.Add([]byte("package envs\n"))
	f.Add([]byte("package envs\nhosts: a: #Host & {fqdn: \"a\", hardware: {threads: \"\\(x)\"}}\nimport \"strings\"\n"))
	f.Add([]byte("package envs\nfor a, b in hosts if a {let c = b, instances: (a): c}\n"))
	f.Fuzz(func(t *testing.T, spec []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "envs.cue"), spec, 0o666); err != nil {
			t.Fatal(err)
		}
		if fault := outcome(dir); fault != "" {
			t.Errorf("%s\n--- of\n%s", fault, spec)
		}
	})
}

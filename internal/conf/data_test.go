package conf

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"
)

// hostile are texts that a careless writer lets escape: whatever a language can hold must come back as it went in.
var hostile = []string{
	"", " ", " leading", "trailing ", `"`, `'`, `it's "both"`, `\`, `C:\path\`, "a\nb", "\n", "a\n", "a\r\nb", "\ttab", "$HOME", "${readFile:/etc/shadow}",
	"100%", "%d", "a; b", "a # b", "#", "key: value", "- item", "yes", "No", "on", "null", "~", "1e3", "0x1F", "12:30", "2026-11-23",
	"true", "[a]", "{a: b}", "&anchor", "*alias", "!tag", "|", ">", "@at", "`tick`", "---", "...", "<b>&amp;</b>",
	"ünïcödé", "日本", "\u2028", "\ufeff", "\u0085", "\x07", strings.Repeat("long words ", 200),
}

func TestJSONReadsBackAsItWasGiven(t *testing.T) {
	for _, s := range hostile {
		data, _, err := JSON("owner", Object().Set("key", s).Set("k"+s, Array(s))).Result()
		if err != nil {
			t.Errorf("%q: %v", s, err)
			continue
		}
		var got map[string]any
		if err := json.Unmarshal(data, &got); err != nil {
			t.Errorf("%q: %v\n%s", s, err, data)
		}
		if diff := cmp.Diff(map[string]any{"key": s, "k" + s: []any{s}}, got); diff != "" {
			t.Errorf("%q: %s", s, diff)
		}
	}
}

func TestYAMLReadsBackAsItWasGiven(t *testing.T) {
	for _, s := range hostile {
		key := "k" + s[:min(len(s), longestYAMLKey-1)]
		data, _, err := YAML("owner", "What it is.", Object().Set("key", s).Set(key, Array(s))).Result()
		if err != nil {
			t.Errorf("%q: %v", s, err)
			continue
		}
		var got map[string]any
		if err := yaml.Unmarshal(data, &got); err != nil {
			t.Errorf("%q: %v\n%s", s, err, data)
		}
		if diff := cmp.Diff(map[string]any{"key": s, key: []any{s}}, got); diff != "" {
			t.Errorf("%q: %s", s, diff)
		}
	}
}

// A script is as deep as its place wants it, and comes back with every space and empty line that it has.
func TestYAMLCarriesScripts(t *testing.T) {
	for _, lines := range [][]string{
		{"echo"}, {"if true; then", "  echo", "", "fi"}, {"  indented", "less"}, {"", "", "late"}, {"trailing ", "\ttab", " "},
		{"end", "", ""}, {""}, {"", ""}, {"# ünïcödé", "---", "...", "key: value", "- item"},
	} {
		code := Of("job")
		for _, l := range lines {
			code.Line(l)
		}
		data, from, err := YAML("owner", "", Object().Set("a", Array().Add(&code).Add(Object().Set("b", &code).Set("c", 1)))).Result()
		if err != nil {
			t.Errorf("%q: %v", lines, err)
			continue
		}
		if n := strings.Count(string(data), "\n"); n != len(from) {
			t.Errorf("%q: %d lines, origins of %d", lines, n, len(from))
		}
		var got map[string]any
		if err := yaml.Unmarshal(data, &got); err != nil {
			t.Errorf("%q: %v\n%s", lines, err, data)
		}
		want := strings.Join(lines, "\n") + "\n"
		if diff := cmp.Diff(map[string]any{"a": []any{want, map[string]any{"b": want, "c": 1}}}, got); diff != "" {
			t.Errorf("%q: %s\n%s", lines, diff, data)
		}
	}
	bell := Of("job")
	bell.Line("echo \a")
	for _, root := range []*Node{Object().Set("a", &bell), Object().Set(strings.Repeat("long ", 300), 1)} {
		if data, _, err := YAML("owner", "", root).Result(); err == nil {
			t.Errorf("YAML carries:\n%s", data)
		}
	}
}

// An older reader than the library's, such as Jenkins', takes bare words for truth values and numbers.
func TestYAMLQuotesEveryText(t *testing.T) {
	data, _, err := YAML("owner", "", Object().Set("a", "yes").Set("yes", "1e3").Set("n", 1).Set("b", true)).Result()
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(data), "review, push.\n")
	want := "a: \"yes\"\n\"yes\": \"1e3\"\n\"n\": 1\nb: true\n"
	if body != want {
		t.Errorf("got\n%s\nwant\n%s", body, want)
	}
}

func TestEveryLineOfDataHasItsOrigins(t *testing.T) {
	code := Of("job")
	code.Line("first {", "jobs.a")
	code.Line("}")
	root := Object().
		Set("name", "x", "name").
		Set("list", Array().Add(Object().Set("a", 1, "list[0].a").Set("b", 2), "list[0]").Add(Array(3, 4), "list[1]"), "list").
		Set("none", Array(), "none").
		Set("two", "a\nb", "two", "lines").
		Set("script", &code, "script").
		Set("last", Object().Set("x", 1.5))

	t.Run("YAML", func(t *testing.T) {
		want := `
# What.                                                owner
# From owner, by odoogen. A change here is lost: edit the spec, build, review, push.  owner
name: "x"                                              name
list:                                                  list
  - a: 1                                               list[0].a
    b: 2                                               list[0]
  - - 3                                                list[1]
    - 4                                                list[1]
none: []                                               none
two: "a\nb"                                   two lines
script: |                                              script
  first {                                              jobs.a
  }                                                    job
last:                                                  owner
  x: 1.5                                               owner
`
		compareOrigins(t, want, YAML("owner", "What.", root))
	})
	t.Run("JSON", func(t *testing.T) {
		want := `
{                                                      owner
  "name": "x",                                         name
  "list": [                                            list
    {                                                  list[0]
      "a": 1,                                          list[0].a
      "b": 2                                           list[0]
    },                                                 list[0]
    [                                                  list[1]
      3,                                               list[1]
      4                                                list[1]
    ]                                                  list[1]
  ],                                                   list
  "none": [],                                          none
  "two": "a\nb",                                two lines
  "script": "first {\n}\n",                            script
  "last": {                                            owner
    "x": 1.5                                           owner
  }                                                    owner
}                                                      owner
`
		compareOrigins(t, want, JSON("owner", root))
	})
}

// compareOrigins compares a text with its lines, each with its origins after at least two spaces.
func compareOrigins(t *testing.T, want string, text *Text) {
	t.Helper()
	data, from, err := text.Result()
	if err != nil {
		t.Fatal(err)
	}
	var got, wanted []string
	for i, line := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n") {
		got = append(got, line+" <- "+from[i])
	}
	for line := range strings.SplitSeq(strings.Trim(want, "\n"), "\n") {
		indent := len(line) - len(strings.TrimLeft(line, " "))
		i := strings.Index(line[indent:], "  ") + indent
		wanted = append(wanted, line[:i]+" <- "+strings.TrimSpace(line[i:]))
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Error(diff)
	}
}

func TestDataRefuses(t *testing.T) {
	broken := Of("job")
	broken.Line("two\nlines")
	empty := Of("job")
	for name, root := range map[string]*Node{
		"a key twice":         Object().Set("a", 1).Set("a", 2),
		"a key of an array":   Array().Set("a", 1),
		"what is no value":    Object().Set("a", Array().Add(struct{}{})),
		"nothing":             Object().Set("a", nil),
		"no UTF-8":            Object().Set("a", "\xff"),
		"no number":           Object().Set("a", 0.0/zero),
		"a refused script":    Object().Set("a", &broken),
		"an element of a map": Object().Add(1),
		"a script of nothing": Object().Set("a", &empty),
	} {
		for format, text := range map[string]*Text{"JSON": JSON("owner", root), "YAML": YAML("owner", "", root)} {
			if data, _, err := text.Result(); err == nil {
				t.Errorf("%s carries %s:\n%s", format, name, data)
			}
		}
	}
}

var zero float64

// TestEveryLeafOfDataIsOnItsLine nests objects, arrays and scripts at random: each leaf has its own value for origin.
func TestEveryLeafOfDataIsOnItsLine(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		leaves := 0
		var draw func(depth int) (any, string)
		draw = func(depth int) (any, string) {
			kind := rapid.IntRange(0, 3).Draw(rt, "kind")
			if depth == 0 {
				kind = kind % 2
			}
			leaves++
			leaf := fmt.Sprintf("leaf%d.", leaves)
			switch kind {
			case 0:
				return leaf, leaf
			case 1:
				lines := Of("script")
				for range rapid.IntRange(1, 3).Draw(rt, "lines") {
					leaves++
					leaf := fmt.Sprintf("leaf%d.", leaves)
					lines.Line("  "+leaf, leaf)
				}
				return &lines, "container"
			}
			n := Object()
			if kind == 2 {
				n = Array()
			}
			for i := range rapid.IntRange(0, 3).Draw(rt, "entries") {
				if value, from := draw(depth - 1); kind == 2 {
					n.Add(value, from)
				} else {
					n.Set("key"+strconv.Itoa(i), value, from)
				}
			}
			return n, "container"
		}
		root := Object()
		for i := range 3 {
			value, from := draw(3)
			root.Set("root"+strconv.Itoa(i), value, from)
		}
		data, from, err := YAML("owner", "What.", root).Result()
		if err != nil {
			rt.Fatal(err)
		}
		for i, line := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n") {
			if leaf := leafName.FindString(line); leaf != "" && from[i] != leaf {
				rt.Fatalf("line %d, %q, comes from %q:\n%s", i+1, line, from[i], data)
			}
		}
	})
}

var leafName = regexp.MustCompile(`leaf\d+\.`)

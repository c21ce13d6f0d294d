package conf

import (
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
)

func TestGroovyStringReadsBackAsItWasGiven(t *testing.T) {
	for _, s := range append(hostile, "\U0001F600") {
		quoted := groovyString(s)
		if got := readGroovyString(t, quoted); got != s {
			t.Errorf("%s reads as %q, want %q", quoted, got, s)
		}
		if strings.ContainsAny(quoted, "$\n") {
			t.Errorf("%s holds what Groovy or configuration as code acts on", quoted)
		}
	}
}

// A pipeline inside a job is a script inside a string of a script.
func TestGroovyNests(t *testing.T) {
	for _, s := range hostile {
		inner := NewGroovy("job")
		inner.Open("timeout", []any{180})
		inner.Call("build", []any{s})
		inner.Close()
		outer := NewGroovy("job")
		outer.Open("definition", nil)
		outer.Call("script", []any{inner.Source(), true})
		outer.Close()
		data, _, err := outer.Result()
		if err != nil {
			t.Fatal(err)
		}
		line := strings.Split(string(data), "\n")[1]
		line = strings.TrimSuffix(strings.TrimPrefix(line, "  script("), ", true)")
		want := "timeout(180) {\n  build(" + groovyString(s) + ")\n}\n"
		if diff := cmp.Diff(want, readGroovyString(t, line)); diff != "" {
			t.Errorf("%q: %s", s, diff)
		}
	}
}

func TestGroovyRefusesWhatIsNoArgument(t *testing.T) {
	for _, arg := range []any{1.5, nil, "\xff"} {
		g := NewGroovy("job")
		g.Call("script", []any{arg})
		if data, _, err := g.Result(); err == nil {
			t.Errorf("carried: %s", data)
		}
	}
}

// readGroovyString reads a single-quoted string as the Groovy language specification says, 4.1 and 4.4.
func readGroovyString(t *testing.T, quoted string) string {
	t.Helper()
	if len(quoted) < 2 || quoted[0] != '\'' || quoted[len(quoted)-1] != '\'' {
		t.Fatalf("%s: no quotes", quoted)
	}
	var units []uint16
	for body := quoted[1 : len(quoted)-1]; body != ""; {
		switch {
		case body[0] == '\'' || body[0] == '\n':
			t.Fatalf("%s: ends early", quoted)
		case body[0] != '\\':
			units, body = append(units, uint16(body[0])), body[1:]
		case len(body) > 5 && body[1] == 'u':
			n, err := strconv.ParseUint(body[2:6], 16, 16)
			if err != nil {
				t.Fatal(err)
			}
			units, body = append(units, uint16(n)), body[6:]
		case len(body) > 1 && strings.IndexByte(`nr'\`, body[1]) >= 0:
			units, body = append(units, uint16(map[byte]byte{'n': '\n', 'r': '\r', '\'': '\'', '\\': '\\'}[body[1]])), body[2:]
		default:
			t.Fatalf("%s: no such escape", quoted)
		}
	}
	return string(utf16.Decode(units))
}

func TestCasCKeepsWhatItIsGiven(t *testing.T) {
	for in, want := range map[string]string{"a $b": "a $b", "${readFile:/etc/shadow}": "^${readFile:/etc/shadow}", "^${x}": "^^${x}"} {
		if got := CasC(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

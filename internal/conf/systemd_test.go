package conf

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// Words reach systemd as they are: systemd-tmpfiles makes a folder of exactly the name that it is given, whatever it
// is made of.
func TestAWordReachesSystemdAsItIs(t *testing.T) {
	for _, name := range []string{
		"plain", "with space", "per%cent", "%i", `quo"te`, "quo'te", `back\slash`, `\x41`, `end\`, "semi;colon", "#hash",
		"dollar$HOME", "${HOME}", "naïve", "日本", "a=b", "-", "a,b", "*", "[x]", "~",
	} {
		root := t.TempDir()
		f := NewFields("spec", "test")
		f.Add([]string{"d", "/x/" + name, "0755"})
		file := filepath.Join(root, "test.conf")
		if err := os.WriteFile(file, resultOf(t, &f.Text), 0o644); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("systemd-tmpfiles", "--root="+root, "--create", file)
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%q: %v (apt-get install systemd)\n%s", name, err, out)
			continue
		}
		made, err := os.ReadDir(filepath.Join(root, "x"))
		if err != nil || len(made) != 1 || made[0].Name() != name {
			t.Errorf("%q became %v %v", name, made, err)
		}
	}
}

// Whatever a command line or a variable is made of, it is there again for whoever takes systemd's quoting apart
// (systemd.service(5), COMMAND LINES), or the file was refused.
func FuzzExec(f *testing.F) {
	for _, s := range []string{"plain", "", "two words", "a;b", ";", `"`, `'`, `\`, `\n`, "%", "%%i", "$x", "${x}", "$$", "a\nb", "\x00", " ", "#", "é", "=", "\u2028"} {
		f.Add(s, "other")
		f.Add("other", s)
	}
	f.Fuzz(func(t *testing.T, one, two string) {
		u := NewUnit("spec", "test")
		u.Section("Service")
		u.Exec("ExecStart", []string{"/bin/true", one, two})
		u.Environment("NAME", one)
		data, _, err := u.Result()
		if err != nil {
			if plain(one) && plain(two) {
				t.Fatalf("refused: %v", err)
			}
			return
		}
		lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
		exec := strings.TrimPrefix(lines[len(lines)-2], "ExecStart=")
		environment := strings.TrimPrefix(lines[len(lines)-1], "Environment=")
		if got := split(t, exec, true); len(got) != 3 || got[1] != one || got[2] != two {
			t.Errorf("%q, %q: %s is %q", one, two, exec, got)
		}
		if got := split(t, environment, false); len(got) != 1 || got[0] != "NAME="+one {
			t.Errorf("%q: %s is %q", one, environment, got)
		}
	})
}

// split takes a list of words apart as systemd does: quotes, C escapes, then specifiers, and in a command variables.
func split(t *testing.T, line string, command bool) []string {
	t.Helper()
	var words []string
	var word strings.Builder
	inWord, quote := false, rune(0)
	for i := 0; i < len(line); {
		r, n := utf8.DecodeRuneInString(line[i:])
		i += n
		switch {
		case r == '\\':
			e, n := utf8.DecodeRuneInString(line[i:])
			if e != '\\' && e != '"' && e != '\'' {
				t.Fatalf("%s: escape \\%c", line, e)
			}
			i += n
			word.WriteRune(e)
			inWord = true
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote, inWord = r, true
		case quote == 0 && (r == ' ' || r == '\t'):
			if inWord {
				words = append(words, word.String())
				word.Reset()
				inWord = false
			}
		case quote == 0 && command && r == ';' && !inWord:
			t.Fatalf("%s: a second command", line)
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	if quote != 0 {
		t.Fatalf("%s: an open quote", line)
	}
	if inWord {
		words = append(words, word.String())
	}
	for n, w := range words {
		words[n] = undouble(t, w, '%')
		if command && n > 0 {
			words[n] = undouble(t, words[n], '$')
		}
	}
	return words
}

// undouble makes %% one %; a single one would be a specifier.
func undouble(t *testing.T, s string, mark byte) string {
	t.Helper()
	double := string(mark) + string(mark)
	if strings.Contains(strings.ReplaceAll(s, double, ""), string(mark)) {
		t.Fatalf("%q: a single %c", s, mark)
	}
	return strings.ReplaceAll(s, double, string(mark))
}

// A variable's words come after the arguments, and only it is expanded.
func TestExecWithAVariable(t *testing.T) {
	u := NewUnit("spec", "test")
	u.ExecWith("ExecStart", []string{"/bin/true", "$HOME"}, "LIMITS")
	if got, want := string(resultOf(t, &u.Text)), "ExecStart=/bin/true $$HOME $LIMITS\n"; !strings.HasSuffix(got, want) {
		t.Errorf("got %q, want %q at the end", got, want)
	}
}

// What stands first in a command line is no argument: systemd takes marks off it and expands nothing.
func TestExecWantsAPlainProgram(t *testing.T) {
	for _, program := range []string{"", "relative", "/with space", "/$x", "/%i", `/"`, `/\`, "/a;b"} {
		u := NewUnit("spec", "test")
		u.Exec("ExecStart", []string{program})
		if _, _, err := u.Result(); err == nil {
			t.Errorf("%q was written", program)
		}
	}
}

func resultOf(t *testing.T, text *Text) []byte {
	t.Helper()
	data, _, err := text.Result()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

package conf

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEnvReachesItsReadersUnchanged(t *testing.T) {
	for _, value := range []string{
		"", "plain", "/var/lib/odoogen", "a b", " blanks around ", "it's", `say "hi"`, `back\slash`, `ends in \`, `\\`,
		"$HOME ${HOME} $(id) `id`", "a;b&c|d>e", "# no comment", "a # neither", "~/home", "a:~/b", "*", "[a-z]?", "{a,b}",
		"100%", "%h", "!!", "türöffner", "=", "a=b", `"`, `'`, "'$'", `\"`, `\$`, "-n",
	} {
		checkEnv(t, value)
	}
}

func TestEnvRefuses(t *testing.T) {
	for _, c := range []struct {
		what string
		set  func(*Env)
		want string
	}{
		{"a second line", func(e *Env) { e.Set("A", "a\nb") }, `hosts.a: A="a\nb": one line of text is wanted, without control characters`},
		{"a tab", func(e *Env) { e.Set("A", "a\tb") }, `hosts.a: A="a\tb": one line of text is wanted, without control characters`},
		{"what is not UTF-8", func(e *Env) { e.Set("A", "\xff") }, `hosts.a: A="\xff": one line of text is wanted, without control characters`},
		{"a key that is no name", func(e *Env) { e.Set("A;B", "a") }, `hosts.a: "A;B" is no name of a variable`},
		{"a key twice", func(e *Env) { e.Set("A", "a"); e.Set("A", "b") }, "hosts.a: A is set twice"},
		{"an item of two words", func(e *Env) { e.List("A", []string{"a", "b c"}) }, `hosts.a: A: "b c" is not one plain word`},
		{"an item that is a pattern", func(e *Env) { e.List("A", []string{"*"}) }, `hosts.a: A: "*" is not one plain word`},
		{"an empty item", func(e *Env) { e.List("A", []string{""}) }, `hosts.a: A: "" is not one plain word`},
	} {
		e := NewEnv("hosts.a", "A test.")
		c.set(e)
		_, _, err := e.Result()
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", c.what, err, c.want)
		}
	}
}

func TestWordsRefusesWhatIsNotOneWord(t *testing.T) {
	for _, word := range []string{"", "a b", "a\tb", "*", "$a", "'", `"`, "#"} {
		w := NewWords("hosts.a", "A test.")
		w.Add([]string{"first", word})
		if _, _, err := w.Result(); err == nil {
			t.Errorf("%q was accepted", word)
		}
	}
}

func FuzzEnv(f *testing.F) {
	f.Add(`a"b\c$d`)
	f.Add("`'")
	f.Fuzz(func(t *testing.T, value string) {
		if plain(value) {
			checkEnv(t, value)
		}
	})
}

// checkEnv holds a written value against what bash and systemd read.
func checkEnv(t *testing.T, value string) {
	t.Helper()
	if got := readByBash(t, writeEnv(t, value)); got != value {
		t.Errorf("bash: %s", cmp.Diff(value, got))
	}
	if value == "" {
		return // environment.d knows no empty value; EnvironmentFile= does (load_env_file_push in env-file.c)
	}
	// environment.d is read by the reader of EnvironmentFile= (systemd's env-file.c), and only then expanded, so that
	// $$ is $; and a ~ would be a home directory.
	value = strings.ReplaceAll(value, "~", "-")
	if got := readBySystemd(t, writeEnv(t, strings.ReplaceAll(value, "$", "$$"))); got != value {
		t.Errorf("systemd: %s", cmp.Diff(value, got))
	}
}

func writeEnv(t *testing.T, value string) string {
	t.Helper()
	e := NewEnv("hosts.a", "A test.")
	e.Set("KEY", value)
	data, _, err := e.Result()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "environment.d")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "test.conf")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func readByBash(t *testing.T, path string) string {
	t.Helper()
	return run(t, "", "bash", "-c", `set -eu; . "$1"; printf %s "$KEY"`, "bash", path)
}

func readBySystemd(t *testing.T, path string) string {
	t.Helper()
	const generator = "/usr/lib/systemd/user-environment-generators/30-systemd-environment-d-generator"
	if _, err := os.Stat(generator); err != nil {
		t.Fatalf("%v: apt-get install systemd", err)
	}
	out := run(t, filepath.Dir(filepath.Dir(path)), generator)
	var line string
	for l := range strings.Lines(out) {
		if strings.HasPrefix(l, "KEY=") {
			line = l
		}
	}
	// It prints what it has read quoted for a shell.
	return run(t, "", "bash", "-c", "set -eu; "+line+` printf %s "$KEY"`)
}

func run(t *testing.T, config string, argv ...string) string {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "HOME=/nonexistent", "XDG_CONFIG_HOME=" + config}
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", strings.Join(argv, " "), err)
	}
	return string(out)
}

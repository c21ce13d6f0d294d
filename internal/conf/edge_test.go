package conf

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/quick"
	"time"

	"github.com/google/go-cmp/cmp"
)

// awkward are texts that end a word, a line, a quote or a block somewhere.
var awkward = []string{
	"", " ", "plain", "two words", "a;b", "a{b}", "#a", "a#b", `a"b`, `a'b`, `a\b`, `a\\`, `\n`, "$a", "${a}", "$(id)", "`id`",
	"a%b", "%i", "a,b", "a=b", "a*", "!a", "é€", "a\tb", "a\nb", "a\rb", "a\x00b", "\xff", "-a", "/a/../b", "a|b", "a&b", "<a>",
}

// written is the file, or false where the writer refuses it.
func written(t *Text) (string, bool) {
	data, _, err := t.Result()
	return string(data), err == nil
}

// onDisk puts a text where a program can read it.
func onDisk(t *testing.T, data string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(data), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// printed is what a program prints; a program that fails, or is missing, fails the test.
func printed(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return string(out)
}

// What nginx reads is what was written: each text is served back by a real nginx, byte for byte.
func TestNginxReadsWhatWasWritten(t *testing.T) {
	var texts []string
	for _, text := range awkward {
		if _, ok := written(nginxSet(text)); ok && text != "" {
			texts = append(texts, text)
		}
	}
	if len(texts) < 20 {
		t.Fatalf("only %d texts were accepted", len(texts))
	}
	for i, got := range served(t, texts) {
		if got != texts[i] {
			t.Errorf("nginx read %q from %q", got, texts[i])
		}
	}
}

// served is what nginx serves that has read the texts.
func served(t *testing.T, texts []string) []string {
	t.Helper()
	dir := t.TempDir()
	socket := filepath.Join(dir, "nginx.sock")
	n := NewNginx("test", "texts")
	n.Set("daemon", []string{"off"})
	n.Set("pid", []string{dir + "/pid"})
	n.Set("error_log", []string{"stderr"})
	n.Block("events", nil, func() {})
	n.Block("http", nil, func() {
		n.Set("access_log", []string{"off"})
		n.Block("server", nil, func() {
			n.Set("listen", []string{"unix:" + socket})
			for i, text := range texts {
				n.Block("location", []string{"=", fmt.Sprintf("/%d", i)}, func() { n.Set("return", []string{"200", text}) })
			}
		})
	})
	data, ok := written(&n.Text)
	if !ok {
		t.Fatal("refused")
	}
	cmd := exec.Command("nginx", "-p", dir, "-c", onDisk(t, data))
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v (Debian package nginx)", err)
	}
	defer func() {
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
	}()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, Dial: func(string, string) (c net.Conn, err error) {
		for range 500 {
			if c, err = net.Dial("unix", socket); err == nil {
				return c, nil
			}
			time.Sleep(10 * time.Millisecond)
		}
		return c, err
	}}}
	bodies := make([]string, len(texts))
	for i := range texts {
		response, err := client.Get(fmt.Sprintf("http://nginx/%d", i))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		bodies[i] = string(body)
	}
	return bodies
}

func nginxSet(text string) *Text {
	n := NewNginx("test", "one")
	n.Set("return", []string{"200", text})
	return &n.Text
}

// Nginx could not tell these from a variable or a second line.
func TestNginxRefuses(t *testing.T) {
	for _, text := range []string{"$host", "${host}", "a\nb", "a\x00", "\xff"} {
		if data, ok := written(nginxSet(text)); ok {
			t.Errorf("%q was written as %q", text, data)
		}
	}
}

// bash reads every value back as it was.
func TestBashReadsEnv(t *testing.T) {
	e := NewEnv("test", "values")
	var want string
	for i, text := range awkward {
		if !plain(text) {
			continue
		}
		e.Set(fmt.Sprintf("V%d", i), text)
		want += text + "\x00"
	}
	data, ok := written(&e.Text)
	if !ok {
		t.Fatal("refused")
	}
	got := printed(t, "bash", "-c", `set -euo pipefail; . "$1"; for v in $(compgen -v V | grep '^V[0-9]' | sort -V); do printf '%s\0' "${!v}"; done`, "-", onDisk(t, data))
	if got != want {
		t.Error(cmp.Diff(strings.Split(want, "\x00"), strings.Split(got, "\x00")))
	}
}

// apt reads every value that it can carry.
func TestAptReadsSettings(t *testing.T) {
	a := NewAptConf("test", "values")
	var want string
	for _, text := range awkward {
		one := NewAptConf("test", "one")
		if one.Set("X::", text); text == "" {
			continue
		}
		if _, ok := written(&one.Text); ok {
			a.Set("Odoogen::List::", text)
			want += text + "\n"
		}
	}
	data, ok := written(&a.Text)
	if !ok {
		t.Fatal("refused")
	}
	got := printed(t, "sh", "-c", `APT_CONFIG=$0 apt-config dump --format '%f %v%n' | sed -n 's/^Odoogen::List:: //p'`, onDisk(t, data))
	if got != want {
		t.Error(cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")))
	}
}

// Whatever somebody is called, the ruleset keeps its elements and gains none.
func TestNftKeepsElements(t *testing.T) {
	n := NewNft("test", "rules")
	n.Block("table inet test", func() {
		n.Block("set s", func() {
			n.Rule("type ipv4_addr")
			n.Block("elements =", func() {
				for i, who := range awkward {
					n.Element(Spell(n.Prefix(fmt.Sprintf("10.0.0.%d", i))), who)
				}
			})
		})
	})
	data, ok := written(&n.Text)
	if !ok {
		t.Fatal("refused")
	}
	got := printed(t, "unshare", "--net", "sh", "-c", `nft -f "$0" && nft list set inet test s`, onDisk(t, data))
	if n := strings.Count(got, "10.0.0."); n != len(awkward) {
		t.Errorf("%d elements of %d:\n%s", n, len(awkward), got)
	}
}

// Addresses are spelled one way, and what is none is refused.
func TestNftPrefix(t *testing.T) {
	for text, want := range map[string]string{
		"198.51.100.7": "198.51.100.7", "198.51.100.7/28": "198.51.100.0/28", "2001:DB8::1/32": "2001:db8::/32",
		"2001:db8::1": "2001:db8::1", "::ffff:1.2.3.4": "1.2.3.4",
		"": "", "office": "", "1.2.3": "", "1.2.3.4/33": "", "fe80::1%eth0": "", "1.2.3.4 }": "",
	} {
		n := NewNft("test", "one")
		got := Spell(n.Prefix(text))
		if _, ok := written(&n.Text); ok != (want != "") || ok && got != want {
			t.Errorf("%q: %q, accepted: %v", text, got, ok)
		}
	}
}

// A login name is refused wherever sshd, sudo or a path would read something else into it; a key that brings options
// of its own is none.
func TestAccessRefuses(t *testing.T) {
	for _, name := range append(awkward, "ALL", "%sudo", "#0", "+group", "a:b", "a/b", "../a", "root,anna", strings.Repeat("a", 33)) {
		sudo, sshd := NewSudoers("test", "one"), NewSSHD("test", "one")
		sudo.Allow(name, "root", "/bin/true")
		sshd.Match(name)
		_, inSudo := written(&sudo.Text)
		_, inSSHD := written(&sshd.Text)
		if want := name == "plain"; inSudo != want || inSSHD != want {
			t.Errorf("%q: accepted for sudo: %v, for sshd: %v", name, inSudo, inSSHD)
		}
	}
	for _, key := range []string{`command="id" ssh-ed25519 AAAA x`, "restrict ssh-ed25519 AAAA", "ssh-ed25519", "ssh-ed25519 AAAA x\nssh-rsa AAAA", "# ssh-ed25519 AAAA"} {
		k := NewAuthorizedKeys("test", "one")
		k.Add("", key)
		if data, ok := written(&k.Text); ok {
			t.Errorf("%q was written as %q", key, data)
		}
	}
	for _, command := range []string{"/bin/a b", "/bin/*", "bin/a", "/bin/a,/bin/b", "/bin/a\\", "ALL, ALL"} {
		s := NewSudoers("test", "one")
		s.Allow("anna", "root", command)
		if data, ok := written(&s.Text); ok {
			t.Errorf("%q was written as %q", command, data)
		}
	}
}

// Whatever is typed, a writer adds the lines that it was asked for, and none between them.
func TestWritersKeepToTheirLine(t *testing.T) {
	one := func(name string, write func(text string) *Text) {
		t.Run(name, func(t *testing.T) {
			empty, _ := written(write("plain"))
			if err := quick.Check(func(text string) bool {
				data, ok := written(write(text))
				return !ok || strings.Count(data, "\n") == strings.Count(empty, "\n") && !strings.Contains(data, "\r")
			}, nil); err != nil {
				t.Error(err)
			}
		})
	}
	one("nginx", nginxSet)
	one("env", func(text string) *Text { e := NewEnv("test", "one"); e.Set("V", text); return &e.Text })
	one("table", func(text string) *Text { w := NewWords("test", "one"); w.Add([]string{text}); return &w.Text })
	one("nft", func(text string) *Text { n := NewNft("test", "one"); n.Element("10.0.0.1", text); return &n.Text })
	one("apt", func(text string) *Text { a := NewAptConf("test", "one"); a.Set("X", text); return &a.Text })
	one("stanzas", func(text string) *Text { s := NewStanzas("test", "one"); s.Field("X", text); return &s.Text })
	one("sshd", func(text string) *Text { s := NewSSHD("test", "one"); s.Set("X", text); return &s.Text })
}

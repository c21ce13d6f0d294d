package conf

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Python reads back what was written, or the writer refused it: a hundred files of odd values, read as Odoo reads
// them.
func TestPythonReadsBackWhatIniWrites(t *testing.T) {
	random := rand.New(rand.NewSource(1))
	pieces := []string{
		"a", "b", " ", "\t", "#", ";", "=", ":", "%", "%(x)s", "$", "{}", "[", "]", "[x]", `\`, `"`, "'", ",", "é", "日本", "\u00a0",
		"\u2028", "\u3000", "\ufeff", "\n", "\r", "\x00", "\x1c", "\x85", "rem", "None", "x = 1",
	}
	dir := t.TempDir()
	var want []map[string]string
	refused := 0
	for len(want) < 100 {
		f := NewIni("spec", "test", "options")
		value := ""
		for range random.Intn(5) + 1 {
			value += pieces[random.Intn(len(pieces))]
		}
		f.Set("option", value)
		f.Int("next", 1)
		data, _, err := f.Result()
		if err != nil {
			if plain(value) && value == strings.TrimSpace(value) && value != "None" && value != "" {
				t.Errorf("%q was refused: %v", value, err)
			}
			refused++
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%03d", len(want))), data, 0o644); err != nil {
			t.Fatal(err)
		}
		want = append(want, map[string]string{"option": value, "next": "1"})
	}
	if refused == 0 {
		t.Error("nothing was refused")
	}
	const script = `import configparser, json, os, sys
for name in sorted(os.listdir(sys.argv[1])):
    p = configparser.RawConfigParser()
    p.read([os.path.join(sys.argv[1], name)], encoding="utf-8")
    print(json.dumps(dict(p.items("options"))))`
	out, err := exec.Command("python3", "-c", script, dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: apt-get install python3\n%s", err, out)
	}
	for n, line := range bytes.Split(bytes.TrimSpace(out), []byte("\n")) {
		got := map[string]string{}
		if err := json.Unmarshal(line, &got); err != nil {
			t.Fatal(err)
		}
		if got["option"] != want[n]["option"] || got["next"] != "1" || len(got) != 2 {
			t.Errorf("wrote %q, Python reads %q", want[n], got)
		}
	}
}

// What Odoo would take for something else than text, and what Python would refuse the whole file for.
func TestIniRefuses(t *testing.T) {
	for name, write := range map[string]func(f *Ini){
		"a database named true": func(f *Ini) { f.Set("db_name", "true") },
		"the word None":         func(f *Ini) { f.Set("db_name", "None") },
		"nothing":               func(f *Ini) { f.Set("db_name", "") },
		"an option twice":       func(f *Ini) { f.Set("db_name", "a"); f.Set("db_name", "a") },
		"an item with a comma":  func(f *Ini) { f.List("addons_path", []string{"/a,b"}) },
		"a key with a colon":    func(f *Ini) { f.Set("a:b", "c") },
	} {
		f := NewIni("spec", "test", "options")
		write(f)
		if _, _, err := f.Result(); err == nil {
			t.Errorf("%s was written", name)
		}
	}
}

package conf

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"odoogen/internal/pgtest"
)

// Each writer against the program that reads its files: whatever it is given comes back as it went in, or is refused. Plain
// go test tries the seeds; make fuzz searches.

// seeds are a few texts for each: the longer lists are tried by the tests beside each writer.
func seeds(f *testing.F) {
	for _, s := range []string{"plain", `it's "both" \ %n $HOME ${x} #1`, "; } {", " é\u00a0漢 ", "a\nb", "true", `\`, "-"} {
		f.Add(s)
	}
}

// carried tells whether a writer took a text; it may refuse only what the language cannot carry.
func carried(t *testing.T, text *Text, may bool) (data string, ok bool) {
	t.Helper()
	out, _, err := text.Result()
	if err != nil && may {
		t.Fatalf("refused: %v", err)
	}
	return string(out), err == nil
}

// trimmed tells whether a text is one line without white space at its ends, which many formats drop.
func trimmed(s string) bool { return plain(s) && s == strings.TrimSpace(s) && s != "" }

// systemd reads a command line and a variable of a unit, and prints them as it would use them.
func FuzzUnitIsReadBySystemd(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		u := NewUnit("spec", "test")
		u.Section("Service")
		u.Exec("ExecStart", []string{"/bin/true", text, "last"})
		u.Environment("NAME", text)
		u.Section("Unit")
		if trimmed(text) && !strings.HasSuffix(text, `\`) {
			u.Set("Description", text)
		}
		data, ok := carried(t, &u.Text, plain(text) && utf8.ValidString(text))
		if !ok {
			return
		}
		out := readBySystemdItself(t, data)
		want := "NAME=" + text
		if got := field(out, "Environment: "); got != want {
			t.Errorf("Environment: %q, want %q", got, want)
		}
		if trimmed(text) && !strings.HasSuffix(text, `\`) {
			if got := field(out, "Description: "); got != text {
				t.Errorf("Description: %q, want %q", got, text)
			}
		}
		if strings.HasPrefix(text, "#") {
			return // which systemd prints without quotes, and a shell takes for a comment
		}
		// As words of a shell's, before $$ becomes $ when the command is run.
		words := printed(t, "bash", "-c", "set -f; printf '%s\\0' "+field(out, "Command Line: "))
		argv := strings.Split(strings.ReplaceAll(words, "$$", "$"), "\x00")
		if len(argv) != 4 || argv[1] != text || argv[2] != "last" {
			t.Errorf("ExecStart: %q, want %q", argv, text)
		}
	})
}

// readBySystemdItself is what systemd says of a unit's file when it only tests what it would do.
func readBySystemdItself(t *testing.T, data string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"x.service": data, "default.target": "[Unit]\n", "basic.target": "[Unit]\n", "shutdown.target": "[Unit]\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// As a manager of a user's, it looks at nothing of the machine; it refuses to be root's.
	cmd := exec.Command("unshare", "--mount", "sh", "-c", `mount --bind "$0" /mnt && exec setpriv --reuid=65534 --regid=65534 --clear-groups \
		env -i XDG_RUNTIME_DIR=/tmp LC_ALL=C.UTF-8 SYSTEMD_UNIT_PATH=/mnt /lib/systemd/systemd --test --user --unit=x.service`, dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.CombinedOutput()
	_, unit, found := strings.Cut(string(out), "-> Unit x.service:")
	if !found {
		t.Fatalf("systemd --test: %v\n%s", err, out)
	}
	if i := strings.Index(unit, "-> Unit "); i >= 0 {
		unit = unit[:i]
	}
	return unit
}

// field is the first value that a program printed after a name, to the end of the line.
func field(out, name string) string {
	_, after, _ := strings.Cut(out, name)
	line, _, _ := strings.Cut(after, "\n")
	return line
}

// systemd-tmpfiles makes a folder of the name that it reads.
func FuzzFieldsAreReadBySystemd(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, name string) {
		fields := NewFields("spec", "test")
		if name == "" || name == "." || name == ".." || len(name) > 200 || strings.Contains(name, "/") {
			return // no name of a folder
		}
		fields.Add([]string{"d", "/x/" + name, "0755"})
		data, ok := carried(t, &fields.Text, plain(name))
		if !ok {
			return
		}
		root := t.TempDir()
		printed(t, "systemd-tmpfiles", "--root="+root, "--create", onDisk(t, data))
		made, err := os.ReadDir(filepath.Join(root, "x"))
		if err != nil || len(made) != 1 || made[0].Name() != name {
			t.Errorf("%q became %v %v", name, made, err)
		}
	})
}

// nginx serves the text that it has read.
func FuzzNginxIsReadByNginx(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		if _, ok := carried(t, nginxSet(text), plain(text) && !strings.Contains(text, "$")); !ok || text == "" || len(text) > 3000 {
			return
		}
		if got := served(t, []string{text}); got[0] != text {
			t.Errorf("nginx read %q from %q", got[0], text)
		}
	})
}

// Python's parser reads the value, and Odoo takes no text for one of its words (odoo/tools/config.py, _load_file_options).
func FuzzIniIsReadByPython(f *testing.F) {
	const script = `
import configparser, json, sys
p = configparser.RawConfigParser()
p.read([sys.argv[1]], encoding="utf-8")
def odoo(v):
    return {"true": True, "false": False, "none": None}.get(v.lower(), v)
print(json.dumps({k: odoo(v) for k, v in p.items("options")}))`
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		i := NewIni("spec", "test", "options")
		i.Set("option", text)
		i.Int("next", 1)
		word := map[string]bool{"true": true, "false": true, "none": true}[strings.ToLower(text)]
		data, ok := carried(t, &i.Text, trimmed(text) && !word)
		if !ok {
			return
		}
		var got map[string]any
		if err := json.Unmarshal([]byte(printed(t, "/usr/bin/python3", "-c", script, onDisk(t, data))), &got); err != nil {
			t.Fatal(err)
		}
		if got["option"] != text || got["next"] != "1" || len(got) != 2 {
			t.Errorf("wrote %q, Odoo reads %v", text, got)
		}
	})
}

// A server reads settings, rules of access, names and texts of SQL.
func FuzzPostgresIsReadByPostgres(f *testing.F) {
	seeds(f)
	var settings, hba string
	server := pgtest.New(f, "fuzz", 5432, func(c *pgtest.Cluster) {
		settings, hba = filepath.Join(c.ConfD(), "fuzz.conf"), filepath.Join(c.Dir, "data", "hba.conf")
		for name, text := range map[string]string{filepath.Join(c.ConfD(), "hba.conf"): "listen_addresses = ''\nhba_file = '" + hba + "'\n", hba: "local all all trust\n"} {
			if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
				f.Fatal(err)
			}
		}
	})
	f.Fuzz(func(t *testing.T, text string) {
		set, rules, sql := NewPostgres("spec", "test"), NewHBA("spec", "test"), NewSQL("spec", "test")
		set.Set("fuzz.value", text)
		rules.Local(nil, "postgres", "trust")
		rules.Local([]string{text, "other"}, text, "reject")
		query := "SELECT " + sql.Literal(text) + ` AS "literal", `
		query += sql.Literal("x") + " AS " + sql.Name(text)
		may := plain(text) && text != "" && len(text) <= 63 && !strings.HasPrefix(text, "/")
		data, ok1 := carried(t, &set.Text, may)
		lines, ok2 := carried(t, &rules.Text, may)
		_, ok3 := carried(t, &sql.Text, may)
		if !ok1 || !ok2 || !ok3 {
			return
		}
		for name, text := range map[string]string{settings: data, hba: lines} {
			if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		// Both views read the files anew.
		got := server.For(t).Query("postgres", "postgres", `
			SELECT json_build_array(
				(SELECT json_agg(setting) FROM pg_file_settings WHERE name = 'fuzz.value'),
				(SELECT json_agg(json_build_array(database[1], user_name[1], error)) FROM pg_hba_file_rules WHERE auth_method = 'reject'),
				(SELECT json_agg(q) FROM (`+query+`) q))::text`)
		want, err := json.Marshal([]any{[]string{text}, []any{[]any{text, text, nil}}, []any{map[string]string{"literal": text, text: "x"}}})
		if err != nil {
			t.Fatal(err)
		}
		if text == "literal" {
			return // both columns have one name
		}
		if !sameJSON(t, got, string(want)) {
			t.Errorf("wrote %q, PostgreSQL reads %s", text, got)
		}
	})
}

func sameJSON(t *testing.T, one, other string) bool {
	t.Helper()
	var a, b any
	if err := json.Unmarshal([]byte(one), &a); err != nil {
		t.Fatalf("%v: %s", err, one)
	}
	if err := json.Unmarshal([]byte(other), &b); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(a) == fmt.Sprint(b)
}

// jq and a reader of YAML 1.1, as Jenkins' is one, read keys and texts.
func FuzzDataIsReadByOthers(f *testing.F) {
	const script = `import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1], encoding="utf-8"))))`
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		root := Object().Set("key", text).Set("k"+text, Array(text, 1.5, true))
		data, ok := carried(t, JSON("owner", root), utf8.ValidString(text))
		if !ok {
			return
		}
		want, err := json.Marshal(map[string]any{"key": text, "k" + text: []any{text, 1.5, true}})
		if err != nil {
			t.Fatal(err)
		}
		if got := printed(t, "jq", "-c", ".", onDisk(t, data)); !sameJSON(t, got, string(want)) {
			t.Errorf("wrote %q, jq reads %s", text, got)
		}
		data, _ = carried(t, YAML("owner", "What it is.", root), true)
		if got := printed(t, "/usr/bin/python3", "-c", script, onDisk(t, data)); !sameJSON(t, got, string(want)) {
			t.Errorf("wrote %q, Python reads %s\n%s", text, got, data)
		}
		var back any
		if err := yaml.Unmarshal([]byte(data), &back); err != nil {
			t.Error(err)
		}
	})
}

// sudo reads the user and the command that were written, and one rule alone.
func FuzzSudoersAreReadBySudo(f *testing.F) {
	f.Add("anna", "/usr/local/bin/x")
	f.Add("a_b-c", "/bin/a.b")
	f.Add("%sudo", "/bin/a, ALL")
	f.Add("ALL", "ALL")
	f.Fuzz(func(t *testing.T, user, command string) {
		s := NewSudoers("spec", "test")
		s.Allow(user, "root", command)
		data, ok := written(&s.Text)
		if !ok {
			return
		}
		var got struct {
			Specs []struct {
				Users []map[string]string `json:"User_List"`
				Cmnds []struct {
					Commands []map[string]string `json:"Commands"`
				} `json:"Cmnd_Specs"`
			} `json:"User_Specs"`
		}
		out := printed(t, "cvtsudoers", "-f", "json", onDisk(t, data))
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if fmt.Sprint(got) != fmt.Sprintf("{[{[map[username:%s]] [{[map[command:%s]]}]}]}", user, command) {
			t.Errorf("wrote %q %q, sudo reads %v\n%s", user, command, got, out)
		}
	})
}

// sshd reads the words that were written, for the user whom they are for alone.
func FuzzSSHDIsReadBySSHD(f *testing.F) {
	key := filepath.Join(f.TempDir(), "key")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key).CombinedOutput(); err != nil {
		f.Fatalf("%v\n%s", err, out)
	}
	f.Add("anna", "/etc/keys/x .ssh/y")
	f.Add("a_b-", "a:b")
	f.Add("root,anna", "yes\nPermitRootLogin yes")
	f.Add("a*", "%h/x")
	f.Fuzz(func(t *testing.T, user, words string) {
		s := NewSSHD("spec", "test")
		s.Match(user)
		s.Set("AuthorizedKeysFile", words)
		data, ok := written(&s.Text)
		if !ok || user == "nobody" || len(strings.Fields(words)) > 100 {
			return
		}
		ask := func(user string) string {
			return field("\n"+printed(t, "unshare", "--mount", "sh", "-c", `mount -t tmpfs tmpfs /run && mkdir /run/sshd && sshd -T -h "$1" -f "$2" -C user="$3",host=h,addr=10.0.0.2`,
				"-", key, onDisk(t, data), user), "\nauthorizedkeysfile ")
		}
		if got := ask(user); got != words {
			t.Errorf("wrote %q for %s, sshd reads %q", words, user, got)
		}
		if got := ask("nobody"); got != ".ssh/authorized_keys .ssh/authorized_keys2" {
			t.Errorf("wrote %q for %s, and for others sshd reads %q", words, user, got)
		}
	})
}

// nft reads a comment, and an element whatever stands in the comment behind it.
func FuzzNftIsReadByNft(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		n := NewNft("spec", "test")
		n.Block("table inet test", func() {
			n.Note(text)
			n.Block("set s", func() {
				n.Rule("type ipv4_addr")
				n.Block("elements =", func() { n.Element("10.0.0.1", text); n.Element("10.0.0.2", text) })
			})
			n.Block("chain c", func() { n.Rule("ip saddr @s accept comment " + n.Quote(text)) })
		})
		data, ok := carried(t, &n.Text, plain(text) && !strings.ContainsAny(text, "\"\\") && len(text) <= 127)
		if !ok {
			return
		}
		var got struct {
			Nftables []struct {
				Set  struct{ Elem []string }
				Rule struct{ Comment string }
			}
		}
		out := printed(t, "unshare", "--net", "sh", "-c", `nft -f "$0" && nft -j list ruleset`, onDisk(t, data))
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		elements, comment := "", ""
		for _, o := range got.Nftables {
			elements += strings.Join(o.Set.Elem, " ")
			comment += o.Rule.Comment
		}
		if elements != "10.0.0.1 10.0.0.2" || comment != text {
			t.Errorf("wrote %q, nft reads %q %q", text, elements, comment)
		}
	})
}

// apt reads a setting, and the kernel's tool another.
func FuzzAptConfIsReadByApt(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		a := NewAptConf("spec", "test")
		a.Set("Odoogen::Value", text)
		a.Set("Odoogen::Next", "1")
		data, ok := carried(t, &a.Text, plain(text) && !strings.Contains(text, `"`))
		if !ok || strings.Contains(text, "'") {
			return // apt-config quotes for a shell without a way to quote that
		}
		out := printed(t, "apt-config", "-c", onDisk(t, data), "shell", "VALUE", "Odoogen::Value", "NEXT", "Odoogen::Next")
		want := "NEXT='1'\n"
		if text != "" {
			want = "VALUE='" + text + "'\n" + want
		}
		if out != want {
			t.Errorf("wrote %q, apt reads %q", text, out)
		}
	})
}

func FuzzSysctlIsReadBySysctl(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		s := NewSysctl("spec", "test")
		s.Set("kernel.core_pattern", text)
		data, ok := carried(t, &s.Text, trimmed(text))
		if !ok {
			return
		}
		if got := printed(t, "sysctl", "--dry-run", "--load="+onDisk(t, data)); got != "kernel.core_pattern = "+text+"\n" {
			t.Errorf("wrote %q, sysctl reads %q", text, got)
		}
	})
}

package lab

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"odoogen/internal/artifact"
)

// TestMain is also the program that a lab runs itself with.
func TestMain(m *testing.M) {
	for _, c := range []struct {
		command []string
		main    func(string) error
	}{{WatchCommand, Watch}, {SuperviseCommand, Supervise}} {
		if len(os.Args) == 4 && slices.Equal(os.Args[1:3], c.command) {
			if err := c.main(os.Args[3]); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			os.Exit(0)
		}
	}
	if err := Missing(); err != nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		fmt.Println("left out: booting the lab's hosts:", first)
	}
	os.Exit(m.Run())
}

// sample is a tests host and a ci host, as small as shows everything.
func sample(t *testing.T) []*artifact.Tree {
	t.Helper()
	web := file("HOST.json", `{"host": "tests", "fqdn": "tests.internal", "debian": 12,
		"network": {"uplink": "enp41s0", "public": "203.0.113.10", "interface": "vsw0", "private": "10.0.0.2/24", "vlan": 4000, "mtu": 1400},
		"routes": [{"name": "private", "address": "10.0.0.2"}, {"name": "public", "address": "203.0.113.10"}],
		"vendors": [{"name": "grafana", "key": "https://apt.grafana.com/gpg.key", "keyring": "/etc/apt/keyrings/odoogen-grafana.asc"}],
		"packages": [{"name": "alloy", "version": "1.*", "vendor": "grafana"}, {"name": "certbot"}, {"name": "curl"}, {"name": "python3-pip"}, {"name": "python3-venv"}, {"name": "restic"}],
		"downloads": [{"package": "wkhtmltox", "version": "0.12.6.1-3", "url": "https://github.com/wkhtmltopdf/wkhtmltox.deb"}]}`)
	ci := file("HOST.json", `{"host": "ci", "fqdn": "ci.internal", "debian": 12,
		"network": {"uplink": "enp41s0", "interface": "vsw0", "private": "10.0.0.3/24", "vlan": 4000, "mtu": 1400},
		"routes": [{"name": "private", "address": "10.0.0.3", "jump": "tests"}, {"name": "bootstrap", "address": "203.0.113.20"}],
		"vendors": [], "packages": [{"name": "curl"}, {"name": "git"}], "downloads": []}`)
	return []*artifact.Tree{
		{Host: "ci", Files: []artifact.File{ci,
			file("mirror/repositories", "# a comment\n"+
				"addons17 17.0 git@git.example.com:odoo/addons.git addons-deploy-key\n"+
				"addons19 19.0 ssh://git@git.example.com:2222/odoo/addons.git addons-deploy-key\n"+
				"odoo17 17.0 https://github.com/odoo/odoo.git -\nodoo19 19.0 https://github.com/odoo/odoo.git -\n")}},
		{Host: "tests", Files: []artifact.File{web,
			file("apt/odoogen.sources", "Types: deb\nURIs: https://apt.grafana.com\nSuites: stable\nComponents: main\n"+
				"Signed-By: /etc/apt/keyrings/odoogen-grafana.asc\n"),
			file("nginx/sites/qa17.conf", "server {\n\tlisten 80;\n\tserver_name qa17.example.com;\n}\n"),
			file("instances/qa17.env", "# a comment\nMAJOR=17\nODOO_BIN=odoo17/odoo-bin\nADDONS=\"addons17 odoo17/addons odoo17/odoo/addons\"\nMODULES_WANTED=\"base sale web\"\n"),
			file("instances/qa19.env", "MAJOR=19\nODOO_BIN=odoo19/odoo-bin\nADDONS=\"addons19/own odoo19/addons odoo19/odoo/addons\"\nMODULES_WANTED=\"base web\"\n"),
			file("python/17.txt", "# a comment\nphonenumbers==8.13.50\nGoogle.Auth[requests]==2.0\n"),
			file("restic/backup.env", "RESTIC_REPOSITORY=sftp://u7@u7.your-storagebox.de:23/restic\n")}},
	}
}

func file(path, text string) artifact.File { return artifact.File{Path: path, Data: []byte(text)} }

// rig is a lab that a test has booted.
type rig struct {
	*Lab
	t *testing.T
}

func up(t *testing.T, o Options) rig {
	t.Helper()
	l, err := Of(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Down(context.Background()); err != nil {
			t.Error(err)
		}
	})
	o.Trees, o.Whitelist = sample(t), []string{"198.51.100.0/28", "203.0.113.20"}
	o.Say = func(line string) { t.Log(line) }
	s, err := l.Up(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range s.Hosts {
		if h.State != running {
			t.Fatalf("%s is %s", h.Name, h.State)
		}
	}
	return rig{Lab: l, t: t}
}

// on runs a script on a host and returns what it prints.
func (r rig) on(host, script string) string {
	r.t.Helper()
	out, err := r.try(host, script)
	if err != nil {
		r.t.Fatalf("%s: %s: %v\n%s", host, script, err, out)
	}
	return out
}

func (r rig) try(host, script string) (string, error) {
	r.t.Helper()
	argv, err := r.Console(r.t.Context(), host, []string{"sh", "-c", script})
	if err != nil {
		return "", err
	}
	out, err := exec.CommandContext(r.t.Context(), argv[0], argv[1:]...).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// from runs a program in a position of the operator. As Exec replaces the process, it is a process of its own.
func (r rig) from(position string, argv ...string) (string, error) {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), "/proc/self/exe", "-test.run=^TestHelperExec$")
	cmd.Env = append(os.Environ(), "LAB_EXEC="+r.spec, "LAB_FROM="+position, "LAB_ARGV="+strings.Join(argv, "\x1f"))
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// ssh is ssh to a host at an address. An emulated machine that has just booted takes its time.
func (r rig) ssh(position, host, address, script string) (string, error) {
	return r.from(position, slices.Concat([]string{"ssh", "-o", "ConnectTimeout=60"}, r.sshArgs(host, address)[1:], []string{script})...)
}

// TestHelperExec is no test but the process that from starts.
func TestHelperExec(t *testing.T) {
	if spec := os.Getenv("LAB_EXEC"); spec != "" {
		l, err := Of(spec)
		if err == nil {
			err = l.Exec(os.Getenv("LAB_FROM"), strings.Split(os.Getenv("LAB_ARGV"), "\x1f"))
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(127)
	}
}

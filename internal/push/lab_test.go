package push

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"odoogen/internal/artifact"
	"odoogen/internal/lab"
	"odoogen/internal/secrets"
)

// TestMain is also the program that a lab runs itself with.
func TestMain(m *testing.M) {
	for _, c := range []struct {
		command []string
		main    func(string) error
	}{{lab.WatchCommand, lab.Watch}, {lab.SuperviseCommand, lab.Supervise}} {
		if len(os.Args) == 4 && slices.Equal(os.Args[1:3], c.command) {
			if err := c.main(os.Args[3]); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			os.Exit(0)
		}
	}
	if err := lab.Missing(); err != nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		fmt.Println("left out: pushing to the lab's hosts:", first)
	}
	os.Exit(m.Run())
}

// rig is a lab of two bare hosts, and the odoogen that pushes to them.
type rig struct {
	*lab.Lab
	t       *testing.T
	dir     string
	odoogen string
	keys    map[string]string
	env     []string // of the pushes; nil for this process's own
	secrets secrets.Store
	key     string // the file with the operator's, which opens secrets
	breaks  string // which fragile change comes
}

// newRig boots the lab. Beside what the trees name, its package source has the packages named.
func newRig(t *testing.T, packages ...string) *rig {
	r := &rig{t: t, dir: t.TempDir()}
	r.odoogen = filepath.Join(r.dir, "odoogen")
	if out, err := exec.Command("go", "build", "-o", r.odoogen, "odoogen/cmd/odoogen").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var err error
	if r.Lab, err = lab.Of(r.dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Down(context.Background()); err != nil {
			t.Error(err)
		}
	})
	trees := r.trees(change{})
	for _, p := range packages {
		host := trees[1].File(artifact.HostName)
		host.Data = bytes.Replace(host.Data, []byte(`"packages": [`), []byte(`"packages": [{"name": "`+p+`"}, `), 1)
	}
	_, err = r.Up(t.Context(), lab.Options{Trees: trees, Whitelist: []string{"198.51.100.0/28"}, Memory: true,
		Say: func(line string) { t.Log(line) }})
	if err != nil {
		t.Fatal(err)
	}
	o, err := r.Overlay()
	if err != nil {
		t.Fatal(err)
	}
	r.keys = o.HostKeys
	r.secrets, r.key = secrets.Store{Dir: r.Secrets()}, r.Key() // where odoogen looks inside a lab
	for _, name := range []string{"token", "password"} {
		r.secret(name, name+" of the first push")
	}
	return r
}

// step is a part of a test on one rig.
type step struct {
	name string
	run  func(*rig)
}

// take takes steps one after another. Each stands on those before it, so it ends at one that fails.
func (r *rig) take(steps []step) {
	for _, step := range steps {
		if !r.t.Run(step.name, func(t *testing.T) { one := *r; one.t = t; step.run(&one) }) {
			break
		}
	}
}

// clean wants a host's units up, and nothing of a push to lie about.
func (r *rig) clean(host string) {
	r.t.Helper()
	r.holds(host, "systemctl is-active worker vswitch; systemctl --failed --no-legend; ls -d /etc/odoogen/{.back,.doors,.*.new} /var/lib/odoogen/{armed,owed,lease,secrets.old,*.new} 2>/dev/null || true", "active\nactive")
}

// newKey makes an ssh key in the rig's directory.
func (r *rig) newKey(name string) string {
	r.t.Helper()
	file := filepath.Join(r.dir, name)
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", file).CombinedOutput(); err != nil {
		r.t.Fatalf("%v\n%s", err, out)
	}
	return file
}

// secret encrypts a value to the operator, as odoogen secrets edit does. What it returns takes that back.
func (r *rig) secret(name, value string) (undo func()) {
	r.t.Helper()
	before, err := os.ReadFile(r.secrets.File(name))
	public, keyErr := os.ReadFile(r.key + ".pub")
	to, _, toErr := r.secrets.Recipients([]secrets.AdminKeys{{Name: "operator", Keys: []string{strings.TrimSpace(string(public))}}})
	if err := errors.Join(keyErr, toErr, r.secrets.Write(name, []byte(value), to)); err != nil {
		r.t.Fatal(err)
	}
	return func() {
		undone := os.Remove(r.secrets.File(name))
		if err == nil {
			undone = os.WriteFile(r.secrets.File(name), before, 0o644)
		}
		if undone != nil {
			r.t.Error(undone)
		}
	}
}

// change is what a step has otherwise than the trees of the first push.
type change map[string]string // "tests/nginx/site.conf": text that is added; "spare": one secret more; "installs": a package and a cluster; "late": of each that an administrator may add

// trees are two small hosts: tests has nginx, ci is behind it and closes its public ssh.
func (r *rig) trees(c change) []*artifact.Tree {
	r.t.Helper()
	const host = `{"host": %q, "fqdn": "%[1]s.internal", "debian": 12, "secrets": [%s],
		"network": {"uplink": "enp41s0", "public": %q, "interface": "vsw0", "private": %q, "vlan": 4000, "mtu": 1400},
		"routes": [%s], "hostKeys": [%q], "packages": [%s], "clusters": [%s], "doors": [%s], "absent": [%s], "disabled": [%s], "units": [%s], "probes": [%s]}` + "\n"
	const doors = `{"path": "/usr/local/lib/systemd/system", "link": "/etc/odoogen/current/systemd/system"},
		{"path": "/etc/ssh/sshd_config.d/10-odoogen.conf", "mode": "0644", "content": "Include /etc/odoogen/current/ssh/*.conf\n"}`
	network := func(address string) string {
		return "[Unit]\nDescription=Private network\n\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=ip link set vsw0 up\n" +
			"ExecStart=ip address replace " + address + "/24 dev vsw0\nExecStop=ip address flush dev vsw0\n"
	}
	const worker = "[Unit]\nDescription=Works\n\n[Service]\nExecStart=sleep infinity\n"
	reads := []string{`{"name": "token", "consumers": ["reader.service"]}`, `{"name": "password", "consumers": ["job.service"]}`}
	if _, has := c["spare"]; has {
		reads = append(reads, `{"name": "spare", "consumers": ["reader.service"]}`)
	}
	packages, clusters, disabled := `{"name": "nginx-light"}, {"name": "curl"}`, ``, ``
	if _, has := c["installs"]; has {
		packages += `, {"name": "cron"}, {"name": "rsync"}`
		clusters, disabled = `{"version": 15, "name": "more", "port": 5441}`, `"rsync.service"`
	}
	door, unit := "", ""
	if _, has := c["late"]; has {
		door, unit = `, {"path": "/etc/logrotate.d/late", "link": "/etc/odoogen/current/logrotate/late"}`, `, "late.service"`
	}
	loads := func(name string) string { return "LoadCredential=" + name + ":/var/lib/odoogen/secrets/" + name + "\n" }
	const boot = "[Unit]\nWants=odoogen.target\n"
	wants := func(units ...string) string {
		return "[Unit]\nDescription=All\nWants=" + strings.Join(units, "\nWants=") + "\n"
	}
	var none []artifact.Effect
	reload := []artifact.Effect{artifact.DaemonReload}
	files := map[string][]artifact.File{
		"tests": {
			text("HOST.json", none, fmt.Sprintf(host, "tests", strings.Join(reads, ", "), "203.0.113.10", "10.0.0.2/24",
				`{"name": "private", "address": "10.0.0.2"}, {"name": "public", "address": "203.0.113.10"}`, r.keys["tests"],
				packages, clusters,
				doors+`, {"path": "/etc/nginx/conf.d/odoogen.conf", "mode": "0644", "content": "include /etc/odoogen/current/nginx/*.conf;\n"}`+door,
				`"/etc/nginx/sites-enabled/default"`, disabled, `"vswitch.service", "worker.service", "nginx.service", "reader.service", "job.timer"`+unit,
				`{"kind": "unit", "unit": "vswitch.service"}, {"kind": "unit", "unit": "worker.service"}, {"kind": "unit", "unit": "nginx.service"},
				{"kind": "unit", "unit": "reader.service"},
				{"kind": "http", "url": "http://127.0.0.1:8080/", "status": 200}, {"kind": "tcp", "from": "peer", "address": "10.0.0.2", "port": 22}`)),
			text("nginx/site.conf", []artifact.Effect{artifact.Reload("nginx.service")}, "server {\n\tlisten 8080;\n\tlocation / { return 200; }\n}\n"),
			text("ssh/odoogen.conf", []artifact.Effect{artifact.Reload("ssh.service")}, "X11Forwarding no\n"),
			text("systemd/system/multi-user.target.d/odoogen.conf", reload, boot),
			text("systemd/system/odoogen.target", reload, wants("vswitch.service", "worker.service", "nginx.service", "reader.service", "job.timer")),
			text("systemd/system/reader.service", []artifact.Effect{artifact.DaemonReload, artifact.Restart("reader.service")},
				"[Unit]\nDescription=Reads a secret\n\n[Service]\n"+loads("token")+"ExecStart=sleep infinity\n"),
			text("systemd/system/job.service", reload, "[Unit]\nDescription=Reads another\n\n[Service]\nType=oneshot\n"+loads("password")+
				"ExecStart=cp %d/password /run/job\n"),
			text("systemd/system/job.timer", reload, "[Unit]\nDescription=Starts it\n\n[Timer]\nOnCalendar=2099-01-01\n"),
			text("systemd/system/vswitch.service", reload, network("10.0.0.2")),
			text("systemd/system/worker.service", []artifact.Effect{artifact.DaemonReload, artifact.Restart("worker.service")}, worker),
			text("systemd/system/worker.service.d/limits.conf", reload, "[Service]\nMemoryMax=64M\n"),
			text("readme", none, "nobody acts on this\n"),
		},
		"ci": {
			text("HOST.json", none, fmt.Sprintf(host, "ci", "", "", "10.0.0.3/24",
				`{"name": "private", "address": "10.0.0.3", "jump": "tests"}, {"name": "bootstrap", "address": "203.0.113.20"}`, r.keys["ci"],
				`{"name": "nftables"}`, ``, doors, ``, ``, `"vswitch.service", "worker.service", "firewall.service"`,
				`{"kind": "unit", "unit": "worker.service"}, {"kind": "unit", "unit": "firewall.service"},
				{"kind": "tcp", "from": "peer", "address": "10.0.0.3", "port": 22}`)),
			text("nftables/odoogen.nft", []artifact.Effect{artifact.Reload("firewall.service")},
				"table inet odoogen {\n\tchain input {\n\t\ttype filter hook input priority filter;\n\t\tct state established,related accept\n"+
					"\t\tiifname \"enp41s0\" tcp dport 22 drop\n\t}\n}\n"),
			text("systemd/system/multi-user.target.d/odoogen.conf", reload, boot),
			text("systemd/system/odoogen.target", reload, wants("vswitch.service", "worker.service", "firewall.service")),
			text("systemd/system/vswitch.service", reload, network("10.0.0.3")),
			text("systemd/system/firewall.service", reload, "[Unit]\nDescription=Firewall\n\n[Service]\nType=oneshot\nRemainAfterExit=yes\n"+
				"ExecStart=nft -f /etc/odoogen/current/nftables/odoogen.nft\nExecStop=nft delete table inet odoogen\n"),
			text("systemd/system/worker.service", []artifact.Effect{artifact.DaemonReload, artifact.Restart("worker.service")}, worker),
		},
	}
	if unit != "" {
		i := slices.IndexFunc(files["tests"], func(f artifact.File) bool { return f.Path == "systemd/system/odoogen.target" })
		files["tests"][i] = text(files["tests"][i].Path, reload, string(files["tests"][i].Data)+"Wants=late.service\n")
		files["tests"] = append(files["tests"],
			text("systemd/system/late.service", []artifact.Effect{artifact.DaemonReload, artifact.Restart("late.service")}, worker),
			text("systemd/system/worker.service.d/late.conf", []artifact.Effect{artifact.DaemonReload, artifact.Restart("worker.service")}, "[Service]\nEnvironment=LATE=yes\n"),
			text("nginx/late.conf", []artifact.Effect{artifact.Reload("nginx.service")}, "server {\n\tlisten 8082;\n\treturn 204;\n}\n"),
			text("logrotate/late", none, "/var/log/late.log {\n\tmissingok\n}\n"))
	}
	var all []*artifact.Tree
	for _, name := range []string{"ci", "tests"} {
		for path, added := range c {
			i := slices.IndexFunc(files[name], func(f artifact.File) bool { return name+"/"+f.Path == path })
			if i >= 0 {
				f := files[name][i]
				files[name][i] = text(f.Path, f.Effects, string(f.Data)+added)
			}
		}
		tree, err := artifact.NewTree(name, files[name])
		if err != nil {
			r.t.Fatal(err)
		}
		all = append(all, tree)
	}
	return all
}

func text(path string, effects []artifact.Effect, data string) artifact.File {
	return artifact.File{Path: path, Mode: 0o444, Effects: effects, Data: []byte(data), From: make([]string, strings.Count(data, "\n"))}
}

// command is a push of the trees, as the office does it.
func (r *rig) command(c change, args ...string) *exec.Cmd {
	r.t.Helper()
	built := filepath.Join(r.t.TempDir(), "out")
	if _, err := artifact.Write(built, r.trees(c)); err != nil {
		r.t.Fatal(err)
	}
	argv := append([]string{"-C", r.dir, "lab", "exec", r.odoogen, "push", "--yes", "--unreviewed", "--probe-for", "5s", "--built", built, "--identity", r.key}, args...)
	return exec.CommandContext(r.t.Context(), r.odoogen, argv...)
}

// odoogenOn runs a command of odoogen's on trees, as the office does it, and wants an exit code; it returns what was said.
func (r *rig) odoogenOn(want int, trees []*artifact.Tree, args ...string) string {
	r.t.Helper()
	built := filepath.Join(r.t.TempDir(), "out")
	if _, err := artifact.Write(built, trees); err != nil {
		r.t.Fatal(err)
	}
	argv := slices.Concat([]string{"-C", r.dir, "lab", "exec", r.odoogen}, args, []string{"--built", built})
	cmd := exec.CommandContext(r.t.Context(), r.odoogen, argv...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		r.t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != want {
		r.t.Fatalf("%s exits with %d, want %d:\n%s", args, got, want, out)
	}
	return string(out)
}

// push pushes and wants an exit code; it returns what was said.
func (r *rig) push(want int, c change, args ...string) string {
	r.t.Helper()
	cmd := r.command(c, args...)
	cmd.Env = r.env
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		r.t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != want {
		r.t.Fatalf("push exits with %d, want %d:\n%s", got, want, out)
	}
	return string(out)
}

// cut begins a push and sends it a signal as soon as it says something. It returns the exit code.
func (r *rig) cut(signal os.Signal, after string, c change, args ...string) int {
	r.t.Helper()
	cmd := r.command(c, args...)
	said := &watched{want: after, seen: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	select {
	case <-said.seen:
	case <-time.After(time.Minute):
		r.t.Errorf("push does not say %q:\n%s", after, said.text())
	}
	_ = cmd.Process.Signal(signal)
	_ = cmd.Wait()
	return cmd.ProcessState.ExitCode()
}

// watched is what a program says, until it says something.
type watched struct {
	mu   sync.Mutex
	all  bytes.Buffer
	want string
	seen chan struct{}
	once bool
}

func (w *watched) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.all.String()
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all.Write(p)
	if !w.once && strings.Contains(w.all.String(), w.want) {
		w.once = true
		close(w.seen)
	}
	return len(p), nil
}

// on runs a script on a host, as at its console, and returns what it prints.
func (r *rig) on(host, script string) string {
	r.t.Helper()
	return r.onWith(host, script, "")
}

// onWith is on, with something on stdin: what is searched for must not be in a command line itself.
func (r *rig) onWith(host, script, stdin string) string {
	r.t.Helper()
	argv, err := r.Console(r.t.Context(), host, []string{"bash", "-c", script})
	if err != nil {
		r.t.Fatal(err)
	}
	cmd := exec.CommandContext(r.t.Context(), argv[0], argv[1:]...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("%s: %s: %v\n%s", host, script, err, out)
	}
	return strings.TrimSpace(string(out))
}

// started says since when the units of a host run, one a line: what must not restart has the same before and after.
func (r *rig) started(host string, units ...string) string {
	r.t.Helper()
	return r.on(host, "systemctl show --value --property=ActiveState,ExecMainStartTimestampMonotonic,MainPID "+strings.Join(units, " "))
}

// current is what a host's links lead to.
func (r *rig) current(host string) string {
	r.t.Helper()
	return r.on(host, "cd /etc/odoogen; echo $(readlink current) $(readlink confirmed)")
}

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"odoogen/internal/artifact"
	"odoogen/internal/lab"
	"odoogen/internal/push"
	"odoogen/internal/topology"
)

// BenchmarkPush measures push on the sample's two hosts, in a lab: real Debian hosts with all their packages, services
// and files. The pusher and both hosts share this machine's processors. Each figure is a median, of runs that take turns
// with those of its peer; what is compared is the whole command, the spec's compilation included.
func BenchmarkPush(b *testing.B) {
	if err := lab.Missing(); err != nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		b.Skip("left out: ", first)
	}
	r := newBenchRig(b)
	for _, position := range []string{"vpn", "office"} {
		b.Run("nothing/"+position, func(b *testing.B) { r.nothing(b, position) })
	}
	b.Run("one-file", r.oneFile)
	b.Run("ansible", r.ansible)
}

// benchRig is the sample in a directory of its own, committed, and pushed to the hosts of its lab.
type benchRig struct {
	dir, odoogen string
	ssh          map[string]string // by position: a configuration that reaches the hosts as push does
}

// newBenchRig boots the hosts and makes them the sample. With ODOOGEN_BENCH set to a directory, the lab stays there for the
// next run.
func newBenchRig(b *testing.B) *benchRig {
	r := &benchRig{dir: os.Getenv("ODOOGEN_BENCH"), ssh: map[string]string{}}
	if r.dir == "" {
		r.dir = b.TempDir()
		b.Cleanup(func() { r.run(b, "", r.odoogen, "lab", "down") })
	}
	r.odoogen = filepath.Join(r.dir, "odoogen")
	r.run(b, repository, "go", "build", "-o", r.odoogen, "./cmd/odoogen")
	spec := filepath.Join(r.dir, "envs.cue")
	if _, err := os.Stat(spec); err != nil {
		r.run(b, "", r.odoogen, "init", ".")
		r.copySample(b, spec)
		r.run(b, "", r.odoogen, "lab", "up")
		r.copySample(b, spec)
	}
	r.run(b, "", r.odoogen, "build", "-o", "golden")
	r.commit(b)
	r.furnish(b)
	r.push(b, "vpn", "--yes")
	r.settle(b)
	for position, hosts := range map[string]string{
		"vpn":    "Host tests\nHostName 10.0.0.2\nHost ci\nHostName 10.0.0.3\n",
		"office": "Host tests\nHostName 203.0.113.10\nHost ci\nHostName 10.0.0.3\nProxyCommand ssh -F %s -W %%h:%%p tests\n",
	} {
		name := filepath.Join(r.dir, "ssh."+position)
		if strings.Contains(hosts, "%s") {
			hosts = fmt.Sprintf(hosts, name)
		}
		r.ssh[position] = name
		r.write(b, name, hosts+"Host *\nUser root\nStrictHostKeyChecking no\nUserKnownHostsFile /dev/null\nLogLevel ERROR\nControlPath none\nInclude /etc/ssh/ssh_config\n")
	}
	return r
}

// copySample puts into the sample what only its owners have: the lab's keys in place of theirs, once there are any.
func (r *benchRig) copySample(b *testing.B, spec string) {
	data, err := os.ReadFile(filepath.Join(repository, "envs.cue"))
	if err != nil {
		b.Fatal(err)
	}
	text := string(data)
	l, err := lab.Of(r.dir)
	if err != nil {
		b.Fatal(err)
	}
	if o, err := l.Overlay(); err == nil {
		t, _, err := topology.Load(repository)
		if err != nil {
			b.Fatal(err)
		}
		instead := []string{t.Backup.Storage.HostKey, o.Box, t.Sources.Wkhtmltopdf.SHA256, o.Downloads[t.Sources.Wkhtmltopdf.URL]}
		for _, h := range t.Hosts {
			instead = append(instead, h.HostKeys[0], o.HostKeys[h.Name])
		}
		for _, v := range t.Packages.Vendors {
			instead = append(instead, v.Fingerprint, o.Vendors[v.Name])
		}
		for _, r := range t.Sources.Repositories {
			instead = append(instead, r.Rev, o.Revs[r.Name])
		}
		for _, k := range t.Sources.KnownHosts {
			instead = append(instead, k.Keys[0], o.Box)
		}
		admin := t.Access.Admins[0].Keys[0]
		text = strings.NewReplacer(append(instead, `"`+admin+`"`, `"`+admin+`", "`+o.Admin+`"`)...).Replace(text)
	}
	r.write(b, spec, text)
}

// furnish gives the hosts their secrets, which stand for real ones.
func (r *benchRig) furnish(b *testing.B) {
	for _, host := range []string{"ci", "tests"} {
		tree, err := artifact.ReadTree(filepath.Join(r.dir, "golden", host))
		if err != nil {
			b.Fatal(err)
		}
		var facts artifact.Host
		if err := json.Unmarshal(tree.File(artifact.HostName).Data, &facts); err != nil {
			b.Fatal(err)
		}
		script := "umask 077; mkdir -p /var/lib/odoogen/secrets; cd /var/lib/odoogen/secrets;"
		for _, s := range facts.Secrets {
			if strings.HasSuffix(s.Name, "-key") && s.Name != "healthchecks-ping-key" {
				script += " ssh-keygen -q -t ed25519 -N '' -f " + s.Name + "; rm " + s.Name + ".pub;"
			} else {
				script += " echo stand-in >" + s.Name + ";"
			}
		}
		r.run(b, "", r.odoogen, "lab", "enter", host, "bash", "-c", script)
	}
}

// settle waits until all that a push leaves to be done is done: certificates, first releases. What they need is not to be
// counted.
func (r *benchRig) settle(b *testing.B) {
	r.at(b, "vpn", r.odoogen, "status", "--wait", "15m")
	for quiet := 0; quiet < 5; time.Sleep(2 * time.Second) {
		load, err := os.ReadFile("/proc/loadavg")
		if err != nil {
			b.Fatal(err)
		}
		running, _, _ := strings.Cut(strings.Fields(string(load))[3], "/")
		quiet++
		if n, err := strconv.Atoi(running); err != nil || n > 2 {
			quiet = 0
		}
	}
}

func (r *benchRig) commit(b *testing.B) {
	r.run(b, "", "sh", "-c", "git init -q && git add envs.cue golden && { git diff --cached --quiet || git -c user.name=bench -c user.email=bench@example.com commit -qm bench; }")
}

// push is what a user types, on a machine at that position.
func (r *benchRig) push(b *testing.B, position string, args ...string) time.Duration {
	return r.at(b, position, append([]string{r.odoogen, "push"}, args...)...)
}

// at runs a command on the machine at that position, and returns how long it took. Like a machine of a user, it does not
// know that it is in a lab.
func (r *benchRig) at(b *testing.B, position string, argv ...string) time.Duration {
	script := `a=$(date +%s%N); "$@" >&2 </dev/null; echo $(($(date +%s%N) - a))`
	out := r.run(b, "", append([]string{r.odoogen, "lab", "exec", "--from", position, "env", "-u", lab.Variable, "-u", lab.Sockets, "bash", "-ec", script, "bash"}, argv...)...)
	var took time.Duration
	if _, err := fmt.Sscan(out, (*int64)(&took)); err != nil {
		b.Fatal(err)
	}
	return took
}

func (r *benchRig) run(b *testing.B, dir string, argv ...string) string {
	b.Helper()
	if dir == "" {
		dir = r.dir
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	var out, said bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &said
	if err := cmd.Run(); err != nil {
		b.Fatalf("%s: %v\n%s%s", strings.Join(argv, " "), err, out.String(), said.String())
	}
	return out.String()
}

func (r *benchRig) write(b *testing.B, name, text string) {
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		b.Fatal(err)
	}
}

func (r *benchRig) nothing(b *testing.B, position string) {
	var first, next, peers, firstRatios, ratios []float64
	for range 9 {
		peer := max(r.at(b, position, "ssh", "-F", r.ssh[position], "tests", "true"), r.at(b, position, "ssh", "-F", r.ssh[position], "ci", "true"))
		r.hangUp(b)
		before := r.push(b, position)
		push := r.push(b, position)
		first, next, peers = append(first, before.Seconds()), append(next, push.Seconds()), append(peers, peer.Seconds())
		firstRatios, ratios = append(firstRatios, before.Seconds()/peer.Seconds()), append(ratios, push.Seconds()/peer.Seconds())
	}
	b.ReportMetric(middle(firstRatios), "x-ssh-first")
	report(b, ratios, "x-ssh", "nothing to do on two hosts, from %s: %.2f s, and %.2f s where no command has left its connections; ssh true to the slower: %.2f s; limit 1.5",
		position, middle(next), middle(first), middle(peers))
}

// hangUp ends the connections that commands have left.
func (r *benchRig) hangUp(b *testing.B) {
	sockets, err := filepath.Glob(filepath.Join(push.KeepDir(""), "*"))
	if err != nil {
		b.Fatal(err)
	}
	for _, socket := range sockets {
		_ = exec.Command("ssh", "-S", socket, "-O", "exit", "host").Run() // it may have ended by itself
	}
}

// oneFile changes a limit there and back, after a plan of it: staged, checked, flipped, reloaded, probed, confirmed.
func (r *benchRig) oneFile(b *testing.B) {
	spec := filepath.Join(r.dir, "envs.cue")
	before, err := os.ReadFile(spec)
	if err != nil {
		b.Fatal(err)
	}
	var took []float64
	for i := range 4 {
		text := string(before)
		if i%2 == 0 {
			text = strings.Replace(text, `MemoryMax: "3G"`, `MemoryMax: "2944M"`, 1)
		}
		r.write(b, spec, text)
		r.run(b, "", r.odoogen, "build", "-o", "golden")
		r.commit(b)
		r.run(b, "", "sleep", "2.1") // what has just changed is looked at again
		r.at(b, "vpn", "sh", "-c", r.odoogen+" plan || true")
		took = append(took, r.push(b, "vpn", "--yes").Seconds())
	}
	report(b, took, "s/change", "a limit changed, checked, turned, probed and confirmed; limit 3")
}

// ansible has Ansible look at the same files on the same hosts, with nothing to do.
func (r *benchRig) ansible(b *testing.B) {
	if _, err := exec.LookPath("ansible-playbook"); err != nil {
		b.Skip("left out: no Ansible to compare with: apt-get install ansible-core")
	}
	const atMost = 150 * time.Second
	var plays []any
	files := 0
	for _, host := range []string{"ci", "tests"} {
		tree, err := artifact.ReadTree(filepath.Join(r.dir, "golden", host))
		if err != nil {
			b.Fatal(err)
		}
		var items []any
		for _, f := range tree.Files {
			items = append(items, map[string]string{"path": f.Path, "mode": fmt.Sprintf("%04o", f.Mode)})
		}
		files += len(items)
		plays = append(plays, map[string]any{"hosts": host, "gather_facts": false, "strategy": "free", "tasks": []any{map[string]any{
			"ansible.builtin.copy": map[string]string{"src": r.dir + "/golden/" + host + "/{{ item.path }}", "dest": "/etc/odoogen/current/{{ item.path }}", "mode": "{{ item.mode }}"},
			"loop":                 items, "loop_control": map[string]string{"label": "{{ item.path }}"}}}})
	}
	// One process for each host, as plays of one playbook come one after another.
	var all []string
	for i, host := range []string{"ci", "tests"} {
		data, err := json.Marshal(plays[i : i+1])
		if err != nil {
			b.Fatal(err)
		}
		r.write(b, filepath.Join(r.dir, host+".json"), string(data))
		all = append(all, fmt.Sprintf("timeout %d ansible-playbook -i %[2]s, --diff %[2]s.json >%[2]s.log & ", int(atMost.Seconds()), host))
	}
	script := "cd " + r.dir + "; export ANSIBLE_PIPELINING=1 ANSIBLE_HOST_KEY_CHECKING=0 ANSIBLE_SSH_ARGS='-F " + r.ssh["vpn"] +
		" -o ControlMaster=auto -o ControlPersist=60 -o ControlPath=" + r.dir + "/%C'; " + strings.Join(all, "") + "wait"
	peer := r.at(b, "vpn", "bash", "-c", script)
	var pushes []float64
	for range 3 {
		pushes = append(pushes, r.push(b, "vpn").Seconds())
	}
	how := ""
	if peer >= atMost {
		how = " and not done"
	}
	for _, host := range []string{"ci", "tests"} {
		log, _ := os.ReadFile(filepath.Join(r.dir, host+".log"))
		if bytes.Contains(log, []byte("changed: [")) || bytes.Contains(log, []byte("failed: [")) || !bytes.Contains(log, []byte("ok: [")) {
			b.Fatalf("Ansible has done something:\n%.2000s", log)
		}
	}
	report(b, []float64{peer.Seconds() / middle(pushes)}, "x-faster", "Ansible with nothing to do, %d files: %.1f s%s; push: %.2f s; at least 30", files, peer.Seconds(), how, middle(pushes))
}

// report prints a median and what it means. Go's own ns/op would be that of all rounds together.
func report(b *testing.B, all []float64, unit, format string, args ...any) {
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(middle(all), unit)
	b.Logf(format+"\n%d rounds, %s from %.2f to %.2f", append(args, len(all), unit, slices.Min(all), slices.Max(all))...)
}

func middle(all []float64) float64 {
	s := slices.Sorted(slices.Values(all))
	return s[len(s)/2]
}

// BenchmarkFleet pushes nothing to 1, 10 and 50 hosts. They are stand-ins: each is a real sshd and the real script of a
// push, with a root, addresses and generations of its own, but no systemd; and all share this machine.
func BenchmarkFleet(b *testing.B) {
	if os.Geteuid() != 0 {
		b.Skip("left out: stand-ins for 50 hosts need root")
	}
	dir := b.TempDir()
	odoogen := filepath.Join(dir, "odoogen")
	r := &benchRig{dir: dir, odoogen: odoogen}
	r.run(b, repository, "go", "build", "-o", odoogen, "./cmd/odoogen")
	r.run(b, "", "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", dir+"/key")
	r.run(b, "", "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", dir+"/host")
	key, err := os.ReadFile(dir + "/host.pub")
	if err != nil {
		b.Fatal(err)
	}
	const most = 50
	var script strings.Builder
	script.WriteString("set -e; ip link set lo up; mount --make-rprivate /; mount -t proc proc /proc; mount -t tmpfs -o mode=0700 tmpfs /root; mkdir -p -m 755 /run/sshd /etc/odoogen /var/lib/odoogen\n")
	for i := range most {
		name := fmt.Sprintf("host%02d", i)
		host := artifact.Host{Host: name, FQDN: name, HostKeys: []string{strings.TrimSpace(string(key))},
			Routes: []artifact.Route{{Name: "public", Address: fmt.Sprintf("127.0.1.%d", i+1)}}}
		data, err := json.Marshal(host)
		if err != nil {
			b.Fatal(err)
		}
		files := []artifact.File{{Path: artifact.HostName, Mode: 0o444, Data: append(data, '\n')}}
		for n := range 100 {
			files = append(files, artifact.File{Path: fmt.Sprintf("etc/%03d.conf", n), Mode: 0o444, Data: []byte(strings.Repeat(name+"\n", 100))})
		}
		for n := range files {
			files[n].From = make([]string, bytes.Count(files[n].Data, []byte("\n")))
		}
		tree, err := artifact.NewTree(name, files)
		if err != nil {
			b.Fatal(err)
		}
		for _, count := range []int{1, 10, most} {
			if i < count {
				out := filepath.Join(dir, fmt.Sprint("out", count))
				if err := os.MkdirAll(out, 0o755); err != nil {
					b.Fatal(err)
				}
				if _, err := artifact.Write(filepath.Join(out, ".."+"/one"), []*artifact.Tree{tree}); err != nil {
					b.Fatal(err)
				}
				r.run(b, "", "cp", "-a", dir+"/one/"+name, out+"/")
			}
		}
		root := filepath.Join(dir, "root", name)
		r.run(b, "", "sh", "-c", fmt.Sprintf("mkdir -p %[1]s/etc/generations %[1]s/var; cp -a one/%[2]s %[1]s/etc/generations/1-%.12[3]s; chmod -R a=rX %[1]s/etc/generations; ln -s generations/1-%.12[3]s %[1]s/etc/current; ln -s generations/1-%.12[3]s %[1]s/etc/confirmed",
			root, name, tree.Digest()))
		fmt.Fprintf(&script, "unshare -m sh -c 'mount --bind %[1]s/etc /etc/odoogen; mount --bind %[1]s/var /var/lib/odoogen; exec /usr/sbin/sshd -D -e -f /dev/null -o ListenAddress=127.0.1.%[2]d -o UsePAM=no -o PidFile=none -h %[3]s/host -o AuthorizedKeysFile=%[3]s/key.pub -o StrictModes=no' 2>%[1]s/log &\n",
			root, i+1, dir)
	}
	fmt.Fprintf(&script, "for i in $(seq %d); do until (</dev/tcp/127.0.1.$i/22); do sleep 0.2; done 2>/dev/null; done; echo ready; cat; kill $(jobs -p)\n", most)
	r.write(b, dir+"/hosts.sh", script.String())
	hosts := exec.Command("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "bash", dir+"/hosts.sh")
	in, _ := hosts.StdinPipe()
	out, _ := hosts.StdoutPipe()
	hosts.Stderr = os.Stderr
	if err := hosts.Start(); err != nil {
		b.Fatal(err)
	}
	defer hosts.Wait()
	defer in.Close()
	if _, err := io.ReadFull(out, make([]byte, 6)); err != nil {
		b.Fatal(err)
	}
	child, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", hosts.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	home := filepath.Join(dir, "home", ".ssh")
	if err := os.MkdirAll(home, 0o700); err != nil {
		b.Fatal(err)
	}
	r.write(b, home+"/config", "IdentityFile "+dir+"/key\n")
	took, memory := map[int]float64{}, map[int]int64{}
	for range 3 {
		for _, count := range []int{1, 10, most} {
			cmd := exec.Command("nsenter", "--net=/proc/"+strings.TrimSpace(string(child))+"/ns/net", odoogen, "push", "--unreviewed", "--built", fmt.Sprint(dir, "/out", count))
			cmd.Env = append(os.Environ(), "HOME="+filepath.Dir(home))
			began := time.Now()
			said, err := cmd.CombinedOutput()
			if err != nil || bytes.Count(said, []byte("nothing to do")) != count {
				b.Fatalf("%v\n%.2000s", err, said)
			}
			if s := time.Since(began).Seconds(); took[count] == 0 || s < took[count] {
				took[count] = s
			}
			memory[count] = max(memory[count], cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(took[most]/took[10]/(most/10), "x-linear")
	b.ReportMetric(float64(memory[most])/float64(memory[1]), "x-memory")
	for _, count := range []int{1, 10, most} {
		b.Logf("nothing to do on %d hosts (stand-ins): %.2f s, at most %d MiB", count, took[count], memory[count]>>10)
	}
	b.Log("x-linear: 50 hosts in five times that of 10, limit 1; x-memory: 50 hosts to one")
}

package lab

import (
	"os"
	"strings"
	"testing"
)

// TestMachines boots the hosts as virtual machines and shows what is otherwise there than in containers.
//
// They are emulated, and it takes some minutes: make test ALL=1 runs it.
func TestMachines(t *testing.T) {
	if os.Getenv("ALL") == "" {
		t.Log("left out: booting virtual machines: it takes some minutes, and is run by make test ALL=1")
		return
	}
	if Missing() != nil {
		return
	}
	r := up(t, Options{Machines: true})
	for _, step := range []struct {
		name string
		run  func(t *testing.T, r rig)
	}{
		{"machines have a kernel of their own, and the provider's name for their card", machinesAreBare},
		{"a program gets its input, and its exit code is told", machinesRunPrograms},
		{"machines make VLANs, which share the one cable", machinesMakeVLANs},
		{"a power cut loses what was not synced", machinesLoseWhatWasNotSynced},
		{"disks are saved and restored", machinesSaveDisks},
	} {
		t.Run(step.name, func(t *testing.T) { step.run(t, rig{r.Lab, t}) })
	}
}

// ask runs a script on a machine and returns what it prints.
func (r rig) ask(host, script string) string {
	r.t.Helper()
	out, err := agent(agentSocket(r.dir, host)).output(r.t.Context(), "sh", "-c", script)
	if err != nil {
		r.t.Fatalf("%s: %s: %v\n%s", host, script, err, out)
	}
	return out
}

func machinesAreBare(t *testing.T, r rig) {
	if got := r.ask("tests", "hostname -f; systemctl is-system-running; stat -f -c %T /sys/fs/cgroup; ip -o -4 address show dev enp41s0 | awk '{print $4}'"); got != "tests.internal\nrunning\ncgroup2fs\n203.0.113.10/32" {
		t.Errorf("tests is not what was asked for:\n%s", got)
	}
	here, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		t.Fatal(err)
	}
	if got := r.ask("tests", "uname -r"); got == strings.TrimSpace(string(here)) {
		t.Errorf("tests has this machine's kernel, %s", got)
	}
	if out, err := r.ssh(Office, "tests", "203.0.113.10", "hostname"); err != nil || out != "tests" {
		t.Errorf("ssh from the office: %v: %s", err, out)
	}
}

func machinesRunPrograms(t *testing.T, r rig) {
	got, err := agent(agentSocket(r.dir, "ci")).run(t.Context(), []byte("input"), "sh", "-c", "cat; echo \" and $HOME\"; echo talk >&2; exit 3")
	if err != nil {
		t.Fatal(err)
	}
	if string(got.Out) != "input and /root\n" || string(got.Err) != "talk\n" || got.Code != 3 {
		t.Errorf("out %q, err %q, exit code %d", got.Out, got.Err, got.Code)
	}
	const want = "ci is a machine, where a command is wanted: its console has no terminal\nhint: odoogen lab ssh ci"
	if err := r.Enter(t.Context(), "ci", nil); err == nil || err.Error() != want {
		t.Errorf("entering without a command: %v", err)
	}
	if err := r.Fill(t.Context(), "ci"); err == nil || !strings.Contains(err.Error(), "hint: leave --machines out") {
		t.Errorf("filling a machine's disk: %v", err)
	}
}

func machinesMakeVLANs(t *testing.T, r rig) {
	for host, address := range map[string]string{"tests": "10.0.0.2/24", "ci": "10.0.0.3/24"} {
		r.ask(host, "ip link add link enp41s0 name vsw0 type vlan id 4000 && ip address add "+address+" dev vsw0 && ip link set vsw0 up")
	}
	const greet = " bash -c 'read -r line </dev/tcp/10.0.0.3/22 && echo ${line%%-Open*}' || echo silence"
	if got := r.ask("tests", "timeout 60"+greet); got != "SSH-2.0" {
		t.Errorf("ci on the VLAN: %s", got)
	}
	if err := r.Cut(t.Context(), "ci", Private); err == nil || !strings.Contains(err.Error(), "hint: leave --private out") {
		t.Errorf("cutting a cable that is none: %v", err)
	}
	if err := r.Cut(t.Context(), "ci", Public, Private); err != nil {
		t.Fatal(err)
	}
	if got := r.ask("tests", "timeout 10"+greet); got != "silence" {
		t.Errorf("ci on the VLAN, with its cable cut: %s", got)
	}
	if err := r.Heal(t.Context(), "ci", Public, Private); err != nil {
		t.Fatal(err)
	}
	if got := r.ask("tests", "timeout 60"+greet); got != "SSH-2.0" {
		t.Errorf("ci on the VLAN, its cable healed: %s", got)
	}
}

func machinesLoseWhatWasNotSynced(t *testing.T, r rig) {
	r.ask("ci", "echo kept >/var/synced && sync && echo lost >/var/unsynced")
	if err := r.PowerOff(t.Context(), "ci"); err != nil {
		t.Fatal(err)
	}
	if err := r.PowerOn(t.Context(), "ci"); err != nil {
		t.Fatal(err)
	}
	if got := r.ask("ci", "cat /var/synced; [ ! -s /var/unsynced ] || cat /var/unsynced"); got != "kept" {
		t.Errorf("after a power cut the disk has %q", got)
	}
}

func machinesSaveDisks(t *testing.T, r rig) {
	r.ask("ci", "echo saved >/var/state && sync")
	if err := r.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.ask("ci", "echo experiment >/var/state && sync")
	if err := r.Restore(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := r.ask("ci", "cat /var/state /var/synced"); got != "saved\nkept" {
		t.Errorf("after a restoration the disk has %q", got)
	}
}

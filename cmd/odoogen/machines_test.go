package main

import (
	"bufio"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"odoogen/internal/artifact"
	"odoogen/internal/evidence"
	"odoogen/internal/lab"
)

// TestMachines pushes the sample to virtual machines, and shows there what a container cannot have: a VLAN, every setting of
// the kernel, limits as cgroup v2 has them, and a loss of power that takes with it what was not synced.
//
// Machines are emulated, and it takes forty minutes: make machines runs it.
func TestMachines(t *testing.T) {
	if os.Getenv("MACHINES") == "" {
		return
	}
	if missing := lab.MissingForMachines(); missing != nil {
		t.Fatal(missing)
	}
	s := newServers(t)
	s.machines = true
	seen := evidence.Table{Title: "Virtual machines: what a container cannot have", Columns: []string{"what", "in the spec, or asked for", "seen"}}
	for _, step := range []struct {
		name string
		run  func(*servers, *evidence.Table)
	}{
		{"one push makes the topology of bare machines", bareMachines},
		{"the private network is a VLAN", vlan},
		{"the kernel has each setting", kernelSettings},
		{"what is open is what the spec opens", func(s *servers, _ *evidence.Table) { exposure(s) }},
		{"a stressed instance stays within its limits, and no other feels it", func(s *servers, _ *evidence.Table) { limitsBite(s) }},
		{"no other instance feels the stress", isolation},
		{"a cluster outlives a process of it that the kernel kills", oomPolicy},
		{"after a loss of power, whenever, each host is one whole generation", powerLosses},
	} {
		if !t.Run(step.name, func(t *testing.T) { one := *s; one.t = t; step.run(&one, &seen) }) {
			break
		}
	}
	seen.Keep(t, "machines")
}

func bareMachines(s *servers, seen *evidence.Table) {
	s.run(0, "lab", "up", "--machines")
	began := time.Now()
	said := s.in(0, "push", "--yes")
	s.t.Logf("%s", said)
	seen.Rows = append(seen.Rows, []string{"a push to bare machines", "confirmed", fmt.Sprintf("%d of 2, after %v", strings.Count(said, ": confirmed "), time.Since(began).Round(time.Second))})
	s.in(0, "status", "--wait", "30m")
	if said := s.in(0, "push", "--yes"); strings.Count(said, "nothing to do") != 2 {
		s.t.Errorf("another push said:\n%s", said)
	}
	for _, host := range []string{"tests", "ci"} {
		group := s.on(host, "stat -f -c %T /sys/fs/cgroup")
		seen.Rows = append(seen.Rows, []string{host + ": control groups", "v2", group})
		if group != "cgroup2fs" {
			s.t.Errorf("%s: control groups are %s", host, group)
		}
	}
}

// facts is the HOST.json of a host's reviewed tree.
func (s *servers) facts(host string) (*artifact.Tree, *artifact.Host) {
	s.t.Helper()
	tree, err := artifact.ReadTree(filepath.Join(s.dir, "golden", host))
	if err != nil {
		s.t.Fatal(err)
	}
	facts, err := tree.ReadHost()
	if err != nil {
		s.t.Fatal(err)
	}
	return tree, facts
}

func vlan(s *servers, seen *evidence.Table) {
	others := map[string]string{"tests": "10.0.0.3", "ci": "10.0.0.2"}
	for _, host := range slices.Sorted(maps.Keys(others)) {
		_, facts := s.facts(host)
		n := facts.Network
		want := fmt.Sprintf("%s on %s, 802.1Q id %d, mtu %d, %s", n.Interface, n.Uplink, n.VLAN, n.MTU, n.Private)
		is := s.on(host, "ip -d -o link show type vlan | sed -E 's/^[0-9]+: ([^@]+)@([^:]+): .* mtu ([0-9]+) .*protocol (802.1Q id [0-9]+) .*/\\1 on \\2, \\4, mtu \\3/'; ip -o -4 address show dev "+
			n.Interface+" | awk '{print $4}'")
		is = strings.ReplaceAll(is, "\n", ", ")
		seen.Rows = append(seen.Rows, []string{host + ": the private network", want, is})
		if is != want {
			s.t.Errorf("%s: the private network is %q, want %q", host, is, want)
		}
		// The tagged frames arrive: sshd answers there.
		if banner := s.on(host, "timeout 20 bash -c 'read -r line </dev/tcp/"+others[host]+"/22; echo \"$line\"'"); !strings.HasPrefix(banner, "SSH-2.0-") {
			s.t.Errorf("from %s, over the private network: %q", host, banner)
		}
	}
}

func kernelSettings(s *servers, seen *evidence.Table) {
	for _, host := range []string{"tests", "ci"} {
		tree, _ := s.facts(host)
		var all, same int
		for _, f := range tree.Files {
			if !strings.HasPrefix(f.Path, "sysctl.d/") {
				continue
			}
			lines := bufio.NewScanner(strings.NewReader(string(f.Data)))
			for lines.Scan() {
				key, want, ok := strings.Cut(lines.Text(), "=")
				if key = strings.TrimSpace(key); !ok || strings.HasPrefix(key, "#") {
					continue
				}
				all++
				if is := s.on(host, "sysctl -n "+key); is == strings.TrimSpace(want) {
					same++
				} else {
					s.t.Errorf("%s: %s is %s, want %s", host, key, is, want)
				}
			}
		}
		if all == 0 {
			s.t.Errorf("%s: the spec has no settings of the kernel", host)
		}
		seen.Rows = append(seen.Rows, []string{host + ": settings of the kernel", strconv.Itoa(all), fmt.Sprintf("%d as in the spec", same)})
	}
}

// isolation compares qa17's 99th percentile as BenchmarkIsolation does, on the kernel that hosts have.
func isolation(s *servers, seen *evidence.Table) {
	s.scaled()
	s.ask(50) // warm
	idle, beside := s.inTurns("")
	seen.Rows = append(seen.Rows, []string{"qa17's 99th percentile under stress", fmt.Sprintf("%.0f ms idle", p99ms(idle)),
		fmt.Sprintf("%.0f ms: %.2f of that", p99ms(beside[0]), p99ms(beside[0])/p99ms(idle))})
	s.in(0, "push", "--yes")
}

// hungry takes 1 GB in the cgroup of the staging cluster, which may have but 200 MB more than it has and needs: the kernel
// kills it.
const hungry = `unit=postgresql@15-staging.service
group=/sys/fs/cgroup$(systemctl show --value --property=ControlGroup "$unit")
systemctl set-property --runtime "$unit" MemoryMax=$(($(awk '$1 == "anon" || $1 == "shmem" { n += $2 } END { print n }' "$group/memory.stat") + (200 << 20)))
bash -c "echo \$\$ >$group/cgroup.procs"'; exec python3 -c "len(b\"x\" * (1 << 30))"' && echo 'had 1G' || echo killed
sed -n 's/^oom_kill //p' "$group/memory.events"
rm -rf /run/systemd/system.control/"$unit".d
systemctl daemon-reload
systemctl show --value --property=ActiveState,SubState,InvocationID "$unit"
runuser -u postgres -- psql -XAtqp 5433 -c 'SELECT 1'`

// oomPolicy: systemd stops a service of which the kernel has killed a process, unless its OOMPolicy= is another. cgroup v1
// does not tell it.
func oomPolicy(s *servers, seen *evidence.Table) {
	before := s.on("tests", "systemctl show --value --property=InvocationID postgresql@15-staging odoo-staging19")
	staging, _, _ := strings.Cut(before, "\n")
	lines := strings.Split(s.on("tests", hungry), "\n")
	is := strings.Join(lines, ", ")
	seen.Rows = append(seen.Rows, []string{"postgresql@15-staging, after the kernel killed a process of it", "OOMPolicy=continue", is})
	if lines[0] != "killed" || !slices.Contains(lines, "active") || !slices.Contains(lines, staging) || lines[len(lines)-1] != "1" {
		s.t.Errorf("the staging cluster: %s; its invocation was %s", is, staging)
	}
	if after := s.on("tests", "systemctl show --value --property=InvocationID postgresql@15-staging odoo-staging19"); after != before {
		s.t.Errorf("invocations were\n%s\nand are\n%s", before, after)
	}
}

// powerLosses are pushes each of which meets a loss of power of one of its hosts, after each phase in turn.
func powerLosses(s *servers, seen *evidence.Table) {
	pushes, err := strconv.Atoi(os.Getenv("MACHINES"))
	if err != nil {
		s.t.Fatal("MACHINES says how many pushes meet a loss of power:", err)
	}
	seed := uint64(time.Now().UnixNano())
	if given, err := strconv.ParseUint(os.Getenv("SEED"), 10, 64); err == nil {
		seed = given
	}
	s.t.Logf("SEED=%d", seed)
	r := &random{servers: s, Rand: rand.New(rand.NewPCG(seed, seed)), phases: []string{"lease", "stage", "check", "flipped", "probe", "confirmed"}, revertAfter: 5 * time.Minute, patience: 20 * time.Minute}
	began := time.Now()
	r.edit(`who: "the office"`, `who: "the first office"`)
	r.review()
	r.in(0, "push", "--yes")
	r.full = time.Since(began)
	ended := map[string]int{}
	for n := 0; total(ended) < pushes && !s.t.Failed(); n++ {
		came := r.push()
		s.t.Logf("%3d %s", n+1, came)
		switch {
		case !strings.HasPrefix(came.fate, "nothing strikes"):
			ended[came.fate+": "+came.verdict()]++
		case n >= 2*pushes:
			s.t.Errorf("only %d of %d pushes have met a loss of power", total(ended), pushes)
		}
	}
	r.in(0, "push", "--yes", "--wait", "5m")
	r.whole("afterwards", true)
	for _, how := range slices.Sorted(maps.Keys(ended)) {
		seen.Rows = append(seen.Rows, []string{how, "each host one whole generation, and the ledger true", strconv.Itoa(ended[how]) + " of " + strconv.Itoa(pushes)})
	}
}

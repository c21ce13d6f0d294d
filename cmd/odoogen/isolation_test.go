package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"odoogen/internal/evidence"
	"odoogen/internal/lab"
)

// stress is what staging19 may do at its worst: more processes than it has CPU, more memory than it may have, a disk
// that is written to without pause, and heavy queries in the cluster of its class. It runs for as many seconds; "dry"
// leaves out what fills the disk, and "slice" fills the memory of the slice, too, beside that of the service. The queries'
// temporary files stay. It prints with which code what filled memory has ended, and how often the disk was written to.
const stress = `until=$((SECONDS + $1))
in_slice() { systemd-run --quiet --collect --slice=odoo-staging19.slice --uid=odoo-staging19 --property=RuntimeMaxSec="$1" -- "${@:2}"; }
for i in 1 2 3 4; do in_slice "$1" sh -c 'while :; do :; done'; done
[ "${2:-}" = dry ] || in_slice "$1" sh -c "while dd if=/dev/zero of=/var/lib/odoo/staging19/stress bs=1M count=256 conv=fsync status=none; do echo >>/var/lib/odoo/staging19/written; done"
for i in 1 2 3 4; do
	runuser -u odoo-staging19 -- timeout "$1" psql -XAtqp 5433 -h /run/postgresql staging19 -c 'SELECT sum(sqrt(n)) FROM generate_series(1, 1000000000) n' >/dev/null 2>&1 &
done
cgroups=/sys/fs/cgroup/memory
[ -d "$cgroups" ] || cgroups=/sys/fs/cgroup # cgroup v2 has one hierarchy
group() { printf %s "$cgroups$(systemctl show --value --property=ControlGroup "$1")"; }
fill() { # GROUP MIB: prints the code of exit, 137 of one that was killed
	local code=0
	bash -c 'echo $$ >"$0/cgroup.procs"; exec python3 -c "import sys, time; b = b\"x\" * (int(sys.argv[1]) << 20); time.sleep(4)" "$1"' "$1" "$2" 2>/dev/null || code=$?
	printf 'ended %s\n' "$code"
}
fill "$(group odoo-staging19)" 5000 | sed 's/^/service /'
if [ "${2:-}" = slice ]; then
	filled=$(group odoo-staging19.slice)/filled
	mkdir "$filled"
	for i in 1 2 3; do fill "$filled" 2500 & done | sed 's/^/slice /'
	rmdir "$filled"
fi
while ((SECONDS < until)); do sleep 0.2; done
wait
echo "written $(wc -l 2>/dev/null </var/lib/odoo/staging19/written)"
rm -f /var/lib/odoo/staging19/{stress,written}
`

// ticks prints for each process in units' cgroups: the unit, the process, and its processor time in ticks of 10 ms, that of
// children that it waited for included.
const ticks = `cgroups=/sys/fs/cgroup/cpu
[ -d "$cgroups" ] || cgroups=/sys/fs/cgroup # cgroup v2 has one hierarchy
for u; do
	group=$cgroups$(systemctl show --value --property=ControlGroup "$u")
	for pid in $(find "$group" -name cgroup.procs -exec cat {} + 2>/dev/null); do
		[ ! -r /proc/$pid/stat ] || sed 's/.*) //' /proc/$pid/stat 2>/dev/null | awk -v "u=$u" -v "p=$pid" '{ print u, p, $12 + $13 + $14 + $15 }'
	done
done; true`

// busy is the share of a processor that units' cgroups have in some seconds from now, as a sum of their processes: what
// ends in this time counts with who waits for it. systemd counts by itself only where the kernel has cgroup v2.
func (s *servers) busy(d time.Duration, units ...string) map[string]float64 {
	s.t.Helper()
	look := func() map[string]int {
		all := map[string]int{}
		for line := range strings.Lines(s.on("tests", "set -- "+strings.Join(units, " ")+"\n"+ticks)) {
			words := strings.Fields(line)
			n, err := strconv.Atoi(words[2])
			if err != nil {
				s.t.Fatal(err)
			}
			all[words[0]+" "+words[1]] = n
		}
		return all
	}
	before, began := look(), time.Now()
	time.Sleep(d)
	after, took := look(), time.Since(began)
	shares := map[string]float64{}
	for process, n := range after {
		unit, _, _ := strings.Cut(process, " ")
		shares[unit] += float64(n-before[process]) * 0.01 / took.Seconds()
	}
	return shares
}

// ask asks qa17 for its login page n times, ten a second, as somebody outside does. It returns how long each took, in
// their order of length, and how many failed.
func (s *servers) ask(n int) (took []time.Duration, failed int) {
	s.t.Helper()
	out, _ := s.from(lab.Stranger, "curl", "-s", "--insecure", "--rate", "10/s", "--max-time", "20", "-o", "/dev/null", "-w", "%{http_code} %{time_total} %{errormsg}\n",
		fmt.Sprintf("https://qa17.example.com/web/login?[1-%d]", n))
	for line := range strings.Lines(out) {
		code, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		seconds, _, _ := strings.Cut(rest, " ")
		d, err := time.ParseDuration(seconds + "s")
		if err != nil || code != "200" {
			s.t.Log(strings.TrimSpace(line))
			failed++
			continue
		}
		took = append(took, d)
	}
	slices.Sort(took)
	if len(took)+failed < n {
		s.t.Fatalf("%d requests, and only %d answers:\n%s", n, len(took)+failed, out)
	}
	return took, failed
}

func p99(sorted []time.Duration) time.Duration { return sorted[(len(sorted)*99+99)/100-1] }

// scaled pushes the spec with quotas that limit as much on this machine's processors as they do on the hosts' 16 threads.
func (s *servers) scaled() {
	s.t.Helper()
	out := filepath.Join(s.t.TempDir(), "scaled")
	s.run(0, "lab", "build", "--scale-quotas", "-o", out)
	s.in(0, "push", "--yes", "--unreviewed", "--built", out)
	s.bound()
}

// limitsBite: whatever staging19 does, it stays within what it was given, is killed inside its own slice, and no request
// to qa17 fails.
func limitsBite(s *servers) {
	s.scaled()
	stressedUnits := []string{"odoo-staging19.slice", "postgresql@15-staging.service"}
	quotas := s.on("tests", "systemctl show --value --property=CPUQuotaPerSecUSec "+strings.Join(stressedUnits, " "))
	var quota []time.Duration
	for q := range strings.FieldsSeq(quotas) {
		d, err := time.ParseDuration(q)
		if err != nil {
			s.t.Fatal(err)
		}
		quota = append(quota, d)
	}
	running := func() string {
		return s.on("tests", "systemctl show --value --property=InvocationID,NRestarts odoo-qa17 odoo-qa19 odoo-ba17 odoo-ba19 odoo-staging17 postgresql@15-main postgresql@15-staging nginx")
	}
	idle, failed := s.ask(50)
	before := running()
	said := make(chan string)
	go func() {
		one := *s
		how := " slice"
		if s.machines { // which has not so much
			how = ""
		}
		said <- one.on("tests", "set -- 15"+how+"\n"+stress)
	}()
	shares := make(chan map[string]float64)
	go func() {
		one := *s
		time.Sleep(3 * time.Second) // until the stress is at its worst
		shares <- one.busy(8*time.Second, stressedUnits...)
	}()
	loaded, more := s.ask(120)
	stressed := <-said
	seen := evidence.Table{Title: "Limits under a stress of processor, memory and disk in staging19's slice, and a heavy query beside it; quotas scaled to this machine's processors",
		Columns: []string{"what", "used", "limit"}}
	used := <-shares
	for i, unit := range stressedUnits {
		share, of := used[unit], quota[i].Seconds()
		seen.Rows = append(seen.Rows, []string{unit, fmt.Sprintf("%.0f%% of a processor", share*100), fmt.Sprintf("CPUQuota=%.0f%%", of*100)})
		if share > 1.15*of {
			s.t.Errorf("%s used more than its quota", unit)
		}
		if share < 0.01 {
			s.t.Errorf("%s was not under stress", unit)
		}
	}
	limit := func(unit string) string {
		return "MemoryMax=" + s.on("tests", "systemctl show --value --property=MemoryMax "+unit+" | numfmt --to=iec")
	}
	killed := func(whose string) int { return strings.Count(stressed, whose+" ended 137\n") }
	seen.Rows = append(seen.Rows, []string{"5 GB in odoo-staging19.service", fmt.Sprintf("%d of 1 process killed", killed("service")), limit("odoo-staging19.service")})
	if killed("service") != 1 {
		s.t.Errorf("5 GB in odoo-staging19.service: %s", stressed)
	}
	if !s.machines {
		seen.Rows = append(seen.Rows, []string{"7.5 GB in three processes of odoo-staging19.slice", fmt.Sprintf("%d of 3 killed", killed("slice")), limit("odoo-staging19.slice")})
		if n := killed("slice"); n == 0 || n+strings.Count(stressed, "slice ended 0\n") != 3 {
			s.t.Errorf("7.5 GB in odoo-staging19.slice: %s", stressed)
		}
	}
	_, written, _ := strings.Cut(stressed, "\nwritten ")
	if n, err := strconv.Atoi(strings.TrimSpace(written)); err != nil || n == 0 {
		s.t.Errorf("staging19 has not written: %s", stressed)
	}
	seen.Rows = append(seen.Rows,
		[]string{"256 MB written to disk and synced", strings.TrimSpace(written) + " times", "IOWeight, which is a share and no quota"},
		[]string{"requests to qa17 that failed", fmt.Sprintf("%d of %d", failed+more, len(idle)+len(loaded)+failed+more), "0"},
		[]string{"qa17's 99th percentile", fmt.Sprintf("%v, idle %v", p99(loaded), p99(idle)), "see make bench"})
	seen.Keep(s.t, "limits")
	if failed+more > 0 {
		s.t.Errorf("%d requests to qa17 failed", failed+more)
	}
	if after := running(); after != before {
		s.t.Errorf("something else than staging19 was restarted:\n%s\n\nafter:\n%s", before, after)
	}
	s.in(0, "push", "--yes")
	s.bound()
}

// bound sees to it that quotas bind as the last push says. The lab's hosts may have cgroup v1, where the kernel refuses a
// slice less than what is in it has, and what is in it more than it has itself; systemd sets them in any order. Asked
// again, it sets what was refused.
func (s *servers) bound() { s.on("tests", "systemctl daemon-reload") }

// BenchmarkIsolation reports qa17's 99th percentile while staging19 does its worst, as a ratio to what it is when nothing
// else runs. To reach: 1.25. It also reports it without what staging19 does to the disk: a lab's hosts have one disk
// together, and a kernel that does not share it by weight.
func BenchmarkIsolation(b *testing.B) {
	if missing := lab.Missing(); missing != nil {
		b.Skip("left out:", missing)
	}
	s := newServers(b)
	s.run(0, "lab", "up")
	s.in(0, "push", "--yes")
	s.in(0, "status", "--wait", "10m")
	s.scaled()
	s.ask(50) // warm
	for b.Loop() {
		idle, beside := s.inTurns("", "dry")
		b.ReportMetric(p99ms(idle), "p99-idle-ms")
		b.ReportMetric(p99ms(beside[0]), "p99-stressed-ms")
		b.ReportMetric(p99ms(beside[0])/p99ms(idle), "x-idle")
		b.ReportMetric(p99ms(beside[1])/p99ms(idle), "x-idle-without-disk")
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(1.25, "x-idle-limit")
}

const (
	rounds   = 3   // of idle and stress, in turns: what else the machine does is in both
	requests = 200 // to qa17 in each
)

// p99ms is the 99th percentile of requests, in milliseconds.
func p99ms(took []time.Duration) float64 {
	slices.Sort(took)
	return p99(took).Seconds() * 1000
}

// inTurns asks qa17 while nothing else runs, and beside stresses. It returns how long each request took.
func (s *servers) inTurns(stresses ...string) (idle []time.Duration, beside [][]time.Duration) {
	s.t.Helper()
	beside = make([][]time.Duration, len(stresses))
	for range rounds {
		idle = append(idle, s.answered()...)
		for i, how := range stresses {
			beside[i] = append(beside[i], s.answeredBeside(how)...)
		}
	}
	return idle, beside
}

// answered asks qa17, and wants no request to fail.
func (s *servers) answered() []time.Duration {
	s.t.Helper()
	took, failed := s.ask(requests)
	if failed > 0 {
		s.t.Errorf("%d requests failed", failed)
	}
	return took
}

// answeredBeside is answered beside the stress, or beside one that is "dry".
func (s *servers) answeredBeside(how string) []time.Duration {
	s.t.Helper()
	said := make(chan string)
	go func() {
		one := *s
		said <- one.on("tests", "set -- 30 "+how+"\n"+stress)
	}()
	time.Sleep(2 * time.Second)
	took := s.answered()
	<-said
	return took
}

package main

import (
	"context"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"odoogen/internal/artifact"
	"odoogen/internal/lab"
)

// scan finds the open TCP ports of an address, all 65,535 looked at from a position.
func (s *servers) scan(ctx context.Context, position, address string) ([]int, error) {
	return s.nmap(ctx, position, address, "-p-", "--min-rate", "6000", "--max-retries", "2")
}

func (s *servers) nmap(ctx context.Context, position, address string, how ...string) ([]int, error) {
	argv := slices.Concat([]string{"lab", "exec", "--from", position, "nmap", "-Pn", "-n", "-sS", "-oG", "-"}, how, []string{address})
	cmd := exec.CommandContext(ctx, s.odoogen, argv...)
	cmd.Dir = s.dir
	out, err := cmd.Output()
	var ports []int
	for _, m := range regexp.MustCompile(`(\d+)/open/tcp`).FindAllSubmatch(out, -1) {
		n, _ := strconv.Atoi(string(m[1]))
		ports = append(ports, n)
	}
	slices.Sort(ports)
	return ports, err
}

// declared are the ports that a host's spec opens, by how far.
func declared(t testing.TB, dir, host string) map[string][]int {
	t.Helper()
	tree, err := artifact.ReadTree(filepath.Join(dir, "golden", host))
	if err != nil {
		t.Fatal(err)
	}
	h, err := tree.ReadHost()
	if err != nil {
		t.Fatal(err)
	}
	ports := map[string][]int{}
	for _, l := range h.Listeners {
		if l.Unit != "" { // a place that is kept has none
			ports[l.Reach] = append(ports[l.Reach], l.Port)
		}
	}
	for _, p := range ports {
		slices.Sort(p)
	}
	return ports
}

// publicly are the hosts' public addresses: ci has one until its first push closes it.
var publicly = map[string]string{"tests": "203.0.113.10", "ci": "203.0.113.20"}

// watchExposure scans both hosts from the public side, over and over, until it is stopped. It then returns every port
// that was ever open.
func (s *servers) watchExposure() (stop func() map[string][]int) {
	ctx, cancel := context.WithCancel(s.t.Context())
	seen := map[string]map[int]bool{}
	scans, installing := map[string]int{}, map[string]int{}
	installs := func(host string) bool { // what keeps packages from starting stands only meanwhile
		cmd := exec.CommandContext(ctx, s.odoogen, "lab", "enter", host, "test", "-e", "/etc/postgresql-common/createcluster.d/odoogen-packages.conf")
		cmd.Dir = s.dir
		return cmd.Run() == nil
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	for host, address := range publicly {
		seen[host] = map[int]bool{}
		all.Go(func() {
			for ctx.Err() == nil {
				began := installs(host)
				ports, err := s.scan(ctx, lab.Stranger, address)
				within := began && installs(host)
				mu.Lock()
				for _, p := range ports {
					seen[host][p] = true
				}
				if err == nil {
					scans[host]++
					if within {
						installing[host]++
					}
				}
				mu.Unlock()
				select { // the push is to get on, too
				case <-ctx.Done():
				case <-time.After(5 * time.Second):
				}
			}
		})
	}
	return func() map[string][]int {
		cancel()
		all.Wait()
		open := map[string][]int{}
		for _, host := range []string{"tests", "ci"} {
			open[host] = slices.Sorted(maps.Keys(seen[host]))
			s.open.Rows = append(s.open.Rows, []string{host, lab.Stranger, fmt.Sprintf("while it is pushed to, bare at first: %d scans, %d of them while packages are installed", scans[host], installing[host]),
				listed(open[host]), listed(declared(s.t, s.dir, host)["public"]) + "; 22 as it was found"})
			if installing[host] == 0 {
				s.t.Errorf("%s was never scanned to the end while its packages were installed", host)
			}
		}
		return open
	}
}

// whileItBoots takes a host's power, and asks it from the public side for every port on which it listens, over and over
// until it has booted: services may not be there before the firewall is, and no other port may ever answer than those declared.
func (s *servers) whileItBoots(host string) {
	s.t.Helper()
	public := declared(s.t, s.dir, host)["public"]
	listens := s.on(host, "ss -Hltn | awk '{ print $4 }' | sed 's/.*://' | sort -nu | paste -sd ,")
	seen, scans := map[int]bool{}, 0
	var booted atomic.Bool
	ended := make(chan error, 1)
	go func() {
		for !booted.Load() || scans < 5 { // a machine that boots fast is scanned a little longer
			ports, err := s.nmap(s.t.Context(), lab.Stranger, publicly[host], "-p", listens, "--max-retries", "0", "--max-rtt-timeout", "100ms")
			if err != nil {
				ended <- err
				return
			}
			for _, p := range ports {
				seen[p] = true
			}
			scans++
		}
		ended <- nil
	}()
	s.powerCycle(host)
	s.on(host, "systemctl is-system-running --wait >/dev/null || true")
	booted.Store(true)
	if err := <-ended; err != nil {
		s.t.Errorf("scanning %s while it boots: %v", host, err)
	}
	open := slices.Sorted(maps.Keys(seen))
	s.open.Rows = append(s.open.Rows, []string{host, lab.Stranger, fmt.Sprintf("while it boots: %d scans of %d ports where something listens", scans, strings.Count(listens, ",")+1),
		listed(open), listed(public)})
	for _, p := range open {
		if !slices.Contains(public, p) {
			s.t.Errorf("%s: port %d was open to the public while it booted", host, p)
		}
	}
}

// exposure: what is open is what the spec opens, seen from a stranger, from the whitelist and from the private network,
// what listens at all is what it names, and a program that listens beside that is heard on the host alone.
func exposure(s *servers) {
	private := map[string]string{"tests": "10.0.0.2", "ci": "10.0.0.3"}
	for _, host := range []string{"tests", "ci"} {
		ports := declared(s.t, s.dir, host)
		public := ports["public"]
		inside := slices.Sorted(slices.Values(slices.Concat(public, ports["private"])))
		whitelisted := public
		if host == "tests" {
			whitelisted = slices.Sorted(slices.Values(append(slices.Clone(public), 22))) // the fallback route
		}
		s.on(host, "echo '"+echo+"' >/run/echo.pl; systemd-run --quiet --collect --unit=echo perl -MIO::Socket::INET /run/echo.pl") // whose $ systemd would take for its own
		for n := 0; s.on(host, "perl -MIO::Socket::INET -e '"+hello+"' 127.0.0.1") != "heard"; n++ {
			if n == 10 {
				s.t.Fatalf("%s: what should answer at UDP port 31337 does not, on the host itself", host)
			}
			time.Sleep(300 * time.Millisecond)
		}
		for _, c := range []struct {
			position, address string
			want              []int
		}{
			{lab.Stranger, publicly[host], public},
			{lab.Office, publicly[host], whitelisted},
			{lab.VPN, private[host], inside},
		} {
			if s.machines && c.position == lab.VPN {
				continue // which has no VLAN
			}
			got, err := s.scan(s.t.Context(), c.position, c.address)
			if err != nil {
				s.t.Fatal(err)
			}
			s.open.Rows = append(s.open.Rows, []string{host, c.position, "afterwards", listed(got), listed(c.want)})
			if diff := cmp.Diff(c.want, got); diff != "" && len(c.want)+len(got) > 0 {
				s.t.Errorf("%s at %s, from %s: (-want +open)\n%s", host, c.address, c.position, diff)
			}
			said, _ := s.from(c.position, "perl", "-MIO::Socket::INET", "-e", hello, c.address)
			s.open.Rows = append(s.open.Rows, []string{host, c.position, "UDP, at a port where a program was started that answers", map[bool]string{true: "none", false: "31337"}[said == ""], "none"})
			if said != "" {
				s.t.Errorf("%s at %s, from %s: UDP port 31337 answers %q", host, c.address, c.position, said)
			}
		}
		s.on(host, "systemctl stop echo")
		// What listens on any address but loopback must be declared with that reach; what listens on loopback, at all.
		named := slices.Concat(inside, ports["loopback"])
		for line := range strings.Lines(s.on(host, "ss -Hlntu | awk '{print $1, $5}' | sort -u")) {
			protocol, at, _ := strings.Cut(strings.TrimSpace(line), " ")
			address, port, _ := cutLast(at, ":")
			n, err := strconv.Atoi(port)
			if err != nil {
				s.t.Fatal(err)
			}
			loopback := strings.HasPrefix(address, "127.") || address == "[::1]"
			if !slices.Contains(named, n) || !loopback && (protocol != "tcp" || !slices.Contains(inside, n)) {
				s.t.Errorf("%s: something listens at %s, which the spec does not say", host, strings.TrimSpace(line))
			}
		}
	}
	if !s.machines {
		for _, host := range []string{"tests", "ci"} {
			s.whileItBoots(host)
		}
		s.in(0, "status", "--wait", "5m")
	}
	s.open.Keep(s.t, "exposure")
}

// echo answers to every datagram at UDP port 31337, which no spec has; hello asks, and prints the answer.
const (
	echo  = `$s = IO::Socket::INET->new(Proto => "udp", LocalPort => 31337) or die $@; $s->send("heard") while defined $s->recv($m, 9)`
	hello = `$s = IO::Socket::INET->new(Proto => "udp", PeerAddr => $ARGV[0], PeerPort => 31337) or die $@; $SIG{ALRM} = sub { exit }; alarm 3; $s->send("hello"); $s->recv($m, 9); print $m`
)

// listed are ports for people to read.
func listed(ports []int) string {
	if len(ports) == 0 {
		return "none"
	}
	return strings.Trim(fmt.Sprint(ports), "[]")
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

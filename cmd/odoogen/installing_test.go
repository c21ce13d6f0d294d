package main

import "testing"

// TestPowerCutWhileItInstalls takes the power from a bare host while its first push installs packages and makes a cluster,
// again and again: the next push goes on from there, and needs no hand. make test ALL=1 runs it.
func TestPowerCutWhileItInstalls(t *testing.T) {
	if leftOut(t, "losing power while packages are installed", "ALL") {
		return
	}
	a := newAdopted(t)
	a.says(everything, cluster+instance+backup)
	for _, when := range []string{
		`[ -n "$(dpkg --audit)" ]`,
		`[ -n "$(dpkg --audit)" ] && pgrep -f "[p]ostinst configure"`,
		`pgrep -x initdb`,
		`[ -d /var/lib/postgresql/15/main/base/1 ]`,
	} {
		type end struct {
			said string
			code int
		}
		ended := make(chan end)
		go func() {
			out, talk, code := a.exit("lab", "exec", a.odoogen, "push", "--yes", "--wait", "1m")
			ended <- end{out + talk, code}
		}()
		a.on("box", "timeout 200 bash -c 'until "+when+"; do sleep 0.02; done' >/dev/null 2>&1")
		a.powerCycle("box")
		if e := <-ended; e.code != 1 {
			t.Fatalf("%s: exit code %d, want 1\n%s", when, e.code, e.said)
		}
	}
	a.in(0, "push", "--yes", "--wait", "1m")
	a.in(0, "status", "--wait", "10m")
	a.holds(login, "200")
	a.holds("dpkg --audit; ls -d /usr/sbin/policy-rc.d /etc/postgresql-common/createcluster.d/odoogen-packages.conf /var/cache/odoogen.?????? 2>/dev/null || true", "")
	a.holds("pg_lsclusters --no-header | awk '{print $1, $2, $3, $4}'", "15 main 5432 online")
}

package topology

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCalendarAsCron(t *testing.T) {
	for calendar, want := range map[Calendar]string{
		"02:00":                     "0 2 * * *",
		"Sun 03:05":                 "5 3 * * 0",
		"Mon,Wed,Sat 23:59":         "59 23 * * 1,3,6",
		"*-*-15 05:00":              "0 5 15 * *",
		"*-01,04,07,10-01,15 06:30": "30 6 1,15 1,4,7,10 *",
		"Sun,Mon,Tue,Thu,Fri 00:00": "0 0 * * 0,1,2,4,5",
	} {
		if got := calendar.Cron(); got != want {
			t.Errorf("%s: got %q, want %q", calendar, got, want)
		}
	}
}

func TestCalendarGap(t *testing.T) {
	for calendar, want := range map[Calendar]Span{
		"02:00":                  aDay,
		"Sun 03:05":              7 * aDay,
		"Mon,Tue 03:05":          6 * aDay,
		"*-*-15 05:00":           31 * aDay,
		"*-01,04,07,10-15 06:00": 92 * aDay,
		"*-02-29 06:00":          (4*365 + 1) * aDay,
	} {
		if got := calendar.Gap(); got != want {
			t.Errorf("%s: got %s, want %s", calendar, got, want)
		}
	}
}

const aDay Span = 86400

func TestAgents(t *testing.T) {
	agents := (&Agents{Min: 1, Max: 2}).List()
	want := []Agent{{Name: "agent1", UID: 4201, Always: true}, {Name: "agent2", UID: 4202}}
	if diff := cmp.Diff(want, agents); diff != "" {
		t.Error(diff)
	}
	if got := agents[1].Slice() + " " + agents[1].Home(); got != "user-4202.slice /var/lib/jenkins-agents/agent2" {
		t.Error(got)
	}
}

func TestJavaHome(t *testing.T) {
	vendor := func(name string) *Topology {
		return &Topology{Packages: Packages{Vendors: []*Vendor{{Packages: []*NamedVersion{{Name: name}}}}}}
	}
	for name, want := range map[string]string{
		"temurin-21-jre":          "/usr/lib/jvm/temurin-21-jre-amd64",
		"openjdk-25-jre-headless": "/usr/lib/jvm/java-25-openjdk-amd64",
		"alloy":                   "/usr/lib/jvm/java-21-openjdk-amd64", // Debian's own
	} {
		if got := vendor(name).JavaHome(); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

func TestMirrorURL(t *testing.T) {
	r := &Repository{Name: "addons"}
	for private, want := range map[string]string{
		"10.0.0.3": "git://10.0.0.3:9418/addons.git",
		"fd00::3":  "git://[fd00::3]:9418/addons.git",
		"":         "git://127.0.0.1:9418/addons.git",
	} {
		c := &CI{Mirror: Mirror{Port: 9418}, Host: &Host{Private: private}}
		if got := c.MirrorURL(r); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

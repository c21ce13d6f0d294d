package push

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"odoogen/internal/artifact"
)

// keeper is a host with two secrets: a daemon reads the token, and the password is read by a job that a timer starts.
func keeper(t *testing.T, secrets ...string) *artifact.Tree {
	t.Helper()
	readers := map[string]string{"token": "alloy.service", "password": "odoogen-backup.service"}
	var all []string
	for _, name := range secrets {
		all = append(all, fmt.Sprintf(`{"name": %q, "consumers": [%q]}`, name, readers[name]))
	}
	host := fmt.Sprintf(`{"host": "h", "units": ["alloy.service", "odoogen-backup.timer"], "secrets": [%s]}`+"\n", strings.Join(all, ", "))
	tree, err := artifact.NewTree("h", []artifact.File{{Path: artifact.HostName, Mode: 0o444, Data: []byte(host), From: []string{"x"}}})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestWhatBecomesOfSecrets(t *testing.T) {
	given := map[string]Given{"token": {"token", "aa", 100}, "password": {"password", "bb", 100}}
	there := map[string]SecretFile{"token": {"600", time.Unix(100, 0)}, "password": {"600", time.Unix(100, 0)}}
	both := []string{"token", "password"}
	for _, c := range []struct {
		name    string
		secrets []string // of the new tree; the host's own has both
		given   map[string]Given
		there   map[string]SecretFile
		same    map[string]bool
		digests map[string]string

		want, missing, drift string
		actions              string
		undo                 string
	}{
		{name: "what was given stays", secrets: both, given: given, there: there, digests: map[string]string{"token": "aa", "password": "bb"}},
		{name: "what the operator has not is the host's own", secrets: both, given: given, there: there},
		{name: "a file that somebody put there suffices", secrets: both, there: there},
		{name: "what nobody has is missing, and there is something to do", secrets: both, missing: "token password",
			actions: "daemon-reload, start odoogen.target", undo: "daemon-reload, start odoogen.target"},
		{name: "a value that changed restarts who reads it", secrets: both, given: given, there: there, digests: map[string]string{"token": "cc", "password": "bb"},
			want: "token (changed)", actions: "daemon-reload, restart alloy.service, start odoogen.target", undo: "daemon-reload, restart alloy.service, start odoogen.target"},
		{name: "a job reads it at its next start", secrets: both, given: given, there: there, digests: map[string]string{"password": "cc"},
			want: "password (changed)", actions: "daemon-reload, start odoogen.target", undo: "daemon-reload, start odoogen.target"},
		{name: "a value that is encrypted anew restarts nothing", secrets: both, given: given, there: there, digests: map[string]string{"token": "cc"},
			same: map[string]bool{"token": true}, want: "token (changed)", actions: "daemon-reload, start odoogen.target", undo: "daemon-reload, start odoogen.target"},
		{name: "what the operator has takes the place of what somebody put there", secrets: both, there: there, digests: map[string]string{"token": "aa"},
			want: "token (changed)", actions: "daemon-reload, restart alloy.service, start odoogen.target", undo: "daemon-reload, restart alloy.service, start odoogen.target"},
		{name: "a file that is gone is given again", secrets: both, given: given, there: map[string]SecretFile{"token": {"600", time.Unix(100, 0)}}, digests: map[string]string{"token": "aa", "password": "bb"},
			want: "password (new)", actions: "daemon-reload, start odoogen.target", undo: "daemon-reload, start odoogen.target"},
		{name: "a value changed by hand is drift", secrets: both, given: given, there: map[string]SecretFile{"token": {"600", time.Unix(200, 0)}, "password": {"600", time.Unix(100, 0)}}, digests: map[string]string{"token": "aa", "password": "bb"},
			want: "token (changed)", drift: "secrets/token", actions: "daemon-reload, restart alloy.service, start odoogen.target", undo: "daemon-reload, restart alloy.service, start odoogen.target"},
		{name: "so is one in the second of the push", secrets: both, given: given, there: map[string]SecretFile{"token": {"600", time.Unix(100, 1)}, "password": {"600", time.Unix(100, 0)}}, digests: map[string]string{"token": "aa", "password": "bb"},
			want: "token (changed)", drift: "secrets/token", actions: "daemon-reload, restart alloy.service, start odoogen.target", undo: "daemon-reload, restart alloy.service, start odoogen.target"},
		{name: "a file that others may read is drift", secrets: both, given: given, there: map[string]SecretFile{"token": {"600", time.Unix(100, 0)}, "password": {"644", time.Unix(100, 0)}}, digests: map[string]string{"password": "bb"},
			want: "password (changed)", drift: "secrets/password", actions: "daemon-reload, start odoogen.target", undo: "daemon-reload, start odoogen.target"},
		{name: "what the operator has not is no drift", secrets: both, given: given, there: map[string]SecretFile{"token": {"644", time.Unix(200, 0)}, "password": {"600", time.Unix(100, 0)}}},
		{name: "what was given and is read no more goes", secrets: []string{"password"}, given: given, there: there, digests: map[string]string{"token": "cc", "password": "bb"},
			want: "token (removed)", actions: "daemon-reload, start odoogen.target", undo: "daemon-reload, start odoogen.target"},
		{name: "what somebody put there and is read no more stays", secrets: []string{"password"}, there: there,
			actions: "daemon-reload, start odoogen.target", undo: "daemon-reload, start odoogen.target"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := seen(keeper(t, both...))
			o.Given, o.Secrets, o.Same = c.given, c.there, c.same
			plan, err := NewPlan(keeper(t, c.secrets...), o, c.digests)
			if err != nil {
				t.Fatal(err)
			}
			join := func(sep string, all []string) string { return strings.Join(all, sep) }
			var changes, actions, undo []string
			for _, s := range plan.Secrets {
				changes = append(changes, s.String())
			}
			for _, a := range plan.Actions {
				actions = append(actions, a.String())
			}
			for _, a := range plan.undo {
				undo = append(undo, a.String())
			}
			got := []string{join(", ", changes), join(" ", plan.Missing), join(" ", plan.Drift), join(", ", actions), join(", ", undo)}
			if diff := cmp.Diff([]string{c.want, c.missing, c.drift, c.actions, c.undo}, got); diff != "" {
				t.Errorf("changes, missing, drift, actions, undo (-want +got)\n%s", diff)
			}
			if want := c.want == "" && c.actions == ""; plan.Empty() != want {
				t.Errorf("the plan is empty: %t, want %t", plan.Empty(), want)
			}
		})
	}
}

func TestARollbackPassesGenerationsOfTheSameFiles(t *testing.T) {
	o := &Observation{Generation: "44-cccc", Stored: []string{"41-aaaa", "42-bbbb", "43-cccc", "44-cccc", "45-dddd"}}
	for number, want := range map[int]string{0: "42-bbbb", 43: "43-cccc", 45: "45-dddd"} {
		if got, err := o.stored(number); err != nil || got != want {
			t.Errorf("rollback %d: %q, %v, want %q", number, got, err, want)
		}
	}
	o.TakenBack = []string{"42-bbbb"}
	if got, err := o.stored(0); err != nil || got != "41-aaaa" {
		t.Errorf("where the host was taken back from 42: %q, %v", got, err)
	}
}

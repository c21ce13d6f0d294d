package push

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"odoogen/internal/artifact"
)

// tree is a small host: each file is "path effects", its bytes its path and the version.
func tree(t *testing.T, version string, units string, files ...string) *artifact.Tree {
	t.Helper()
	var all []artifact.File
	for _, f := range files {
		path, effects, _ := strings.Cut(f, " ")
		file := artifact.File{Path: path, Mode: 0o444, Data: []byte(path + version + "\n"), From: []string{"x"}}
		for e := range strings.FieldsSeq(effects) {
			file.Effects = append(file.Effects, artifact.Effect(e))
		}
		all = append(all, file)
	}
	host := `{"host": "h", "units": ["` + strings.ReplaceAll(units, " ", `", "`) + `"]}` + "\n"
	all = append(all, artifact.File{Path: artifact.HostName, Mode: 0o444, Data: []byte(host), From: []string{"x"}})
	out, err := artifact.NewTree("h", all)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func seen(before *artifact.Tree) *Observation {
	return &Observation{Generation: "1-" + before.Digest()[:12], Manifest: before.Manifest(), Host: before.File(artifact.HostName).Data}
}

// planOfAnswer is the plan for a tree, by the lines in which a host answers.
func planOfAnswer(t *testing.T, to *artifact.Tree, lines ...string) *Plan {
	t.Helper()
	w, err := wishOf(to)
	if err != nil {
		t.Fatal(err)
	}
	q := w.question()
	for _, line := range lines {
		q.line(strings.Split(line, "\t"))
	}
	o, err := q.answer()
	if err != nil {
		t.Fatal(err)
	}
	plan, err := NewPlan(to, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func actions(t *testing.T, to *artifact.Tree, o *Observation) []string {
	t.Helper()
	plan, err := NewPlan(to, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, a := range plan.Actions {
		out = append(out, a.String())
	}
	return out
}

func TestNothingToDo(t *testing.T) {
	same := tree(t, "1", "nginx.service", "nginx/a.conf reload:nginx.service")
	plan, err := NewPlan(same, seen(same), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !plan.Empty() {
		t.Errorf("a host that is its tree has a plan: %+v", plan)
	}
}

// A door that the new generation does not have is closed, and stands on the way back.
func TestDoorsThatLeftAreClosed(t *testing.T) {
	same := tree(t, "1", "nginx.service", "nginx/a.conf reload:nginx.service")
	o := seen(same)
	o.Host = []byte(`{"host": "h", "units": ["nginx.service"], "doors": [{"path": "/etc/x.d/y", "link": "/etc/odoogen/current/files/etc/x.d/y"}]}`)
	plan, err := NewPlan(same, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if plan.Empty() || !slices.Equal(plan.Closed, []string{"/etc/x.d/y"}) {
		t.Errorf("closed: %v", plan.Closed)
	}
}

// A door of an ejected host is a directory; whoever changed another one did so by hand.
func TestAnEjectedHostsDoorsAreNoDrift(t *testing.T) {
	text := []byte(`{"doors": [{"path": "/usr/local/lib/systemd/system", "link": "/etc/odoogen/current/systemd/system"}, {"path": "/etc/x.d/y", "content": "y"}]}` + "\n")
	same, err := artifact.NewTree("tests", []artifact.File{{Path: artifact.HostName, Mode: 0o444, Data: text, From: []string{""}}})
	if err != nil {
		t.Fatal(err)
	}
	o := &Observation{Ejected: true, Manifest: same.Manifest(), Host: text, Doors: []string{"/usr/local/lib/systemd/system", "/etc/x.d/y"}}
	plan, err := NewPlan(same, o, nil)
	if err != nil || !slices.Equal(plan.Drift, []string{"/etc/x.d/y"}) || !slices.Equal(plan.Doors, o.Doors) {
		t.Errorf("drift %v, doors %v, %v", plan.Drift, plan.Doors, err)
	}
}

func TestActionsComeInTheOrderInWhichThingsStandOnEachOther(t *testing.T) {
	files := []string{
		"a daemon-reload restart:odoo-qa17.service", "b reload:nginx.service", "c restart:postgresql@15-main.service",
		"d run:odoogen-postgres@15-main.service", "e run:odoogen-users.service",
		"g restart:odoogen-backup.timer", "h reload:odoogen-nftables.service", "i restart:systemd-sysctl.service",
		"j restart:alloy.service",
	}
	got := actions(t, tree(t, "2", "nginx.service", files...), seen(tree(t, "1", "nginx.service", files...)))
	want := []string{
		"daemon-reload", "run odoogen-users.service", "restart systemd-sysctl.service",
		"reload odoogen-nftables.service", "restart postgresql@15-main.service", "run odoogen-postgres@15-main.service",
		"restart odoo-qa17.service", "reload nginx.service", "restart alloy.service", "restart odoogen-backup.timer",
		"start odoogen.target",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestWhatRestartsIsNotReloadedToo(t *testing.T) {
	files := []string{"a restart:nginx.service", "b reload:nginx.service"}
	got := actions(t, tree(t, "2", "nginx.service", files...), seen(tree(t, "1", "nginx.service", files...)))
	if diff := cmp.Diff([]string{"daemon-reload", "restart nginx.service", "start odoogen.target"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestAUnitThatWasStoppedIsDrift(t *testing.T) {
	same := tree(t, "1", "nginx.service", "nginx/a reload:nginx.service")
	o := seen(same)
	o.Hands = []Hand{{"disabled", "nginx.service"}, {"stopped", "nginx.service"}}
	plan, err := NewPlan(same, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if plan.Empty() || !slices.Equal(plan.Drift, []string{"stopped nginx.service"}) || !slices.Equal(plan.Hands, o.Hands[:1]) {
		t.Errorf("drift %v, hands %v", plan.Drift, plan.Hands)
	}
	o.Owed = []string{"start odoogen.target"} // by a push that was cut off
	if plan, err = NewPlan(same, o, nil); err != nil || len(plan.Drift) > 0 || plan.Empty() {
		t.Errorf("drift %v, %v", plan.Drift, err)
	}
}

func TestAMaskedUnitIsRefusedWhereItIsWanted(t *testing.T) {
	before := tree(t, "1", "odoo-qa17.service nginx.service", "odoo/qa17.conf restart:odoo-qa17.service", "systemd/system/odoogen-ping@.service none")
	o := seen(before)
	o.Hands = []Hand{{"masked", "odoo-qa17.service"}, {"masked", "odoogen-ping@.service"}}
	for name, c := range map[string]struct {
		tree *artifact.Tree
		want []string
	}{
		"it stays":                    {before, []string{"odoo-qa17.service"}},
		"it left":                     {tree(t, "2", "nginx.service", "systemd/system/odoogen-ping@.service none"), nil},
		"it is run":                   {tree(t, "3", "nginx.service", "a run:odoogen-ping@ci.service"), []string{"odoogen-ping@.service"}},
		"an instance of it is wanted": {tree(t, "4", "odoogen-ping@ci.service"), []string{"odoogen-ping@.service"}},
	} {
		plan, err := NewPlan(c.tree, o, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := plan.masked(); !slices.Equal(got, c.want) || !slices.Equal(plan.Hands, o.Hands) {
			t.Errorf("%s: masked %v, want %v; hands %v", name, got, c.want, plan.Hands)
		}
	}
}

// Who pushes beside another that waits for its confirmation must not be told that all is done.
func TestAHostThatIsNotConfirmedIsNotWhatItShallBe(t *testing.T) {
	same := tree(t, "1", "nginx.service")
	plan := planOfAnswer(t, same, "armed\t-", "generation\t1-"+same.Digest()[:12], "confirmed\t0")
	if plan.Empty() || !plan.Unconfirmed {
		t.Errorf("the plan is %+v", plan)
	}
}

// A MANIFEST that somebody has written into tells nothing of what the host has: all is sent and done.
func TestAManifestThatIsEditedIsDrift(t *testing.T) {
	same := tree(t, "1", "nginx.service", "nginx/a reload:nginx.service")
	name := "1-" + same.Digest()[:12]
	plan := planOfAnswer(t, same, "generation\t"+name, "confirmed\t"+name, "manifest\td2hhdCBpcyB0aGlzCg==", "host\t", "drift\tMANIFEST")
	if !slices.Equal(plan.Drift, []string{"MANIFEST"}) || len(plan.Files) != 2 || !slices.Contains(plan.Actions, Action{"reload", "nginx.service"}) {
		t.Errorf("the plan is %+v", plan)
	}
}

func TestADoorThatWasChangedIsDriftAlsoWhereItGoes(t *testing.T) {
	same := tree(t, "1", "nginx.service", "nginx/a reload:nginx.service")
	o := seen(same)
	o.Hands = []Hand{{"door", "/etc/sudoers.d/odoogen"}}
	plan, err := NewPlan(same, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	found, err := NewPlanOfFound(same, o)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"/etc/sudoers.d/odoogen"}; !slices.Equal(plan.Drift, want) || !slices.Equal(found.Drift, want) || len(plan.Hands)+len(found.Hands) > 0 {
		t.Errorf("drift %v and %v, hands %v and %v", plan.Drift, found.Drift, plan.Hands, found.Hands)
	}
}

func TestAFirewallThatWasFlushedIsLoadedAgain(t *testing.T) {
	same := tree(t, "1", "nginx.service", "nginx/a reload:nginx.service", "nftables/odoogen.nft reload:odoogen-nftables.service")
	o := seen(same)
	o.Hands = []Hand{{"firewall", "inet odoogen"}}
	plan, err := NewPlan(same, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := actions(t, same, o)
	want := []string{"daemon-reload", "reload odoogen-nftables.service", "start odoogen.target"}
	if !slices.Equal(plan.Drift, []string{"firewall inet odoogen"}) || len(plan.Hands) > 0 || !slices.Equal(got, want) {
		t.Errorf("drift %v, hands %v, actions %v", plan.Drift, plan.Hands, got)
	}
}

func TestAUnitThatLeftIsStoppedAndNotRestarted(t *testing.T) {
	before := tree(t, "1", "odoo-qa17.service nginx.service", "odoo/qa17.conf restart:odoo-qa17.service", "nginx/a reload:nginx.service")
	after := tree(t, "1", "nginx.service", "nginx/a reload:nginx.service")
	got := actions(t, after, seen(before))
	if diff := cmp.Diff([]string{"stop odoo-qa17.service", "daemon-reload", "start odoogen.target"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// nginx was there before odoogen, Odoo was not: an ejected host has odoogen's own units running, too.
func TestWhatRanBeforeOdoogenRunsOnWhenItLeaves(t *testing.T) {
	before := tree(t, "1", "nginx.service odoo-qa.service venv@17.service", "nginx/a reload:nginx.service", "systemd/system/odoo-qa.service daemon-reload,restart:odoo-qa.service", "systemd/system/venv@.service daemon-reload")
	after := tree(t, "2", "")
	o := seen(before)
	o.Was = []string{"nginx.service", "odoo-qa.service", "venv@17.service"}
	want := []string{"stop venv@17.service", "stop odoo-qa.service", "daemon-reload", "reload nginx.service", "start odoogen.target"}
	if diff := cmp.Diff(want, actions(t, after, o)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestWhatAnEarlierPushStillOwesIsDone(t *testing.T) {
	same := tree(t, "1", "nginx.service", "nginx/a.conf reload:nginx.service")
	o := seen(same)
	o.Owed = []string{"reload nginx.service"}
	if diff := cmp.Diff([]string{"daemon-reload", "reload nginx.service", "start odoogen.target"}, actions(t, same, o)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestABareHostGetsEverything(t *testing.T) {
	plan, err := NewPlan(tree(t, "1", "nginx.service", "a", "b"), &Observation{Packages: []string{"nginx"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Files) != 3 || len(plan.Packages) != 1 || plan.From != "" {
		t.Errorf("%+v", plan)
	}
}

func TestADriftedFileIsTakenBackWithAllThatReadsIt(t *testing.T) {
	same := tree(t, "1", "nginx.service", "nginx/a.conf reload:nginx.service", "b")
	o := seen(same)
	o.Drift = []string{"nginx/a.conf"}
	if diff := cmp.Diff([]string{"daemon-reload", "reload nginx.service", "start odoogen.target"}, actions(t, same, o)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestTheWayBackUndoesWhatTheWayForthDoes(t *testing.T) {
	before := tree(t, "1", "nginx.service", "nginx/a reload:nginx.service", "old restart:nginx.service")
	after := tree(t, "2", "nginx.service alloy.service", "nginx/a reload:nginx.service", "alloy restart:alloy.service", "users run:odoogen-users.service")
	for _, c := range []struct {
		name string
		seen *Observation
		want []string
	}{
		{"a unit that came is stopped, and what is no more is not run", seen(before),
			[]string{"stop alloy.service", "daemon-reload", "restart nginx.service", "start odoogen.target"}},
		{"a bare host runs nothing again", &Observation{},
			[]string{"stop alloy.service", "stop odoogen.target", "stop nginx.service", "daemon-reload"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan, err := NewPlan(after, c.seen, nil)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, a := range plan.undo {
				got = append(got, a.String())
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestADropInThatLeavesAWantedUnitRestartsIt(t *testing.T) {
	before := tree(t, "1", "nginx.service", "d daemon-reload,restart:nginx.service")
	before.Files[1].Effects = []artifact.Effect{artifact.DaemonReload, artifact.Restart("nginx.service")}
	after := tree(t, "1", "nginx.service")
	if diff := cmp.Diff([]string{"daemon-reload", "restart nginx.service", "start odoogen.target"}, actions(t, after, seen(before))); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestAHostOfAnotherOdoogenStillTellsWhatItRuns(t *testing.T) {
	before := tree(t, "1", "odoo-qa17.service nginx.service")
	o := seen(before)
	o.Host = []byte(`{"host": "h", "units": ["odoo-qa17.service", "nginx.service"], "invented": {"later": 1}}`)
	got := actions(t, tree(t, "2", "nginx.service"), o)
	if diff := cmp.Diff([]string{"stop odoo-qa17.service", "daemon-reload", "start odoogen.target"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestTheUnmodelledIsMarked(t *testing.T) {
	host := func(text string) *artifact.Tree {
		h := artifact.File{Path: artifact.HostName, Mode: 0o444, From: []string{"x"}, Data: []byte(`{"host": "h", "unmodelled": [` + text + "]}\n")}
		conf := artifact.File{Path: "odoo/qa17.conf", Mode: 0o444, From: []string{"x"}, Data: []byte("[options]" + text + "\n")}
		tree, err := artifact.NewTree("h", []artifact.File{h, conf})
		if err != nil {
			t.Fatal(err)
		}
		return tree
	}
	const options, htop = `{"path": "instances.qa17.options", "files": ["odoo/qa17.conf"]}`, `{"path": "hosts.h.packages", "files": []}`
	for _, c := range []struct {
		name, before, after string
		want                []string
	}{
		{"a file that it stands in changes", options, options + "," + htop, []string{"instances.qa17.options", "hosts.h.packages"}},
		{"it goes", options + "," + htop, options, []string{"instances.qa17.options", "hosts.h.packages"}},
		{"nothing of it changes", htop, htop, nil},
	} {
		plan, err := NewPlan(host(c.after), seen(host(c.before)), nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, plan.Unmodelled); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.name, diff)
		}
	}
}

package generators

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"odoogen/internal/artifact"
)

// A changed limit restarts nothing, and nobody but the instance itself hears of its own files.
func TestEffectsOfOdooUnits(t *testing.T) {
	tree := sampleTree(t, "tests")
	const units = "systemd/system/"
	reload, restart := artifact.DaemonReload, artifact.Restart("odoo-qa17.service")
	for path, want := range map[string][]artifact.Effect{
		units + "odoo-qa17.service":                            {reload, restart},
		units + "odoo-qa17.service.d/10-limits.conf":           {reload},
		units + "odoo-qa17.service.d/20-hardening.conf":        {reload, restart},
		units + "odoo-qa17.slice":                              {reload},
		units + "odoo-qa17.slice.d/10-limits.conf":             {reload},
		units + "odoo-update-qa17.service":                     {reload},
		units + "odoo-update-qa17.service.d/10-limits.conf":    {reload},
		units + "odoo-update-qa17.service.d/20-hardening.conf": {reload},
		units + "odoogen.target":                               {reload},
		units + "multi-user.target.d/odoogen.conf":             {reload},
		"odoo/qa17.conf":                                       {restart},
		"bin/odoo-update":                                      nil,
	} {
		if diff := cmp.Diff(want, effectsOf(t, tree, path)); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
}

// What differs between the versions, and between the classes.
func TestOdooUnits(t *testing.T) {
	tree := sampleTree(t, "tests")
	const units = "systemd/system/"
	for _, c := range []struct{ path, line string }{
		{units + "odoo-qa17.service", "ExecStart=/opt/odoo/venv/17/bin/python /opt/odoo/instances/qa-17/current/odoo17/odoo-bin -c /etc/odoogen/current/odoo/qa17.conf $LIMITS"},
		{units + "odoo-qa17.service", "ConditionPathExists=/opt/odoo/instances/qa-17/current"},
		{units + "odoo-qa17.service", "After=network.target postgresql@15-main.service"},
		{units + "odoo-qa17.service", "TimeoutStopSec=150s"},
		{units + "odoo-staging19.service", "After=network.target postgresql@15-staging.service"},
		{units + "odoo-staging19.service", "ExecReload=/bin/kill -HUP $MAINPID"},
		// Else Odoo 19 does not find its Python after a reload, and ends.
		{units + "odoo-staging19.service", "Environment=PATH=/opt/odoo/venv/19/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		{units + "odoo-staging19.service", "Restart=always"},
		{units + "odoo-qa17.slice.d/10-limits.conf", "MemoryMax=4G"},
		{units + "odoo-qa17.service.d/10-limits.conf", "MemoryMax=3G"},
		{units + "odoo-update-qa17.service.d/10-limits.conf", "MemoryMax=1G"},
		{units + "odoo-staging17.slice.d/10-limits.conf", "MemoryMax=6G"},
		{units + "odoo-staging17.slice.d/10-limits.conf", "CPUQuota=300%"},
		{units + "odoogen.target", "Wants=odoo-qa17.service"},
	} {
		if !hasLine(t, tree, c.path, c.line) {
			t.Errorf("%s has no line %s", c.path, c.line)
		}
	}
	if strings.Contains(string(tree.File(units+"odoo-qa17.service").Data), "ExecReload") {
		t.Error("a reload of Odoo 17 would refuse connections")
	}
}

// systemd says how exposed each Odoo process is, from 0 to 10, unit and drop-ins read from a root of their own.
func TestExposureOfOdooUnits(t *testing.T) {
	root := t.TempDir()
	units := filepath.Join(root, "usr/local/lib/systemd/system")
	for _, f := range sampleTree(t, "tests").Files {
		if name, ok := strings.CutPrefix(f.Path, "systemd/system/"); ok {
			write(t, filepath.Join(units, name), string(f.Data), 0o444)
		}
	}
	for _, unit := range []string{"odoo-qa17.service", "odoo-staging19.service", "odoo-update-qa19.service"} {
		out, err := exec.Command("systemd-analyze", "security", "--offline=true", "--no-pager", "--root="+root, unit).CombinedOutput()
		m := regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+)`).FindSubmatch(out)
		if err != nil || m == nil {
			t.Fatalf("systemd-analyze security %s: %v\n%s\napt-get install systemd", unit, err, out)
		}
		if exposure, _ := strconv.ParseFloat(string(m[1]), 64); exposure > 1.6 {
			t.Errorf("%s: exposure %v, want 1.6 at most", unit, exposure)
		}
	}
}

// The target wants exactly what runs on the host, and a boot starts the target.
func TestTheTargetWantsWhatRuns(t *testing.T) {
	top := sample(t)
	for _, h := range top.Hosts {
		tree := sampleTree(t, h.Name)
		var want, got []string
		for _, w := range top.Units(h) {
			want = append(want, w.Unit)
		}
		for line := range strings.Lines(string(tree.File("systemd/system/odoogen.target").Data)) {
			if unit, ok := strings.CutPrefix(strings.TrimSpace(line), "Wants="); ok {
				got = append(got, unit)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", h.Name, diff)
		}
		if !hasLine(t, tree, "systemd/system/multi-user.target.d/odoogen.conf", "Wants=odoogen.target") {
			t.Errorf("%s: a boot does not start odoogen.target", h.Name)
		}
		for i := range tree.Files {
			if f := &tree.Files[i]; strings.HasPrefix(f.Path, "systemd/system/") && strings.Contains(string(f.Data), "[Install]") {
				t.Errorf("%s: %s could be enabled on its own", h.Name, f.Path)
			}
		}
	}
}

func hasLine(t *testing.T, tree *artifact.Tree, path, line string) bool {
	t.Helper()
	f := tree.File(path)
	if f == nil {
		t.Fatalf("%s: no such file in the tree", path)
	}
	return strings.Contains("\n"+string(f.Data), "\n"+line+"\n")
}

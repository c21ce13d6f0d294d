package generators

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestBackupAndRestore runs the real scripts of the tree with restic and PostgreSQL. The repository is a folder.
func TestBackupAndRestore(t *testing.T) {
	h := newScratchHost(t)
	h.cluster()
	h.write("credentials/password", "secret\n")
	h.settings("restic/backup.env", map[string]string{"RESTIC_REPOSITORY": h.path("repository"), "RESTIC_CACHE_DIR": h.path("cache")})
	h.write("etc/certificate", "kept\n")
	h.write("tree/restic/host.paths", h.path("etc")+"\n"+h.path("state")+"\n")
	h.write("tree/restic/instances", "# a comment\nba17\nqa17\n")
	for _, name := range []string{"ba17", "qa17"} {
		h.instance(name)
	}
	h.database("qa17")
	h.attach("qa17", "ab/abcd", "an attachment\n")
	snapshots := func() int {
		t.Helper()
		files, err := os.ReadDir(h.path("repository/snapshots"))
		if err != nil {
			t.Fatal(err)
		}
		return len(files)
	}

	// ba17 has no database: what fails stops nothing else, and fails the run.
	h.must(1, "not saved: ba17", "backup")
	if n := snapshots(); n != 2 {
		t.Fatalf("%d snapshots, want one of qa17 and one of the host", n)
	}
	if got := h.read("state/backup/qa17.env"); !strings.Contains(got, "BYTES=") {
		t.Errorf("no record of the backup: %s", got)
	}
	if _, err := os.Stat(h.path("state/dumps/qa17/dump")); err == nil {
		t.Error("the dump is still there, in clear")
	}

	// A dump of half the size is no backup, and neither is a database that is not Odoo's.
	h.sql("qa17", "CREATE TABLE aside AS SELECT * FROM partner; DELETE FROM partner; DROP TABLE aside")
	h.must(1, "not saved", "backup", "qa17")
	h.sql("qa17", "ALTER TABLE ir_module_module RENAME TO module")
	h.must(1, "holds no Odoo database", "backup", "qa17")
	h.sql("qa17", "ALTER TABLE module RENAME TO ir_module_module")
	if n := snapshots(); n != 2 {
		t.Errorf("%d snapshots after two dumps that are none, want 2", n)
	}

	// In earnest: what was lost comes back, and what was there is kept aside.
	if err := os.RemoveAll(h.path("data/qa17/filestore/qa17")); err != nil {
		t.Fatal(err)
	}
	h.asked()
	h.write("state/made", "database\tqa17\t15/other\tqa\ndatabase\tqa17\t15/main\tqa17\nrole\todoo-qa17\t15/main\tqa17\n")
	h.must(1, "qa17 has no release yet: nothing would answer", "restore", "qa17")
	h.write("opt/instances/qa17/current/odoo17/odoo-bin", "")
	h.must(0, "qa17: restored from latest", "restore", "qa17")
	if got := h.read("state/made"); !strings.HasSuffix(got, "role\todoo-qa17\t15/main\tqa17\ndatabase\tqa17_before\t15/main\tqa17\n") {
		t.Errorf("the record of what was made does not end with the old database:\n%s", got)
	}
	if got := h.sql("qa17", "SELECT count(*) FROM partner WHERE name = 'as saved'"); got != "1" {
		t.Error("the saved row is not there")
	}
	if got := h.read("data/qa17/filestore/qa17/ab/abcd"); got != "an attachment\n" {
		t.Errorf("the attachment is %q", got)
	}
	if got := h.sql("qa17_before", "SELECT count(*) FROM partner"); got != "0" {
		t.Errorf("the old database is not aside: %s rows", got)
	}
	want := []string{"stop odoo-qa17.service\n", "start odoogen-postgres@15-main.service\n", "start odoo-qa17.service\n"}
	if diff := cmp.Diff(want, h.asked()); diff != "" {
		t.Errorf("systemctl (-want +got):\n%s", diff)
	}

	// Odoo does not come up with what was restored: the data that was there is there again.
	h.sql("qa17", "INSERT INTO partner VALUES ('newer')")
	h.loginIs(http.StatusSeeOther) // what Odoo answers without a database
	h.must(1, "the old data is in place again", "restore", "qa17")
	h.loginIs(http.StatusOK)
	if got := h.sql("qa17", "SELECT count(*) FROM partner WHERE name = 'newer'"); got != "1" {
		t.Error("the newer row is gone")
	}
	if got := h.read("data/qa17/filestore/qa17/ab/abcd"); got != "an attachment\n" {
		t.Errorf("the attachment is %q", got)
	}
	if got := h.sql("postgres", "SELECT count(*) FROM pg_database WHERE datname LIKE 'qa17_drill'"); got != "0" {
		t.Error("the copy is still there")
	}

	// Two of one day: retention keeps the newer, and the packs are read back part by part.
	h.must(0, "qa17: saved", "backup", "qa17")
	h.write("state/backup/--maintenance.env", "PART=12\n")
	h.must(0, "part 13 of 13 is sound", "backup-maintenance")
	if n := snapshots(); n != 2 {
		t.Errorf("%d snapshots, want the newest of qa17 and that of the host", n)
	}
	h.must(0, "qa17", "restore", "--list", "qa17")

	h.must(0, "", "metrics")
	metrics := h.read("metrics/odoogen.prom")
	for _, line := range []string{
		`odoogen_backup_last_success_timestamp_seconds{name="ba17"} 0`, `odoogen_certificate_expiry_timestamp_seconds{name="qa17"} 0`,
	} {
		if !strings.Contains(metrics, line+"\n") {
			t.Errorf("no %s in\n%s", line, metrics)
		}
	}
	if strings.Contains(metrics, `odoogen_backup_last_success_timestamp_seconds{name="qa17"} 0`) {
		t.Error("qa17's backup is not in the metrics")
	}
}

func TestScriptsRefuseWrongArguments(t *testing.T) {
	h := newScratchHost(t)
	for _, c := range []struct {
		code int
		text string
		argv []string
	}{
		{2, "usage: backup", []string{"backup", "--all"}},
		{2, "usage: backup", []string{"backup", "qa17", "ba17"}},
		{0, "usage: backup", []string{"backup", "--help"}},
		{1, `"../qa17" is no name of an instance`, []string{"backup", "../qa17"}},
		{1, "this host has no instances/qa99.env", []string{"backup", "qa99"}},
		{2, "usage: backup-maintenance", []string{"backup-maintenance", "now"}},
		{2, "usage: restore", []string{"restore"}},
		{2, "usage: restore", []string{"restore", "qa17", "--into"}},
		{1, `"a; reboot" is no snapshot`, []string{"restore", "qa17", "a; reboot"}},
		{2, "usage: drill", []string{"drill", "--now"}},
		{2, "usage: ping", []string{"ping"}},
		{2, "usage: mirror", []string{"mirror", "odoo17"}},
		{2, "usage: metrics", []string{"metrics", "now"}},
		{1, `"17/.." is no version`, []string{"venv", "17/.."}},
		{2, "usage: release", []string{"release"}},
		{2, "usage: release", []string{"release", "remove", "qa17"}},
		{2, "usage: release", []string{"release", "deploy", "qa17", "--force"}},
		{2, "usage: release", []string{"release", "deploy", "qa17", "-u"}},
		{1, `"base;x" is no list of modules`, []string{"release", "deploy", "qa17", "-u", "base;x"}},
		{1, `"HEAD" is no full commit`, []string{"release", "deploy", "qa17", "HEAD", "-u", "base"}},
		{1, "modules are chosen by a later version", []string{"release", "deploy", "qa17"}},
		{1, `"/etc/passwd" is no name of an instance`, []string{"release", "list", "/etc/passwd"}},
	} {
		h.settings("instances/qa17.env", map[string]string{"ROOT": h.path("opt/instances/qa17")})
		h.must(c.code, c.text, c.argv[0], c.argv[1:]...)
	}
}

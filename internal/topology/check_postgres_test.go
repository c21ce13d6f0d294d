package topology

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"odoogen/internal/pgtest"
)

// TestHugePagesAreWhatPostgreSQLTakes asks the real thing, which must never want more, nor much less.
func TestHugePagesAreWhatPostgreSQLTakes(t *testing.T) {
	version := strconv.Itoa(pgtest.Version)
	c := pgtest.New(t, "huge", 5493, nil)
	c.Run("pg_ctlcluster", version, "huge", "stop") // it is computed where nothing runs
	rapid.Check(t, func(t *rapid.T) {
		cluster := Cluster{RAM: Size(rapid.Int64Range(1<<9, 1<<18).Draw(t, "RAM in MiB")) * MiB}
		cluster.Settings.MaxConnections = rapid.IntRange(20, 10000).Draw(t, "max_connections")
		cluster.Settings.MaxLocksPerTransaction = rapid.IntRange(64, 1000).Draw(t, "max_locks_per_transaction")
		said := c.Run("/usr/lib/postgresql/"+version+"/bin/postgres", "-D", filepath.Join(c.Dir, "data"),
			"-c", "config_file="+filepath.Join(filepath.Dir(c.ConfD()), "postgresql.conf"),
			"-c", fmt.Sprintf("shared_buffers=%dMB", cluster.SharedBuffers()/MiB),
			"-c", fmt.Sprintf("max_connections=%d", cluster.Settings.MaxConnections),
			"-c", fmt.Sprintf("max_locks_per_transaction=%d", cluster.Settings.MaxLocksPerTransaction),
			"-C", "shared_memory_size_in_huge_pages")
		wants, err := strconv.ParseInt(said[strings.LastIndexByte(said, '\n')+1:], 10, 64)
		if err != nil {
			t.Fatal(said)
		}
		if got := cluster.hugePages(); got < wants || got > wants+wants/10+8 {
			t.Fatalf("%d pages, and PostgreSQL takes %d", got, wants)
		}
	})
}

// TestBoundsArePostgreSQLs compares with what PostgreSQL says of itself, and what its start wants beside.
func TestBoundsArePostgreSQLs(t *testing.T) {
	c := pgtest.New(t, "bounds", 5494, nil)
	settings := ClusterSettings{}
	for _, b := range settings.sizes() {
		least := b.least
		switch b.name {
		case "max_wal_size", "min_wal_size":
			if segment := c.Query("postgres", "postgres", "SELECT 2 * setting::int / 1048576 FROM pg_settings WHERE name = 'wal_segment_size'"); segment != fmt.Sprint(int64(b.least)/int64(MiB)) {
				t.Errorf("%s: %v, and two segments of the WAL are %s MB", b.name, b.least, segment)
			}
			least = PGSize(2 * MiB) // to pg_settings
		case "autovacuum_work_mem":
			least = -PGSize(KiB) // the same: -1 is another setting's
		}
		want := c.Query("postgres", "postgres", fmt.Sprintf("SELECT min_val::bigint * u || ' ' || max_val::bigint * u FROM pg_settings, (VALUES ('kB', 1024), ('MB', 1048576)) AS units (n, u) WHERE name = '%s' AND n = unit", b.name))
		if got := fmt.Sprintf("%d %d", least, b.most); got != want {
			t.Errorf("%s: %s, and PostgreSQL has %s", b.name, got, want)
		}
	}
	for _, b := range settings.times() {
		least := milliseconds(b.least)
		if b.name == "log_min_duration_statement" {
			least = -1 // off
		}
		want := c.Query("postgres", "postgres", fmt.Sprintf("SELECT min_val::bigint * u || ' ' || max_val::bigint * u FROM pg_settings, (VALUES ('ms', 1), ('s', 1000)) AS units (n, u) WHERE name = '%s' AND n = unit", b.name))
		if got := fmt.Sprintf("%d %d", least, milliseconds(b.most)); got != want {
			t.Errorf("%s: %s, and PostgreSQL has %s", b.name, got, want)
		}
	}
}

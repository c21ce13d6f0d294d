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

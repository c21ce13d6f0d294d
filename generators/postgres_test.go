package generators

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"odoogen/internal/artifact"
	"odoogen/internal/pgtest"
	"odoogen/internal/topology"
)

// Both clusters of the sample are started, by Debian's tools, with the files of the tree. Only two paths differ from a
// host: that of the tree, and that of the socket. And peer, which asks the kernel, is trust: the users of the instances
// do not exist here. Which names reach which database stays as it is.
func TestClustersRunWithTheirSettings(t *testing.T) {
	tests := sampleTree(t, "tests")
	for _, c := range sample(t).Clusters {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			server := startCluster(t, tests, c)
			checkSettings(t, server, "postmaster.conf", func(context string) bool { return context == "postmaster" })
			checkSettings(t, server, "reload.conf", func(context string) bool {
				return slices.Contains([]string{"sighup", "superuser", "user", "backend"}, context)
			})
			for query, want := range map[string]string{
				"SHOW data_checksums": "on",
				"SELECT count(*) FROM pg_settings WHERE pending_restart":              "0",
				"SELECT count(*) FROM pg_file_settings WHERE error IS NOT NULL":       "0",
				"SELECT count(*) FROM pg_hba_file_rules WHERE error IS NOT NULL":      "0",
				"SELECT count(*) FROM pg_ident_file_mappings WHERE error IS NOT NULL": "0",
				"SHOW listen_addresses": "",
			} {
				if got := server.Query("postgres", "postgres", query); got != want {
					t.Errorf("%s: %s, want %s", query, got, want)
				}
			}

			apply := filepath.Join(server.Dir, "current/bin/postgres-apply")
			server.Run(apply, c.ID())
			before := catalog(server)
			if out := server.Run(apply, c.ID()); out != "" {
				t.Errorf("the second run says: %s", out)
			}
			if diff := cmp.Diff(before, catalog(server)); diff != "" {
				t.Errorf("the second run changes what the first did: %s", diff)
			}
			checkInstances(t, server, c)
			checkNoTrick(t, server, c, apply)
		})
	}
}

// startCluster starts a cluster with its files of the tree, entered as on a host.
func startCluster(t *testing.T, tree *artifact.Tree, c *topology.Cluster) *pgtest.Cluster {
	t.Helper()
	return pgtest.New(t, c.Name, c.Port, func(server *pgtest.Cluster) {
		current := filepath.Join(server.Dir, "current")
		local := strings.NewReplacer(topology.Current, current, topology.SocketDir, server.Socket(), " peer\n", " trust\n")
		for _, f := range tree.Files {
			if strings.HasPrefix(f.Path, "postgresql/") || f.Path == "bin/postgres-apply" {
				write(t, filepath.Join(current, f.Path), local.Replace(string(f.Data)), os.FileMode(f.Mode))
			}
		}
		write(t, filepath.Join(server.ConfD(), "odoogen.conf"), fmt.Sprintf(
			"include '%[1]s/%[2]s/postmaster.conf'\ninclude '%[1]s/%[2]s/reload.conf'\n", current, c.Folder()), 0o444)
	})
}

// checkSettings holds a file of settings against what the server made of it.
func checkSettings(t *testing.T, server *pgtest.Cluster, file string, may func(context string) bool) {
	t.Helper()
	rows := server.Query("postgres", "postgres", `SELECT f.name, s.context, f.applied, s.sourcefile = f.sourcefile OR s.setting = f.setting
		FROM pg_file_settings f LEFT JOIN pg_settings s USING (name) WHERE f.sourcefile LIKE '%/`+file+`' ORDER BY f.seqno`)
	if rows == "" {
		t.Fatalf("%s was not read", file)
	}
	for row := range strings.SplitSeq(rows, "\n") {
		v := strings.Split(row, "|")
		if v[2] != "t" || v[3] != "t" {
			t.Errorf("%s: %s is not in effect: %s", file, v[0], row)
		}
		if !may(v[1]) {
			t.Errorf("%s: %s has context %s", file, v[0], v[1])
		}
	}
}

// catalog is all that roles.sql and databases.sql decide.
func catalog(server *pgtest.Cluster) string {
	all := server.Query("postgres", "postgres", `SELECT rolname, rolsuper, rolcreatedb, rolcreaterole, rolcanlogin, rolconnlimit, rolconfig FROM pg_roles
		WHERE rolname NOT LIKE 'pg\_%' ORDER BY 1;
		SELECT roleid::regrole, member::regrole FROM pg_auth_members ORDER BY 1, 2;
		SELECT datname, datdba::regrole, datacl, datcollate, datctype, pg_encoding_to_char(encoding) FROM pg_database ORDER BY 1`)
	for name := range strings.SplitSeq(server.Query("postgres", "postgres", "SELECT datname FROM pg_database WHERE datallowconn ORDER BY 1"), "\n") {
		all += "\n" + server.Query("postgres", name, "SELECT current_database(), extname, extversion FROM pg_extension ORDER BY 2")
	}
	return all
}

func checkInstances(t *testing.T, server *pgtest.Cluster, c *topology.Cluster) {
	t.Helper()
	for _, i := range c.Instances {
		role := i.User()
		for query, want := range map[string]string{
			"SELECT rolcanlogin, rolsuper, rolcreatedb, rolcreaterole, rolconnlimit FROM pg_roles WHERE rolname = current_user":                      fmt.Sprintf("t|f|f|f|%d", i.RoleConnections()),
			"SELECT datcollate, datctype, pg_encoding_to_char(encoding), datdba::regrole FROM pg_database WHERE datname = current_database()":        fmt.Sprintf("C|C.UTF-8|UTF8|%q", role),
			"SELECT string_agg(extname, ' ' ORDER BY extname) FROM pg_extension":                                                                     "pg_trgm plpgsql unaccent",
			"SELECT provolatile FROM pg_proc WHERE oid = 'unaccent(text)'::regprocedure":                                                             "i",
			"CREATE TABLE probe (name text); CREATE INDEX ON probe USING gin (unaccent(name) gin_trgm_ops); DROP TABLE probe; SELECT 'made a table'": "made a table",
		} {
			if got := server.Query(role, i.Database, query); got != want {
				t.Errorf("%s in %s: %s\n%s, want %s", role, i.Database, query, got, want)
			}
		}
		if out, err := server.Try(role, "postgres", "CREATE DATABASE typo"); err == nil || !strings.Contains(out, "permission denied") {
			t.Errorf("%s made a database: %s", role, out)
		}
		for _, other := range c.Instances {
			if out, err := server.Try(role, other.Database, "SELECT 1"); i != other && (err == nil || !strings.Contains(out, "rejects")) {
				t.Errorf("%s reaches the database of %s: %s", role, other.Name, out)
			}
		}
	}
	if got := server.Query("prometheus", "postgres", "SELECT count(*) > 0 FROM pg_stat_activity WHERE query IS NOT NULL"); got != "t" {
		t.Errorf("prometheus sees no activity")
	}
	if out, err := server.Try("prometheus", c.Instances[0].Database, "SELECT 1"); err == nil {
		t.Errorf("prometheus reaches a database of Odoo: %s", out)
	}
}

// checkNoTrick has an instance set in its database, which it owns, what makes others run its code: also the superuser
// who applies the next generation, were it to ask anything there.
func checkNoTrick(t *testing.T, server *pgtest.Cluster, c *topology.Cluster, apply string) {
	t.Helper()
	evil := c.Instances[0]
	server.Query(evil.User(), evil.Database, `CREATE SCHEMA evil;
		CREATE FUNCTION evil.rob() RETURNS name LANGUAGE plpgsql AS $$ BEGIN ALTER ROLE "`+evil.User()+`" SUPERUSER; RETURN ''; END $$;
		CREATE VIEW evil.pg_database AS SELECT evil.rob() AS datname;
		CREATE VIEW evil.pg_roles AS SELECT evil.rob() AS rolname;
		CREATE FUNCTION evil.unaccent(text) RETURNS text LANGUAGE sql AS $$ SELECT $1 $$;
		ALTER DATABASE "`+evil.Database+`" SET search_path = evil, pg_catalog, public`)
	server.Run(apply, c.ID())
	if got := server.Query("postgres", "postgres", "SELECT string_agg(rolname, ' ') FROM pg_roles WHERE rolsuper"); got != "postgres" {
		t.Errorf("superusers are %s, want postgres alone", got)
	}
	if got := server.Query("postgres", evil.Database, "SELECT provolatile FROM pg_proc WHERE oid = 'evil.unaccent(text)'::regprocedure"); got != "v" {
		t.Errorf("a function of the instance's was changed")
	}
}

// Two clusters, one pg_hba: whoever may connect reads it in one place.
func TestOneTextSaysWhoMayConnect(t *testing.T) {
	tree := sampleTree(t, "tests")
	main, staging := tree.File("postgresql/main/pg_hba.conf"), tree.File("postgresql/staging/pg_hba.conf")
	if diff := cmp.Diff(string(main.Data), string(staging.Data)); diff != "" {
		t.Error(diff)
	}
}

// What stops or restarts a cluster is what needs it, and nothing else.
func TestEffectsOfClusterFiles(t *testing.T) {
	tree := sampleTree(t, "tests")
	want := map[string][]artifact.Effect{
		"postgresql/main/postmaster.conf":                            {"restart:postgresql@15-main.service"},
		"postgresql/main/reload.conf":                                {"reload:postgresql@15-main.service"},
		"postgresql/main/roles.sql":                                  {"run:odoogen-postgres@15-main.service"},
		"postgresql/main/databases.sql":                              {"run:odoogen-postgres@15-main.service"},
		"postgresql/main/pg_hba.conf":                                {"reload:postgresql@15-main.service"},
		"systemd/system/postgresql@15-main.service.d/10-limits.conf": {"daemon-reload"},
		"systemd/system/postgresql@15-main.service.d/15-oom.conf":    {"daemon-reload"},
	}
	for path, effects := range want {
		if diff := cmp.Diff(effects, effectsOf(t, tree, path)); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
}

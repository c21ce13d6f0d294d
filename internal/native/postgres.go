package native

import (
	"bytes"
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"odoogen/internal/artifact"
)

// postgresql makes each cluster as the host does, with pg_createcluster, data checksums and the door in its conf.d,
// starts it with the tree's settings, asks it what it thinks of its files, gives it the SQL twice, and has every role
// log in to its database. One cluster after the other: both are large.
func postgresql(c *check) {
	for _, cl := range c.host.Clusters {
		if slices.ContainsFunc(c.files, func(f *artifact.File) bool { return strings.HasPrefix(f.Path, "postgresql/"+cl.Name+"/") }) {
			server := &server{check: c, cluster: cl}
			server.try()
		}
	}
	for _, f := range c.files {
		shared := strings.Count(f.Path, "/") == 1 // by all clusters
		if !shared && !slices.ContainsFunc(c.host.Clusters, func(cl cluster) bool { return strings.HasPrefix(f.Path, "postgresql/"+cl.Name+"/") }) {
			c.fail(f.Path, 0, "no cluster of HOST.json has this file")
		}
	}
}

// server is one cluster at work.
type server struct {
	*check
	cluster
	log bytes.Buffer
}

func (s *server) try() {
	version := strconv.Itoa(s.Version)
	if !s.create(version) {
		return
	}
	if err := s.root.do(func() error { return openBelow(s.host, "/etc/postgresql/"+version+"/"+s.cluster.Name+"/") }); err != nil {
		s.fail("", 0, "%v", err)
		return
	}
	ctx, stop := context.WithCancel(s.ctx)
	defer stop()
	// In the foreground, so that it ends with the root; nobody needs its data after a power cut.
	postgres, err := s.root.start(ctx, command{user: "postgres", argv: []string{
		"/usr/lib/postgresql/" + version + "/bin/postgres", "-F",
		"-c", "config_file=/etc/postgresql/" + version + "/" + s.cluster.Name + "/postgresql.conf",
		// Logs to standard error here, wherever the host's go.
		"-c", "logging_collector=off", "-c", "log_destination=stderr", "-c", "log_line_prefix="}}, &s.log, &s.log)
	if err != nil {
		s.fail("", 0, "postgres: %v", err)
		return
	}
	ended := make(chan struct{})
	go func() { postgres.wait(); close(ended) }()
	if s.ready(ended) {
		s.ask()
		s.apply()
		s.logins()
	}
	postgres.interrupt() // a fast shutdown
	<-ended
}

// create makes the cluster with pg_createcluster. Of several of one version the first is initialised, which takes longest;
// the others begin as copies of it, which pg_createcluster takes over.
func (s *server) create(version string) bool {
	config, data := "/etc/postgresql/"+version+"/"+s.cluster.Name, "/var/lib/postgresql/"+version+"/"+s.cluster.Name
	fresh, known := s.vetter.fresh(s.Version)
	if known {
		s.run("mkdir", "-p", data)
		s.runCommand(command{argv: []string{"tar", "-C", data, "-x"}, stdin: fresh})
	}
	res := s.run("pg_createcluster", version, s.cluster.Name, "--port", strconv.Itoa(s.Port), "--", "--data-checksums", "--no-sync")
	if res.code != 0 {
		s.fail("", 0, "pg_createcluster %s: %s", s.cluster.Name, strings.TrimSpace(res.stderr))
		return false
	}
	if !known {
		// With its own configuration, which pg_createcluster moves away again.
		res := s.run("tar", "-c", "-C", data, ".", "-C", config, "postgresql.conf", "pg_hba.conf", "pg_ident.conf")
		if res.code == 0 {
			s.vetter.keep(s.Version, res.stdout)
		}
	}
	return true
}

// ready waits until the cluster says in its postmaster.pid that it is, long enough for a busy machine. One that ends instead has
// said why.
func (s *server) ready(ended chan struct{}) bool {
	pid := "/var/lib/postgresql/" + strconv.Itoa(s.Version) + "/" + s.cluster.Name + "/postmaster.pid"
	for deadline := time.Now().Add(3 * time.Minute); time.Now().Before(deadline); {
		select {
		case <-ended:
			s.why()
			return false
		case <-time.After(20 * time.Millisecond):
		}
		var status []byte
		if err := s.root.do(func() (err error) { status, err = os.ReadFile(pid); return err }); err == nil && bytes.Contains(status, []byte("\nready")) {
			return true
		}
	}
	s.fail("", 0, "cluster %s does not answer: %s", s.cluster.Name, s.psql("postgres", "postgres", "-c", "SELECT 1").stderr)
	return false
}

// why takes from the log of a cluster that did not start what it says of files and settings: a record, and the lines
// that explain it. What was fatal in the end only sums that up.
func (s *server) why() {
	var records []string
	for line := range strings.Lines(s.log.String()) {
		kind, message, _ := strings.Cut(strings.TrimSpace(line), ":  ")
		switch {
		case kind == "CONTEXT" || kind == "HINT" || kind == "DETAIL":
			if len(records) > 0 {
				records[len(records)-1] += ": " + message
			}
		case !chatter().MatchString(message):
			records = append(records, message)
		}
	}
	if len(records) > 1 {
		records = records[:len(records)-1]
	}
	for _, r := range records {
		s.complaint(r)
	}
	if len(records) == 0 {
		s.fail("", 0, "cluster %s does not start: %s", s.cluster.Name, lastLine(s.log.String()))
	}
}

// chatter is what a healthy server says.
var chatter = lazily(`^(starting PostgreSQL|listening on|database system|received|shutting down|checkpoint|aborting any|background worker|logical replication)`)

// ask has the server say which lines of its files it did not take, and that it was made with checksums.
func (s *server) ask() {
	queries := []string{
		`SELECT sourcefile, sourceline, name || ': ' || coalesce(error, 'not applied: a later line sets it again')
		   FROM pg_file_settings WHERE error IS NOT NULL OR (NOT applied AND sourcefile LIKE '/etc/odoogen/%')`,
		`SELECT current_setting('hba_file'), line_number, error FROM pg_hba_file_rules WHERE error IS NOT NULL`,
		`SELECT '', 0, 'cluster ' || current_setting('cluster_name') || ' has no data checksums' WHERE current_setting('data_checksums') <> 'on'`,
	}
	if s.Version >= 15 {
		queries = append(queries, `SELECT current_setting('ident_file'), line_number, error FROM pg_ident_file_mappings WHERE error IS NOT NULL`)
	}
	var what []string
	for _, q := range queries {
		what = append(what, "-c", q)
	}
	res := s.psql("postgres", "postgres", what...)
	s.complaints(res.stderr)
	for line := range strings.Lines(res.stdout) {
		if f := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 3); len(f) == 3 {
			n, _ := strconv.Atoi(f[1])
			s.fail(s.inTree(f[0]), n, "%s", f[2])
		}
	}
}

// apply runs the SQL files twice: what is idempotent changes nothing the second time.
func (s *server) apply() {
	var what []string
	for _, f := range s.sql() {
		what = append(what, "-f", at(f), "-c", `\connect postgres`)
	}
	for range 2 {
		res := s.psql("postgres", "postgres", what...)
		if res.code != 0 || strings.Contains(res.stderr, "WARNING:") {
			s.complaints(res.stderr)
			return
		}
	}
}

// sql are the cluster's SQL files: roles, then databases, then what else there is.
func (s *server) sql() []*artifact.File {
	order := func(f *artifact.File) int {
		switch f.Path[strings.LastIndexByte(f.Path, '/')+1:] {
		case "roles.sql":
			return 0
		case "databases.sql":
			return 1
		}
		return 2
	}
	var all []*artifact.File
	for _, f := range s.files {
		if strings.HasPrefix(f.Path, "postgresql/"+s.cluster.Name+"/") && strings.HasSuffix(f.Path, ".sql") {
			all = append(all, f)
		}
	}
	slices.SortStableFunc(all, func(a, b *artifact.File) int { return order(a) - order(b) })
	return all
}

// logins has each role connect, as the operating system's user of its name, to what Odoo needs: its own database and
// "postgres", where Odoo asks for databases and listens for its cron.
func (s *server) logins() {
	for _, d := range s.host.Instances {
		if d.Cluster != s.cluster.Name {
			continue
		}
		if res := s.psql(d.Role, d.Database, "-c", "SELECT 1", "-c", `\connect postgres`, "-c", "SELECT 1"); res.code != 0 {
			s.fail("postgresql/"+s.cluster.Name+"/pg_hba.conf", 0, "%s cannot log in to %s and postgres: %s", d.Role, d.Database, strings.TrimSpace(res.stderr))
		}
	}
}

// psql runs files (-f) or queries (-c) as a user of the system, over the socket.
func (s *server) psql(user, database string, what ...string) result {
	argv := []string{"/usr/lib/postgresql/" + strconv.Itoa(s.Version) + "/bin/psql", "-X", "-w", "-q", "-A", "-t", "-F", "\t",
		"-v", "ON_ERROR_STOP=1", "-h", s.SocketDirectory, "-p", strconv.Itoa(s.Port), "-d", database}
	return s.root.runCommand(s.ctx, command{argv: append(argv, what...), user: user})
}

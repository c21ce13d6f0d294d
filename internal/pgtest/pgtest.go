// Package pgtest runs real PostgreSQL clusters for tests, made by Debian's own tools in a directory of their own: no
// test touches /etc/postgresql, and no cluster outlives its test.
package pgtest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Version is the major version that the tests run: Debian 12's.
const Version = 15

// Cluster is a running cluster.
type Cluster struct {
	t    testing.TB
	name string
	port int
	Dir  string // holds everything: configuration, data, socket
}

// New makes a cluster of that name and starts it. Its sockets lie in Dir; prepare, when it is not nil, puts further
// configuration into ConfD before the start. The superuser is postgres and needs no password, unless prepare says so.
func New(t testing.TB, name string, port int, prepare func(c *Cluster)) *Cluster {
	t.Helper()
	dir, err := os.MkdirTemp("", "odoogen-pg-")
	if err != nil {
		t.Fatal(err)
	}
	c := &Cluster{t: t, name: name, port: port, Dir: dir}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if credential := server(t); credential != nil {
		if err := os.Chown(dir, int(credential.Uid), int(credential.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	c.Run("pg_createcluster", "--port", strconv.Itoa(port), "--datadir", filepath.Join(dir, "data"), "--socketdir", c.Socket(),
		"--logfile", c.log(), "--pgoption", "listen_addresses=", "--encoding", "UTF8", "--locale", "C.UTF-8", strconv.Itoa(Version), name,
		"--", "--data-checksums", "--username=postgres", "--auth=trust", "--no-sync")
	if prepare != nil {
		prepare(c)
	}
	t.Cleanup(func() { c.run("pg_ctlcluster", strconv.Itoa(Version), name, "stop", "-m", "immediate") })
	if out, err := c.run("pg_ctlcluster", strconv.Itoa(Version), name, "start", "--", "-o", "-c fsync=off -c listen_addresses="); err != nil {
		log, _ := os.ReadFile(c.log())
		t.Fatalf("start of %s: %v\n%s%s", name, err, out, log)
	}
	return c
}

// For is the cluster for a part of the test that made it, such as an input of a fuzz test.
func (c *Cluster) For(t testing.TB) *Cluster {
	same := *c
	same.t = t
	return &same
}

// ConfD is the folder whose files postgresql.conf includes.
func (c *Cluster) ConfD() string {
	return filepath.Join(c.Dir, "etc", strconv.Itoa(Version), c.name, "conf.d")
}

// Socket is the folder of the cluster's socket.
func (c *Cluster) Socket() string { return filepath.Join(c.Dir, "run") }

func (c *Cluster) log() string { return filepath.Join(c.Dir, "log") }

// Query runs SQL as a role in a database, and gives its rows, columns apart by "|".
func (c *Cluster) Query(role, database, sql string) string {
	c.t.Helper()
	out, err := c.Try(role, database, sql)
	if err != nil {
		c.t.Fatalf("%s\n%v\n%s", sql, err, out)
	}
	return out
}

// Try is Query for SQL that may fail; then the output is what psql complains.
func (c *Cluster) Try(role, database, sql string) (string, error) {
	cmd := c.Command("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", c.Socket(), "-p", strconv.Itoa(c.port), "-U", role, "-d", database)
	cmd.Stdin = strings.NewReader(sql)
	out, err := cmd.CombinedOutput()
	return strings.TrimSuffix(string(out), "\n"), err
}

// Run runs a program as the cluster's owner, with the cluster among those that Debian's tools know.
func (c *Cluster) Run(name string, args ...string) string {
	c.t.Helper()
	out, err := c.run(name, args...)
	if err != nil {
		c.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

func (c *Cluster) run(name string, args ...string) (string, error) {
	out, err := c.Command(name, args...).CombinedOutput()
	return string(bytes.TrimSpace(out)), err
}

// Command is a program as Run runs it.
func (c *Cluster) Command(name string, args ...string) *exec.Cmd {
	c.t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		c.t.Fatalf("%v: apt-get install postgresql-%d", err, Version)
	}
	cmd := exec.Command(name, args...)
	cmd.Dir = c.Dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + c.Dir, "LANG=C.UTF-8", "TZ=Etc/UTC",
		"PG_CLUSTER_CONF_ROOT=" + filepath.Join(c.Dir, "etc"),
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: server(c.t)}
	return cmd
}

// server is whom PostgreSQL runs as: it refuses to be root.
func server(t testing.TB) *syscall.Credential {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		t.Fatalf("%v: apt-get install postgresql-%d", err, Version)
	}
	return &syscall.Credential{Uid: number(u.Uid), Gid: number(u.Gid), Groups: []uint32{}}
}

func number(id string) uint32 {
	n, err := strconv.ParseUint(id, 10, 32)
	if err != nil {
		panic(fmt.Sprintf("pgtest: user id %q", id))
	}
	return uint32(n)
}

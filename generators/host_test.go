package generators

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A scratchHost is what the scripts of the sample's host "tests" need to really run: its tree, a PostgreSQL cluster,
// directories of its own, and the instances' Odoo, played by a web server of the test. Every program is the real one
// but systemctl, since no systemd runs here: a stand-in writes down what it is asked for.
type scratchHost struct {
	t    *testing.T
	dir  string
	odoo *httptest.Server
	env  []string // more of the scripts' environment

	mu    sync.Mutex
	login int      // the status of /web/login
	hosts []string // X-Forwarded-Host of its requests
}

// instanceUser plays the instances' user; Debian has it on every machine.
const instanceUser = "daemon"

// newScratchHost needs root, as the scripts do.
func newScratchHost(t *testing.T) *scratchHost {
	t.Helper()
	dir, err := os.MkdirTemp("", "odoogen-host-") // t.TempDir lets no other user in
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	h := &scratchHost{t: t, dir: dir, login: http.StatusOK}
	os.Chmod(dir, 0o755)
	for _, d := range []string{"state", "locks", "metrics", "credentials", "data", "opt", "git", "cache", "etc", "stand-ins"} {
		h.mkdir(d)
	}
	h.odoo = httptest.NewServer(http.HandlerFunc(h.serve))
	t.Cleanup(h.odoo.Close)

	spec := sampleTopology(t)
	tree, err := BuildHost(spec, sampleHost(t, spec, "tests"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range tree.Files {
		h.mkdir("tree/" + filepath.Dir(f.Path))
		if err := os.WriteFile(h.path("tree/"+f.Path), f.Data, os.FileMode(f.Mode)|0o200); err != nil {
			t.Fatal(err)
		}
	}
	h.settings("jobs.env", map[string]string{
		"STATE": h.path("state"), "DUMPS": h.path("state/dumps"), "METRICS": h.path("metrics"),
		"LOCKS": h.path("locks"), "START_SECONDS": "2",
	})
	h.standIn("")
	return h
}

func (h *scratchHost) path(name string) string { return filepath.Join(h.dir, name) }

func (h *scratchHost) mkdir(name string) {
	h.t.Helper()
	if err := os.MkdirAll(h.path(name), 0o755); err != nil {
		h.t.Fatal(err)
	}
}

func (h *scratchHost) write(name, text string) {
	h.t.Helper()
	h.mkdir(filepath.Dir(name))
	if err := os.WriteFile(h.path(name), []byte(text), 0o644); err != nil {
		h.t.Fatal(err)
	}
}

func (h *scratchHost) read(name string) string {
	h.t.Helper()
	data, err := os.ReadFile(h.path(name))
	if err != nil {
		h.t.Fatal(err)
	}
	return string(data)
}

// settings turns keys of a generated KEY=value file to this machine. A key that is not generated fails the test.
func (h *scratchHost) settings(file string, values map[string]string) {
	h.t.Helper()
	text := h.read("tree/" + file)
	for key, value := range values {
		before, rest, found := strings.Cut("\n"+text, "\n"+key+"=")
		if !found {
			h.t.Fatalf("%s sets no %s", file, key)
		}
		_, after, _ := strings.Cut(rest, "\n")
		text = strings.TrimPrefix(before+"\n"+key+"="+value+"\n"+after, "\n")
	}
	h.write("tree/"+file, text)
}

// standIn is the systemctl of this host: it writes its arguments down, and does more where the test says so.
func (h *scratchHost) standIn(more string) {
	h.write("stand-ins/systemctl", "#!/bin/bash\necho \"$*\" >>"+h.path("systemctl")+"\n"+more)
	os.Chmod(h.path("stand-ins/systemctl"), 0o755)
}

// asked are the calls of systemctl since the last time.
func (h *scratchHost) asked() []string {
	data, _ := os.ReadFile(h.path("systemctl"))
	os.Remove(h.path("systemctl"))
	return slices.Collect(strings.Lines(string(data)))
}

// serve plays the instances' Odoo.
func (h *scratchHost) serve(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.URL.Path == "/web/login" {
		h.hosts = append(h.hosts, r.Header.Get("X-Forwarded-Host"))
		w.WriteHeader(h.login)
	}
}

func (h *scratchHost) loginIs(status int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.login = status
}

// odooPort is the port at which the instances' Odoo answers.
func (h *scratchHost) odooPort() string {
	_, port, _ := strings.Cut(strings.TrimPrefix(h.odoo.URL, "http://"), ":")
	return port
}

// cluster starts a PostgreSQL cluster that is reached through a socket in the host's directory, by peer authentication.
func (h *scratchHost) cluster() {
	h.t.Helper()
	h.mkdir("pg")
	if err := os.Chown(h.path("pg"), userID(h.t, "postgres"), -1); err != nil {
		h.t.Fatalf("%v: apt-get install postgresql-15", err)
	}
	pg := func(program string, arguments ...string) {
		h.t.Helper()
		h.command("setpriv", append([]string{"--reuid=postgres", "--regid=postgres", "--init-groups", "--reset-env",
			"/usr/lib/postgresql/15/bin/" + program}, arguments...)...)
	}
	pg("initdb", "--pgdata="+h.path("pg/data"), "--auth=peer", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
	pg("pg_ctl", "--pgdata="+h.path("pg/data"), "--wait", "--silent", "--log="+h.path("pg/log"), "start", "-o",
		"-p 5432 -c listen_addresses= -c fsync=off -c unix_socket_directories="+h.path("pg"))
	h.t.Cleanup(func() { pg("pg_ctl", "--pgdata="+h.path("pg/data"), "--mode=immediate", "--silent", "stop") })
	h.sql("postgres", "CREATE ROLE "+instanceUser+" LOGIN")
}

// sql runs statements as the superuser, and returns what they print.
func (h *scratchHost) sql(database, statements string) string {
	h.t.Helper()
	return strings.TrimSpace(h.command("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--reset-env",
		"/usr/lib/postgresql/15/bin/psql", "-h", h.path("pg"), "-d", database, "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statements))
}

// instance turns a generated instance to this machine: user, cluster, data, code, and the port of its Odoo.
func (h *scratchHost) instance(name string) {
	h.t.Helper()
	h.settings("instances/"+name+".env", map[string]string{
		"ODOO_USER": instanceUser, "PG_SOCKET": h.path("pg"), "PG_PORT": "5432", "HTTP_PORT": h.odooPort(),
		"FILESTORE": h.path("data/" + name + "/filestore/" + name), "ROOT": h.path("opt/instances/" + name),
		"VENV": h.path("opt/venv/17"), "UPDATE_REQUEST": h.path("update/" + name + ".env"),
	})
	h.mkdir("data/" + name)
	if err := os.Chown(h.path("data/"+name), userID(h.t, instanceUser), -1); err != nil {
		h.t.Fatal(err)
	}
}

// database makes a small database as Odoo has it: its modules, its attachments, and more than a dump's least size.
func (h *scratchHost) database(name string) {
	h.t.Helper()
	h.sql("postgres", "CREATE DATABASE "+name+" OWNER "+instanceUser+" TEMPLATE template0 LC_COLLATE 'C'")
	h.sql(name, `SET ROLE `+instanceUser+`;
		CREATE TABLE ir_module_module (name text, state text);
		CREATE TABLE ir_config_parameter (key text, value text);
		CREATE TABLE ir_attachment (store_fname text);
		CREATE TABLE partner (name text);
		INSERT INTO ir_module_module VALUES ('base', 'installed');
		INSERT INTO partner SELECT repeat(md5(n::text), 32) FROM generate_series(1, 2000) n;
		INSERT INTO partner VALUES ('as saved')`)
}

// attach puts an attachment into the instance's filestore and database.
func (h *scratchHost) attach(name, file, text string) {
	h.t.Helper()
	path := "data/" + name + "/filestore/" + name + "/" + file
	h.write(path, text)
	h.command("chown", "-R", instanceUser+":", h.path("data/"+name))
	h.sql(name, "INSERT INTO ir_attachment VALUES ('"+file+"')")
}

// run runs one of the tree's scripts; its exit code and all that it printed.
func (h *scratchHost) run(script string, arguments ...string) (int, string) {
	h.t.Helper()
	cmd := exec.Command(h.path("tree/bin/"+script), arguments...)
	cmd.Env = append([]string{"PATH=" + h.path("stand-ins") + ":/usr/sbin:/usr/bin:/sbin:/bin",
		"CREDENTIALS_DIRECTORY=" + h.path("credentials")}, h.env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if cmd.ProcessState == nil {
		h.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String()
}

// must runs a script that has to exit with a code and to print a text.
func (h *scratchHost) must(code int, text string, script string, arguments ...string) {
	h.t.Helper()
	got, out := h.run(script, arguments...)
	if got != code || !strings.Contains(out, text) {
		h.t.Fatalf("%s %s: exit %d, want %d and %q in\n%s", script, strings.Join(arguments, " "), got, code, text, out)
	}
}

// sshServer starts a server for root at a port of loopback, which the credential of that name opens. It returns the
// port and the server's key.
func (h *scratchHost) sshServer(credential string) (port int, hostKey string) {
	h.t.Helper()
	os.MkdirAll("/run/sshd", 0o755) // where sshd wants to be confined; ssh.service makes it
	for _, name := range []string{"host-key", "credentials/" + credential} {
		h.command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", h.path(name))
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	port = l.Addr().(*net.TCPAddr).Port
	l.Close()
	cmd := exec.Command("/usr/sbin/sshd", "-D", "-f", "/dev/null", "-h", h.path("host-key"), "-p", strconv.Itoa(port),
		"-o", "ListenAddress=127.0.0.1", "-o", "PidFile=none", "-o", "UsePAM=no", "-o", "StrictModes=no",
		"-o", "AuthorizedKeysFile="+h.path("credentials/"+credential+".pub"), "-o", "Subsystem=sftp internal-sftp")
	if err := cmd.Start(); err != nil {
		h.t.Fatalf("%v: apt-get install openssh-server", err)
	}
	h.t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for range 100 {
		if c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			c.Close()
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	return port, strings.TrimSpace(h.read("host-key.pub"))
}

func (h *scratchHost) command(name string, arguments ...string) string {
	h.t.Helper()
	cmd := exec.Command(name, arguments...)
	cmd.Dir = "/"
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		h.t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(arguments, " "), err, out, stderr.String())
	}
	return string(out)
}

func userID(t *testing.T, name string) int {
	t.Helper()
	out, err := exec.Command("id", "-u", name).Output()
	if err != nil {
		t.Fatalf("no user %s: apt-get install postgresql-15", name)
	}
	var id int
	fmt.Sscan(string(out), &id)
	return id
}

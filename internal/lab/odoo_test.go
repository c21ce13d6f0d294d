package lab

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"odoogen/internal/pgtest"
)

// standInOdoo is the stand-in for one version of Odoo, as a release with a database of its own.
type standInOdoo struct {
	t       *testing.T
	db      *pgtest.Cluster
	dir     string
	conf    map[string]string
	version int
}

// newOdoo makes a release of the version's code and the team's, with an empty database in the cluster.
func newOdoo(t *testing.T, db *pgtest.Cluster, version int) *standInOdoo {
	t.Helper()
	o := &standInOdoo{t: t, db: db, dir: t.TempDir(), version: version}
	code := &Repository{Name: "odoo", Odoo: version, Folders: []string{"addons", "odoo/addons"}, Modules: []string{"sale"}}
	team := &Repository{Name: "addons-17"}
	for _, r := range []*Repository{code, team} {
		for name, text := range r.content() {
			o.write(r.Name+"/"+name, text)
		}
	}
	name := fmt.Sprintf("test%d", version)
	db.Query("postgres", "postgres", "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
	db.Query("postgres", "postgres", "DROP ROLE IF EXISTS odoo"+name)
	db.Query("postgres", "postgres", "CREATE ROLE odoo"+name+" LOGIN")
	db.Query("postgres", "postgres", "CREATE DATABASE "+name+" OWNER odoo"+name)
	o.conf = map[string]string{"db_host": db.Socket(), "db_port": "54329", "db_user": "odoo" + name, "db_name": name, "dbfilter": "^" + name + "$",
		"http_interface": "127.0.0.1", "http_port": freePort(t), "gevent_port": freePort(t), "proxy_mode": "True", "list_db": "False",
		"workers": "2", "max_cron_threads": "1", "limit_memory_soft": "1073741824", "limit_memory_hard": "1610612736", "limit_time_real": "20",
		"data_dir": o.dir + "/data", "addons_path": o.dir + "/addons-17," + o.dir + "/odoo/addons," + o.dir + "/odoo/odoo/addons"}
	return o
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

func (o *standInOdoo) write(name, text string) {
	o.t.Helper()
	file := filepath.Join(o.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		o.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		o.t.Fatal(err)
	}
}

func (o *standInOdoo) command(args ...string) *exec.Cmd {
	o.t.Helper()
	text := "[options]\n"
	for key, value := range o.conf {
		text += key + " = " + value + "\n"
	}
	o.write("odoo.conf", text)
	if args[0] == "neutralize" {
		args = append([]string{"neutralize", "-c", o.dir + "/odoo.conf"}, args[1:]...)
	} else {
		args = append([]string{"-c", o.dir + "/odoo.conf"}, args...)
	}
	cmd := exec.CommandContext(o.t.Context(), "/usr/bin/python3", append([]string{"-B", o.dir + "/odoo/odoo-bin"}, args...)...)
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LANG=C.UTF-8"}
	return cmd
}

var updating = []string{"--stop-after-init", "--no-http", "--workers=0", "--max-cron-threads=0", "--limit-memory-hard=0", "--limit-memory-soft=0"}

// run runs it to its end, wants an exit code and returns what it logged.
func (o *standInOdoo) run(want int, args ...string) string {
	o.t.Helper()
	cmd := o.command(args...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		o.t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != want {
		o.t.Errorf("%s: exit %d, want %d\n%s", args, got, want, out)
	}
	return string(out)
}

// update is what odoogen's updater runs.
func (o *standInOdoo) update(want int, args ...string) string {
	o.t.Helper()
	return o.run(want, append(append([]string{"-d", o.conf["db_name"]}, updating...), args...)...)
}

func (o *standInOdoo) sql(query string) string {
	o.t.Helper()
	return o.db.Query(o.conf["db_user"], o.conf["db_name"], query)
}

func (o *standInOdoo) states() string {
	o.t.Helper()
	return o.sql("SELECT string_agg(name || ' ' || state || coalesce(' ' || latest_version, ''), ', ' ORDER BY name) FROM ir_module_module")
}

func (o *standInOdoo) wants(got, want string) {
	o.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		o.t.Errorf("(-want +got):\n%s", diff)
	}
}

func (o *standInOdoo) says(log string, patterns ...string) {
	o.t.Helper()
	for _, p := range patterns {
		if !regexp.MustCompile(p).MatchString(log) {
			o.t.Errorf("no %q in:\n%s", p, log)
		}
	}
}

// TestOdoo shows that the stand-in does what odoogen relies on, or has to beware of, in Odoo.
func TestOdoo(t *testing.T) {
	db := pgtest.New(t, "standin", 54329, nil)
	for _, step := range []struct {
		name string
		run  func(*testing.T, *pgtest.Cluster)
	}{
		{"updates", odooUpdates},
		{"reads its configuration", odooReadsItsConfiguration},
		{"neutralizes", odooNeutralizes},
		{"serves with workers", odooServes},
		{"serves with threads", odooServesWithThreads},
		{"reloads", odooReloads},
	} {
		t.Run(step.name, func(t *testing.T) { step.run(t, db) })
	}
}

// odooUpdates: what -i and -u do to the database, what is logged, and the exit codes that say less than they seem to.
func odooUpdates(t *testing.T, db *pgtest.Cluster) {
	o := newOdoo(t, db, 17)
	log := o.update(0)
	o.says(log, `(?m)^[0-9-]+ [0-9:,]+ [0-9]+ ERROR test17 odoo.modules.loading: Database test17 not initialized, you can force it with .-i base`)

	log = o.update(0, "-i", "base")
	o.says(log, "INFO test17 odoo.modules.loading: Loading module web", "Modules loaded")
	const fresh = "addons_17_stand_in uninstalled, base installed 17.0.1.3, sale uninstalled, web installed 17.0.1.0"
	o.wants(o.states(), fresh) // web comes along by itself
	for _, level := range []string{"ERROR", "CRITICAL"} {
		if strings.Contains(log, level) {
			t.Errorf("logged:\n%s", log)
		}
	}
	attachments := o.sql("SELECT string_agg(store_fname, ' ') FROM ir_attachment")
	for name := range strings.FieldsSeq(attachments) {
		if _, err := os.Stat(filepath.Join(o.dir, "data/filestore/test17", name)); err != nil {
			t.Error(err)
		}
	}
	dump := filepath.Join(o.db.Dir, "dump")
	o.db.Run("pg_dump", "-h", o.db.Socket(), "-p", "54329", "-U", "postgres", "-Fd", "-Z0", "-f", dump, "test17")
	var size int64
	files, _ := os.ReadDir(dump)
	for _, f := range files {
		info, _ := f.Info()
		size += info.Size()
	}
	if size < 1<<20 {
		t.Errorf("a dump has %d bytes: a backup would take it for a broken one", size)
	}

	// Odoo says 0 to what it does not know.
	o.says(o.update(0, "-u", "no_such_module"), "WARNING .*invalid module names, ignored: no_such_module")
	o.update(0, "-u", "sale")
	o.wants(o.states(), fresh)
	o.update(0, "-i", "sale,addons_17_stand_in")
	o.wants(o.states(), "addons_17_stand_in installed 17.0.1.0, base installed 17.0.1.3, sale installed 17.0.1.0, web installed 17.0.1.0")

	// A new version's migration runs once, and what fails there leaves what was done before it.
	const module = "odoo/addons/sale/"
	o.write(module+"__manifest__.py", "{'name': 'sale', 'version': '17.0.1.1', 'depends': ['web']}")
	o.write(module+"migrations/17.0.1.1/post-one.py", "def migrate(cr, version):\n    assert version == '17.0.1.0'\n    cr.execute('CREATE TABLE migrated ()')\n")
	o.update(0, "-u", "web")
	o.wants(o.states(), "addons_17_stand_in installed 17.0.1.0, base installed 17.0.1.3, sale installed 17.0.1.1, web installed 17.0.1.0")
	o.update(0, "-u", "base") // it would fail the second time
	o.write(module+"__manifest__.py", "{'name': 'sale', 'version': '1.2', 'depends': ['web']}")
	o.write(module+"migrations/1.2/pre-two.py", "def migrate(cr, version):\n    cr.execute('SELECT 1 / 0')\n")
	o.says(o.update(255, "-u", "base"), "CRITICAL .*Failed to initialize database `test17`", "division by zero")
	o.wants(o.sql("SELECT string_agg(name, ' ' ORDER BY name) FROM ir_module_module WHERE state = 'to upgrade'"), "sale")

	// A module whose code is gone.
	if err := os.RemoveAll(filepath.Join(o.dir, module)); err != nil {
		t.Fatal(err)
	}
	o.says(o.update(0, "-u", "web"), `ERROR .*Some modules are not loaded, .* \['sale'\]`, `ERROR .*inconsistent states, .* \['sale'\]`)
	o.write("addons-17/addons_17_stand_in/__manifest__.py", "{'name': 'x', 'depends': ['gone']}")
	o.says(o.update(255, "-u", "addons_17_stand_in"), "CRITICAL", `depends on module "gone"`)
}

// odooReadsItsConfiguration: with the tolerance of either version.
func odooReadsItsConfiguration(t *testing.T, db *pgtest.Cluster) {
	o17, o19 := newOdoo(t, db, 17), newOdoo(t, db, 19)
	for _, o := range []*standInOdoo{o17, o19} {
		o.conf["no_such_option"] = "1"
		o.conf["db_replica_host"], o.conf["limit_memory_soft_gevent"] = "False", "1073741824"
		o.conf["addons_path"] += "," + o.dir + "/nowhere"
	}
	log := o17.update(0, "-i", "base")
	if strings.Contains(log, "WARNING test17 odoo.tools.config") {
		t.Errorf("17 takes what it does not know without a word:\n%s", log)
	}
	o19.says(o19.update(0, "-i", "base"), "WARNING .*unknown option 'no_such_option' in the config file",
		"WARNING .*option db_replica_host reads 'False' in the config file", "WARNING .*invalid addons directory '.*/nowhere', skipped")

	o19.conf["workers"] = "many"
	o19.says(o19.run(1, "--stop-after-init"), "ValueError: invalid literal")
	o19.conf["workers"] = "2"
	o17.says(o17.run(2, "--no-such-flag"), "no such option: --no-such-flag")
	o17.says(o17.run(2, "--with-demo"), "no such option")
	o17.says(o17.run(2, "-d", "a,b", "-u", "base"), "multiple databases")
	o17.conf["db_user"] = "postgres"
	o17.says(o17.run(1, "--stop-after-init"), "security risk, aborting")

	// 19 prefers the environment to the file.
	cmd := o19.command("--stop-after-init", "--no-http")
	cmd.Env = append(cmd.Env, "PGPORT=1")
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "PGSQL.1") {
		t.Errorf("PGPORT was not heeded: %v\n%s", err, out)
	}
}

func odooNeutralizes(t *testing.T, db *pgtest.Cluster) {
	o := newOdoo(t, db, 17)
	o.update(0, "-i", "base")
	o.says(o.run(0, "neutralize", "-d", "test17", "--stdout"), "(?s)BEGIN;.*UPDATE ir_cron.*COMMIT;")
	o.wants(o.sql("SELECT count(*) FROM ir_cron WHERE active"), "1")
	o.run(0, "neutralize", "-d", "test17")
	o.wants(o.sql("SELECT count(*) FROM ir_cron WHERE active"), "0")
	o.wants(o.sql("SELECT value FROM ir_config_parameter WHERE key = 'database.is_neutralized'"), "true")
	o.says(o.run(1, "neutralize", "-d", "no_such_database"), "NOT NEUTRALIZED")
}

// started runs a server and waits until it answers.
func (o *standInOdoo) started(args ...string) *exec.Cmd {
	o.t.Helper()
	cmd := o.command(append([]string{"--log-level=info"}, args...)...)
	log, err := os.Create(filepath.Join(o.dir, "log"))
	if err != nil {
		o.t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		if o.t.Failed() {
			said, _ := os.ReadFile(log.Name())
			o.t.Logf("Odoo said:\n%s", said)
		}
	})
	o.until("it answers", func() bool {
		r, err := http.Get(o.at("/web/health"))
		return err == nil && r.Body.Close() == nil && r.StatusCode == 200
	})
	return cmd
}

func (o *standInOdoo) at(path string) string { return "http://127.0.0.1:" + o.conf["http_port"] + path }

func (o *standInOdoo) until(what string, holds func() bool) {
	o.t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if holds() {
			return
		}
	}
	o.t.Fatalf("not within half a minute: %s", what)
}

// page asks for one, follows no redirect, and returns status and text.
func (o *standInOdoo) page(path string) (int, string) {
	client := http.Client{Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := client.Get(o.at(path))
	if err != nil {
		return 0, err.Error()
	}
	defer r.Body.Close()
	body, _ := io.ReadAll(r.Body)
	return r.StatusCode, string(body)
}

// text is a page's status and text.
func (o *standInOdoo) text(path string) string {
	code, text := o.page(path)
	return fmt.Sprint(code) + " " + text
}

// facts are what a page says of who answers.
func (o *standInOdoo) facts() (f struct {
	Release, Database    string
	Pid, Master, Workers int
}) {
	o.t.Helper()
	_, text := o.page("/stand-in")
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		o.t.Fatalf("%v: %s", err, text)
	}
	return f
}

// websocket opens a websocket at a port and returns the status line and the frame that answers a ping.
func (o *standInOdoo) websocket(port string) (status, pong string) {
	o.t.Helper()
	c, err := net.Dial("tcp4", "127.0.0.1:"+port)
	if err != nil {
		return err.Error(), ""
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprintf(c, "GET /websocket?version=1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	in := bufio.NewReader(c)
	status, _ = in.ReadString('\n')
	for line := "-"; strings.TrimSpace(line) != ""; {
		if line, err = in.ReadString('\n'); err != nil {
			return status, ""
		}
		if key, value, _ := strings.Cut(strings.TrimSpace(line), ": "); key == "Sec-WebSocket-Accept" && value != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" { // RFC 6455, 1.3
			o.t.Errorf("accepts with %q", value)
		}
	}
	_, _ = c.Write([]byte{0x89, 0x82, 0, 0, 0, 0, 'h', 'i'})
	frame := make([]byte, 4)
	_, _ = io.ReadFull(in, frame)
	return strings.TrimSpace(status), string(frame)
}

// odooServes: pages, ports and processes of the prefork server.
func odooServes(t *testing.T, db *pgtest.Cluster) {
	o := newOdoo(t, db, 17)
	master := o.started()
	if code, body := o.page("/web/login"); code != 303 {
		t.Errorf("without a database of Odoo's, /web/login is %d %s", code, body)
	}
	o.wants(o.text("/web/health?db_server_status=1"), `200 {"status": "pass", "db_server_status": true}`)
	o.says(o.run(1, "-d", "test17", "-i", "base", "--stop-after-init"), "Address already in use") // the server has the port
	o.update(0, "-i", "base")

	code, body := o.page("/web/login")
	if code != 200 || !strings.Contains(body, "stand-in") {
		t.Errorf("/web/login is %d %s", code, body)
	}
	f := o.facts()
	if f.Release != o.dir+"/odoo" || f.Database != "test17" || f.Workers != 2 || f.Master != master.Process.Pid || f.Pid == f.Master {
		t.Errorf("answered by %+v", f)
	}
	o.wants(o.text("/nothing"), "404 there is no such page")

	jar, _ := cookiejar.New(nil)
	client := http.Client{Jar: jar}
	for password, want := range map[string]string{"wrong": "Wrong login/password", "admin": "admin is logged in"} {
		r, err := client.PostForm(o.at("/web/login"), url.Values{"login": {"admin"}, "password": {password}})
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(r.Body)
		r.Body.Close()
		o.says(string(text), want)
	}
	if sessions, _ := filepath.Glob(o.dir + "/data/sessions/??/*"); len(sessions) == 0 {
		t.Error("no session lies in data_dir")
	}
	if code, body := o.page("/web/content/1"); code != 200 || !strings.Contains(body, "attachment 0") {
		t.Errorf("an attachment: %d %s", code, body)
	}

	o.until("the websocket process is up", func() bool { status, _ := o.websocket(o.conf["gevent_port"]); return strings.HasPrefix(status, "HTTP") })
	status, pong := o.websocket(o.conf["gevent_port"])
	o.wants(status+" "+pong, "HTTP/1.1 101 Switching Protocols \x8a\x02hi")
	status, _ = o.websocket(o.conf["http_port"])
	o.says(status, " 500 ")
	if who := o.sql("SELECT count(*) FROM pg_stat_activity WHERE datname = 'postgres' AND query = 'LISTEN cron_trigger'"); who != "1" {
		t.Errorf("%s cron workers listen", who)
	}

	// A worker that is killed is replaced.
	_ = syscall.Kill(f.Pid, syscall.SIGKILL)
	o.until("another worker", func() bool { g := o.facts(); return g.Pid != f.Pid && g.Master == f.Master })

	// SIGTERM: what was asked for is answered, and then all processes are gone.
	slow := make(chan int)
	go func() { code, _ := o.page("/stand-in/slow?s=2"); slow <- code }()
	time.Sleep(500 * time.Millisecond)
	_ = master.Process.Signal(syscall.SIGTERM)
	if code := <-slow; code != 200 {
		t.Errorf("a request in flight was answered with %d", code)
	}
	if err := master.Wait(); err != nil {
		t.Error(err)
	}
	if err := syscall.Kill(-master.Process.Pid, 0); err == nil {
		o.until("no process is left", func() bool { return syscall.Kill(-master.Process.Pid, 0) != nil })
	}
}

// odooServesWithThreads: as a restore drill runs it.
func odooServesWithThreads(t *testing.T, db *pgtest.Cluster) {
	o := newOdoo(t, db, 19)
	o.update(0, "-i", "base")
	cmd := o.started("--workers=0", "--max-cron-threads=0", "--data-dir="+o.dir+"/elsewhere", "--db-filter=^test19$", "--limit-memory-hard=0")
	if code, _ := o.page("/web/login"); code != 200 {
		t.Errorf("/web/login is %d", code)
	}
	status, _ := o.websocket(o.conf["http_port"])
	o.says(status, " 101 ")
	if sessions, _ := filepath.Glob(o.dir + "/elsewhere/sessions/??/*"); len(sessions) == 0 {
		t.Error("no session lies in --data-dir")
	}
	slow := make(chan int)
	go func() { code, _ := o.page("/stand-in/slow?s=1"); slow <- code }()
	time.Sleep(300 * time.Millisecond)
	_ = cmd.Process.Signal(syscall.SIGTERM)
	if code := <-slow; code != 200 {
		t.Errorf("a request in flight was answered with %d", code)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// odooReloads: 19 keeps its port and answers throughout, as the same process; 17 leaves a gap.
func odooReloads(t *testing.T, db *pgtest.Cluster) {
	for version, gap := range map[int]bool{17: true, 19: false} {
		o := newOdoo(t, db, version)
		o.update(0, "-i", "base")
		master := o.started()
		before := o.facts()
		refused, slow := 0, make(chan int)
		go func() { code, _ := o.page("/stand-in/slow?s=1.5"); slow <- code }()
		time.Sleep(300 * time.Millisecond)
		_ = master.Process.Signal(syscall.SIGHUP)
		o.until("new workers", func() bool {
			code, text := o.page("/stand-in")
			if code == 0 {
				refused++
				return false
			}
			var f struct{ Pid, Master int }
			_ = json.Unmarshal([]byte(text), &f)
			log, _ := os.ReadFile(filepath.Join(o.dir, "log"))
			return f.Pid != before.Pid && f.Master == before.Master && strings.Count(string(log), "HTTP service") == 2 &&
				(version < 19 || strings.Contains(string(log), "Old server stopped"))
		})
		if code := <-slow; code != 200 {
			t.Errorf("%d: a request in flight was answered with %d", version, code)
		}
		if (refused > 0) != gap {
			t.Errorf("%d: %d requests were refused", version, refused)
		}
	}
}

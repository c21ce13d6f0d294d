package generators

import (
	"bytes"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"odoogen/internal/artifact"
	"odoogen/internal/conf"
)

// What each version reads from its file, by kind (odoo/tools/config.py). An option that it does not read there, and
// those of one run alone (init, update, stop_after_init), are not here.
var odooOptions = map[int]map[string]string{
	17: {
		"bool": "http_enable list_db proxy_mode reportgz smtp_ssl syslog unaccent x_sendfile",
		"int": "db_maxconn db_maxconn_gevent db_port gevent_port http_port limit_memory_hard limit_memory_soft limit_request " +
			"limit_time_cpu limit_time_real limit_time_real_cron max_cron_threads osv_memory_count_limit smtp_port " +
			"websocket_keep_alive_timeout websocket_rate_limit_burst workers",
		"float": "transient_age_limit websocket_rate_limit_delay",
		"text": "addons_path admin_passwd csv_internal_sep data_dir db_host db_name db_password db_sslmode db_template db_user " +
			"dbfilter email_from from_filter geoip_city_db geoip_country_db http_interface log_db log_db_level log_handler " +
			"log_level logfile pg_path pidfile screencasts screenshots server_wide_modules smtp_password smtp_server smtp_user " +
			"upgrade_path without_demo",
	},
	19: {
		"bool": "default_productivity_apps http_enable list_db proxy_mode reportgz skip_auto_install smtp_ssl syslog unaccent " +
			"with_demo x_sendfile",
		"int": "db_maxconn db_maxconn_gevent db_port db_replica_port gevent_port http_port import_file_maxbytes " +
			"import_file_timeout limit_memory_hard limit_memory_hard_gevent limit_memory_soft limit_memory_soft_gevent " +
			"limit_request limit_time_cpu limit_time_real limit_time_real_cron limit_time_worker_cron max_cron_threads " +
			"osv_memory_count_limit smtp_port websocket_keep_alive_timeout websocket_rate_limit_burst workers",
		"float": "transient_age_limit websocket_rate_limit_delay",
		"text": "addons_path admin_passwd bin_path csv_internal_sep data_dir db_app_name db_host db_name db_password db_replica_host " +
			"db_sslmode db_template db_user dbfilter dev_mode email_from from_filter geoip_city_db geoip_country_db " +
			"http_interface import_url_regex log_db log_db_level log_handler log_level logfile pg_path pidfile " +
			"pre_upgrade_scripts proxy_access_token screencasts screenshots server_wide_modules smtp_password smtp_server " +
			"smtp_user upgrade_path",
	},
}

// kindOf is the kind of an option of a version, or empty for one that it does not know.
func kindOf(major int, option string) string {
	for kind, names := range odooOptions[major] {
		if strings.Contains(" "+names+" ", " "+option+" ") {
			return kind
		}
	}
	return ""
}

// Each file, read as Odoo reads it, has only options that its version knows, each with a value of its kind.
func TestOdooReadsItsConfiguration(t *testing.T) {
	tree := sampleTree(t, "tests")
	for _, i := range sample(t).Instances {
		t.Run(i.Name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "odoo.conf")
			write(t, file, string(tree.File("odoo/"+i.Name+".conf").Data), 0o444)
			for option, value := range rawConfigParser(t, file) {
				switch kindOf(i.Major(), option) {
				case "":
					t.Errorf("Odoo %s does not know %s", i.Version, option)
				case "bool":
					if value != "True" && value != "False" {
						t.Errorf("%s = %s, want a boolean", option, value)
					}
				case "int":
					if _, err := strconv.Atoi(value); err != nil {
						t.Errorf("%s = %s, want a number", option, value)
					}
				case "float":
					if _, err := strconv.ParseFloat(value, 64); err != nil {
						t.Errorf("%s = %s, want a number", option, value)
					}
				case "text":
					if w := strings.ToLower(value); w == "" || w == "true" || w == "false" || w == "none" {
						t.Errorf("%s = %q: Odoo takes it for something else than text", option, value)
					}
				}
			}
		})
	}
}

// The sample's whole file, as Odoo sees it.
func TestOdooConfOfAnInstance(t *testing.T) {
	const release = "/opt/odoo/instances/qa-19/current/"
	tree := sampleTree(t, "tests")
	file := filepath.Join(t.TempDir(), "odoo.conf")
	write(t, file, string(tree.File("odoo/qa19.conf").Data), 0o444)
	got := rawConfigParser(t, file)
	for option, value := range limitsOptions(t, string(tree.File("systemd/system/odoo-qa19.service.d/10-limits.conf").Data)) {
		if _, twice := got[option]; twice || kindOf(19, option) != "int" {
			t.Errorf("%s=%s on the command line, and in the file: %t", option, value, twice)
		}
		got[option] = value
	}
	want := map[string]string{
		"http_interface": "127.0.0.1", "http_port": "8019", "gevent_port": "8069", "proxy_mode": "True",
		"db_host": "/run/postgresql", "db_port": "5432", "db_user": "odoo-qa19", "db_name": "qa19", "dbfilter": "^qa19$",
		"list_db": "False", "db_maxconn": "8", "db_maxconn_gevent": "16", "workers": "3", "max_cron_threads": "1",
		"limit_memory_soft": "1073741824", "limit_memory_hard": "1610612736",
		"limit_time_cpu": "60", "limit_time_real": "120", "limit_time_real_cron": "1800", "data_dir": "/var/lib/odoo/qa19",
		"addons_path": release + "addons19," + release + "web19," + release + "enterprise19," + release + "odoo19/addons," + release + "odoo19/odoo/addons",
		"with_demo":   "False", "admin_passwd": lockedPassword,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// limitsOptions are the options that the service hands to Odoo by its variable, split as systemd does.
func limitsOptions(t *testing.T, dropin string) map[string]string {
	t.Helper()
	_, rest, found := strings.Cut(dropin, "\nEnvironment=\"LIMITS=")
	words, _, closed := strings.Cut(rest, "\"\n")
	if !found || !closed {
		t.Fatalf("no LIMITS in\n%s", dropin)
	}
	options := map[string]string{}
	for word := range strings.FieldsSeq(words) {
		option, value, ok := strings.Cut(strings.TrimPrefix(word, "--"), "=")
		if !ok || !strings.HasPrefix(word, "--") {
			t.Errorf("%q is no option with a value", word)
		}
		options[strings.ReplaceAll(option, "-", "_")] = value
	}
	return options
}

// Another limit applies at once and restarts nothing: what Odoo makes of it waits for its next start. What the spec
// says of the processes themselves is no such thing.
func TestAnotherLimitRestartsNothing(t *testing.T) {
	before, err := Build(sample(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		old, new string
		restarts []artifact.Effect
	}{
		{`CPUQuota: "150%", MemoryMax: "3G", port: 8000`, `CPUQuota: "200%", MemoryMax: "3G", port: 8000`, nil},
		{`CPUQuota: "150%", MemoryMax: "3G", port: 8000`, `CPUQuota: "100%", MemoryMax: "2G", port: 8000`, nil},
		{`MemoryMax: "3G", port: 8000`, `MemoryMax: "3500M", port: 8000`, nil},
		{`MemoryMax: "3G", port: 8000`, `MemoryMax: "3G", workers: 3, port: 8000`,
			[]artifact.Effect{"restart:odoo-qa17.service", "restart:odoo-qa19.service"}},
	} {
		t.Run(c.new, func(t *testing.T) {
			after, err := Build(sample(t, c.old, c.new))
			if err != nil {
				t.Fatal(err)
			}
			changed := 0
			var got []artifact.Effect
			for n, tree := range after {
				for _, f := range tree.Files {
					old := before[n].File(f.Path)
					if old != nil && bytes.Equal(old.Data, f.Data) {
						continue
					}
					changed++
					for _, e := range f.Effects {
						if restarts(e) && !slices.Contains(got, e) {
							got = append(got, e)
						}
					}
				}
			}
			if changed == 0 || !slices.Equal(got, c.restarts) {
				t.Errorf("%d files change, and restart %v, want %v", changed, got, c.restarts)
			}
		})
	}
}

// Demonstration data: 17 gives it unless told not to, 19 only when told to.
func TestOdooDemonstrationData(t *testing.T) {
	for _, i := range sample(t).Instances {
		for demo, want := range map[bool]map[int]string{
			false: {17: "without_demo = all", 19: "with_demo = False"},
			true:  {17: "", 19: "with_demo = True"},
		} {
			i.Demo = demo
			got := ""
			for line := range strings.Lines(written(t, odooConf(i))) {
				if strings.HasPrefix(line, "with") {
					got = strings.TrimSpace(line)
				}
			}
			if got != want[i.Major()] {
				t.Errorf("%s, demo %t: %q, want %q", i.Version, demo, got, want[i.Major()])
			}
		}
	}
}

// Whoever looks for the password finds that there is none: the checksum is not computed from one, but the SHA-512 of
// this sentence. The form is passlib's, with 16 bytes of salt: what does not fit it Odoo compares as plain text.
func TestNoPasswordFitsTheMasterPassword(t *testing.T) {
	ab64 := func(b []byte) string { return strings.ReplaceAll(base64.RawStdEncoding.EncodeToString(b), "+", ".") }
	sum := sha512.Sum512([]byte("No password of odoo.conf: databases are made on the host, never over the web."))
	if want := "$pbkdf2-sha512$600000$" + ab64([]byte("odoogen: locked!")) + "$" + ab64(sum[:]); lockedPassword != want {
		t.Errorf("got  %s\nwant %s", lockedPassword, want)
	}
}

// A comment explains the workers where odoogen chose them, and is silent where the user did.
func TestWorkersThatWereChosenAreExplained(t *testing.T) {
	top := sample(t, `instances: qa17: #Instance & {class: "qa",`, `instances: qa17: #Instance & {workers: 7, class: "qa",`)
	for _, i := range top.Instances {
		explained := strings.Contains(written(t, odooLimits(i)), "Odoo's rule: 2 x "+i.CPUQuota.String())
		if said := i.Name == "qa17"; explained == said {
			t.Errorf("%s: the workers were said: %t, explained: %t", i.Name, said, explained)
		}
	}
}

// rawConfigParser reads a file as Odoo does.
func rawConfigParser(t *testing.T, file string) map[string]string {
	t.Helper()
	const script = `import configparser, json, sys
p = configparser.RawConfigParser()
p.read([sys.argv[1]])
print(json.dumps(dict(p.items("options"))))`
	out, err := exec.Command("python3", "-c", script, file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s\napt-get install python3", err, out)
	}
	options := map[string]string{}
	if err := json.Unmarshal(out, &options); err != nil {
		t.Fatal(err)
	}
	return options
}

// written is a text as it stands.
func written(t *testing.T, c *conf.Text) string {
	t.Helper()
	data, _, err := c.Result()
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

package native

import (
	"slices"
	"strconv"
	"strings"
)

// kind is the type of an Odoo option.
type kind int

const (
	text kind = iota
	number
	decimal
	flag
	sslmode
	loglevel
	never // file_loadable=False in 19, or an action and no setting
)

// check tells what is wrong with a value, or nothing.
func (k kind) check(value string) string {
	switch k {
	case number:
		if _, err := strconv.Atoi(value); err != nil {
			return "not a whole number"
		}
	case decimal:
		if _, err := strconv.ParseFloat(value, 64); err != nil {
			return "not a number"
		}
	case flag:
		// 17 takes True and true alone as boolean; any other text, "0" and "no" too, is true.
		if value != "True" && value != "False" {
			return "not True or False"
		}
	case sslmode:
		if !slices.Contains(strings.Fields("disable allow prefer require verify-ca verify-full"), value) {
			return "not a mode of libpq"
		}
	case loglevel:
		if !slices.Contains(strings.Fields("info debug_rpc warn test critical runbot debug_sql error debug debug_rpc_answer notset"), value) {
			return "not a log level"
		}
	default:
		if value == "" {
			return "empty; leave the line out"
		}
	}
	return ""
}

// option is one key of odoo.conf. since and until are series, 0 for no bound.
type option struct {
	kind         kind
	since, until int
}

// odooOptions are the keys of odoo/tools/config.py in 17.0 and 19.0, those that the file alone can set included.
// What stays out on purpose: the aliases of old names (xmlrpc_port, longpolling_port), which 19 does not know.
var odooOptions = map[string]option{
	// Read from the file alone.
	"admin_passwd": {text, 0, 0}, "csv_internal_sep": {text, 0, 0}, "publisher_warranty_url": {text, 0, 0},
	"reportgz": {flag, 0, 0}, "websocket_keep_alive_timeout": {number, 0, 0},
	"websocket_rate_limit_burst": {number, 0, 0}, "websocket_rate_limit_delay": {decimal, 0, 0},
	"bin_path": {text, 0, 0}, "default_productivity_apps": {flag, 0, 0}, "import_file_maxbytes": {number, 0, 0},
	"import_file_timeout": {number, 0, 0}, "import_url_regex": {text, 0, 0}, "proxy_access_token": {text, 0, 0},
	// Common.
	"with_demo": {flag, 19, 0}, "without_demo": {text, 0, 0}, "skip_auto_install": {flag, 19, 0},
	"pidfile": {text, 0, 0}, "addons_path": {text, 0, 0}, "upgrade_path": {text, 0, 0},
	"pre_upgrade_scripts": {text, 19, 0}, "server_wide_modules": {text, 0, 0}, "data_dir": {text, 0, 0},
	// HTTP.
	"http_interface": {text, 0, 0}, "http_port": {number, 0, 0}, "gevent_port": {number, 0, 0},
	"http_enable": {flag, 0, 0}, "proxy_mode": {flag, 0, 0}, "x_sendfile": {flag, 0, 0}, "dbfilter": {text, 0, 0},
	// Logging and tests.
	"logfile": {text, 0, 0}, "syslog": {flag, 0, 0}, "log_handler": {text, 0, 0}, "log_db": {text, 0, 0},
	"log_db_level": {text, 0, 0}, "log_level": {loglevel, 0, 0}, "screencasts": {text, 0, 0}, "screenshots": {text, 0, 0},
	// Mail.
	"email_from": {text, 0, 0}, "from_filter": {text, 0, 0}, "smtp_server": {text, 0, 0}, "smtp_port": {number, 0, 0},
	"smtp_ssl": {flag, 0, 0}, "smtp_user": {text, 0, 0}, "smtp_password": {text, 0, 0},
	"smtp_ssl_certificate_filename": {text, 0, 0}, "smtp_ssl_private_key_filename": {text, 0, 0},
	// Database.
	"db_name": {text, 0, 0}, "db_user": {text, 0, 0}, "db_password": {text, 0, 0}, "pg_path": {text, 0, 0},
	"db_host": {text, 0, 0}, "db_port": {number, 0, 0}, "db_replica_host": {text, 19, 0}, "db_replica_port": {number, 19, 0},
	"db_sslmode": {sslmode, 0, 0}, "db_app_name": {text, 19, 0}, "db_maxconn": {number, 0, 0},
	"db_maxconn_gevent": {number, 0, 0}, "db_template": {text, 0, 0}, "list_db": {flag, 0, 0},
	"unaccent": {flag, 0, 0}, "geoip_city_db": {text, 0, 0}, "geoip_country_db": {text, 0, 0},
	"osv_memory_count_limit": {number, 0, 0}, "transient_age_limit": {decimal, 0, 0},
	// Processes and their limits.
	"workers": {number, 0, 0}, "max_cron_threads": {number, 0, 0}, "limit_time_worker_cron": {number, 19, 0},
	"limit_memory_soft": {number, 0, 0}, "limit_memory_hard": {number, 0, 0},
	"limit_memory_soft_gevent": {number, 19, 0}, "limit_memory_hard_gevent": {number, 19, 0},
	"limit_time_cpu": {number, 0, 0}, "limit_time_real": {number, 0, 0}, "limit_time_real_cron": {number, 0, 0},
	"limit_request": {number, 0, 0},
	// For a developer's command line.
	"dev_mode": {text, 0, 0}, "load_language": {text, 0, 0}, "language": {text, 0, 17}, "shell_interface": {text, 0, 17},
	"overwrite_existing_translations": {flag, 0, 0}, "translate_out": {text, 0, 17}, "translate_in": {text, 0, 17},
	"translate_modules": {text, 0, 17},
	// Actions: from the file, 17 would do them at every start.
	"config": {never, 0, 0}, "save": {never, 0, 0}, "init": {never, 0, 0}, "update": {never, 0, 0},
	"reinit": {never, 0, 0}, "import_partial": {never, 0, 0}, "test_file": {never, 0, 0}, "test_enable": {never, 0, 0},
	"test_tags": {never, 0, 0}, "stop_after_init": {never, 0, 0},
}

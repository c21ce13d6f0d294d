package vocabulary

import (
	"slices"
	"strconv"
)

// Kind is the type of an option of odoo.conf.
type Kind int

const (
	isText Kind = iota + 1
	isInt
	isFloat
	isBool
	isSSLMode
	isLogLevel
	isAction // file_loadable=False in 19; from a file, 17 would do it at every start
)

// odooOptions are the keys of odoo/tools/config.py in 17.0 and 19.0, those that only a file can set included. What
// stays out on purpose: the aliases of old names (xmlrpc_port, longpolling_port), which 19 does not know.
var odooOptions = map[Kind][]string{
	isText: words(`admin_passwd csv_internal_sep publisher_warranty_url bin_path import_url_regex proxy_access_token
		without_demo pidfile addons_path upgrade_path pre_upgrade_scripts server_wide_modules data_dir
		http_interface dbfilter logfile log_handler log_db log_db_level screencasts screenshots
		email_from from_filter smtp_server smtp_user smtp_password smtp_ssl_certificate_filename
		smtp_ssl_private_key_filename db_name db_user db_password pg_path db_host db_replica_host db_app_name
		db_template geoip_city_db geoip_country_db dev_mode load_language language shell_interface
		translate_out translate_in translate_modules`),
	isInt: words(`websocket_keep_alive_timeout websocket_rate_limit_burst import_file_maxbytes import_file_timeout
		http_port gevent_port smtp_port db_port db_replica_port db_maxconn db_maxconn_gevent
		osv_memory_count_limit workers max_cron_threads limit_time_worker_cron limit_memory_soft
		limit_memory_hard limit_memory_soft_gevent limit_memory_hard_gevent limit_time_cpu limit_time_real
		limit_time_real_cron limit_request`),
	isFloat: words(`websocket_rate_limit_delay transient_age_limit`),
	isBool: words(`reportgz default_productivity_apps with_demo skip_auto_install http_enable proxy_mode x_sendfile
		syslog smtp_ssl list_db unaccent overwrite_existing_translations`),
	isSSLMode:  words(`db_sslmode`),
	isLogLevel: words(`log_level`),
	isAction: words(`config save init update reinit import_partial test_file test_enable test_tags
		stop_after_init`),
}

// newIn19 and goneIn19 are the options that only one of the two series has.
var (
	newIn19 = words(`with_demo skip_auto_install pre_upgrade_scripts db_replica_host db_replica_port db_app_name
		limit_time_worker_cron limit_memory_soft_gevent limit_memory_hard_gevent reinit`)
	goneIn19 = words(`language shell_interface translate_out translate_in translate_modules`)
)

var sslModes = words("disable allow prefer require verify-ca verify-full")

var logLevels = words("info debug_rpc warn test critical runbot debug_sql error debug debug_rpc_answer notset")

// OdooOption is the type of an option of odoo.conf in an Odoo series, 17 or 19; 0 where that series has no such option.
func OdooOption(key string, series int) Kind {
	if slices.Contains(newIn19, key) && series < 19 || slices.Contains(goneIn19, key) && series >= 19 {
		return 0
	}
	for k, keys := range odooOptions {
		if slices.Contains(keys, key) {
			return k
		}
	}
	return 0
}

// OdooOptions are all options of odoo.conf that a series has and a file may set, sorted.
func OdooOptions(series int) []string {
	var all []string
	for k, keys := range odooOptions {
		for _, key := range keys {
			if k != isAction && OdooOption(key, series) != 0 {
				all = append(all, key)
			}
		}
	}
	slices.Sort(all)
	return all
}

// Boolean tells whether the option is True or False.
func (k Kind) Boolean() bool { return k == isBool }

// Complaint tells what is wrong with a value of the type, or nothing.
func (k Kind) Complaint(value string) string {
	switch {
	case k == isAction:
		return "not to be set in a file"
	case k == isBool:
		// 17 takes True and true as boolean; any other text, "0" and "no" too, is true to it.
		if value != "True" && value != "False" {
			return "not True or False"
		}
	case value == "" || value == "False":
		return "no value of this option; leave the line out"
	case k == isInt:
		if _, err := strconv.Atoi(value); err != nil {
			return "not a whole number"
		}
	case k == isFloat:
		if _, err := strconv.ParseFloat(value, 64); err != nil {
			return "not a number"
		}
	case k == isSSLMode && !slices.Contains(sslModes, value):
		return "not a mode of libpq"
	case k == isLogLevel && !slices.Contains(logLevels, value):
		return "not a log level"
	}
	return ""
}

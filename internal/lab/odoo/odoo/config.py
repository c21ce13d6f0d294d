"""odoo.conf, the command line, and the environment where the series heeds it."""
import ast
import configparser
import getpass
import logging
import optparse
import os
import sys

from odoo import release

SERIES = release.version_info[0]
log = logging.getLogger('odoo.tools.config')

# What either series knows in a file.
INT = set("""websocket_keep_alive_timeout websocket_rate_limit_burst import_file_maxbytes import_file_timeout http_port
    gevent_port smtp_port db_port db_replica_port db_maxconn db_maxconn_gevent osv_memory_count_limit workers
    max_cron_threads limit_time_worker_cron limit_memory_soft limit_memory_hard limit_memory_soft_gevent
    limit_memory_hard_gevent limit_time_cpu limit_time_real limit_time_real_cron limit_request""".split())
FLOAT = {'websocket_rate_limit_delay', 'transient_age_limit'}
BOOL = set("""reportgz default_productivity_apps with_demo skip_auto_install http_enable proxy_mode x_sendfile syslog
    smtp_ssl list_db unaccent overwrite_existing_translations stop_after_init""".split())
TEXT = set("""admin_passwd csv_internal_sep publisher_warranty_url bin_path import_url_regex proxy_access_token
    without_demo pidfile addons_path upgrade_path pre_upgrade_scripts server_wide_modules data_dir http_interface dbfilter
    logfile log_handler log_level log_db log_db_level screencasts screenshots email_from from_filter smtp_server smtp_user
    smtp_password smtp_ssl_certificate_filename smtp_ssl_private_key_filename db_name db_user db_password pg_path db_host
    db_replica_host db_app_name db_template db_sslmode geoip_city_db geoip_country_db dev_mode load_language language
    shell_interface translate_out translate_in translate_modules""".split())
ONLY = {19: set("""with_demo skip_auto_install pre_upgrade_scripts db_replica_host db_replica_port db_app_name
    limit_time_worker_cron limit_memory_soft_gevent limit_memory_hard_gevent""".split()),
        17: {'language', 'shell_interface', 'translate_out', 'translate_in', 'translate_modules'}}
KNOWN = (INT | FLOAT | BOOL | TEXT) - ONLY[17 if SERIES >= 19 else 19]

DEFAULTS = dict(http_enable=True, http_interface='', http_port=8069, gevent_port=8072, workers=0, max_cron_threads=2,
                limit_memory_soft=2048 << 20, limit_memory_hard=2560 << 20, limit_time_real=120, limit_time_real_cron=-1,
                db_host='', db_port=0, db_user='', db_password='', db_name='', dbfilter='', list_db=True,
                proxy_mode=False, stop_after_init=False, addons_path='', update='', init='', to_stdout=False,
                data_dir=os.path.expanduser('~/.local/share/Odoo'))
options = dict(DEFAULTS)


def parser(verb):
    p = optparse.OptionParser(prog='odoo-bin ' + verb)
    for flags, dest, kind in [
            ('-c --config', 'config', 'string'), ('-d --database', 'db_name', 'string'), ('-D --data-dir', 'data_dir', 'string'),
            ('-i --init', 'init', 'string'), ('-u --update', 'update', 'string'), ('--addons-path', 'addons_path', 'string'),
            ('-r --db_user', 'db_user', 'string'), ('-w --db_password', 'db_password', 'string'),
            ('--db_host', 'db_host', 'string'), ('--db_port', 'db_port', 'int'), ('--db_maxconn', 'db_maxconn', 'int'),
            ('--db-filter', 'dbfilter', 'string'), ('--http-interface', 'http_interface', 'string'),
            ('-p --http-port', 'http_port', 'int'), ('--gevent-port', 'gevent_port', 'int'), ('--workers', 'workers', 'int'),
            ('--max-cron-threads', 'max_cron_threads', 'int'), ('--limit-memory-soft', 'limit_memory_soft', 'int'),
            ('--limit-memory-hard', 'limit_memory_hard', 'int'), ('--limit-time-cpu', 'limit_time_cpu', 'int'),
            ('--limit-time-real', 'limit_time_real', 'int'), ('--limit-time-real-cron', 'limit_time_real_cron', 'int'),
            ('--limit-request', 'limit_request', 'int'), ('--log-level', 'log_level', 'string'),
            ('--log-handler', 'log_handler', 'string'), ('--logfile', 'logfile', 'string'), ('--load', 'server_wide_modules', 'string'),
            ('--without-demo', 'without_demo', 'string')]:
        p.add_option(*flags.split(), dest=dest, type=kind)
    for flag, dest in [('--stop-after-init', 'stop_after_init'), ('--proxy-mode', 'proxy_mode')]:
        p.add_option(flag, dest=dest, action='store_true')
    for flag, dest in [('--no-http', 'http_enable'), ('--no-database-list', 'list_db')]:
        p.add_option(flag, dest=dest, action='store_false')
    if SERIES >= 19:
        p.add_option('--with-demo', dest='with_demo', action='store_true')
    if verb == 'neutralize':
        p.add_option('--stdout', dest='to_stdout', action='store_true')
    return p


def read(words, verb):
    """Fills options: the command line over the environment (19) over the file over defaults."""
    given, rest = parser(verb).parse_args(words)
    if rest:
        parser(verb).error('unrecognized parameters: ' + ' '.join(rest))
    given = {k: v for k, v in vars(given).items() if v is not None}
    for key in 'init', 'update':
        if key in given and SERIES >= 19:
            given[key] = given[key].replace('all', 'base')
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format='%(asctime)s %(process)d %(levelname)s ? %(name)s: %(message)s')
    file = given.pop('config', os.environ.get('ODOO_RC', ''))
    if file:
        read_file(file)
    if SERIES >= 19:
        read_environment()
    options.update(given)
    databases = [d for d in options['db_name'].split(',') if d]
    if len(databases) > 1 and (options['init'] or options['update']):
        parser(verb).error('Cannot use -i/--init or -u/--update with multiple databases in the -d/--database/db_name')
    options['db_name'] = databases[0] if databases else ''
    for handler in logging.root.handlers:
        handler.setFormatter(logging.Formatter('%(asctime)s %(process)d %(levelname)s ' + (options['db_name'] or '?') + ' %(name)s: %(message)s'))
    report(file)


def read_file(file):
    text = configparser.RawConfigParser()
    try:
        with open(file) as f:
            text.read_file(f)
        items = text.items('options')
    except (OSError, configparser.Error) as e:
        sys.exit('odoo-bin: the config file %s cannot be read: %s' % (file, e))
    for key, value in items:
        if key not in KNOWN and SERIES >= 19:
            log.warning("unknown option %r in the config file at %s, option stored as-is, without parsing", key, file)
        if value in ('True', 'true', 'False', 'false') and key not in BOOL and SERIES >= 19 and key in KNOWN:
            log.warning("option %s reads %r in the config file at %s but isn't a boolean option, skip", key, value, file)
            continue
        options[key] = cast(key, value)


def cast(key, value):
    if value in ('True', 'true', 'False', 'false'):
        return value in ('True', 'true')
    if key in INT:
        return int(value)
    if key in FLOAT:
        return float(value)
    return ast.literal_eval(value) if key in BOOL else value


def read_environment():
    names = {'PGHOST': 'db_host', 'PGPORT': 'db_port', 'PGUSER': 'db_user', 'PGPASSWORD': 'db_password', 'PGDATABASE': 'db_name'}
    names.update({'ODOO_' + key.upper(): key for key in KNOWN})
    for name, key in names.items():
        if name in os.environ:
            options[key] = cast(key, os.environ[name])


def report(file):
    log = logging.getLogger('odoo')
    if options['db_user'] == 'postgres':
        sys.exit("Using the database user 'postgres' is a security risk, aborting.")
    if os.geteuid() == 0:
        log.warning("Running as user 'root' is a security risk.")
    log.info('Odoo version %s: the lab\'s stand-in for it', release.version)
    log.info('Using configuration file at %s', file)
    log.info('addons paths: %s', addons_path())
    log.info('database: %s@%s:%s', options['db_user'] or getpass.getuser(), options['db_host'] or 'default', options['db_port'] or 'default')


def addons_path():
    folders = [os.path.realpath(f.strip()) for f in options['addons_path'].split(',') if f.strip()]
    if SERIES < 19:
        return folders
    good = []
    for folder in folders:
        if os.path.isdir(folder) and any(os.path.isfile(os.path.join(folder, m, '__manifest__.py')) for m in os.listdir(folder)):
            good.append(folder)
        else:
            log.warning('option addons_path, invalid addons directory %r, skipped', folder)
    return good

"""Modules: found in the addons path, installed and updated in the database."""
import ast
import glob
import importlib.util
import logging
import os
import sys
import time

from odoo import config, database, release
from odoo.config import options

log = logging.getLogger('odoo.modules.loading')


def names(text):
    return [n for n in text.split(',') if n]


def found():
    """Every module of the addons path by name, with its manifest; the first folder that has it wins."""
    all_ = {}
    for folder in config.addons_path():
        for file in sorted(glob.glob(os.path.join(folder, '*', '__manifest__.py'))):
            with open(file) as f:
                manifest = dict(ast.literal_eval(f.read()), path=os.path.dirname(file))
            if manifest.get('installable', True):
                all_.setdefault(os.path.basename(manifest['path']), manifest)
    for name, manifest in all_.items():
        manifest['depends'] = manifest.get('depends') or ([] if name == 'base' else ['base'])
    return all_


def version_of(manifest):
    version = manifest.get('version', '1.0')
    return version if version.startswith(release.series + '.') else release.series + '.' + version


def load(cr):
    """What Odoo does with its database at each start; with -i or -u, what these ask for."""
    init, update = names(options['init']), names(options['update'])
    cr.execute("SET SESSION lock_timeout = '15s'")
    if not database.exists(cr, 'ir_module_module'):
        if not (init or update):
            log.error('Database %s not initialized, you can force it with `-i base`', options['db_name'])
            return
        log.info('init db')
        database.initialize(cr)
        init.append('base')
    modules = found()
    if 'base' not in modules:
        log.critical('module base cannot be loaded! (hint: verify addons-path)')
        raise ImportError('Module `base` cannot be loaded! (hint: verify addons-path)')
    if init or update:
        log.info('updating modules list')
        update_list(cr, modules)
        mark(cr, modules, init, update)
    loaded = load_graph(cr, modules)
    missing = sorted(set(in_states(cr, 'installed', 'to upgrade', 'to remove')) - loaded)
    if missing:
        log.error('Some modules are not loaded, some dependencies or manifest may be missing: %s', missing)
    left = in_states(cr, 'to install', 'to upgrade')
    if left:
        log.error('Some modules have inconsistent states, some dependencies may be missing: %s', left)
    log.info('Modules loaded.')


def in_states(cr, *states):
    cr.execute('SELECT name FROM ir_module_module WHERE state IN %s ORDER BY name', [states])
    return [name for name, in cr.fetchall()]


def set_state(cr, state, modules):
    cr.execute('UPDATE ir_module_module SET state = %s WHERE name = ANY (%s)', [state, list(modules)])


def update_list(cr, modules):
    for name, manifest in modules.items():
        cr.execute('''INSERT INTO ir_module_module (name, state, author, shortdesc, auto_install) VALUES (%s, 'uninstalled', %s, %s, %s)
            ON CONFLICT (name) DO UPDATE SET auto_install = EXCLUDED.auto_install RETURNING id''',
                   [name, manifest.get('author'), manifest.get('name'), bool(manifest.get('auto_install'))])
        row = cr.fetchone()[0]
        cr.execute('DELETE FROM ir_module_module_dependency WHERE module_id = %s', [row])
        for d in manifest['depends']:
            cr.execute('INSERT INTO ir_module_module_dependency (name, module_id) VALUES (%s, %s)', [d, row])


def mark(cr, modules, init, update):
    """Notes in the database what is to be installed and updated: with what it needs, and with all that needs it."""
    cr.execute('SELECT name, state FROM ir_module_module')
    state = dict(cr.fetchall())
    unknown = sorted(set(init + update) - set(state) - {'all'})
    if unknown:
        log.warning('invalid module names, ignored: %s', ', '.join(unknown))
    known = [n for n, s in state.items() if s in ('installed', 'to upgrade')]
    old = set(known if {'base', 'all'} & set(update) else (n for n in update if n in known))
    while True:
        more = {n for n in known if n in modules and old & set(modules[n]['depends'])} - old
        if not more:
            break
        old |= more
    set_state(cr, 'to upgrade', old)
    todo = [n for n, s in state.items() if s == 'uninstalled' and ({n, 'all'} & set(init))]
    for name in old & set(modules):
        todo += needed(modules, name, 'upgrade')
    new = set()
    while todo:
        name = todo.pop()
        if name in new or state.get(name) != 'uninstalled':
            continue
        new.add(name)
        todo += needed(modules, name, 'install')
        # Glue between modules comes by itself, but only along with one of them.
        there = new | set(known)
        todo += [glue for glue, m in modules.items() if m.get('auto_install') and new & set(m['depends']) and set(m['depends']) <= there]
    set_state(cr, 'to install', new)


def needed(modules, name, verb):
    for d in modules[name]['depends']:
        if d not in modules:
            raise Exception('You try to %s module "%s" that depends on module "%s".\n'
                            'But the latter module is not available in your system.' % (verb, name, d))
    return modules[name]['depends']


def load_graph(cr, modules):
    """Loads all modules that are or shall be installed, what is needed first; one commit for each that changes."""
    cr.execute("SELECT name, state, latest_version FROM ir_module_module WHERE state NOT IN ('uninstalled', 'uninstallable')")
    rows = {name: (state, version) for name, state, version in cr.fetchall()}
    order, loaded = [], set()
    while True:
        ready = sorted(n for n in rows if n in modules and n not in loaded and set(modules[n]['depends']) <= loaded)
        if not ready:
            break
        order += ready
        loaded |= set(ready)
    log.info('loading %d modules...', len(order))
    for number, name in enumerate(order, 1):
        state, version = rows[name]
        if state not in ('to install', 'to upgrade'):
            continue
        began = time.time()
        log.info('Loading module %s (%d/%d)', name, number, len(order))
        for stage in ('pre', 'post') if state == 'to upgrade' else ():
            migrate(cr, modules[name], stage, version)
        cr.execute("UPDATE ir_module_module SET state = 'installed', latest_version = %s WHERE name = %s", [version_of(modules[name]), name])
        cr.connection.commit()
        log.info('Module %s loaded in %.2fs, 0 queries', name, time.time() - began)
    cr.connection.commit()
    return loaded


def migrate(cr, manifest, stage, installed):
    """Runs a module's migration scripts: of versions above the installed one, up to the manifest's."""
    def number(version):
        full = version if version.startswith(release.series + '.') else release.series + '.' + version
        return [int(part) for part in full.split('.') if part.isdigit()]
    for folder in sorted(glob.glob(os.path.join(manifest['path'], 'migrations', '*')), key=lambda f: number(os.path.basename(f))):
        version = os.path.basename(folder)
        if not number(installed) < number(version) <= number(version_of(manifest)):
            continue
        for file in sorted(glob.glob(os.path.join(folder, stage + '-*.py'))):
            log.info('module %s: Running migration [%s>] %s', os.path.basename(manifest['path']), version, os.path.basename(file))
            spec = importlib.util.spec_from_file_location('migration', file)
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            module.migrate(cr, installed)


def neutralize():
    """odoo-bin neutralize: runs data/neutralize.sql of every installed module."""
    log = logging.getLogger('odoo.cli.neutralize')
    if not options['db_name']:
        log.error('Neutralize command needs a database name. Use "-d" argument')
        return 1
    try:
        with database.connect(options['db_name']) as connection, connection.cursor() as cr:
            modules = found()
            files = [os.path.join(modules[n]['path'], 'data/neutralize.sql') for n in in_states(cr, 'installed', 'to upgrade', 'to remove') if n in modules]
            statements = [open(f).read() for f in files if os.path.exists(f)]
            if options['to_stdout']:
                sys.stdout.write('BEGIN;\n' + ''.join(statements) + 'COMMIT;\n')
                return 0
            log.info('Starting %s database neutralization', options['db_name'])
            for statement in statements:
                cr.execute(statement)
    except Exception:
        log.critical('An error occurred during the neutralization. THE DATABASE IS NOT NEUTRALIZED!', exc_info=True)
        return 1
    log.info('Neutralization finished')
    return 0

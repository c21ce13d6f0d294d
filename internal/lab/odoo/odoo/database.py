"""The connection to PostgreSQL, and those of Odoo's tables that odoogen looks at."""
import hashlib
import os
import uuid

import psycopg2

from odoo import release
from odoo.config import options

TABLES = """
CREATE TABLE ir_module_module (id serial PRIMARY KEY, name varchar UNIQUE NOT NULL, state varchar(16) NOT NULL,
    latest_version varchar, author varchar, shortdesc varchar, auto_install boolean DEFAULT false, demo boolean DEFAULT false);
CREATE TABLE ir_module_module_dependency (id serial PRIMARY KEY, name varchar,
    module_id integer REFERENCES ir_module_module ON DELETE CASCADE);
CREATE TABLE ir_model_data (id serial PRIMARY KEY, module varchar NOT NULL, name varchar NOT NULL, model varchar NOT NULL,
    res_id integer, noupdate boolean DEFAULT false);
CREATE TABLE ir_config_parameter (id serial PRIMARY KEY, key varchar UNIQUE NOT NULL, value text);
CREATE TABLE ir_cron (id serial PRIMARY KEY, cron_name varchar, active boolean DEFAULT true);
CREATE TABLE ir_mail_server (id serial PRIMARY KEY, name varchar, smtp_host varchar, active boolean DEFAULT true);
CREATE TABLE res_lang (id serial PRIMARY KEY, code varchar UNIQUE NOT NULL, active boolean DEFAULT true);
CREATE TABLE res_users (id serial PRIMARY KEY, login varchar UNIQUE NOT NULL, password varchar, active boolean DEFAULT true);
CREATE TABLE ir_attachment (id serial PRIMARY KEY, name varchar NOT NULL, res_model varchar, store_fname varchar,
    file_size integer, checksum varchar(40), mimetype varchar);
-- About as many as base and web have: a dump of nearly nothing is taken for a broken one.
INSERT INTO ir_model_data (module, name, model, res_id)
    SELECT 'base', 'field_stand_in_of_the_lab_' || n || '__create_uid', 'ir.model.fields', n FROM generate_series(1, 16000) n;
INSERT INTO ir_cron (cron_name) VALUES ('Base: Auto-vacuum internal data');
INSERT INTO res_lang (code) VALUES ('en_US');
"""


def connect(name):
    """A connection to a database: over the socket where db_host is a folder, as the user of the process."""
    how = {'host': options['db_host'], 'port': options['db_port'], 'user': options['db_user'], 'password': options['db_password']}
    return psycopg2.connect(dbname=name, application_name='odoo-%d' % os.getpid(), **{k: v for k, v in how.items() if v})


def exists(cr, table):
    cr.execute("SELECT to_regclass(%s) IS NOT NULL", [table])
    return cr.fetchone()[0]


def initialize(cr):
    cr.execute(TABLES)
    for key, value in [('database.secret', str(uuid.uuid4())), ('database.uuid', str(uuid.uuid4())), ('web.base.url', 'http://localhost:8069')]:
        cr.execute('INSERT INTO ir_config_parameter (key, value) VALUES (%s, %s)', [key, value])
    cr.execute("INSERT INTO ir_config_parameter (key, value) VALUES ('database.create_date', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'))")
    cr.execute('INSERT INTO res_users (login, password) VALUES (%s, %s)', ['admin', hashed('admin')])
    for n in range(3):
        attach(cr, 'stand-in-%d.txt' % n, ('attachment %d of a stand-in for Odoo %s\n' % (n, release.version)).encode() * 100)


def hashed(password, salt=None):
    salt = salt or os.urandom(8).hex()
    return salt + '$' + hashlib.pbkdf2_hmac('sha512', password.encode(), salt.encode(), 1000).hex()


def filestore():
    return os.path.join(options['data_dir'], 'filestore', options['db_name'])


def attach(cr, name, data):
    """Keeps an attachment as Odoo does: in the filestore, under the hash of what it is."""
    checksum = hashlib.sha1(data).hexdigest()
    file = os.path.join(checksum[:2], checksum)
    path = os.path.join(filestore(), file)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as f:
        f.write(data)
    cr.execute('INSERT INTO ir_attachment (name, store_fname, file_size, checksum, mimetype) VALUES (%s, %s, %s, %s, %s)',
               [name, file, len(data), checksum, 'text/plain'])

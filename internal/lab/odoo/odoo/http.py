"""The pages that odoogen asks for, and one that says who answers."""
import base64
import hashlib
import html
import json
import logging
import os
import re
import secrets
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlsplit

import psycopg2

from odoo import database, release
from odoo.config import options

log = logging.getLogger('werkzeug')
HOME = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))  # the release, wherever `current` leads meanwhile
busy = set()  # the threads that work on a request
idle = []  # connections that no thread uses


def answer(client, address, websocket):
    try:
        Request(client, address, websocket)
    except OSError:
        pass  # the client is gone
    finally:
        client.close()


def threads(listener, websocket):
    while True:
        try:
            client, address = listener.accept()
        except OSError:
            return
        threading.Thread(target=answer, args=(client, address, websocket), daemon=True).start()


class Request(BaseHTTPRequestHandler):
    timeout = 2  # for a client that connects and says nothing

    def __init__(self, client, address, websocket):
        self.websocket = websocket  # whether this process takes them
        super().__init__(client, address, None)

    def version_string(self):
        return 'odoo-stand-in'

    def log_message(self, form, *words):
        client = self.client_address[0]
        if options['proxy_mode'] and self.headers.get('X-Forwarded-Host'):
            client = self.headers.get('X-Forwarded-For', client).split(',')[-1].strip()
        log.info('%s - - "%s" %s', client, self.requestline, words[1] if len(words) > 1 else '-')

    def do_GET(self):
        url = urlsplit(self.path)
        pages = {'/': lambda q: self.redirect('/web'), '/web': self.web, '/web/login': self.login, '/web/health': self.health,
                 '/websocket': self.upgrade, '/stand-in': self.stand_in, '/stand-in/slow': self.slow}
        page = pages.get(url.path)
        if content := re.fullmatch('/web/content/([0-9]+)', url.path):
            page = lambda query: self.attachment(int(content[1]))
        if not page:
            return self.reply(404, 'there is no such page')
        busy.add(threading.get_ident())
        try:
            page({k: v[0] for k, v in parse_qs(url.query).items()})
        except psycopg2.Error:
            log.exception('Exception during request handling.')
            self.reply(500, 'Internal Server Error')
        finally:
            busy.discard(threading.get_ident())

    def do_POST(self):
        self.do_GET()

    def reply(self, status, text, kind='text/html; charset=utf-8', **headers):
        data = text if isinstance(text, bytes) else text.encode()
        self.send_response(status)
        for key, value in dict(headers, Content_Type=kind, Content_Length=str(len(data)), X_Odoo_Stand_In=HOME).items():
            self.send_header(key.replace('_', '-'), value)
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(data)

    do_HEAD = do_GET

    def redirect(self, to, **headers):
        self.reply(303, 'see %s' % to, Location=to, **headers)

    def ask(self, query, *values):
        """One row of the instance's database; None where it has none, or is not one of Odoo's. The connection is kept for
        who asks next, as Odoo's pool keeps it, until the server ends it."""
        while True:
            try:
                connection, kept = idle.pop(), True
            except IndexError:
                connection, kept = None, False
            try:
                connection = connection or database.connect(options['db_name'])
                with connection, connection.cursor() as cr:
                    cr.execute(query, values)
                    row = cr.fetchone()
                idle.append(connection)
                return row
            except (psycopg2.OperationalError, psycopg2.InterfaceError, psycopg2.errors.UndefinedTable) as e:
                if connection:
                    connection.close()
                if not kept or isinstance(e, psycopg2.errors.UndefinedTable):
                    return None

    # --- Pages --------------------------------------------------------------------------------------------------

    def facts(self):
        return {'stand-in': 'the lab\'s, for Odoo ' + release.version, 'release': HOME, 'database': options['db_name'],
                'pid': os.getpid(), 'master': os.getppid(), 'workers': options['workers'],
                'max_cron_threads': options['max_cron_threads'], 'http_port': options['http_port'], 'data_dir': options['data_dir']}

    def stand_in(self, query):
        self.reply(200, json.dumps(self.facts()) + '\n', 'application/json')

    def slow(self, query):
        time.sleep(min(float(query.get('s', 1)), 600))
        self.stand_in(query)

    def health(self, query):
        """Says nothing of the instance's own database, as Odoo's does not."""
        said, status = {'status': 'pass'}, 200
        if query.get('db_server_status'):
            try:
                database.connect('postgres').close()
                said['db_server_status'] = True
            except psycopg2.Error:
                said, status = {'status': 'fail', 'db_server_status': False}, 500
        self.reply(status, json.dumps(said), 'application/json', Cache_Control='no-store')

    def web(self, query):
        user = self.session().get('login')
        if not user:
            return self.redirect('/web/login')
        self.page('%s is logged in' % user)

    def login(self, query):
        if not self.ask("SELECT 1 FROM ir_module_module WHERE name = 'base' AND state <> 'uninstalled'"):
            return self.redirect('/web/database/selector')
        session = self.session()
        if self.command == 'POST':
            form = parse_qs(self.rfile.read(int(self.headers.get('Content-Length') or 0)).decode())
            login, password = form.get('login', [''])[0], form.get('password', [''])[0]
            row = self.ask('SELECT password FROM res_users WHERE login = %s AND active', login)
            if row and secrets.compare_digest(row[0], database.hashed(password, row[0].split('$')[0])):
                return self.redirect('/web', Set_Cookie=self.keep({'login': login}))
            return self.page('Wrong login/password', Set_Cookie=self.keep(session))
        self.page('<form method="post"><input name="login"><input name="password" type="password"><button>Log in</button></form>',
                  **({} if session else {'Set_Cookie': self.keep({'login': None})}))

    def page(self, body, **headers):
        facts = ''.join('<dt>%s<dd>%s' % (k, html.escape(str(v))) for k, v in self.facts().items())
        self.reply(200, '<!DOCTYPE html><title>Odoo (stand-in)</title><p>%s<dl>%s</dl>\n' % (body, facts), **headers)

    def attachment(self, number):
        row = self.ask('SELECT store_fname, mimetype FROM ir_attachment WHERE id = %s', number)
        try:
            with open(os.path.join(database.filestore(), row[0]), 'rb') as f:
                self.reply(200, f.read(), row[1])
        except (TypeError, OSError):
            self.reply(404, 'there is no such attachment')

    # --- Sessions -----------------------------------------------------------------------------------------------

    def session_file(self):
        cookie = SimpleCookie(self.headers.get('Cookie', '')).get('session_id')
        sid = cookie.value if cookie and re.fullmatch('[A-Za-z0-9_-]{20,100}', cookie.value) else secrets.token_urlsafe(42)
        return sid, os.path.join(options['data_dir'], 'sessions', sid[:2], sid)

    def session(self):
        try:
            with open(self.session_file()[1]) as f:
                return json.load(f)
        except OSError:
            return {}

    def keep(self, session):
        sid, file = self.session_file()
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(file, 'w') as f:
            json.dump(session, f)
        return 'session_id=%s; Max-Age=604800; HttpOnly; Path=/' % sid

    # --- Websockets ---------------------------------------------------------------------------------------------

    def upgrade(self, query):
        if not self.websocket:
            log.error("Couldn't bind the websocket. Is the connection opened on the evented port (%s)?", options['gevent_port'])
            return self.reply(500, 'Internal Server Error')
        key = self.headers.get('Sec-WebSocket-Key')
        if self.headers.get('Upgrade', '').lower() != 'websocket' or not key:
            return self.reply(400, 'Bad Request')
        self.log_request(101)
        accept = base64.b64encode(hashlib.sha1(key.encode() + b'258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest()).decode()
        self.wfile.write(('HTTP/1.1 101 Switching Protocols\r\nServer: odoo-stand-in\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
                          'Sec-WebSocket-Accept: %s\r\n\r\n' % accept).encode())
        self.connection.settimeout(None)
        busy.discard(threading.get_ident())
        while self.frame():
            pass

    def frame(self):
        """Takes one frame: a ping is answered, a close too, and all else is not heeded."""
        head = self.rfile.read(2)
        if len(head) < 2:
            return False
        opcode, size = head[0] & 15, head[1] & 127
        if size > 125:
            size, = struct.unpack('>H', self.rfile.read(2)) if size == 126 else struct.unpack('>Q', self.rfile.read(8))
        mask = self.rfile.read(4) if head[1] & 128 else bytes(4)
        data = bytes(b ^ mask[n % 4] for n, b in enumerate(self.rfile.read(min(size, 1 << 20))))
        if opcode in (8, 9):
            self.wfile.write(bytes([128 | (opcode if opcode == 8 else 10), len(data)]) + data)
        return opcode != 8

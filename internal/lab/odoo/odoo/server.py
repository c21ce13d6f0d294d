"""The processes of a server: one with threads, or a master with workers; their ports and signals."""
import logging
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import threading
import time

from odoo import config, database, http, modules
from odoo.config import options

log = logging.getLogger('odoo.service.server')
BEAT = 1  # seconds between two looks at the workers


def main():
    if sys.argv[1:2] == ['gevent']:
        return gevent()
    server = Prefork() if options['workers'] else Threaded()
    server.listen()
    code = preload()
    if options['stop_after_init']:
        return code
    server.run()
    return 0


def preload():
    """Loads the database, as each start does. A server comes up without one, too: it answers, and not what is wanted."""
    if not options['db_name']:
        return 0
    try:
        connection = database.connect(options['db_name'])
        try:
            with connection.cursor() as cr:
                modules.load(cr)
            connection.commit()
        finally:
            connection.close()
    except Exception:
        log.critical('Failed to initialize database `%s`.', options['db_name'], exc_info=True)
        return 255
    return 0


def listener(port):
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((options['http_interface'], port))
    s.listen(8 * max(1, options['workers']))
    return s


def reexec():
    """Runs the program again in this process, without what is done once."""
    words, once = sys.argv[1:], []
    while words:
        word = words.pop(0)
        if word in ('-u', '--update', '-i', '--init'):
            words.pop(0)
        elif not word.startswith(('-u', '--update=', '-i', '--init=')):
            once.append(word)
    os.execve(sys.executable, [sys.executable, sys.argv[0]] + once, os.environ)


class Threaded:
    """workers = 0: one process, a thread for each request."""
    def listen(self):
        self.socket = None

    def run(self):
        ended = threading.Event()
        again = []
        for s in signal.SIGTERM, signal.SIGINT, signal.SIGHUP:
            signal.signal(s, lambda number, frame: (again.append(number == signal.SIGHUP), ended.set()))
        for _ in range(options['max_cron_threads']):
            threading.Thread(target=cron, args=(lambda: not ended.is_set(),), daemon=True).start()
        if options['http_enable']:
            self.socket = listener(options['http_port'])
            log.info('HTTP service (werkzeug) running on %s:%s', *self.socket.getsockname())
            threading.Thread(target=http.threads, args=(self.socket, True), daemon=True).start()
        ended.wait()
        log.info('Initiating shutdown')
        if self.socket:
            self.socket.close()
        late = time.time() + (1 if again[0] else options['limit_time_real'])
        while http.busy and time.time() < late:
            time.sleep(0.05)
        if again[0]:
            reexec()


class Prefork:
    """workers > 0: a master that only sees to its workers, which share the port."""
    def __init__(self):
        self.web, self.cron, self.websocket, self.signals = set(), set(), None, []

    def listen(self):
        self.socket = None
        if not options['http_enable']:
            return
        if 'ODOO_HTTP_SOCKET_FD' in os.environ:
            self.socket = socket.socket(fileno=int(os.environ.pop('ODOO_HTTP_SOCKET_FD')))
        else:
            self.socket = listener(options['http_port'])
        log.info('HTTP service (werkzeug) running on %s:%s', *self.socket.getsockname())

    def run(self):
        for s in signal.SIGTERM, signal.SIGINT, signal.SIGHUP:
            signal.signal(s, lambda number, frame: self.signals.append(number))
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        if 'ODOO_READY_SIGHUP_PID' in os.environ:
            os.kill(int(os.environ.pop('ODOO_READY_SIGHUP_PID')), signal.SIGHUP)
        while not self.signals:
            self.reap()
            self.spawn()
            time.sleep(BEAT)
        if self.signals[0] != signal.SIGHUP:
            return self.stop()
        if config.SERIES >= 19:
            return self.reload()
        self.stop()
        reexec()

    def spawn(self):
        while self.socket and len(self.web) < options['workers']:
            self.fork(self.web, self.serve)
        if self.socket and not self.websocket:
            self.websocket = subprocess.Popen([sys.executable, sys.argv[0], 'gevent'] + sys.argv[1:]).pid
        while len(self.cron) < options['max_cron_threads']:
            self.fork(self.cron, cron)

    def fork(self, those, work):
        master = os.getpid()
        pid = os.fork()
        if pid:
            those.add(pid)
            return
        alive = [True]
        signal.signal(signal.SIGINT, lambda number, frame: alive.clear())
        for s in signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD:
            signal.signal(s, signal.SIG_DFL)
        try:
            work(lambda: alive and os.getppid() == master)
        except Exception:
            log.exception('Worker (%s) Exception occurred, exiting...', os.getpid())
            os._exit(1)
        os._exit(0)

    def serve(self, alive):
        """A worker takes one request after another, and ends when it has grown too large."""
        if options['limit_memory_hard']:
            resource.setrlimit(resource.RLIMIT_AS, (options['limit_memory_hard'],) * 2)
        log.info('Worker WorkerHTTP (%s) alive', os.getpid())
        self.socket.setblocking(False)
        while alive():
            if not select.select([self.socket], [], [], BEAT)[0]:
                continue
            try:
                client, address = self.socket.accept()
            except BlockingIOError:
                continue  # another worker was faster
            client.setblocking(True)
            http.answer(client, address, websocket=False)
            if 0 < options['limit_memory_soft'] < virtual_memory():
                log.info('Worker (%d) virtual memory limit (%d) reached.', os.getpid(), virtual_memory())
                return

    def reap(self):
        while True:
            try:
                pid, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            self.web.discard(pid)
            self.cron.discard(pid)
            if self.websocket == pid:
                self.websocket = None

    def stop(self):
        """Lets requests end, for as long as one may take; websockets are cut."""
        log.info('Stopping workers gracefully')
        if self.socket:
            self.socket.close()
        self.end(self.reap)

    def end(self, look):
        kill(signal.SIGKILL, {self.websocket} - {None})
        kill(signal.SIGINT, self.web | self.cron)
        late = time.time() + options['limit_time_real']
        while self.web | self.cron and time.time() < late and len(self.signals) < 2:
            look()
            time.sleep(0.1)
        kill(signal.SIGKILL, self.web | self.cron)

    def reload(self):
        """Odoo 19: this process becomes the new server and keeps the port; a copy of it ends the old workers when the
        new server has loaded its database, or after a minute."""
        log.info('Reloading server')
        hatched = []
        signal.signal(signal.SIGHUP, lambda number, frame: hatched.append(True))
        copy = os.fork()
        if copy:
            os.set_inheritable(self.socket.fileno(), True)
            os.environ.update(ODOO_HTTP_SOCKET_FD=str(self.socket.fileno()), ODOO_READY_SIGHUP_PID=str(copy))
            reexec()
        log.info('Waiting for new server to start ...')
        late = time.time() + 60
        while not hatched and time.time() < late:
            time.sleep(0.1)
        if hatched:
            log.info('New server has started')
        else:
            log.error('Server reload timed out (check the updated code)')
        self.end(self.gone)  # they are the new server's children: only it can reap them
        log.info('Old server stopped')
        os._exit(0)

    def gone(self):
        for those in self.web, self.cron:
            for pid in list(those):
                if not os.path.exists('/proc/%d' % pid):
                    those.discard(pid)


def kill(number, pids):
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def virtual_memory():
    with open('/proc/self/statm') as f:
        return int(f.read().split()[0]) * resource.getpagesize()


def cron(alive):
    """A cron worker waits for a notification in the database postgres, whichever database its jobs are in."""
    if options['workers']:
        os.nice(10)
    connection = database.connect('postgres')
    connection.autocommit = True
    with connection.cursor() as cr:
        cr.execute('LISTEN cron_trigger')
    while alive():
        if select.select([connection], [], [], BEAT)[0]:
            connection.poll()
            connection.notifies.clear()


def gevent():
    """The process for websockets, of which there is one. It ends with its master."""
    master = os.getppid()
    s = listener(options['gevent_port'])
    log.info('Evented Service (longpolling) running on %s:%s', *s.getsockname())
    threading.Thread(target=http.threads, args=(s, True), daemon=True).start()
    while os.getppid() == master:
        time.sleep(BEAT)
    return 0

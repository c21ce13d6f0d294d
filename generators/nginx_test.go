package generators

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"odoogen/internal/artifact"
)

// web is a host's nginx with a stand-in for each Odoo port, which answers with its port and what it was sent.
const web = `
/etc/odoogen/current/bin/certificates bootstrap >/dev/null
nginx -t 2>/mnt/nginx.log || { cat /mnt/nginx.log; exit 1; }
if grep -F '[warn]' /mnt/nginx.log; then exit 1; fi
mkdir -p /var/www/acme/.well-known/acme-challenge
echo token >/var/www/acme/.well-known/acme-challenge/token
cat >/mnt/odoo.py <<'PY'
import sys, http.server
class Odoo(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/large":
            body = b"x" * 20000
        else:
            body = f"{self.server.server_port} {self.path}\n{self.headers}".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Set-Cookie", "session_id=1; Path=/")
        if self.path == "/web":
            self.send_header("X-Frame-Options", "DENY")
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Odoo).serve_forever()
PY
odoo() { python3 /mnt/odoo.py "$1" & pids+=($!); until (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; do sleep 0.05; done; }
pids=()
trap 'kill "${pids[@]}" 2>/dev/null; nginx -s stop 2>/dev/null' EXIT
nginx
get() { curl -sk --max-time 5 --resolve '*:443:127.0.0.1' --resolve '*:80:127.0.0.1' "$@"; }
`

// A vhost is what Odoo's documentation wants of a proxy, and refuses what a test site should not answer.
func TestVhostServes(t *testing.T) {
	tree := edgeTree(t, sample(t), "tests")
	got := onHost(t, tree, web+`
odoo 8017; odoo 8067
say() { echo "$1: $(get "${@:2}" || echo "exit $?")"; }
{
	say request -A curl https://qa17.example.com/web/login
	say websocket --http1.1 -A curl -H 'Connection: Upgrade' -H 'Upgrade: websocket' https://qa17.example.com/websocket
	say headers -D- -o/dev/null https://qa17.example.com/ | grep -v '^date:'
	say 'frames of the web client' -o/dev/null -w '%header{x-frame-options}' https://qa17.example.com/web
	say robots https://qa17.example.com/robots.txt
	say 'database manager' -o/dev/null -w '%{http_code}' https://qa17.example.com/web/database/manager
	say 'with two slashes' -o/dev/null -w '%{http_code}' https://qa17.example.com//web/database/manager
	say compressed --compressed -o/dev/null -w '%header{content-encoding}' https://qa17.example.com/large
	say 'port 80' -o/dev/null -w '%{http_code} %{redirect_url}' 'http://qa17.example.com/a?b=c'
	say challenge http://qa17.example.com/.well-known/acme-challenge/token
	say upload -o/dev/null -w '%{http_code}' -H "Content-Length: $((128 * 1024 * 1024 + 1))" -d x https://qa17.example.com/
	say 'Odoo is down' -o/dev/null -w '%{http_code}' https://qa19.example.com/
	say 'unknown name' http://other.example.com/
	say 'unknown name in the handshake' https://other.example.com/
	say 'known handshake, other name' --http1.1 -H 'Host: other.example.com' https://qa17.example.com/
	say 'status page' -o/dev/null -w '%{http_code}' http://127.0.0.1:8079/stub_status
	say 'IPv6' -g -o/dev/null -w '%{http_code}' --connect-to '::[::1]:' https://qa17.example.com/
} | tr -d '\r' | sed 's/ *$//'
`)
	want := `request: 8017 /web/login
Host: qa17.example.com
X-Forwarded-Host: qa17.example.com
X-Forwarded-For: 127.0.0.1
X-Forwarded-Proto: https
X-Real-IP: 127.0.0.1
Connection: close
user-agent: curl
accept: */*
websocket: 8067 /websocket
Host: qa17.example.com
X-Forwarded-Host: qa17.example.com
X-Forwarded-For: 127.0.0.1
X-Forwarded-Proto: https
X-Real-IP: 127.0.0.1
Upgrade: websocket
Connection: upgrade
User-Agent: curl
Accept: */*
headers: HTTP/2 200
server: nginx
content-type: text/plain
vary: Accept-Encoding
set-cookie: session_id=1; Path=/; Secure; SameSite=Lax
strict-transport-security: max-age=31536000
x-content-type-options: nosniff
x-frame-options: SAMEORIGIN
referrer-policy: strict-origin-when-cross-origin
x-robots-tag: noindex, nofollow

frames of the web client: DENY
robots: User-agent: *
Disallow: /
database manager: 404
with two slashes: 404
compressed: gzip
port 80: 301 https://qa17.example.com/a?b=c
challenge: token
upload: 413
Odoo is down: 502
unknown name: exit 52
unknown name in the handshake: exit 35
known handshake, other name: exit 52
status page: 200
IPv6: 200
`
	if diff := cmp.Diff(byLine(want), byLine(got)); diff != "" {
		t.Error(diff)
	}
}

// The threaded server has no websocket process: it answers websockets itself.
func TestVhostOfThreadedServer(t *testing.T) {
	topo := sample(t, `instances: qa17: #Instance & {class: "qa", version: "17.0", domain: "qa17.example.com"}`,
		`instances: qa17: #Instance & {class: "qa", version: "17.0", domain: "qa17.example.com", workers: 0, limit_time_real: 1800,
	aliases: ["`+longest+`", "www.qa17.example.com"]}`)
	tree := edgeTree(t, topo, "tests")
	got := onHost(t, tree, web+`
odoo 8017
get https://qa17.example.com/websocket | head -1
get https://www.qa17.example.com/web | head -1
get -o/dev/null -w '%{http_code}\n' https://`+longest+`/
`)
	if want := "8017 /websocket\r\n8017 /web\r\n200\n"; strings.ReplaceAll(got, "\r", "") != strings.ReplaceAll(want, "\r", "") {
		t.Errorf("got %q, want %q", got, want)
	}
	if vhost := fileText(t, tree, "nginx/qa17.conf"); !strings.Contains(vhost, "proxy_read_timeout 1810s;") {
		t.Errorf("nginx gives up before Odoo does:\n%s", vhost)
	}
}

// longest is about as long as DNS allows a name to be.
var longest = strings.Repeat(strings.Repeat("a", 57)+".", 4) + "example.com"

// Debian 13 has nginx 1.26, with a directive for HTTP/2, and OpenSSL 3.5, with the post-quantum group.
func TestTLSByRelease(t *testing.T) {
	twelve := edgeTree(t, sample(t), "tests")
	topo := sample(t)
	for _, h := range topo.Hosts {
		h.Debian = 13
	}
	thirteen := edgeTree(t, topo, "tests")
	for _, c := range []struct {
		path, twelve, thirteen string
	}{
		{"nginx/qa17.conf", "listen [::]:443 ssl http2;", "listen [::]:443 ssl;"},
		{"nginx/01-default.conf", "listen 443 ssl default_server http2;", "listen 443 ssl default_server;"},
		{"nginx/snippets/tls.conf", "ssl_ecdh_curve X25519:", "http2 on;"},
		{"nginx/snippets/tls.conf", "ssl_ecdh_curve X25519:prime256v1:secp384r1;", "ssl_ecdh_curve X25519MLKEM768:X25519:prime256v1:secp384r1;"},
	} {
		for release, tree := range map[string]*artifact.Tree{c.twelve: twelve, c.thirteen: thirteen} {
			if !strings.Contains(fileText(t, tree, c.path), release) {
				t.Errorf("%s: no %q", c.path, release)
			}
		}
	}
}

func byLine(s string) []string { return strings.Split(s, "\n") }

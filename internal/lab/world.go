package lab

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

// world is all that is not the spec's: DNS, web servers of every name, a certificate authority that issues over ACME,
// receivers of metrics, logs and pings, package archives, git servers, and a Storage Box.
type world struct {
	*config
	ca     *authority
	issuer []byte // the root of the certificates that are issued over ACME
	acme   *httputil.ReverseProxy
	metric *httputil.ReverseProxy
	names  atomic.Pointer[map[string]string] // what DNS answers

	mu       sync.Mutex
	log      *os.File
	received int
}

// Received is a request that the outside world has taken: a ping, logs, metrics, a web hook.
type Received struct {
	Time   time.Time `json:"time"`
	From   string    `json:"from"`
	Method string    `json:"method"`
	URL    string    `json:"url"`
	Agent  string    `json:"agent,omitempty"`
	Bytes  int       `json:"bytes"`
	Body   string    `json:"body,omitempty"` // the first 64 KiB of what is text
}

// startWorld starts it in the supervisor's network namespace.
func startWorld(ctx context.Context, c *config) (*world, error) {
	w := &world{config: c}
	var err error
	if w.ca, err = newAuthority(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(w.dir(), 0o755); err != nil {
		return nil, err
	}
	if w.log, err = os.OpenFile(receivedFile(c.dir()), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600); err != nil {
		return nil, err
	}
	names, err := net.ListenPacket("udp4", ":53")
	if err != nil {
		return nil, err
	}
	w.names.Store(&c.Names)
	go w.serveNames(names)
	if err := w.startPrograms(ctx); err != nil {
		return nil, err
	}
	w.acme = proxy("https://127.0.0.1:14000", func(r *http.Request) {
		if r.URL.Path == "/directory" {
			r.URL.Path = "/dir" // as pebble calls it; Let's Encrypt, and so every spec, says directory
		}
	})
	w.metric = proxy("http://127.0.0.1:9090", func(r *http.Request) { r.URL.Path = "/api/v1/write" })
	plain, err := net.Listen("tcp4", worldAddress+":80")
	if err != nil {
		return nil, err
	}
	secure, err := tls.Listen("tcp4", worldAddress+":443", &tls.Config{NextProtos: []string{"http/1.1"},
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) { return w.ca.certificate(hello.ServerName) }})
	if err != nil {
		return nil, err
	}
	for _, l := range []net.Listener{plain, secure} {
		server := &http.Server{Handler: w, ReadHeaderTimeout: 10 * time.Second}
		go server.Serve(l)
	}
	return w, nil
}

func (w *world) dir() string { return filepath.Join(w.config.dir(), "world") }

func receivedFile(dir string) string { return filepath.Join(dir, "world", "received.jsonl") }

// proxy hands a request on to one of the world's programs, which sees the name that the client asked for.
func proxy(to string, edit func(*http.Request)) *httputil.ReverseProxy {
	target, _ := url.Parse(to)
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = target.Scheme, target.Host
			edit(r.Out)
		},
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, // over loopback, to a program of ours
	}
}

// ServeHTTP answers for every name: packages, code, ACME and metrics go where they belong; all else is recorded and
// answered with 200.
func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if name := w.packageFile(r); name != "" {
		http.ServeFile(rw, r, name)
		return
	}
	if serveGit(rw, r, w.gitDir()) {
		return
	}
	if isACME(r.URL.Path) {
		w.acme.ServeHTTP(rw, r)
		return
	}
	body, _ := io.ReadAll(io.LimitReader(r.Body, 16<<20))
	w.record(r, body)
	if r.Header.Get("X-Prometheus-Remote-Write-Version") != "" {
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		w.metric.ServeHTTP(rw, r)
		return
	}
	fmt.Fprintln(rw, "OK")
}

// packageFile is the file of a package archive or index that the request is for, or empty. A name's own files come first.
func (w *world) packageFile(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	folders := []string{w.wwwDir()}
	for _, suite := range slices.Sorted(maps.Keys(w.Pools)) {
		folders = append(folders, filepath.Join(w.Pools[suite], "www"))
	}
	for _, name := range []string{host, anyHost} {
		for _, folder := range folders {
			file := filepath.Join(folder, path.Clean("/"+name), filepath.FromSlash(path.Clean("/"+r.URL.Path)))
			if strings.HasSuffix(r.URL.Path, "/") {
				file = filepath.Join(file, "index.html")
			}
			if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
				return file
			}
		}
	}
	return ""
}

// isACME: the directory, and pebble's other paths.
func isACME(p string) bool {
	switch head, _, _ := strings.Cut(strings.TrimPrefix(p, "/"), "/"); head {
	case "directory", "dir", "nonce-plz", "sign-me-up", "order-plz", "authZ", "chalZ", "finalize-order", "my-order",
		"certZ", "my-account", "list-orderz", "revoke-cert", "rollover-account-key":
		return true
	}
	return false
}

func (w *world) record(r *http.Request, body []byte) {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	from, _, _ := net.SplitHostPort(r.RemoteAddr)
	if from == worldAddress {
		return // the certificate authority, looking at a name that is no host's
	}
	entry := Received{Time: time.Now().UTC(), From: from, Method: r.Method, URL: scheme + "://" + r.Host + r.URL.RequestURI(),
		Agent: r.UserAgent(), Bytes: len(body)}
	if text := body[:min(len(body), 64<<10)]; utf8.Valid(text) {
		entry.Body = string(text)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.received++
	_ = json.NewEncoder(w.log).Encode(entry)
}

func (w *world) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.received
}

// authorities is the file of those that all in the lab trust: the world's and the ACME issuer's.
func (w *world) authorities() string { return authoritiesFile(w.config.dir()) }

func authoritiesFile(dir string) string { return filepath.Join(dir, "world", "authorities.pem") }

package generators

import (
	"fmt"
	"strings"

	"odoogen/internal/artifact"
	"odoogen/internal/conf"
	"odoogen/internal/topology"
)

// Nginx writes one vhost per instance, and what they share. The anchor in conf.d includes nginx/*.conf in the order
// of their names; nginx/snippets/ holds what a server includes. All TLS settings lie inside the servers: Debian 12's
// nginx.conf offers TLS 1.0 at the level above, and what is said there twice is added, not replaced.
func Nginx(t *topology.Topology, h *topology.Host) ([]artifact.File, error) {
	var out output
	if !h.RunsOdoo() {
		return nil, nil
	}
	reload := artifact.Reload(topology.NginxUnit)
	out.constant("nginx/00-http.conf", "nginx/http.conf", readable, reload)
	out.constant("nginx/snippets/plain.conf", "nginx/plain.conf", readable, reload)
	out.constant("nginx/snippets/odoo.conf", "nginx/odoo.conf", readable, reload)
	out.add("nginx/snippets/tls.conf", nginxTLS(h), reload)
	out.add("nginx/01-default.conf", nginxDefault(h), reload)
	if t.Observability != nil {
		out.add("nginx/02-status.conf", nginxStatus(t.Observability), reload)
	}
	for _, i := range h.Instances {
		out.add("nginx/"+i.Name+".conf", vhost(h, i), reload)
		if len(i.Nginx) > 0 {
			out.add(i.NginxFile(), nginxExtra(i), reload)
		}
	}
	out.constant("systemd/system/nginx.service.d/odoogen.conf", "systemd/nginx.conf", readable, artifact.DaemonReload)
	out.constant("systemd/system/nginx.service.d/20-hardening.conf", "systemd/nginx-hardening.conf", readable,
		artifact.DaemonReload, artifact.Restart(topology.NginxUnit))
	return out.result()
}

// nginxTLS is Mozilla's intermediate profile, guideline 6.0, for the OpenSSL of the host's release: the
// post-quantum group needs OpenSSL 3.5, which is Debian 13's.
func nginxTLS(h *topology.Host) *conf.Text {
	n := conf.NewNginx(h.Path, "TLS of all vhosts: Mozilla's intermediate profile, guideline 6.0")
	groups := "X25519:prime256v1:secp384r1"
	if h.Debian >= 13 {
		groups = "X25519MLKEM768:" + groups
		n.Set("http2", []string{"on"}, h.At("debian"))
	}
	n.Set("ssl_protocols", []string{"TLSv1.2", "TLSv1.3"})
	n.Set("ssl_ecdh_curve", []string{groups}, h.At("debian"))
	n.Set("ssl_ciphers", []string{strings.Join([]string{
		"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256",
		"ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
		"ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305"}, ":")})
	n.Set("ssl_prefer_server_ciphers", []string{"off"})
	n.Set("ssl_session_timeout", []string{"1d"})
	n.Set("ssl_session_cache", []string{"shared:odoogen:10m"})
	n.Set("ssl_session_tickets", []string{"off"})
	return &n.Text
}

// nginxDefault refuses names that are nobody's: on port 80 by closing the connection, on 443 before a certificate
// is shown. A known name in the handshake and another in the request ends here too, hence the 444.
func nginxDefault(h *topology.Host) *conf.Text {
	n := conf.NewNginx(h.Path, "Requests for names that this host does not serve")
	n.Block("server", nil, func() {
		listen(n, h, "80", "default_server")
		n.Set("server_name", []string{"_"})
		n.Set("access_log", []string{"off"})
		n.Set("return", []string{"444"})
	})
	n.Block("server", nil, func() {
		listen(n, h, "443", tls(h, "default_server")...)
		n.Set("server_name", []string{"_"})
		n.Set("include", []string{snippet("tls")})
		n.Set("ssl_reject_handshake", []string{"on"})
		n.Set("access_log", []string{"off"})
		n.Set("return", []string{"444"})
	})
	return &n.Text
}

// nginxStatus is the page that the exporter reads.
func nginxStatus(o *topology.Observability) *conf.Text {
	n := conf.NewNginx("observability.exporters.nginxStatus", "Numbers for the exporter, on loopback")
	n.Block("server", nil, func() {
		n.Set("listen", []string{fmt.Sprintf("127.0.0.1:%d", o.Exporters.NginxStatus)})
		n.Set("server_name", []string{"_"})
		n.Set("access_log", []string{"off"})
		n.Block("location", []string{"=", "/stub_status"}, func() { n.Set("stub_status", nil) })
		n.Block("location", []string{"/"}, func() { n.Set("return", []string{"404"}) })
	})
	return &n.Text
}

func vhost(h *topology.Host, i *topology.Instance) *conf.Text {
	n := conf.NewNginx(i.Path, "Odoo "+i.Version+", instance "+i.Name)
	upstream := func(name string, port int, portFrom string, from ...string) {
		n.Block("upstream", []string{name}, func() {
			n.Set("server", []string{fmt.Sprintf("127.0.0.1:%d", port)}, append([]string{portFrom}, from...)...)
		}, from...)
	}
	upstream(i.Upstream(), i.HTTPPort, i.At("http_port"))
	websocket := i.Upstream() // the threaded server, workers = 0, answers websockets itself
	if i.Workers > 0 {
		websocket = i.UpstreamWebsocket()
		upstream(websocket, i.GeventPort, i.At("gevent_port"), i.At("workers"))
	}
	n.Blank()
	n.Block("server", nil, func() {
		listen(n, h, "80")
		serverName(n, i)
		n.Set("include", []string{snippet("plain")})
	})
	n.Blank()
	n.Block("server", nil, func() {
		listen(n, h, "443", tls(h)...)
		serverName(n, i)
		n.Set("include", []string{snippet("tls")})
		n.Set("ssl_certificate", []string{i.CertificateDir() + "/fullchain.pem"})
		n.Set("ssl_certificate_key", []string{i.CertificateDir() + "/privkey.pem"})
		n.Set("include", []string{snippet("odoo")})
		n.Set("client_max_body_size", []string{i.Upload.Nginx()}, i.At("upload"))
		for _, timeout := range []string{"proxy_connect_timeout", "proxy_send_timeout", "proxy_read_timeout"} {
			n.Set(timeout, []string{fmt.Sprintf("%ds", proxySeconds(i))}, i.At("limit_time_real"))
		}
		n.Block("location", []string{"/"}, func() {
			n.Set("proxy_pass", []string{"http://" + i.Upstream()})
		})
		n.Block("location", []string{"/websocket"}, func() {
			n.Set("proxy_pass", []string{"http://" + websocket}, i.At("workers"))
		})
		if len(i.Nginx) > 0 {
			n.Set("include", []string{topology.Current + "/" + i.NginxFile()}, i.Path+".nginx")
		}
	})
	return &n.Text
}

// nginxExtra is what the spec adds to the vhost in nginx's own words.
func nginxExtra(i *topology.Instance) *conf.Text {
	n := conf.NewNginx(i.Path, "Further directives of the vhost of instance "+i.Name)
	n.Comment(unmodelled)
	for k, line := range i.Nginx {
		n.Directive(line, fmt.Sprintf("%s.nginx[%d]", i.Path, k), i.Path+".nginx")
	}
	return &n.Text
}

// proxySeconds is how long nginx waits for Odoo: what Odoo's documentation says, and always longer than Odoo itself
// lets a request take, so that the user sees Odoo's end of it.
func proxySeconds(i *topology.Instance) int { return max(720, i.LimitTimeReal+10) }

func serverName(n *conf.Nginx, i *topology.Instance) {
	n.Set("server_name", append([]string{i.Domain}, i.Aliases...), i.At("domain"), i.At("aliases"))
}

// listen is on all addresses, IPv4 and IPv6.
func listen(n *conf.Nginx, h *topology.Host, port string, options ...string) {
	n.Set("listen", append([]string{port}, options...), h.At("debian"))
	n.Set("listen", append([]string{"[::]:" + port}, options...), h.At("debian"))
}

// tls are the options of a listener: HTTP/2 is one of them until nginx 1.25, which has a directive (snippets/tls).
func tls(h *topology.Host, options ...string) []string {
	options = append([]string{"ssl"}, options...)
	if h.Debian < 13 {
		options = append(options, "http2")
	}
	return options
}

func snippet(name string) string { return topology.Current + "/nginx/snippets/" + name + ".conf" }

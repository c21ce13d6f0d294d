package topology

import (
	"fmt"

	"odoogen/internal/vocabulary"
)

// ownDirectives are those that odoogen sets in the server of every vhost: nginx takes them once, or they would open what
// the rules do not see.
var ownDirectives = map[string]string{
	"listen": "", "server_name": "domain and aliases", "ssl_certificate": "", "ssl_certificate_key": "",
	"client_max_body_size": "upload", "proxy_connect_timeout": "limit_time_real", "proxy_send_timeout": "limit_time_real",
	"proxy_read_timeout": "limit_time_real", "http2": "", "ssl_protocols": "", "ssl_ecdh_curve": "", "ssl_ciphers": "",
	"ssl_prefer_server_ciphers": "", "ssl_session_timeout": "", "ssl_session_cache": "", "ssl_session_tickets": "",
	"server_tokens": "", "proxy_http_version": "", "proxy_redirect": "", "proxy_buffer_size": "", "proxy_buffers": "",
	"gzip": "", "gzip_vary": "", "gzip_min_length": "", "gzip_types": "", "proxy_cookie_flags": "",
}

// checkSnippets refuses what is not one whole directive, or what odoogen says in every vhost.
func checkSnippets(c *checker) {
	for _, i := range c.t.Instances {
		for n, line := range i.Nginx {
			path := fmt.Sprintf("%s.nginx[%d]", i.Path, n)
			name, err := vocabulary.NginxDirective(line)
			field, own := ownDirectives[name]
			switch {
			case err != nil:
				c.refuse(path, "one directive with its ; or its block: \"client_body_timeout 5m;\"", nil, "%s", err)
			case own && field != "":
				c.refuse(path, "say "+field+" of the instance", nil, "odoogen sets %s in every vhost", name)
			case own:
				c.refuse(path, "", nil, "odoogen sets %s in every vhost", name)
			}
		}
	}
}

// NginxFile is the place of the vhost's further directives in a tree. An include of its own, so that nothing in it can
// end the server around it.
func (i *Instance) NginxFile() string { return "nginx/extra/" + i.Name + ".conf" }

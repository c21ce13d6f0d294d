package topology

import (
	"net"
	"strconv"
)

// NginxStatusPath is the page of nginx that its exporter reads.
const NginxStatusPath = "/stub_status"

// NginxStatusURL is that page's address.
func (o *Observability) NginxStatusURL() string {
	return "http://" + Local(o.Exporters.NginxStatus) + NginxStatusPath
}

// Local is a port on loopback.
func Local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

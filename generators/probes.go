package generators

import (
	"cmp"
	"fmt"

	"odoogen/internal/conf"
	"odoogen/internal/topology"
)

// hostProbes say how push finds out that the host works, from the host itself and from its peer.
func hostProbes(t *topology.Topology, h *topology.Host) *conf.Node {
	all := conf.Array()
	for _, w := range t.Units(h) {
		all.Add(conf.Object().Set("kind", "unit").Set("unit", w.Unit), w.Path)
	}
	for _, i := range h.Instances {
		otherwise := i.Name + " has no release yet"
		if i.HeldUntil() != "" {
			otherwise = i.Name + " waits for its data, which is to be moved"
		}
		// /web/health answers without the instance's own database; only the login page proves that it has one.
		all.Add(conf.Object().
			Set("kind", "http").
			Set("url", fmt.Sprintf("http://127.0.0.1:%d/web/login", i.HTTPPort), i.At("http_port")).
			Set("host", i.Domain, i.Path+".domain").
			Set("status", 200).
			Set("when", cmp.Or(i.HeldUntil(), i.Current())).
			Set("otherwise", otherwise), i.Path)
		if h.ServesWeb() {
			all.Add(conf.Object().
				Set("kind", "tls").
				Set("address", "127.0.0.1:443").
				Set("name", i.Domain, i.Path+".domain"), i.Path)
		}
	}
	for _, l := range t.Listeners(h) {
		if l.Metrics {
			all.Add(conf.Object().
				Set("kind", "http").
				Set("url", fmt.Sprintf("http://127.0.0.1:%d/metrics", l.Port)).
				Set("status", 200), l.Path)
		}
		if l.Unit == topology.JenkinsUnit { // asked on the host, which alone knows whether it may start yet
			all.Add(conf.Object().
				Set("kind", "http").
				Set("url", fmt.Sprintf("http://%s:%d/login", h.CI.Address(), l.Port), "ci.jenkins.port", h.CI.AddressPath()).
				Set("status", 200).
				Set("when", topology.JenkinsHome+"/plugins/configuration-as-code.jpi").
				Set("otherwise", "Jenkins has no plugins yet"), l.Path)
			continue
		}
		if l.Reach == topology.Private && h.Private != "" {
			all.Add(conf.Object().
				Set("kind", "tcp").
				Set("from", "peer").
				Set("address", h.Private, h.At("private")).
				Set("port", l.Port, l.Path), l.Path)
		}
	}
	return all
}

package topology

import (
	"slices"
	"strings"
)

func checkPorts(c *checker) {
	for _, h := range c.t.Hosts {
		holders := map[int]Listener{}
		said := map[[2]string]bool{} // http_port and gevent_port of two instances clash together: once is enough
		for _, l := range c.t.Listeners(h) {
			first, taken := holders[l.Port]
			if !taken {
				holders[l.Port] = l
				continue
			}
			a, b := listenerPath(first), listenerPath(l)
			if _, last := c.inOrder(a, b); last != b {
				first, l, a, b = l, first, b, a
			}
			if said[[2]string{a, b}] {
				continue
			}
			said[[2]string{a, b}] = true
			hint := ""
			if strings.HasPrefix(b, "instances.") {
				hint = "give the instance an http_port of its own"
			}
			c.refuse(b, hint, c.also(a, "%d is %s", first.Port, first.What), "%d for %s is taken on host %s", l.Port, l.What, h.Name)
		}
	}
}

// listenerPath is where a listener's port is said; for one that class and version give, the instance.
func listenerPath(l Listener) string {
	for _, p := range strings.Fields(l.Path) {
		if strings.Contains(l.Path, " ") && strings.HasPrefix(p, "instances.") {
			return parent(p)
		}
	}
	return l.Path
}

func checkPublic(c *checker) {
	for _, h := range c.t.Hosts {
		public := h.Public != "" || h.Public6 != ""
		if !public && len(h.Open) > 0 {
			c.refuse(h.Path+".open", "the host has no public address: leave it out", nil, "opens ports to nobody")
			continue
		}
		listeners := c.t.Listeners(h)
		for _, l := range listeners {
			if public && l.Reach == Public && !slices.Contains(h.Open, l.Port) {
				c.refuse(h.Path+".open", "open: [80, 443]", nil, "%s listens publicly on %d, which is not open", l.What, l.Port)
			}
		}
		for n, port := range h.Open {
			path := h.Path + ".open[" + plain(int64(n)) + "]"
			at := slices.IndexFunc(listeners, func(l Listener) bool { return l.Port == port })
			switch {
			case at < 0:
				c.refuse(path, "", nil, "%d is open, but nothing serves it", port)
			case listeners[at].Reach != Public && port != 22:
				c.refuse(path, "", c.also(listenerPath(listeners[at]), "%d is %s", port, listeners[at].What),
					"%d is open, but who listens there is private", port)
			case slices.Index(h.Open, port) < n:
				c.refuse(path, "", nil, "%d is open already", port)
			}
		}
	}
}

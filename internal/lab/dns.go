package lab

import (
	"net"
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// serveNames is the lab's DNS: the hosts' names are theirs, and every other name is the outside world's, so that
// whatever a spec talks to is answered by the world.
func (w *world) serveNames(c net.PacketConn) {
	buf := make([]byte, 512)
	for {
		n, from, err := c.ReadFrom(buf)
		if err != nil {
			return
		}
		if reply := resolve(buf[:n], *w.names.Load()); reply != nil {
			_, _ = c.WriteTo(reply, from)
		}
	}
}

// resolve answers one query; nil where it is none.
func resolve(query []byte, names map[string]string) []byte {
	var p dnsmessage.Parser
	header, err := p.Start(query)
	if err != nil || header.Response {
		return nil
	}
	q, err := p.Question()
	if err != nil {
		return nil
	}
	b := dnsmessage.NewBuilder(nil, dnsmessage.Header{ID: header.ID, Response: true, Authoritative: true,
		RecursionDesired: header.RecursionDesired, RecursionAvailable: true})
	b.EnableCompression()
	if b.StartQuestions() != nil || b.Question(q) != nil || b.StartAnswers() != nil {
		return nil
	}
	if address := addressOf(q.Name.String(), names); address.Is4() && q.Type == dnsmessage.TypeA {
		if b.AResource(dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 1}, dnsmessage.AResource{A: address.As4()}) != nil {
			return nil
		}
	}
	reply, err := b.Finish()
	if err != nil {
		return nil
	}
	return reply
}

func addressOf(name string, names map[string]string) netip.Addr {
	text, ours := names[strings.ToLower(strings.TrimSuffix(name, "."))]
	if !ours {
		text = worldAddress
	}
	a, _ := netip.ParseAddr(text)
	return a
}

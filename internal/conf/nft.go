package conf

import (
	"net/netip"
	"strings"
)

// Nft is a file of nftables commands (nft(8)). Rules are the generator's own words; what the user typed comes in
// through Prefix, Name and Element alone.
type Nft struct {
	Text
	depth int
}

// NewNft begins a ruleset of the thing at owner.
func NewNft(owner, what string) *Nft {
	n := &Nft{Text: Of(owner)}
	n.Header(what)
	return n
}

// Rule appends one statement.
func (n *Nft) Rule(rule string, from ...string) {
	n.Line(strings.Repeat("\t", n.depth)+rule, from...)
}

// Note appends a comment at the depth of the rules around it.
func (n *Nft) Note(text string, from ...string) { n.Rule("# "+printable(text), from...) }

// Block appends a block; body fills it.
func (n *Nft) Block(head string, body func(), from ...string) {
	n.Rule(head+" {", from...)
	n.depth++
	body()
	n.depth--
	n.Rule("}", from...)
}

// Element appends one element of a set, and who it is as a comment: nft has no way to escape a quote in a comment
// of its own, and drops this one.
func (n *Nft) Element(element, who string, from ...string) {
	n.Rule(element+", # "+printable(who), from...)
}

// Prefix is an address or a network as nft spells it: its host bits cleared, an address without a length.
func (n *Nft) Prefix(text string) netip.Prefix {
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		return netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen())
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		n.Refuse("%q is no address and no network", text)
	}
	return p.Masked()
}

// Name is an interface's name as a string of nft's: an asterisk would match more than one.
func (n *Nft) Name(name string) string {
	if name == "" || len(name) > 15 || strings.ContainsAny(name, "* /") {
		n.Refuse("%q is no interface name", name)
	}
	return n.Quote(name)
}

// Quote is a string of nft's, which has no way to escape a quote in one.
func (n *Nft) Quote(s string) string {
	if !plain(s) || strings.ContainsAny(s, "\"\\") || len(s) > 127 {
		n.Refuse("%q: nft cannot carry quotes, backslashes or more than 127 bytes", s)
	}
	return `"` + s + `"`
}

// Family is the keyword before an address of the prefix's family: ip or ip6.
func Family(p netip.Prefix) string {
	if p.Addr().Is4() {
		return "ip"
	}
	return "ip6"
}

// Spell is a prefix as nft prints it: a single address without its length.
func Spell(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}

// Package picture draws a topology as SVG: what a reader wants to have seen before reading a spec. The same topology
// gives the same bytes.
package picture

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"odoogen/internal/topology"
)

// Measures, in pixels.
const (
	margin = 24
	wide   = 520 // of a host
	pad    = 12
	line   = 18
	gap    = 44 // between hosts; their jumps are drawn there
	perRow = 3  // hosts
	cell   = 56 // height of an instance
)

// Draw is the picture: the internet above, hosts side by side, the private network below them, and the backup storage.
func Draw(t *topology.Topology) []byte {
	d := &drawing{t: t, at: map[string]box{}}
	columns := min(max(len(t.Hosts), 1), perRow)
	width := 2*margin + columns*wide + (columns-1)*gap
	internet := box{margin, margin, width - 2*margin, 30}
	y := internet.bottom() + gap
	for row := range slices.Chunk(t.Hosts, columns) {
		tall := 0
		for n, h := range row {
			d.at[h.Name] = box{margin + n*(wide+gap), y, wide, d.height(h)}
			tall = max(tall, d.at[h.Name].h)
		}
		for _, h := range row {
			b := d.at[h.Name]
			d.at[h.Name] = box{b.x, b.y, b.w, tall}
		}
		y += tall + gap
		if v := t.Network.VSwitch; v != nil {
			d.bars = append(d.bars, bar{box{margin, y, width - 2*margin, 30}, fmt.Sprintf("vSwitch %s, VLAN %d, MTU %d", v.Subnet, v.VLAN, v.MTU)})
			y += 30 + gap
		}
	}
	storage := box{margin, y, width - 2*margin, 36}
	d.links(internet, storage)
	d.bar(bar{internet, "Internet"})
	for _, b := range d.bars {
		d.bar(b)
	}
	for _, h := range t.Hosts {
		d.host(h)
	}
	if text := backups(&t.Backup); text != "" {
		d.rect(storage, "storage")
		d.text(storage.x+pad, storage.y+23, "strong", text)
		y = storage.bottom() + margin
	}
	return d.svg(width, y)
}

// drawing is a picture as it comes about.
type drawing struct {
	t    *topology.Topology
	b    strings.Builder
	at   map[string]box // of each host
	bars []bar
}

type box struct{ x, y, w, h int }

func (b box) bottom() int { return b.y + b.h }

// bar is a network: a long box.
type bar struct {
	box
	text string
}

// lines are what stands at the head of a host's box.
func (d *drawing) lines(h *topology.Host) []string {
	hw := &h.Hardware
	all := []string{fmt.Sprintf("%s, Debian %d, %s: %d threads, %s", h.FQDN, h.Debian, hw.Model, hw.Threads, hw.RAM)}
	if addresses := strings.Join(slices.DeleteFunc([]string{h.Public, h.Public6, h.Private}, func(s string) bool { return s == "" }), ", "); addresses != "" {
		all = append(all, addresses)
	}
	for _, reach := range []topology.Reach{topology.Public, topology.Private} {
		var ports []string
		for _, l := range d.t.Listeners(h) {
			if l.Reach == reach {
				ports = append(ports, fmt.Sprintf("%d %s", l.Port, l.What))
			}
		}
		if len(ports) > 0 {
			all = append(all, fmt.Sprintf("%s: %s", reach, strings.Join(ports, ", ")))
		}
	}
	return all
}

// part is a box inside a host: a cluster with its instances, or CI.
type part struct {
	title string
	cells [][3]string
}

func (d *drawing) parts(h *topology.Host) []part {
	var all []part
	for _, c := range h.Clusters {
		p := part{title: fmt.Sprintf("PostgreSQL %d/%s, port %d, %s: %s", c.Version, c.Name, c.Port, c.RAM, c.Workload)}
		for _, i := range c.Instances {
			p.cells = append(p.cells, [3]string{i.Name, i.Domain, fmt.Sprintf("Odoo %s, %s, CPU %s, %s", i.Version, i.Class.Name, i.CPUQuota, i.MemoryMax)})
		}
		all = append(all, p)
	}
	if ci := h.CI; ci != nil {
		all = append(all, part{"CI", [][3]string{
			{"Jenkins", ci.Jenkins.URL, fmt.Sprintf("CPU %s, %s", ci.Jenkins.Limits.CPUQuota, ci.Jenkins.Limits.MemoryMax)},
			{"agents", fmt.Sprintf("%d to %d", ci.Agents.Min, ci.Agents.Max), fmt.Sprintf("CPU %s, %s each", ci.Agents.Limits.CPUQuota, ci.Agents.Limits.MemoryMax)},
			{"git mirror", fmt.Sprintf("port %d", ci.Mirror.Port), "every " + ci.Mirror.Every.String()},
		}})
	}
	return all
}

func (p part) height() int { return pad + line + (len(p.cells)+1)/2*(cell+pad) + 4 }

func (d *drawing) height(h *topology.Host) int {
	tall := pad + line + len(d.lines(h))*line + pad
	for _, p := range d.parts(h) {
		tall += p.height() + pad
	}
	return tall + 2*(line+pad)
}

func (d *drawing) host(h *topology.Host) {
	b := d.at[h.Name]
	d.rect(b, "host")
	y := b.y + pad + line - 4
	d.text(b.x+pad, y, "name", h.Name)
	for _, text := range d.lines(h) {
		y += line
		d.text(b.x+pad, y, "", text)
	}
	y += pad
	for _, p := range d.parts(h) {
		inner := box{b.x + pad, y, b.w - 2*pad, p.height()}
		d.rect(inner, "part")
		d.text(inner.x+pad, y+line, "strong", p.title)
		half := (inner.w - 3*pad) / 2
		for n, c := range p.cells {
			one := box{inner.x + pad + n%2*(half+pad), y + line + pad + n/2*(cell+pad), half, cell}
			d.rect(one, "cell")
			d.text(one.x+8, one.y+17, "strong", c[0])
			d.text(one.x+8, one.y+33, "small", c[1])
			d.text(one.x+8, one.y+48, "small", c[2])
		}
		y += p.height() + pad
	}
	y = b.bottom() - 2*(line+pad) + 4
	d.gauge(box{b.x + pad, y, b.w - 2*pad, line}, "RAM", h.Memory)
	d.gauge(box{b.x + pad, y + line + 8, b.w - 2*pad, line}, "disk", h.Storage)
}

// gauge is a bar as full as a budget is.
func (d *drawing) gauge(b box, what string, of topology.Booked) {
	d.rect(b, "part")
	if of.Has > 0 {
		d.rect(box{b.x, b.y, int(int64(b.w) * min(of.Used, of.Has) / of.Has), b.h}, "used")
	}
	gib := func(n int64) string { return fmt.Sprintf("%.1fG", float64(n)/float64(topology.GiB)) }
	d.text(b.x+8, b.y+13, "small", fmt.Sprintf("%s: %s of %s given away", what, gib(of.Used), gib(of.Has)))
}

// links are drawn first: what they lead to lies over them.
func (d *drawing) links(internet, storage box) {
	for _, h := range d.t.Hosts {
		b := d.at[h.Name]
		if len(h.Open) > 0 {
			ports := make([]string, len(h.Open))
			for n, p := range h.Open {
				ports[n] = fmt.Sprint(p)
			}
			d.link("", b.x+60, internet.bottom(), b.x+60, b.y, strings.Join(ports, ", "))
		}
		if h.Public != "" && h.Jump == "" && len(d.t.Access.Whitelist) > 0 {
			d.link("ssh", b.x+200, internet.bottom(), b.x+200, b.y, "ssh for the whitelist")
		}
		if over := slices.IndexFunc(d.bars, func(r bar) bool { return r.y > b.y }); h.Private != "" && over >= 0 {
			d.link("", b.x+60, b.bottom(), b.x+60, d.bars[over].y, h.Private)
		}
		if backups(&d.t.Backup) != "" {
			d.link("backup", b.x+b.w-100, b.bottom(), b.x+b.w-100, storage.y, "restic")
		}
		if from, is := d.at[h.Jump]; is {
			y := max(from.y, b.y) + 60
			if from.x < b.x {
				d.link("ssh", from.x+from.w, y, b.x, y, "ssh")
			} else {
				d.link("ssh", from.x, y, b.x+b.w, y, "ssh")
			}
		}
	}
}

func (d *drawing) link(class string, x1, y1, x2, y2 int, text string) {
	fmt.Fprintf(&d.b, "<line class=%q x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n", cmp.Or(class, "link"), x1, y1, x2, y2)
	if y1 == y2 {
		d.text(min(x1, x2)+8, y1-6, "small", text)
		return
	}
	d.text(x1+6, y1+26, "small", text)
}

func (d *drawing) bar(b bar) {
	d.rect(b.box, "net")
	d.text(b.x+pad, b.y+20, "strong", b.text)
}

func (d *drawing) rect(b box, class string) {
	fmt.Fprintf(&d.b, "<rect class=%q x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"4\"/>\n", class, b.x, b.y, b.w, b.h)
}

// escape makes text be text in XML, whatever the spec says.
var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

func (d *drawing) text(x, y int, class, text string) {
	fmt.Fprintf(&d.b, "<text class=%q x=\"%d\" y=\"%d\">%s</text>\n", cmp.Or(class, "plain"), x, y, escape.Replace(text))
}

func backups(b *topology.Backup) string {
	switch {
	case b.None != nil:
		return ""
	case b.Storage != nil:
		return fmt.Sprintf("Backups: %s, %g TB; restic keeps %d daily, %d weekly, %d monthly", b.Storage.Product, b.Storage.SizeTB, b.Keep.Daily, b.Keep.Weekly, b.Keep.Monthly)
	}
	return fmt.Sprintf("Backups: %s; restic keeps %d daily, %d weekly, %d monthly", b.Repository, b.Keep.Daily, b.Keep.Weekly, b.Keep.Monthly)
}

const style = `<style>
text { font: 13px sans-serif; fill: #1b1f24 }
.name { font-size: 17px; font-weight: bold } .strong { font-weight: bold } .small { font-size: 12px }
.net { fill: #dce8f5; stroke: #5b86b3 } .host { fill: #ffffff; stroke: #444c56 } .part { fill: #f2f4f6; stroke: #b4bcc4 }
.cell { fill: #fdf6e3; stroke: #c9a94f } .used { fill: #a9d3a4 } .storage { fill: #e9e2f3; stroke: #7d62a6 }
.link { stroke: #5b86b3; stroke-width: 2 } .ssh { stroke: #444c56; stroke-dasharray: 5 4 } .backup { stroke: #7d62a6; stroke-width: 2 }
</style>
`

func (d *drawing) svg(width, height int) []byte {
	return fmt.Appendf(nil, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %[1]d %[2]d\" width=\"%[1]d\" height=\"%[2]d\">\n%[3]s<rect width=\"%[1]d\" height=\"%[2]d\" fill=\"#ffffff\"/>\n%[4]s</svg>\n",
		width, height, style, d.b.String())
}

package topology

import "fmt"

// Usable is what RAID makes of the disks: how many of them hold data, and how many there must be at least.
func (d *Disks) Usable() (Size, error) {
	data, least := d.Count, 1
	switch d.RAID {
	case 1:
		data, least = 1, 2
	case 5:
		data, least = d.Count-1, 3
	case 6:
		data, least = d.Count-2, 4
	case 10:
		data, least = d.Count/2, 4
		if d.Count%2 != 0 {
			return 0, fmt.Errorf("RAID 10 needs an even number of disks")
		}
	}
	if d.Count < least {
		return 0, fmt.Errorf("RAID %d needs %d disks at least", d.RAID, least)
	}
	return Size(int64(data) * int64(d.SizeGB) * 1_000_000_000), nil
}

func checkDisk(c *checker) {
	for _, h := range c.t.Hosts {
		have, err := h.Hardware.Disks.Usable()
		if err != nil {
			c.refuse(h.Path+".hardware.disks.count", "", c.also(h.Path+".hardware.disks.raid", "%d", h.Hardware.Disks.RAID),
				"%d: %v", h.Hardware.Disks.Count, err)
			continue
		}
		ps := c.disk(h)
		h.Storage = ps.booked(int64(have))
		if ps.sum() > int64(have) {
			d := h.Hardware.Disks
			c.refuse(h.Path+".hardware.disks", "smaller parts, fewer releases, or larger disks", ps.largest(c, amount),
				"%d x %d GB as RAID %d hold %s, but %s are given away: %s",
				d.Count, d.SizeGB, d.RAID, amount(int64(have)), amount(ps.sum()), ps.byKind(amount))
		}
	}
}

// disk is all that a host's disks may have to hold at once.
func (c *checker) disk(h *Host) parts {
	var ps parts
	keep := c.t.Sources.Releases.Keep + 1 // and the one that is being made
	var dump, drill Size
	for _, i := range h.Instances {
		d := &i.Disk
		ps = append(ps, part{"instances", i.Path, int64(d.Database) + int64(d.Filestore) + int64(d.Release)*int64(keep),
			fmt.Sprintf("database %s + filestore %s + %d releases x %s", d.Database, d.Filestore, keep, d.Release)})
		dump, drill = max(dump, d.Database), max(drill, d.Database+d.Filestore)
	}
	for _, cl := range h.Clusters {
		ps = append(ps, part{"WAL", cl.Path + ".settings.max_wal_size", int64(cl.Settings.MaxWALSize), ""})
	}
	if c.t.Backup.None == nil && h.RunsOdoo() {
		ps = append(ps,
			part{"dump", "backup.nightly", int64(dump), "the largest database"},
			part{"drill", "backup.drill", int64(drill), "the largest database and filestore"})
	}
	if ci := c.t.CI; ci != nil && (h.CI != nil || h.RunsOdoo()) {
		ps = append(ps, part{"mirror", "ci.mirror.disk", int64(ci.Mirror.Disk), ""})
	}
	if ci := h.CI; ci != nil {
		ps = append(ps, part{"Jenkins", "ci.disk", int64(ci.Disk), ""})
		if ci.Registry != nil {
			ps = append(ps, part{"registry", "ci.registry.disk", int64(ci.Registry.Disk), ""})
		}
	}
	return append(ps, part{"reserve", h.Path + ".reserve.disk", int64(h.Reserve.Disk), ""})
}

package topology

import "fmt"

func checkBackup(c *checker) {
	b := &c.t.Backup
	if b.None != nil {
		for _, field := range []string{"repository", "storage", "ping"} {
			if c.t.set["backup."+field] {
				c.insist("backup."+field, "one or the other", c.also("backup.none", "nothing is backed up"), "says how, but nothing is backed up")
			}
		}
		if b.Keep != (Keep{}) {
			c.insist("backup.keep", "one or the other", c.also("backup.none", "nothing is backed up"), "keeps what nobody saves")
		}
		return
	}
	const choice = `backup: none: reason: "..." says that nothing is`
	if b.Repository == "" && b.Storage == nil && b.Keep == (Keep{}) {
		c.insist("backup", choice, nil, "is left out: nothing would be saved")
		return
	}
	if b.Repository == "" {
		c.insist("backup", choice, nil, "has no repository: nothing would be backed up")
	}
	if b.Storage == nil {
		c.insist("backup", "storage: {product: ..., sizeTB: ..., monthly: ..., hostKey: ...}", nil, "has no storage: its host key and size are not known")
	}
	if b.Keep == (Keep{}) {
		c.insist("backup.keep", "keep: {daily: 7, weekly: 4, monthly: 3}", nil, "keeps nothing: each run would forget what it saved")
	}
	said := map[string]bool{} // a class's choice is not a mistake of each instance
	for _, i := range c.t.Instances {
		if !i.Backup && !said[i.At("backup")] {
			said[i.At("backup")] = true
			c.refuse(i.At("backup"), choice, nil, "%s is not backed up", i.Name)
		}
	}
	if b.Storage != nil {
		c.repositorySize(b)
	}
}

// repositorySize holds the storage against what the snapshots need: all data once, and a tenth for each further
// snapshot, since restic stores what changed.
func (c *checker) repositorySize(b *Backup) {
	var ps parts
	for _, i := range c.t.Instances {
		ps = append(ps, part{"instances", i.Path, int64(i.Disk.Database + i.Disk.Filestore),
			fmt.Sprintf("database %s + filestore %s", i.Disk.Database, i.Disk.Filestore)})
	}
	snapshots := int64(b.Keep.Daily + b.Keep.Weekly + b.Keep.Monthly)
	need := ps.sum() / 10 * (9 + max(1, snapshots))
	if have := int64(b.Storage.SizeTB * 1e12); need > have {
		c.refuse("backup.storage.sizeTB", "larger storage, or less to keep", append(c.also("backup.keep", "%d snapshots of each", snapshots), ps.largest(c, amount)[:1]...),
			"%g TB are %s, but %d snapshots of %s need about %s", b.Storage.SizeTB, amount(have), snapshots, amount(ps.sum()), amount(need))
	}
}

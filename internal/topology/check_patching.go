package topology

// fewHosts is up to how many hosts no two are patched together. Of more there are not enough hours in a week, and
// only those that need each other are kept apart.
const fewHosts = 8

func checkPatching(c *checker) {
	for _, h := range c.t.Hosts {
		if h.Window == nil && !h.Manages(PackagesLayer) {
			continue
		}
		if h.Window == nil {
			c.refuse(h.Path, "patching: windows: "+h.Name+`: {at: "Sun 08:00"}`, nil, "has no patch window")
			continue
		}
		for _, j := range c.t.Jobs(h) {
			if j.Reboots || j.Unit == PatchUnit || j.Every > 0 {
				continue // a fetch of the mirror loses nothing
			}
			window := Schedule{h.Window.At, h.Window.MaxDuration}
			if o := c.calendars.overlap(window, Schedule{j.At, j.Max}); o.yes {
				c.refuse(h.Window.Path, "a window outside of the jobs", c.also(j.Path, "%s", j.when()),
					"meets the job %s at %s", j.Name, onTheClock(o.at, h.Window.At, j.At))
			}
		}
	}
	hosts := c.t.Hosts
	if len(hosts) <= fewHosts {
		for n, h := range hosts {
			for _, other := range hosts[n+1:] {
				c.apart(h, other, "no two hosts of a small topology are patched together")
			}
		}
		return
	}
	byName := map[string]*Host{}
	for _, h := range hosts {
		byName[h.Name] = h
	}
	for _, h := range hosts {
		if jump := byName[h.Jump]; jump != nil {
			c.apart(h, jump, "a host and the way to it are not patched together")
		}
		if ci := c.t.CI; ci != nil && h.RunsOdoo() && h.Jump != ci.Host.Name && ci.Host.Jump != h.Name {
			c.apart(h, ci.Host, "CI and the hosts that it deploys to are not patched together")
		}
	}
}

func (c *checker) apart(a, b *Host, why string) {
	if a == b || a.Window == nil || b.Window == nil {
		return
	}
	o := c.calendars.overlap(Schedule{a.Window.At, a.Window.MaxDuration}, Schedule{b.Window.At, b.Window.MaxDuration})
	if !o.yes {
		return
	}
	first, second := c.inOrder(a.Window.Path, b.Window.Path)
	if first == b.Window.Path {
		a, b = b, a
	}
	c.refuse(second, why, c.also(first, "%s for up to %s", a.Window.At, a.Window.MaxDuration),
		"%s would be patched together with %s at %s", b.Name, a.Name, onTheClock(o.at, a.Window.At, b.Window.At))
}

package topology

import "fmt"

func checkRAM(c *checker) {
	for _, h := range c.t.Hosts {
		ps := c.memory(h)
		total, ram := ps.sum(), int64(h.Hardware.RAM)
		h.Memory = ps.booked(ram)
		if total > ram {
			c.refuse(h.Path+".hardware.ram", "less MemoryMax, max_connections or work_mem, or an instance less",
				ps.largest(c, amount), "%s, but %s may be used at once: %s", amount(ram), amount(total), ps.byKind(amount))
			continue
		}
		shares := parts{}
		for _, cl := range h.Clusters {
			shares = append(shares, part{"clusters", cl.Path + ".ram", int64(cl.RAM), ""})
		}
		shares = append(shares, part{"reserve", h.Path + ".reserve.ram", int64(h.Reserve.RAM), ""})
		if len(h.Clusters) > 0 && shares.sum() > ram {
			c.refuse(h.Path+".hardware.ram", "less ram for the clusters", shares.largest(c, amount),
				"%s, but %s are given away: %s", amount(ram), amount(shares.sum()), shares.byKind(amount))
		}
	}
}

// memory is all that a host's RAM may be used for at once.
func (c *checker) memory(h *Host) parts {
	var ps parts
	for _, i := range h.Instances {
		ps = append(ps, part{"instances", i.Path, int64(i.SliceMemoryMax()),
			fmt.Sprintf("MemoryMax %s + update %s", amount(int64(i.MemoryMax)), amount(int64(i.Update.MemoryMax)))})
	}
	for _, cl := range h.Clusters {
		s := &cl.Settings
		ps = append(ps, part{"PostgreSQL", cl.Path, int64(cl.MemoryWorst()), fmt.Sprintf(
			"shared_buffers %s + %d connections x %s + autovacuum %d x %s + maintenance_work_mem %s",
			amount(int64(cl.SharedBuffers())), s.MaxConnections, s.WorkMem, s.AutovacuumMaxWorkers, s.AutovacuumWorkMem, s.MaintenanceWorkMem)})
	}
	if ci := h.CI; ci != nil {
		ps = append(ps,
			part{"Jenkins", "ci.jenkins.limits.MemoryMax", int64(ci.Jenkins.Limits.MemoryMax), ""},
			part{"agents", "ci.agents.limits.MemoryMax", int64(ci.Agents.Limits.MemoryMax) * int64(ci.Agents.Max),
				fmt.Sprintf("%d x %s", ci.Agents.Max, amount(int64(ci.Agents.Limits.MemoryMax)))})
	}
	jobs, demands := c.demands(h, func(j HostJob) int64 {
		if j.Unit == "" {
			return 0 // a pipeline runs in agents, which are counted whole
		}
		return int64(j.Limits.MemoryMax)
	})
	for _, n := range c.calendars.peak(demands).running {
		if demands[n].Amount > 0 {
			ps = append(ps, part{"jobs", jobs[n].LimitsPath + ".MemoryMax", demands[n].Amount, jobs[n].Name})
		}
	}
	return append(ps, part{"reserve", h.Path + ".reserve.ram", int64(h.Reserve.RAM), ""})
}

// MemoryWorst is what a cluster may use when every connection sorts at once.
func (c *Cluster) MemoryWorst() Size {
	s := &c.Settings
	return c.SharedBuffers() + Size(s.WorkMem)*Size(s.MaxConnections) +
		Size(s.AutovacuumWorkMem)*Size(s.AutovacuumMaxWorkers) + Size(s.MaintenanceWorkMem)
}

// What Odoo's processes use, measured: 105 to 128 MB resident when idle, and up to 273 MB virtual.
const (
	idleResident = 110 * MiB
	idleVirtual  = 320 * MiB
	leastUpdate  = 512 * MiB
	javaBeside   = 512 * MiB // of the heap: metaspace, threads, code
	leastHeap    = 256 * MiB // that Jenkins asks for (its "Hardware requirements")
	leastJob     = 64 * MiB  // bash, git or restic, ssh
)

func checkMemory(c *checker) {
	said := map[string]bool{} // a class's mistake is not one of each instance
	for _, i := range c.t.Instances {
		key := i.At("MemoryMax") + " " + i.At("workers") + " " + i.At("update.MemoryMax")
		if said[key] {
			continue
		}
		said[key] = true
		processes := i.Workers + i.MaxCronThreads + 1
		if i.Workers > 0 {
			processes++ // websockets
		}
		least := Size(processes) * idleResident
		switch {
		case i.MemoryMax < least:
			c.refuse(i.At("MemoryMax"), "more memory, or fewer workers", c.also(i.Path, "%d workers, %d for cron, 2 more", i.Workers, i.MaxCronThreads),
				"%s, but %d idle processes of %s use %s", i.MemoryMax, processes, i.Name, amount(int64(least)))
		case i.LimitMemorySoft() < idleVirtual:
			c.refuse(i.At("MemoryMax"), fmt.Sprintf("at least %s", 3*idleVirtual), c.also(i.Path, "limit_memory_soft is a third of it: %s", i.LimitMemorySoft()),
				"%s is too little: a worker of %s would end after each request", i.MemoryMax, i.Name)
		}
		if i.Update.MemoryMax < leastUpdate {
			c.refuse(i.At("update.MemoryMax"), fmt.Sprintf("at least %s", leastUpdate), nil, "%s is too little for an update of %s", i.Update.MemoryMax, i.Name)
		}
	}
	if ci := c.t.CI; ci != nil {
		if ci.Jenkins.Heap+javaBeside > ci.Jenkins.Limits.MemoryMax {
			c.refuse("ci.jenkins.heap", fmt.Sprintf("Java needs %s beside its heap", javaBeside),
				c.also("ci.jenkins.limits.MemoryMax", "%s", ci.Jenkins.Limits.MemoryMax), "%s does not fit the controller's MemoryMax", ci.Jenkins.Heap)
		}
		if ci.Jenkins.Heap < leastHeap {
			c.refuse("ci.jenkins.heap", fmt.Sprintf("at least %s", leastHeap), nil, "%s is too little for Jenkins", ci.Jenkins.Heap)
		}
	}
	for _, h := range c.t.Hosts {
		for _, j := range c.t.Jobs(h) {
			if path := j.LimitsPath + ".MemoryMax"; j.LimitsPath != "" && j.Limits.MemoryMax < leastJob && !said[path] {
				said[path] = true
				c.refuse(path, fmt.Sprintf("at least %s", leastJob), nil, "%s is too little for the job %s", j.Limits.MemoryMax, j.Name)
			}
		}
	}
}

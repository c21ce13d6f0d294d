package topology

import (
	"fmt"
	"strings"
)

func checkCPU(c *checker) {
	for _, h := range c.t.Hosts {
		have := int64(h.Hardware.Threads) * 100
		var instances parts
		for _, i := range h.Instances {
			instances = append(instances, part{"instances", i.Path, int64(i.CPUQuota), ""})
		}
		c.cpu(h, have, instances)
		for _, cl := range h.Clusters {
			c.cpu(h, have, parts{{"PostgreSQL " + cl.Name, cl.Path + ".limits.CPUQuota", int64(cl.Limits.CPUQuota), ""}})
		}
		if ci := h.CI; ci != nil {
			c.cpu(h, have, parts{
				{"Jenkins", "ci.jenkins.limits.CPUQuota", int64(ci.Jenkins.Limits.CPUQuota), ""},
				{"agents", "ci.agents.limits.CPUQuota", int64(ci.Agents.Limits.CPUQuota) * int64(ci.Agents.Max),
					fmt.Sprintf("%d x %s", ci.Agents.Max, ci.Agents.Limits.CPUQuota)},
			})
		}
	}
}

func (c *checker) cpu(h *Host, have int64, ps parts) {
	if ps.sum() > have {
		c.refuse(h.Path+".hardware.threads", "less CPUQuota, or more threads", ps.largest(c, percent),
			"%d threads are %s, but %s are given away: %s", h.Hardware.Threads, percent(have), percent(ps.sum()), ps.byKind(percent))
	}
}

// demands are a host's jobs as the calendar knows them, each with an amount.
func (c *checker) demands(h *Host, of func(HostJob) int64) ([]HostJob, []demand) {
	jobs := c.t.Jobs(h)
	demands := make([]demand, len(jobs))
	for n, j := range jobs {
		demands[n] = demand{Schedule{j.At, j.Max}, j.Every > 0, of(j)}
	}
	return jobs, demands
}

func checkNight(c *checker) {
	for _, h := range c.t.Hosts {
		jobs, demands := c.demands(h, func(j HostJob) int64 { return int64(j.Limits.CPUQuota) })
		most := c.calendars.peak(demands)
		have := int64(h.Hardware.Threads) * 100
		if most.amount <= have {
			continue
		}
		var ps parts
		var calendars []Calendar
		for _, n := range most.running {
			calendars = append(calendars, jobs[n].At)
			if j := jobs[n]; demands[n].Amount > 0 {
				ps = append(ps, part{j.Name, j.Path, demands[n].Amount, j.when()})
			}
		}
		c.refuse(h.Path+".hardware.threads", "another `at`, a shorter `maxDuration`, or less CPUQuota", ps.largest(c, percent),
			"%d threads are %s, but jobs take %s together at %s: %s", h.Hardware.Threads, percent(have), percent(most.amount),
			onTheClock(most.at, calendars...), ps.byKind(percent))
	}
}

// when is the time of a job in words.
func (j HostJob) when() string {
	if j.Every > 0 {
		return fmt.Sprintf("every %s for up to %s", j.Every, j.Max)
	}
	return fmt.Sprintf("%s for up to %s", strings.TrimSpace(string(j.At)), j.Max)
}

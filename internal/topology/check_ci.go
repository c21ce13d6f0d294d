package topology

func checkCI(c *checker) {
	ci := c.t.CI
	if ci == nil {
		return
	}
	if ci.Agents.Min > ci.Agents.Max {
		c.refuse("ci.agents.min", "", c.also("ci.agents.max", "%d", ci.Agents.Max), "%d are more agents than there are", ci.Agents.Min)
	}
	for _, j := range ci.Jobs {
		if j.Agents > ci.Agents.Max {
			c.refuse(j.Path+".agents", "", c.also("ci.agents.max", "%d", ci.Agents.Max), "%d are more agents than there are", j.Agents)
		}
	}
}

func checkTargets(c *checker) {
	if t := &c.t.Targets; t.DeployP50 > t.DeployP95 && !c.broken.hit("targets") {
		c.refuse("targets.deployP50", "", c.also("targets.deployP95", "%s", t.DeployP95), "%s, but 95 of 100 deploys are to take less than %s", t.DeployP50, t.DeployP95)
	}
}

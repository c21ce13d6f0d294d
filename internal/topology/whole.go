package topology

import "slices"

// leaveOut takes out of a topology what a name that leads nowhere has left without a host, so that rules see whole
// things only: every pointer of an instance is set. The topology is of no other use then.
func (t *Topology) leaveOut() {
	clusters := kept(&t.Clusters, func(c *Cluster) bool { return c.Host != nil })
	instances := kept(&t.Instances, func(i *Instance) bool {
		return i.Class != nil && i.Cluster != nil && i.Host != nil && i.Code != nil
	})
	if t.CI != nil && t.CI.Host == nil {
		t.CI = nil
	}
	for _, h := range t.Hosts {
		kept(&h.Clusters, func(c *Cluster) bool { return clusters[c] })
		kept(&h.Instances, func(i *Instance) bool { return instances[i] })
	}
	for _, c := range t.Clusters {
		kept(&c.Instances, func(i *Instance) bool { return instances[i] })
	}
}

// kept leaves in a list only what fits, and is the set of it.
func kept[T comparable](list *[]T, fits func(T) bool) map[T]bool {
	*list = slices.DeleteFunc(*list, func(x T) bool { return !fits(x) })
	set := make(map[T]bool, len(*list))
	for _, x := range *list {
		set[x] = true
	}
	return set
}

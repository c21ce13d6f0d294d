package topology

import "fmt"

// resolve follows every reference and computes what depends on others. A name that leads nowhere is a problem.
func (t *Topology) resolve(o *Origins) Problems {
	var problems Problems
	t.hosts = index(t.Hosts, func(h *Host) string { return h.Name })
	t.clusters = index(t.Clusters, func(c *Cluster) string { return c.Name })
	classes := index(t.Classes, func(c *Class) string { return c.Name })
	repositories := index(t.Sources.Repositories, func(r *Repository) string { return r.Name })
	versions := index(t.Sources.Versions, func(v *Version) string { return v.Name })

	for _, c := range t.Clusters {
		c.Host = find(&problems, o, t.hosts, "host", c.HostName, c.Path+".host")
		if c.Host != nil {
			c.Host.Clusters = append(c.Host.Clusters, c)
		}
	}
	for _, c := range t.Classes {
		c.Cluster = find(&problems, o, t.clusters, "cluster", c.ClusterName, c.Path+".cluster")
	}
	for _, v := range t.Sources.Versions {
		v.Repositories = nil
		named := func(name, path string) {
			if r := find(&problems, o, repositories, "repository", name, path); r != nil {
				v.Repositories = append(v.Repositories, r)
			}
		}
		for i, a := range v.Addons {
			named(a, fmt.Sprintf("%s.addons[%d]", v.Path, i))
		}
		if v.Enterprise != "" {
			named(v.Enterprise, v.Path+".enterprise")
		}
		named(v.Community, v.Path+".community")
	}
	for _, i := range t.Instances {
		i.topology = t
		i.Class = find(&problems, o, classes, "class", i.ClassName, i.Path+".class")
		i.Code = versions[i.Version]
		if i.Code == nil {
			place, _ := o.Of(i.Path + ".version")
			problems = append(problems, Problem{Place: place, Path: i.Path + ".version", Rule: "references",
				Message: fmt.Sprintf("sources do not say what %q is made of", i.Version),
				Hint:    fmt.Sprintf("sources: versions: %q: {community: ...}", i.Version)})
		}
		if i.Class == nil || i.Class.Cluster == nil || i.Class.Cluster.Host == nil {
			continue
		}
		i.Cluster = i.Class.Cluster
		i.Host = i.Cluster.Host
		i.Cluster.Instances = append(i.Cluster.Instances, i)
		i.Host.Instances = append(i.Host.Instances, i)
		i.derive()
	}
	for _, w := range t.Patching.Windows {
		if h := find(&problems, o, t.hosts, "host", w.Name, w.Path); h != nil {
			h.Window = w
		}
	}
	for _, h := range t.Hosts {
		if h.Jump != "" {
			find(&problems, o, t.hosts, "host", h.Jump, h.Path+".jump")
		}
	}
	if t.CI != nil {
		t.CI.Host = find(&problems, o, t.hosts, "host", t.CI.HostName, "ci.host")
		if t.CI.Host != nil {
			t.CI.Host.CI = t.CI
		}
		for _, j := range t.CI.Jobs {
			j.Repository = find(&problems, o, repositories, "repository", j.RepositoryName, j.Path+".repository")
		}
	}
	return problems
}

func index[T any](all []T, name func(T) string) map[string]T {
	m := make(map[string]T, len(all))
	for _, x := range all {
		m[name(x)] = x
	}
	return m
}

// find is the named thing, or a problem at path.
func find[T any](problems *Problems, o *Origins, all map[string]T, kind, name, path string) T {
	found, ok := all[name]
	if !ok {
		place, _ := o.Of(path)
		*problems = append(*problems, Problem{Place: place, Path: path, Rule: "references",
			Message: fmt.Sprintf("there is no %s %q", kind, name), Hint: nearest(name, all)})
	}
	return found
}

package main

import (
	"github.com/spf13/cobra"

	"odoogen/generators"
	"odoogen/internal/artifact"
	"odoogen/internal/lab"
	"odoogen/internal/topology"
)

func newLabBuild() *cobra.Command {
	var out string
	var scale bool
	cmd := &cobra.Command{
		Use:   "build",
		Short: "Compile the spec with the running lab's overlay",
		Long: `Compile the spec into the trees that the lab's hosts take: the reviewed ones but for the host keys, fingerprints,
hashes and commits that odoogen lab overlay prints.`,
		Example:           "  odoogen lab build -o /tmp/rehearsal",
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var options []func(*topology.Topology, *lab.Overlay)
			if scale {
				options = append(options, scaleQuotas)
			}
			trees, err := labTrees(".", options...)
			if err != nil {
				return err
			}
			changes, err := artifact.Write(out, trees)
			if err != nil {
				return err
			}
			newBuildReport(out, trees, changes).print(cmd.OutOrStdout())
			return nil
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "out", "where the trees go")
	cmd.Flags().BoolVar(&scale, "scale-quotas", false, "scale the CPUQuota of instances and clusters to this machine's processors")
	cobra.CheckErr(cmd.MarkFlagDirname("output"))
	return cmd
}

// labTrees compiles the spec in the working directory with the overlay of the lab that runs for the spec in dir: the same
// one, or the one that was booted. Secrets without a value in that lab get one.
func labTrees(dir string, options ...func(*topology.Topology, *lab.Overlay)) ([]*artifact.Tree, error) {
	l, err := lab.Of(dir)
	if err != nil {
		return nil, err
	}
	t, o, err := labSpec(l)
	if err != nil {
		return nil, err
	}
	if err := throwAway(l, t); err != nil {
		return nil, err
	}
	for _, option := range options {
		option(t, o)
	}
	return generators.Build(t)
}

// labSpec is that spec, with the overlay.
func labSpec(l *lab.Lab) (*topology.Topology, *lab.Overlay, error) {
	o, err := l.Overlay()
	if err != nil {
		return nil, nil, err
	}
	t, _, err := topology.Load(".")
	if err != nil {
		return nil, nil, err
	}
	overlay(t, o)
	return t, o, nil
}

// overlay puts into the topology what the lab must have otherwise than the spec says. It is all that its trees differ in
// from those that are reviewed.
func overlay(t *topology.Topology, o *lab.Overlay) {
	for _, h := range t.Hosts {
		if key, known := o.HostKeys[h.Name]; known {
			h.HostKeys = []string{key}
		}
	}
	if s := t.Backup.Storage; s != nil {
		s.HostKey = o.Box
	}
	for _, v := range t.Packages.Vendors {
		if fingerprint, known := o.Vendors[v.Name]; known {
			v.Fingerprint = fingerprint
		}
	}
	if w := t.Sources.Wkhtmltopdf; w != nil && o.Downloads[w.URL] != "" {
		w.SHA256 = o.Downloads[w.URL]
	}
	for _, r := range t.Sources.Repositories {
		if rev, known := o.Revs[r.Name]; known {
			r.Rev = rev
		}
	}
	for _, k := range t.Sources.KnownHosts {
		k.Keys = []string{o.Box} // one ssh server plays them all
	}
	for _, a := range t.Access.Admins {
		a.Keys = append(a.Keys, o.Admin)
	}
}

// scaleQuotas makes the quotas of instances and clusters limit as much on so many processors as they do on the hosts':
// 300% limits nothing on two.
func scaleQuotas(t *topology.Topology, o *lab.Overlay) {
	scale := func(h *topology.Host, quota *topology.Percent) {
		if o.Cores < h.Hardware.Threads {
			*quota = max(1, *quota*topology.Percent(o.Cores)/topology.Percent(h.Hardware.Threads))
		}
	}
	for _, h := range t.Hosts {
		for _, i := range h.Instances {
			scale(h, &i.CPUQuota)
		}
		for _, c := range h.Clusters {
			scale(h, &c.Limits.CPUQuota)
		}
	}
}

package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"odoogen/generators"
	"odoogen/internal/lab"
	"odoogen/internal/topology"
)

func newLab() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lab",
		Short: "Boot the spec's hosts as throw-away Debian hosts, to rehearse on",
		Long: `A lab is every host of the spec, booted bare on this machine: its own systemd, enforced limits, addresses and
firewall, and the outside world that it needs. It needs root and Debian; see docs/lab.md.`,
		Example: `  odoogen lab up
  odoogen lab exec odoogen push
  odoogen lab ssh tests systemctl status
  odoogen lab cut tests --private
  odoogen lab down`,
	}
	cmd.AddCommand(newLabUp(), newLabStatus(), newLabSSH(), newLabExec(), newLabEnter(), newLabCable("cut"), newLabCable("heal"),
		newLabPower("power-off"), newLabPower("power-on"), newLabReceived(), newLabOverlay(), newLabBuild(), newLabDisks("save"), newLabDisks("restore"), newLabFill("fill"),
		newLabFill("drain"), newLabDown(),
		newLabProcess("watch", lab.Watch), newLabProcess("supervise", lab.Supervise))
	return cmd
}

// newLabProcess is a part of a running lab, which lab up starts.
func newLabProcess(use string, main func(dir string) error) *cobra.Command {
	return &cobra.Command{
		Use:    use + " DIR",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE:   func(_ *cobra.Command, args []string) error { return main(args[0]) },
	}
}

func newLabUp() *cobra.Command {
	var o lab.Options
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "up [DIR]",
		Short:   "Boot every host of the spec, bare",
		Example: "  odoogen lab up\n  odoogen lab up --memory ~/envs",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := append(args, ".")[0]
			if err := lab.Missing(); err != nil {
				return err
			}
			l, err := lab.Of(dir)
			if err != nil {
				return err
			}
			t, _, err := topology.Load(dir)
			if err != nil {
				return err
			}
			if o.Trees, err = generators.Build(t); err != nil {
				return err
			}
			for _, w := range t.Access.Whitelist {
				o.Whitelist = append(o.Whitelist, w.From)
			}
			o.Say = func(line string) { fmt.Fprintln(cmd.ErrOrStderr(), line) }
			if l.Running() {
				o.Say("this lab runs already")
			}
			s, err := l.Up(cmd.Context(), o)
			if err != nil {
				return err
			}
			return printLab(cmd, s, asJSON)
		},
	}
	cmd.Flags().BoolVar(&o.Memory, "memory", false, "keep what the hosts write in memory")
	cmd.Flags().BoolVar(&o.Machines, "machines", false, "make each host a virtual machine with a kernel of its own, emulated: slow")
	cmd.Flags().BoolVar(&o.Fresh, "fresh", false, "make base images and packages anew")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func newLabStatus() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "status",
		Short:   "Show the lab's hosts",
		Example: "  odoogen lab status --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := lab.Of(".")
			if err != nil {
				return err
			}
			s, err := l.Status(cmd.Context())
			if err != nil {
				return err
			}
			return printLab(cmd, s, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printLab(cmd *cobra.Command, s *lab.Status, asJSON bool) error {
	if asJSON {
		return printJSON(cmd.OutOrStdout(), s)
	}
	if !s.Running {
		fmt.Fprintf(cmd.OutOrStdout(), "no lab runs for %s\n", s.Spec)
		return nil
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "HOST\tSTATE\tDEBIAN\tPUBLIC\tPRIVATE\tBOOTS\tCUT")
	for _, h := range s.Hosts {
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%d\t%s\n", h.Name, h.State, h.Debian, h.Public, h.Private, h.Boots, strings.Join(h.Cut, " "))
	}
	fmt.Fprintln(w, "\nFROM\tPUBLIC\tPRIVATE")
	for _, p := range s.Positions {
		fmt.Fprintf(w, "%s\t%s\t%s\n", p.Name, p.Public, p.Private)
	}
	fmt.Fprintf(w, "\nThe outside world is %s and has received %d requests; files are in %s\n", s.World, s.Received, s.Dir)
	return w.Flush()
}

func newLabReceived() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "received",
		Short:   "Show what the outside world has received: pings, metrics, logs",
		Example: "  odoogen lab received --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := lab.Of(".")
			if err != nil {
				return err
			}
			all, err := l.Received()
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), all)
			}
			for _, r := range all {
				fmt.Fprintf(cmd.OutOrStdout(), "%s %s %s %s %d bytes\n", r.Time.Format("15:04:05.000"), r.From, r.Method, r.URL, r.Bytes)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, with what was sent")
	return cmd
}

func newLabOverlay() *cobra.Command {
	return &cobra.Command{
		Use:     "overlay",
		Short:   "Print what the spec must have otherwise in the lab, as JSON",
		Example: "  odoogen lab overlay",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := lab.Of(".")
			if err != nil {
				return err
			}
			o, err := l.Overlay()
			if err != nil {
				return err
			}
			return printJSON(cmd.OutOrStdout(), o)
		},
	}
}

func newLabDown() *cobra.Command {
	return &cobra.Command{
		Use:     "down [DIR]",
		Short:   "End the lab and remove all that is left of it",
		Example: "  odoogen lab down",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := lab.Of(append(args, ".")[0])
			if err != nil {
				return err
			}
			return l.Down(cmd.Context())
		},
	}
}

func newLabDisks(verb string) *cobra.Command {
	what := map[string]string{"save": "Keep the hosts' disks as they are now, to return to", "restore": "Return the hosts' disks to where they were saved"}
	return &cobra.Command{
		Use:     verb,
		Short:   what[verb],
		Long:    what[verb] + ". All hosts lose their power for it, and boot again.",
		Example: "  odoogen lab " + verb,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := lab.Of(".")
			if err != nil {
				return err
			}
			if verb == "save" {
				return l.Save(cmd.Context())
			}
			return l.Restore(cmd.Context())
		},
	}
}

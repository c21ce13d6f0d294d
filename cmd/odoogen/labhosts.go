package main

import (
	"github.com/spf13/cobra"

	"odoogen/internal/lab"
)

func newLabSSH() *cobra.Command {
	var from string
	cmd := &cobra.Command{
		Use:               "ssh HOST [COMMAND...]",
		Short:             "ssh to a host of the lab, as root",
		Example:           "  odoogen lab ssh tests\n  odoogen lab ssh --from office tests uptime",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeHost,
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := lab.Of(".")
			if err != nil {
				return err
			}
			return l.SSH(cmd.Context(), from, args[0], args[1:])
		},
	}
	cmd.Flags().SetInterspersed(false)
	cmd.Flags().StringVar(&from, "from", "", "position: office, vpn or stranger (default: the first from which the host answers)")
	return cmd
}

func newLabExec() *cobra.Command {
	var from string
	cmd := &cobra.Command{
		Use:     "exec COMMAND...",
		Short:   "Run a command of this machine inside the lab's network",
		Example: "  odoogen lab exec odoogen push\n  odoogen lab exec --from stranger nmap 203.0.113.10",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			l, err := lab.Of(".")
			if err != nil {
				return err
			}
			return l.Exec(from, args)
		},
	}
	cmd.Flags().SetInterspersed(false)
	cmd.Flags().StringVar(&from, "from", lab.Office, "position: office, vpn or stranger")
	return cmd
}

func newLabEnter() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "enter HOST [COMMAND...]",
		Short:             "Run a command on a host of the lab without any network, as from its console",
		Example:           "  odoogen lab enter ci journalctl -b",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeHost,
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := lab.Of(".")
			if err != nil {
				return err
			}
			return l.Enter(cmd.Context(), args[0], args[1:])
		},
	}
	cmd.Flags().SetInterspersed(false)
	return cmd
}

func newLabCable(verb string) *cobra.Command {
	var private, public bool
	what := map[string]string{"cut": "Unplug a host's network cables", "heal": "Plug a host's network cables in again"}
	cmd := &cobra.Command{
		Use:               verb + " HOST",
		Short:             what[verb],
		Example:           "  odoogen lab " + verb + " tests --private",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeHost,
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := lab.Of(".")
			if err != nil {
				return err
			}
			if verb == "cut" {
				return l.Cut(cmd.Context(), args[0], lab.Sides(public, private)...)
			}
			return l.Heal(cmd.Context(), args[0], lab.Sides(public, private)...)
		},
	}
	cmd.Flags().BoolVar(&private, "private", false, "only the private network's")
	cmd.Flags().BoolVar(&public, "public", false, "only the public network's")
	return cmd
}

func newLabPower(verb string) *cobra.Command {
	what := map[string]string{"power-off": "Cut a host's power", "power-on": "Boot a host again, from the disk that it has"}
	return &cobra.Command{
		Use:               verb + " HOST",
		Short:             what[verb],
		Example:           "  odoogen lab " + verb + " tests",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeHost,
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := lab.Of(".")
			if err != nil {
				return err
			}
			if verb == "power-off" {
				return l.PowerOff(cmd.Context(), args[0])
			}
			return l.PowerOn(cmd.Context(), args[0])
		},
	}
}

func newLabFill(verb string) *cobra.Command {
	what := map[string]string{"fill": "Fill a host's disk", "drain": "Give a filled disk its room back"}
	return &cobra.Command{
		Use:               verb + " HOST",
		Short:             what[verb],
		Long:              what[verb] + ". It takes a lab whose hosts write to memory: odoogen lab up --memory.",
		Example:           "  odoogen lab " + verb + " tests",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeHost,
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := lab.Of(".")
			if err != nil {
				return err
			}
			if verb == "fill" {
				return l.Fill(cmd.Context(), args[0])
			}
			return l.Drain(cmd.Context(), args[0])
		},
	}
}

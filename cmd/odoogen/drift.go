package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"odoogen/internal/provenance"
	"odoogen/internal/push"
)

func newDrift() *cobra.Command {
	o := pushOptions{again: true}
	var asJSON, adopt bool
	cmd := &cobra.Command{
		Use:   "drift [HOST...]",
		Short: "Show what was changed by hand on the hosts",
		Long: `Compare every file of the generation that a host runs with what was pushed, the ways that lead to it, and what lies
beside it and counts more: overrides of systemctl edit and set-property, masks, stopped units, settings of ALTER SYSTEM, of
postgresql.conf and of sshd_config; and the firewall's rules with what was loaded. Exit code 2 says that something is otherwise.
It reads every file again, also those that have not changed since a push read them. A push takes back what is in odoogen's own
files only with --overwrite-drift; what lies beside them is the administrator's, and stays.

--adopt prints the CUE that would keep it, a line for each setting, and says where the spec has no word for one.`,
		Example:           "  odoogen drift\n  odoogen drift tests --json\n  odoogen drift tests --adopt",
		ValidArgsFunction: completeHosts,
		RunE: func(cmd *cobra.Command, args []string) error {
			if adopt && o.built != "" {
				return errors.New("--adopt reads the spec, and --built leaves it out")
			}
			o.reviewed = !adopt
			p, _, err := o.start(cmd, args)
			if err != nil {
				return err
			}
			defer p.Close()
			plans, err := p.Plan(cmd.Context())
			if err != nil {
				return err
			}
			found := false
			for _, plan := range plans {
				found = found || len(plan.Drift)+len(plan.Hands) > 0
			}
			switch {
			case adopt:
				var edited []push.Edited
				if edited, err = p.Edited(cmd.Context()); err == nil {
					err = printAdoption(cmd.OutOrStdout(), edited)
				}
			case asJSON:
				err = printJSON(cmd.OutOrStdout(), driftReports(plans))
			default:
				printDrift(cmd.OutOrStdout(), plans)
			}
			if err == nil && found {
				return errDifferent
			}
			return err
		},
	}
	o.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&adopt, "adopt", false, "print the CUE that would keep it")
	return cmd
}

// driftReport is what was done by hand on a host.
type driftReport struct {
	Host       string      `json:"host"`
	Generation string      `json:"generation,omitempty"` // as status has it: empty on a bare host, 0 as it was found
	Changed    []string    `json:"changed"`              // in odoogen's own files; a push can take it back
	Beside     []push.Hand `json:"beside"`               // and what stays
}

func driftReports(plans []*push.Plan) []driftReport {
	all := []driftReport{}
	for _, plan := range plans {
		all = append(all, driftReport{plan.Host, plan.From, append([]string{}, plan.Drift...), append([]push.Hand{}, plan.Hands...)})
	}
	return all
}

func printDrift(w io.Writer, plans []*push.Plan) {
	for _, r := range driftReports(plans) {
		switch {
		case len(r.Changed)+len(r.Beside) > 0:
		case r.Generation == "" || r.Generation == "0":
			fmt.Fprintf(w, "%s: as it was found: no push stands there\n", r.Host)
		default:
			fmt.Fprintf(w, "%s: as it was pushed\n", r.Host)
		}
		for _, f := range r.Changed {
			fmt.Fprintf(w, "%s: %s\n", r.Host, f)
		}
		for _, h := range r.Beside {
			fmt.Fprintf(w, "%s: %s (stays)\n", r.Host, h)
		}
	}
}

// printAdoption prints CUE, with comments for what it cannot say.
func printAdoption(w io.Writer, edited []push.Edited) error {
	if len(edited) == 0 {
		return nil
	}
	b, err := compile(io.Discard)
	if err != nil {
		return err
	}
	for _, e := range edited {
		if e.Old {
			fmt.Fprintf(w, "// %s: %s: the spec has changed since it was pushed\n", e.Host, e.Path)
			continue
		}
		proposals, err := b.Adopt(e.Host, provenance.Edit{File: e.Path, New: e.Data})
		if err != nil {
			return err
		}
		for _, p := range proposals {
			fmt.Fprintf(w, "// %s: %s: %s\n", e.Host, e.Path, p)
			if p.CUE != "" {
				fmt.Fprintln(w, p.CUE)
			}
		}
	}
	return nil
}

package main

import (
	"errors"

	"github.com/spf13/cobra"

	"odoogen/internal/push"
	"odoogen/internal/review"
)

func newPlan() *cobra.Command {
	var o pushOptions
	format := reviewFormat("text")
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "plan [HOST...]",
		Short: "Show what a push would do",
		Long: `Ask the hosts what they are, and show what a push would make of them: packages, files, and every unit that would
start, stop, restart or reload. Nothing is changed. Exit code 2 says that there is something to do.`,
		Example:           "  odoogen plan\n  odoogen plan tests --format markdown",
		ValidArgsFunction: completeHosts,
		RunE: func(cmd *cobra.Command, args []string) error {
			p, trees, err := o.start(cmd, args)
			if err != nil {
				return err
			}
			defer p.Close()
			if p.Review, err = reviewed(cmd.Context(), trees); err != nil {
				p.Review, err = nil, nil // the plan says so: "unreviewed"
			}
			plans, unanswered := p.Plan(cmd.Context())
			switch {
			case asJSON || format == "json":
				err = printJSON(cmd.OutOrStdout(), append([]*push.Plan{}, plans...))
			case format == "markdown":
				review.PlansMarkdown(cmd.OutOrStdout(), plans)
			default:
				review.PlansText(cmd.OutOrStdout(), plans)
			}
			if err = errors.Join(err, unanswered); err == nil && !empty(plans) {
				return errDifferent
			}
			return err
		},
	}
	o.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "the same as --format json")
	cmd.Flags().Var(&format, "format", "how to print it: text, json or markdown")
	completeFormats(cmd)
	return cmd
}

func empty(plans []*push.Plan) bool {
	for _, p := range plans {
		if !p.Empty() {
			return false
		}
	}
	return true
}

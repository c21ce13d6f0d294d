package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"odoogen/internal/artifact"
	"odoogen/internal/push"
	"odoogen/internal/review"
	"odoogen/internal/topology"
)

func newDiff() *cobra.Command {
	format := reviewFormat("text")
	var patch bool
	var picture string
	cmd := &cobra.Command{
		Use:   "diff [REV]",
		Short: "Show what a change of the spec does to the hosts",
		Long: `Compile the spec and compare it with what was reviewed: golden/ as the commit REV has it, HEAD if none is named. Say for
each host what restarts, reloads or goes on, which instances notice, what a rollback would not undo, what stays behind,
and what RAM, disk, connections and money it takes; then every file. No host is asked: odoogen plan does that.

Exit codes: 0 no difference, 2 differences, 1 wrong.`,
		Example: `  odoogen diff                         # what is not committed in golden/
  odoogen diff -p                      # with every line
  odoogen diff origin/main --format markdown   # a comment for a pull request`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			rev := "HEAD"
			if len(args) > 0 {
				rev = args[0]
			}
			b, err := compile(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			d, err := compared(cmd.Context(), rev, b.Trees, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			switch format {
			case "json":
				err = printJSON(cmd.OutOrStdout(), d)
			case "markdown":
				err = d.Markdown(cmd.OutOrStdout(), patch, picture)
			default:
				d.Text(cmd.OutOrStdout(), patch)
			}
			switch {
			case err != nil:
				return err
			case len(d.Refused) > 0:
				return refusals(b.Origins, d.Refused)
			case !d.Empty():
				return errDifferent
			}
			return nil
		},
	}
	cmd.Flags().Var(&format, "format", "how to print it: text, json or markdown")
	cmd.Flags().BoolVarP(&patch, "patch", "p", false, "show every line that changes")
	cmd.Flags().StringVar(&picture, "picture", "", "with --format markdown: show the picture of the topology that is at this address")
	completeFormats(cmd)
	return cmd
}

// compared compares trees with golden/ at a revision.
func compared(ctx context.Context, rev string, trees []*artifact.Tree, stderr io.Writer) (*review.Diff, error) {
	past, err := push.ReadPast(ctx, ".", rev)
	if err != nil {
		return nil, fmt.Errorf("%w\nhint: a diff is with golden/ at a commit: git init, odoogen build -o golden, git add, git commit", err)
	}
	if len(past.Trees) == 0 {
		fmt.Fprintf(stderr, "note: %s has no golden/: every host is new\nhint: odoogen build -o golden, and commit it\n", past.Commit)
	}
	return review.Compare(past, trees)
}

// refusals are mistakes of the spec that only show beside what was before: each with its place.
func refusals(origins *topology.Origins, all []push.Refusal) topology.Problems {
	var problems topology.Problems
	for _, r := range all {
		place, _ := origins.Of(r.Path)
		problems = append(problems, topology.Problem{Place: place, Path: r.Path, Message: r.Why, Hint: r.Hint})
	}
	return problems
}

// reviewFormat is how a diff or a plan is printed.
type reviewFormat string

var reviewFormats = []string{"text", "json", "markdown"}

func (f *reviewFormat) String() string { return string(*f) }

func (f *reviewFormat) Type() string { return "FORMAT" }

func (f *reviewFormat) Set(word string) error {
	for _, known := range reviewFormats {
		if word == known {
			*f = reviewFormat(word)
			return nil
		}
	}
	return fmt.Errorf("want text, json or markdown")
}

func completeFormats(cmd *cobra.Command) {
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(reviewFormats, cobra.ShellCompDirectiveNoFileComp)))
}

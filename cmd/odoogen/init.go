package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"odoogen/internal/workspace"
)

func newInit() *cobra.Command {
	var upgrade bool
	cmd := &cobra.Command{
		Use:   "init DIR",
		Short: "Make a directory with a commented envs.cue, or refresh what is generated in one",
		Long: `Make a directory to work in: an envs.cue for two hosts that builds as it is, with every value to change marked
CHANGE; the schema, so that cue vet, cue fmt and editors work offline; .gitignore, a task for VS Code, and examples
for CI. A directory that has a spec is refused.

With --upgrade, refresh the schema and odoogen.cue after an upgrade of odoogen. Nothing that is yours is touched.`,
		Example: `  odoogen init servers
  odoogen init --upgrade servers`,
		Args: cobra.ExactArgs(1),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			write := workspace.Init
			if upgrade {
				write = workspace.Upgrade
			}
			changes, err := write(args[0])
			if err != nil {
				return err
			}
			for _, c := range changes {
				fmt.Fprintf(cmd.OutOrStdout(), "%c %s\n", c.Kind, filepath.Join(args[0], c.Path))
			}
			switch {
			case !upgrade:
				fmt.Fprintf(cmd.ErrOrStderr(), "next: change what is marked CHANGE in %s, then: odoogen build\n", filepath.Join(args[0], "envs.cue"))
			case len(changes) == 0:
				fmt.Fprintln(cmd.ErrOrStderr(), "nothing to refresh")
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&upgrade, "upgrade", false, "refresh the generated files of a directory that init made")
	return cmd
}

package main

import (
	"os"

	"github.com/spf13/cobra"
)

func newRoot() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "odoogen",
		Short: "One CUE source for Odoo test environments on your own Debian servers",
		Long: `odoogen compiles one CUE source, envs.cue, into the exact files of every host that runs Odoo test environments.

Exit codes: 0 fine, 1 wrong, 2 differences found; push has more. The result is on stdout, talk on stderr.`,
		Example: `  odoogen init servers                          # a directory with a commented envs.cue
  odoogen vet                                   # every mistake, with its place
  sudo odoogen vet --native                     # every file, read by the program that reads it on the host
  odoogen build                                 # every host's files, in out/
  odoogen build -o golden                       # the same, to commit and review
  odoogen build --check -o golden               # whether golden/ is what envs.cue gives
  odoogen why out/tests/odoo/qa17.conf:12       # where a line comes from
  odoogen where envs.cue:42                     # what a line leads to
  odoogen diff                                  # what a change of the spec does to the hosts
  odoogen picture                               # the topology as SVG
  odoogen plan                                  # what a push would do
  odoogen push                                  # make every host be that, or leave it as it was
  odoogen status                                # what the hosts are, and whether all runs
  odoogen drift                                 # what was changed by hand on them
  odoogen rollback tests                        # one of them as it was before
  odoogen history                               # what was pushed, by whom, and what became of it
  odoogen purge tests                           # remove there what left the spec, data and all
  odoogen eject tests                           # leave it running, without odoogen
  odoogen secrets edit restic-password          # the value of a secret that the spec names, encrypted
  sudo odoogen lab up                           # the hosts, bare, as throw-away containers to rehearse on
  odoogen version
  odoogen completion bash > /etc/bash_completion.d/odoogen`,
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			return os.Chdir(dir)
		},
	}
	cmd.PersistentFlags().StringVarP(&dir, "directory", "C", ".", "run as if started in this directory")
	cobra.CheckErr(cmd.MarkPersistentFlagDirname("directory"))
	cmd.AddCommand(newInit(), newVet(), newBuild(), newWhy(), newWhere(), newDiff(), newPicture(), newPlan(), newPush(), newStatus(), newDrift(), newRollback(), newEject(), newPurge(), newHistory(), newSecrets(), newLab(), newVersion())
	return cmd
}

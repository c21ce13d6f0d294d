package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:               "version",
		Short:             "Print the version of odoogen, of Go and of CUE",
		Example:           `  odoogen version`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			info, ok := debug.ReadBuildInfo()
			if !ok {
				return fmt.Errorf("this binary holds no build information")
			}
			fmt.Fprintln(cmd.OutOrStdout(), describe(info))
			return nil
		},
	}
}

// describe tells a build by its version and commit, and by what decides what it accepts: Go's and CUE's versions.
func describe(info *debug.BuildInfo) string {
	version, cue, commit, modified := info.Main.Version, "", "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = fmt.Sprintf(", commit %.12s", s.Value)
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = " and changes"
		}
	}
	for _, d := range info.Deps {
		if d.Path == "cuelang.org/go" {
			cue = ", CUE " + d.Version
		}
	}
	if version == "" || version == "(devel)" {
		version = "development"
	}
	return fmt.Sprintf("odoogen %s%s%s, %s%s", version, commit, modified, info.GoVersion, cue)
}

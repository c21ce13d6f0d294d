package main

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"odoogen/internal/artifact"
)

func newWhere() *cobra.Command {
	var out string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "where FILE:LINE",
		Short: "List the lines of output that a line of the spec leads to",
		Long: `List every line of output that a line of the spec decides or goes into. FILE may also be a file of the schema, for
what a default leads to, or a constant file as odoogen why names it. The output directory must be what the spec
gives now.`,
		Example: `  odoogen where envs.cue:42
  odoogen where schema/odoo.cue:30`,
		Args: cobra.ExactArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"cue"}, cobra.ShellCompDirectiveFilterFileExt
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			file, line, err := parsePlace(args[0])
			if err != nil {
				return err
			}
			b, err := compile(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			lines, err := b.Where(file, line)
			if err != nil {
				return err
			}
			changes, err := artifact.Compare(out, b.Trees)
			if err != nil {
				return err
			}
			if len(changes) > 0 {
				return fmt.Errorf("%s is not what the spec gives now\nhint: odoogen build", filepath.Join(out, changes[0].Path))
			}
			if asJSON {
				all := []lineJSON{}
				for _, l := range lines {
					all = append(all, lineJSON{filepath.Join(out, l.File), l.Number, l.Text})
				}
				return printJSON(cmd.OutOrStdout(), all)
			}
			for _, l := range lines {
				fmt.Fprintf(cmd.OutOrStdout(), "%s:%d: %s\n", filepath.Join(out, l.File), l.Number, l.Text)
			}
			if len(lines) == 0 {
				fmt.Fprintf(cmd.ErrOrStderr(), "no line of %s comes from there\n", out)
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "out", "where the trees are")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the result as JSON")
	cobra.CheckErr(cmd.MarkFlagDirname("output"))
	return cmd
}

type lineJSON struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Text string `json:"text"`
}

// parsePlace takes FILE:LINE, or FILE:LINE:COLUMN as compilers and editors print it, apart.
func parsePlace(arg string) (file string, line int, err error) {
	rest, last, numbered := cutNumber(arg)
	if !numbered {
		return "", 0, fmt.Errorf("%s names no line\nhint: FILE:LINE", arg)
	}
	if file, line, two := cutNumber(rest); two {
		return file, line, nil // the column says nothing more
	}
	return rest, last, nil
}

// cutNumber cuts a colon and a number off the end.
func cutNumber(s string) (rest string, n int, ok bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 1 {
		return s, 0, false
	}
	n, err := strconv.Atoi(s[i+1:])
	return s[:i], n, err == nil
}

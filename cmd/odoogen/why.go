package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"odoogen/internal/provenance"
)

func newWhy() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "why FILE:LINE",
		Short: "Say where a line of a built file comes from",
		Long: `Say where a line of a built file comes from, as file:line:column: the place that decides it first, then the
others that go into it. (schema default) is a value that the spec leaves to the schema; (constant of odoogen) is a
line of a file that is the same everywhere. A line of MANIFEST is answered with what its file is there for.

FILE is any file of out/ or golden/ whose bytes are what the spec gives now.`,
		Example: `  odoogen why out/tests/odoo/qa17.conf:12
  odoogen why golden/tests/MANIFEST:3`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, line, err := parsePlace(args[0])
			if err != nil {
				return err
			}
			b, err := compile(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			origins, err := b.Why(file, line)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), originsJSON(origins))
			}
			for _, o := range origins {
				fmt.Fprintln(cmd.OutOrStdout(), o)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the result as JSON")
	return cmd
}

type originJSON struct {
	File   string          `json:"file"`
	Line   int             `json:"line"`
	Column int             `json:"column,omitempty"`
	Kind   provenance.Kind `json:"kind"`           // spec, default or constant
	Path   string          `json:"path,omitempty"` // in CUE
}

func originsJSON(origins []provenance.Origin) []originJSON {
	all := make([]originJSON, len(origins))
	for i, o := range origins {
		all[i] = originJSON{o.Place.File, o.Place.Line, o.Place.Col, o.Kind, o.Path}
	}
	return all
}

package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"odoogen/internal/artifact"
)

func newBuild() *cobra.Command {
	var out string
	var check, asJSON bool
	cmd := &cobra.Command{
		Use:   "build",
		Short: "Compile the spec into every host's files",
		Long: `Compile the spec into every host's files, and list what changed since the last build: A added, M changed,
D deleted. A spec with a mistake changes nothing. The output directory becomes exactly the trees; a directory that
holds something else is refused.`,
		Example: `  odoogen build
  odoogen build -o golden
  odoogen build --check -o golden    # write nothing; exit 2 where golden/ is not what the spec gives`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			trees, err := compileTrees(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			write := artifact.Write
			if check {
				write = artifact.Compare
			}
			changes, err := write(out, trees)
			if err != nil {
				return err
			}
			report := newBuildReport(out, trees, changes)
			if asJSON {
				err = printJSON(cmd.OutOrStdout(), report)
			} else {
				report.print(cmd.OutOrStdout())
			}
			if check && len(changes) > 0 && err == nil {
				return errDifferent
			}
			return err
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "out", "where the trees go")
	cmd.Flags().BoolVar(&check, "check", false, "write nothing; exit 2 where the output differs")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the result as JSON")
	cobra.CheckErr(cmd.MarkFlagDirname("output"))
	return cmd
}

// buildReport is what a build says, with --json by these names.
type buildReport struct {
	Output  string        `json:"output"`
	Hosts   []hostReport  `json:"hosts"`
	Changes []changedFile `json:"changes"`
}

type hostReport struct {
	Host   string `json:"host"`
	Files  int    `json:"files"`
	Bytes  int    `json:"bytes"`
	Digest string `json:"digest"` // SHA-256 of MANIFEST: the generation's name
}

type changedFile struct {
	Kind string `json:"kind"` // A, M or D
	Path string `json:"path"` // as it is named from the working directory
	host string
}

func newBuildReport(out string, trees []*artifact.Tree, changes []artifact.Change) buildReport {
	r := buildReport{Output: out, Hosts: []hostReport{}, Changes: []changedFile{}}
	for _, t := range trees {
		r.Hosts = append(r.Hosts, hostReport{t.Host, len(t.Files), t.Bytes(), t.Digest()})
	}
	for _, c := range changes {
		host, _, _ := strings.Cut(c.Path, "/")
		r.Changes = append(r.Changes, changedFile{string(c.Kind), filepath.Join(out, c.Path), host})
	}
	return r
}

// print prints a line for each host, and below it the files that changed. Of a host that was not there before, all
// did, and none is listed.
func (r buildReport) print(w io.Writer) {
	byHost := map[string][]changedFile{}
	for _, c := range r.Changes {
		byHost[c.host] = append(byHost[c.host], c)
	}
	for _, h := range r.Hosts {
		changes := byHost[h.Host]
		delete(byHost, h.Host)
		fmt.Fprintf(w, "%s: %d files, %d bytes, %.12s", h.Host, h.Files, h.Bytes, h.Digest)
		switch {
		case len(changes) == 0:
			fmt.Fprintln(w, ", unchanged")
		case len(changes) == h.Files+1 && allAdded(changes): // MANIFEST too
			fmt.Fprintln(w, ", new")
		default:
			fmt.Fprintln(w)
			printChanges(w, changes)
		}
	}
	for _, c := range r.Changes {
		if gone := byHost[c.host]; gone != nil {
			fmt.Fprintf(w, "%s: no longer in the spec\n", c.host)
			printChanges(w, gone)
			delete(byHost, c.host)
		}
	}
}

func allAdded(changes []changedFile) bool {
	for _, c := range changes {
		if c.Kind != "A" {
			return false
		}
	}
	return true
}

func printChanges(w io.Writer, changes []changedFile) {
	for _, c := range changes {
		fmt.Fprintln(w, c.Kind, c.Path)
	}
}

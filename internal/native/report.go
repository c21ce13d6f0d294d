package native

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Report is what the checkers said of all trees, in the order of hosts and classes.
type Report struct {
	Results []Result `json:"results"`
}

// Result is what one class's checker said of one host's files.
type Result struct {
	Host     string    `json:"host"`
	Class    string    `json:"class"`
	Files    int       `json:"files"`
	Problems []Problem `json:"problems,omitempty"`
	Notes    []string  `json:"notes,omitempty"` // findings that are no problem: exposures, stand-ins
}

// Problem is one complaint of a checker's.
type Problem struct {
	Path    string `json:"path,omitempty"` // of the file in the host's tree, or empty
	Line    int    `json:"line,omitempty"` // from 1, or 0
	Message string `json:"message"`
}

// Accepted tells whether no checker found a problem.
func (r *Report) Accepted() bool { return r.Problems() == 0 }

// Problems is how many problems all checkers found.
func (r *Report) Problems() int {
	n := 0
	for i := range r.Results {
		n += len(r.Results[i].Problems)
	}
	return n
}

// Text prints one line for each host and class, then every problem as a line that `odoogen why` takes: dir is
// where the trees are written.
func (r *Report) Text(w io.Writer, dir string) {
	columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, res := range r.Results {
		if res.Files == 0 && len(res.Problems) == 0 {
			continue // it has notes alone
		}
		verdict := "ok"
		if n := len(res.Problems); n > 0 {
			verdict = plural(n, "problem")
		}
		fmt.Fprintf(columns, "%s\t%s\t%s\t%s\n", res.Host, res.Class, plural(res.Files, "file"), verdict)
	}
	columns.Flush()
	for _, res := range r.Results {
		for _, note := range res.Notes {
			fmt.Fprintf(w, "%s: %s\n", res.Host, note)
		}
	}
	for _, res := range r.Results {
		for _, p := range res.Problems {
			fmt.Fprintln(w, res.place(dir, p)+p.Message)
		}
	}
}

// place is "out/tests/nginx/sites/qa17.conf:3: ", or the host's and the class's name where no file is to blame.
func (res *Result) place(dir string, p Problem) string {
	switch {
	case p.Path == "":
		return res.Host + ": " + res.Class + ": "
	case p.Line == 0:
		return fmt.Sprintf("%s/%s/%s: ", dir, res.Host, p.Path)
	}
	return fmt.Sprintf("%s/%s/%s:%d: ", dir, res.Host, p.Path, p.Line)
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, strings.TrimSuffix(what, "s"))
}

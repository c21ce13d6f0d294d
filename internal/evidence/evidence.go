// Package evidence keeps what tests have seen, for people to read: tables that make test ALL=1 prints at its end, and that
// docs/ shows with their date and commit.
package evidence

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

// Table is one of them.
type Table struct {
	Title   string
	Columns []string
	Rows    [][]string
}

// markdown writes a table as Markdown that reads well as plain text too, with the day and the commit of the run.
func (e *Table) markdown() string {
	var b strings.Builder
	commit, _ := exec.Command("git", "log", "-1", "--format=%h").Output()
	fmt.Fprintf(&b, "%s (%s, commit %s)\n\n", e.Title, time.Now().UTC().Format(time.DateOnly), strings.TrimSpace(string(commit)))
	w := tabwriter.NewWriter(&b, 0, 0, 1, ' ', 0)
	line := func(cells []string) { fmt.Fprintf(w, "| %s |\n", strings.Join(cells, "\t | ")) }
	line(e.Columns)
	rule := make([]string, len(e.Columns))
	for i := range rule {
		rule[i] = "---"
	}
	line(rule)
	for _, row := range e.Rows {
		line(row)
	}
	_ = w.Flush() // to memory
	return b.String()
}

// Keep logs a table, and keeps it in the directory that EVIDENCE names, where it is set.
func (e *Table) Keep(t testing.TB, name string) {
	t.Helper()
	text := e.markdown()
	t.Log("\n" + text)
	dir := os.Getenv("EVIDENCE")
	if dir == "" {
		return
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".md"), []byte(text+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

package review

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"odoogen/internal/artifact"
	"odoogen/internal/push"
)

// Marker begins the comment, so that CI finds the one that it wrote before.
const Marker = "<!-- odoogen diff -->"

// mostLines is how many lines of one file a comment shows.
const mostLines = 200

// longest is how long a comment may be: GitHub takes 65536 characters.
const longest = 60000

// Markdown prints a diff as a comment of a pull request: what it means first, files and lines folded away. picture is the
// address of a picture of the topology, or empty. A comment that would be too long leaves lines out, and then files.
func (d *Diff) Markdown(w io.Writer, patch bool, picture string) error {
	detail := files
	if patch {
		detail = lines
	}
	var b bytes.Buffer
	for d.markdown(&b, detail, picture); b.Len() > longest && detail > nothing; {
		detail--
		b.Reset()
		d.markdown(&b, detail, picture)
		fmt.Fprintf(&b, "\nToo long for a comment: `git diff` of `golden/` has the rest.\n")
	}
	_, err := w.Write(b.Bytes())
	return err
}

// detail is how much of the files a comment shows.
type detail int

const (
	nothing detail = iota
	files
	lines
)

func (d *Diff) markdown(w io.Writer, show detail, picture string) {
	fmt.Fprintf(w, "%s\n### What this does to the hosts\n\nCompared with `golden/` at %s of %s: **%s**.\n",
		Marker, code(d.Commit), plain(d.Author), plain(d.summary()))
	for _, r := range d.Refused {
		fmt.Fprintf(w, "\n**Refused:** %s: %s. %s\n", code(r.Path), plain(r.Why), code(r.Hint))
	}
	for _, p := range d.Hosts {
		fmt.Fprintf(w, "\n#### %s: %s → %s\n\n", plain(p.Host), code(Generation(p.From)), code(fmt.Sprintf("%.4s", p.Digest)))
		markdownFacts(w, facts(p))
		markdownBudgets(w, p.Budgets)
		d.markdownFiles(w, p, show)
	}
	for _, g := range d.Gone {
		fmt.Fprintf(w, "\n#### %s: left the spec\n\n- **orphan:** %s\n", plain(g.Host), plain(g.means()))
	}
	if len(d.Same) > 0 && !d.Empty() {
		fmt.Fprintf(w, "\nAs reviewed: %s.\n", plain(strings.Join(d.Same, ", ")))
	}
	if !d.Empty() {
		switch c := d.Cost; {
		case c.Before == nil:
			fmt.Fprintf(w, "\nA month of all hosts: **%s** %s.\n", money(c.After), plain(c.Currency))
		case *c.Before == c.After:
			fmt.Fprintf(w, "\nA month of all hosts: %s %s, as before.\n", money(c.After), plain(c.Currency))
		default:
			fmt.Fprintf(w, "\nA month of all hosts: %s → **%s** %s.\n", money(*c.Before), money(c.After), plain(c.Currency))
		}
	}
	if picture != "" {
		fmt.Fprintf(w, "\n<details><summary>Topology</summary>\n\n![topology](<%s>)\n\n</details>\n", strings.NewReplacer("<", "%3C", ">", "%3E", "\n", "").Replace(picture))
	}
}

// PlansMarkdown prints plans as Markdown.
func PlansMarkdown(w io.Writer, plans []*push.Plan) {
	fmt.Fprintln(w, "### What a push would do")
	for _, p := range plans {
		if p.Empty() {
			fmt.Fprintf(w, "\n#### %s: %s, nothing to do\n", plain(p.Host), plain(running(p)))
			if left := append(standing(p), orphans(p.Orphans)...); len(left) > 0 {
				fmt.Fprintln(w)
				markdownFacts(w, left)
			}
			continue
		}
		fmt.Fprintf(w, "\n#### %s: %s → %s\n\n", plain(p.Host), plain(running(p)), plain(becomes(p)))
		markdownFacts(w, facts(p))
		markdownBudgets(w, p.Budgets)
		fmt.Fprintf(w, "\n<details><summary>%s, in this order</summary>\n\n", count(len(p.Actions), "action"))
		for _, a := range p.Actions {
			fmt.Fprintf(w, "1. %s\n", code(a.String()))
		}
		fmt.Fprint(w, "\n</details>\n")
		markdownList(w, p.Files)
	}
}

func markdownFacts(w io.Writer, all []fact) {
	for _, f := range all {
		words := make([]string, len(f.words))
		for i, word := range f.words {
			if words[i] = plain(word); f.code {
				words[i] = code(word)
			}
		}
		if len(f.steps) > 0 {
			fmt.Fprintf(w, "- **%s:**\n  ```sh\n  %s\n  ```\n", plain(f.label), strings.Join(f.steps, "\n  "))
			continue
		}
		fmt.Fprintf(w, "- **%s:** %s\n", plain(f.label), strings.Join(words, ", "))
	}
}

func markdownBudgets(w io.Writer, all []push.Budget) {
	if len(all) == 0 {
		return
	}
	fmt.Fprint(w, "\n| | before | after |\n|---|---|---|\n")
	for _, b := range all {
		before, after := budget(b)
		if before != after {
			after = "**" + after + "**"
		}
		fmt.Fprintf(w, "| %s | %s | %s |\n", plain(b.What), before, after)
	}
}

func markdownList(w io.Writer, files []artifact.Change) {
	fmt.Fprintf(w, "\n<details><summary>%s</summary>\n\n", counted(files))
	for _, c := range files {
		fmt.Fprintf(w, "- %c %s\n", c.Kind, code(c.Path))
	}
	fmt.Fprint(w, "\n</details>\n")
}

// markdownFiles lists the files, or shows their lines. All files of a new host are new: they are in golden/ to be read.
func (d *Diff) markdownFiles(w io.Writer, p *push.Plan, show detail) {
	if show == nothing || p.From == "" {
		fmt.Fprintf(w, "\n%s.\n", counted(p.Files))
		return
	}
	if show == files {
		markdownList(w, p.Files)
		return
	}
	fmt.Fprintf(w, "\n<details><summary>%s</summary>\n", counted(p.Files))
	for _, c := range p.Files {
		all := strings.Split(strings.TrimSuffix(d.patch(p.Host, c), "\n"), "\n")
		cut := len(all) - mostLines
		if cut > 0 {
			all = all[:mostLines]
		}
		body := strings.Join(all, "\n")
		fence := "```"
		for strings.Contains(body, fence) {
			fence += "`"
		}
		fmt.Fprintf(w, "\n%c %s\n\n%sdiff\n%s\n%s\n", c.Kind, code(c.Path), fence, body, fence)
		if cut > 0 {
			fmt.Fprintf(w, "\n%s more\n", count(cut, "line"))
		}
	}
	fmt.Fprint(w, "\n</details>\n")
}

// plain is a text in which nothing means anything to Markdown, HTML or GitHub: an @ would call somebody.
func plain(s string) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case r < ' ':
			r = ' '
		case strings.ContainsRune("\\`*[]<&|~#", r), r == '_' && (i == 0 || s[i-1] == ' '):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
		if r == '@' {
			b.WriteString("\u200b")
		}
	}
	return b.String()
}

// code is a code span: its fence is longer than any in it.
func code(s string) string {
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = " " + s + " "
	}
	return fence + strings.ReplaceAll(s, "\n", " ") + fence
}

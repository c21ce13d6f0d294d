package review

import (
	"fmt"
	"io"
	"strings"

	"odoogen/internal/artifact"
	"odoogen/internal/push"
)

// Text prints a diff for a terminal; with patch also every line that changes.
func (d *Diff) Text(w io.Writer, patch bool) {
	fmt.Fprintf(w, "compared with golden/ at %s of %s: %s\n", d.Commit, d.Author, d.summary())
	for _, p := range d.Hosts {
		fmt.Fprintf(w, "\n%s: %s -> %.4s\n", p.Host, Generation(p.From), p.Digest)
		textFacts(w, p)
		for _, b := range p.Budgets {
			before, after := budget(b)
			switch {
			case b.Before == nil:
				fmt.Fprintf(w, "  %s: %s\n", b.What, after)
			case before == after:
				fmt.Fprintf(w, "  %s: %s, as before\n", b.What, after)
			default:
				fmt.Fprintf(w, "  %s: %s -> %s\n", b.What, before, after)
			}
		}
		fmt.Fprintf(w, "  %s\n", counted(p.Files))
		if p.From != "" {
			textFiles(w, p.Files)
		}
	}
	for _, g := range d.Gone {
		fmt.Fprintf(w, "\n%s: left the spec\n  %s\n", g.Host, g.means())
	}
	if len(d.Same) > 0 && !d.Empty() {
		fmt.Fprintf(w, "\n%s: as reviewed\n", strings.Join(d.Same, ", "))
	}
	if !d.Empty() {
		switch c := d.Cost; {
		case c.Before == nil:
			fmt.Fprintf(w, "\na month of all hosts: %s %s\n", money(c.After), c.Currency)
		case *c.Before == c.After:
			fmt.Fprintf(w, "\na month of all hosts: %s %s, as before\n", money(c.After), c.Currency)
		default:
			fmt.Fprintf(w, "\na month of all hosts: %s -> %s %s\n", money(*c.Before), money(c.After), c.Currency)
		}
	}
	if patch {
		for _, p := range d.Hosts {
			for _, c := range p.Files {
				fmt.Fprintf(w, "\n%s", d.patch(p.Host, c))
			}
		}
	}
}

// summary is the diff in one sentence.
func (d *Diff) summary() string {
	if d.Empty() {
		return "no difference"
	}
	var words []string
	changed, came := 0, 0
	for _, p := range d.Hosts {
		if p.From == "" {
			came++
		} else {
			changed++
		}
	}
	for _, part := range []struct {
		n    int
		verb string
	}{{changed, "changes"}, {came, "comes"}, {len(d.Gone), "goes"}} {
		if part.n > 0 {
			verb := part.verb
			if part.n > 1 {
				verb = map[string]string{"changes": "change", "comes": "come", "goes": "go"}[verb]
			}
			words = append(words, count(part.n, "host")+" "+verb)
		}
	}
	felt := "no instance notices"
	if n := len(d.Felt.Instances); n > 0 {
		notice := "notices"
		if n > 1 {
			notice = "notice"
		}
		felt = fmt.Sprintf("%d of %s %s: %s", n, count(d.Felt.Of, "instance"), notice, strings.Join(d.Felt.Instances, ", "))
	}
	return strings.Join(append(words, felt), ", ")
}

// means says what becomes of a host that left.
func (g Gone) means() string {
	if len(g.Clusters)+len(g.Instances) == 0 {
		return "no push reaches it any more: it goes on as it is"
	}
	return fmt.Sprintf("no push reaches it any more: it goes on as it is, with clusters %s and instances %s",
		strings.Join(g.Clusters, ", "), strings.Join(g.Instances, ", "))
}

// PlansText prints plans for who decides whether to push them: what each means, and every action in its order.
func PlansText(w io.Writer, plans []*push.Plan) {
	for _, p := range plans {
		if p.Empty() {
			fmt.Fprintf(w, "%s: %s, nothing to do\n", p.Host, running(p))
			printFacts(w, append(standing(p), orphans(p.Orphans)...))
			continue
		}
		fmt.Fprintf(w, "%s: %s, becomes %s\n", p.Host, running(p), becomes(p))
		textFacts(w, p)
		for _, b := range p.Budgets {
			if before, after := budget(b); b.Before != nil && before != after {
				fmt.Fprintf(w, "  %s: %s -> %s\n", b.What, before, after)
			}
		}
		fmt.Fprintf(w, "  %s\n", counted(p.Files))
		if p.From != "" && p.From != "0" && p.Digest != "" {
			textFiles(w, p.Files)
		}
		for _, a := range p.Actions {
			fmt.Fprintf(w, "  then %s\n", a)
		}
		if p.Digest == "" {
			fmt.Fprintln(w, "  packages, clusters, databases, users, releases and secrets stay; what ran before the first push runs on")
		}
	}
}

// running is the generation that a host runs, with the commit that it is of and who pushed it, as its ledger says.
func running(p *push.Plan) string {
	if p.Ran == "" {
		return Generation(p.From)
	}
	return fmt.Sprintf("%s (%s)", Generation(p.From), p.Ran)
}

// becomes is the generation to come, with the commit that reviewed it.
func becomes(p *push.Plan) string {
	if p.Commit == "" {
		return Generation(p.To)
	}
	return fmt.Sprintf("%s (%s)", Generation(p.To), p.Commit)
}

func textFacts(w io.Writer, p *push.Plan) { printFacts(w, facts(p)) }

func printFacts(w io.Writer, all []fact) {
	for _, f := range all {
		fmt.Fprintln(w, strings.TrimRight("  "+f.label+": "+strings.Join(f.words, ", "), " "))
		for _, step := range f.steps {
			fmt.Fprintf(w, "    %s\n", step)
		}
	}
}

func textFiles(w io.Writer, files []artifact.Change) {
	for _, c := range files {
		fmt.Fprintf(w, "    %s\n", c)
	}
}

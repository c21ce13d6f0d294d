package provenance

import (
	"slices"
	"strings"

	"odoogen/internal/artifact"
	"odoogen/internal/topology"
	"odoogen/internal/vocabulary"
)

// vhostOf is the instance whose vhost a file is, or adds to.
func vhostOf(o *topology.Origins, file string) string {
	name, ok := strings.CutPrefix(file, "nginx/")
	name, conf := strings.CutSuffix(strings.TrimPrefix(name, "extra/"), ".conf")
	if !ok || !conf || strings.Contains(name, "/") || !o.Has("instances."+label(name)) {
		return ""
	}
	return name
}

// vhost is an instance's, as the spec has it.
type vhost struct {
	origins *topology.Origins
	tree    *artifact.Tree
	file    string
	extra   string   // the file of what the spec adds
	added   []string // that, each directive in one line

	instance string // its path
}

// vhostChanges are what the edits have otherwise in the vhost of an instance. What was added to its server is said in one
// list, each directive with its block; a changed one is said where the line of the tree comes from.
func vhostChanges(o *topology.Origins, t *artifact.Tree, instance string, edits []Edit) []change {
	v := vhost{o, t, "nginx/" + instance + ".conf", (&topology.Instance{Name: instance}).NginxFile(), nil, "instances." + label(instance)}
	v.added = oneLines(directives(t, v.extra))
	var all []change
	for _, e := range edits {
		if vhostOf(o, e.File) != instance {
			continue
		}
		read, err := vocabulary.NginxDirectives(string(e.Data))
		switch {
		case err != nil:
			all = append(all, v.change(e.File, "", "nginx cannot read it: it "+err.Error()))
		case e.File == v.extra:
			all = append(all, v.further(oneLines(read))...)
		default:
			was := directives(t, e.File)
			differ := differences(was, read, nil)
			for _, d := range differ {
				all = append(all, v.changed(d))
			}
			if len(differ) == 0 && !slices.Equal(oneLines(was), oneLines(read)) {
				all = append(all, v.change(e.File, "", "has the same in another order: "+noWord))
			}
		}
	}
	return all
}

func (v vhost) change(file, setting, note string) change {
	return change{Proposal: Proposal{Host: v.tree.Host, File: file, Setting: setting, Note: note}}
}

// further are the changes of the file in which the spec's further directives stand.
func (v vhost) further(is []string) []change {
	var all []change
	left := slices.DeleteFunc(slices.Clone(v.added), func(line string) bool { return !slices.Contains(is, line) })
	if len(left) < len(v.added) {
		gone := slices.DeleteFunc(slices.Clone(v.added), func(line string) bool { return slices.Contains(is, line) })
		c := v.change(v.extra, "without "+strings.Join(gone, " "), "")
		c.words = []word{{path: v.instance + ".nginx", list: true, texts: left}}
		c.kept = func(t *artifact.Tree) bool {
			return !slices.ContainsFunc(oneLines(directives(t, v.extra)), func(line string) bool { return slices.Contains(gone, line) })
		}
		all = append(all, c)
	}
	for _, line := range is {
		if !slices.Contains(v.added, line) {
			all = append(all, v.addition(v.extra, line))
		}
	}
	if len(all) == 0 && !slices.Equal(is, v.added) {
		c := v.change(v.extra, "another order", "")
		c.words = []word{{path: v.instance + ".nginx", list: true, texts: is}}
		c.kept = func(t *artifact.Tree) bool { return slices.Equal(oneLines(directives(t, v.extra)), is) }
		all = append(all, c)
	}
	return all
}

// addition is a directive that the server of the vhost has beside what the spec gives it.
func (v vhost) addition(file, line string) change {
	c := v.change(file, line, "")
	c.words = []word{{path: v.instance + ".nginx", list: true, texts: []string{line}, more: true, beside: v.added}}
	c.kept = func(t *artifact.Tree) bool { return slices.Contains(oneLines(directives(t, v.extra)), line) }
	return c
}

// changed is a difference of the vhost's own file.
func (v vhost) changed(d difference) change {
	switch served := len(d.within) == 1 && strings.HasPrefix(d.within[0], "server listen 443"); {
	case d.was == nil && served:
		return v.addition(v.file, d.is.String())
	case d.was == nil:
		return v.change(v.file, d.String(), noWord)
	case d.is == nil:
		return v.change(v.file, d.String(), "was taken out; the spec cannot leave it unset")
	}
	c := v.change(v.file, d.String(), "")
	c.kept = func(t *artifact.Tree) bool {
		return slices.ContainsFunc(inside(directives(t, v.file), d.within), func(other vocabulary.Directive) bool {
			return other.Words[0] == d.is.Words[0] && plain(arguments(other)) == plain(arguments(*d.is))
		})
	}
	if d.is.Words[0] == "server_name" {
		return v.named(c, d)
	}
	from := strings.Fields(v.tree.File(v.file).From[d.was.Line])
	switch text, ok := v.origins.Text(from[0]); {
	case ok && plain(text) == plain(arguments(*d.was)):
		c.words = []word{{path: narrowed(append(from, v.instance+".class")), like: from[0], texts: []string{sized(text, arguments(*d.is))}}}
	case ok:
		c.Note = "is computed, from " + strings.Join(from, ", ")
	default:
		c.Note = "odoogen sets it, and " + noWord
	}
	return c
}

// named is a change of a server's names: one is the domain, and the others are aliases.
func (v vhost) named(c change, d difference) change {
	names := slices.Sorted(slices.Values(d.is.Words[1:]))
	c.kept = func(t *artifact.Tree) bool {
		return slices.ContainsFunc(inside(directives(t, v.file), d.within), func(other vocabulary.Directive) bool {
			return other.Words[0] == d.is.Words[0] && slices.Equal(slices.Sorted(slices.Values(other.Words[1:])), names)
		})
	}
	domain, _ := v.origins.Text(v.instance + ".domain")
	other := func(name string) bool { return name != domain && slices.Contains(d.was.Words[1:], name) }
	added := slices.DeleteFunc(slices.Clone(d.is.Words[1:]), other)
	switch {
	case slices.Contains(names, domain):
		aliases := slices.DeleteFunc(slices.Clone(d.is.Words[1:]), func(name string) bool { return name == domain })
		c.words = []word{{path: v.instance + ".aliases", list: true, texts: aliases}}
	case len(added) == 1 && len(names) == len(d.was.Words)-1:
		c.words = []word{{path: v.instance + ".domain", like: v.instance + ".domain", texts: added}}
	default:
		c.Note = "one name is " + v.instance + ".domain, the others are " + v.instance + ".aliases"
	}
	return c
}

// difference is a directive that was added, taken out, or that says something else than it did.
type difference struct {
	within  []string // the blocks around it
	was, is *vocabulary.Directive
}

// String is the directive with what is around it, but for the server of the vhost.
func (d difference) String() string {
	text := ""
	if d.is != nil {
		text = d.is.String()
	} else {
		text = d.was.String()
	}
	for i := len(d.within) - 1; i >= 0; i-- {
		if head := d.within[i]; !strings.HasPrefix(head, "server listen 443") {
			text = head + " { " + text + " }"
		}
	}
	return text
}

// differences compares what stands in two blocks. Of blocks of one name what is inside them is compared.
func differences(was, is []vocabulary.Directive, within []string) []difference {
	var left []vocabulary.Directive
	rest := slices.Clone(is)
	take := func(fits func(vocabulary.Directive) bool) *vocabulary.Directive {
		i := slices.IndexFunc(rest, fits)
		if i < 0 {
			return nil
		}
		found := rest[i]
		rest = slices.Delete(rest, i, i+1)
		return &found
	}
	for _, w := range was {
		if take(func(d vocabulary.Directive) bool { return d.String() == w.String() }) == nil {
			left = append(left, w)
		}
	}
	var all []difference
	for _, w := range left {
		switch found := take(func(d vocabulary.Directive) bool { return name(d) == name(w) }); {
		case found != nil && found.Opens:
			all = append(all, differences(w.Block, found.Block, append(slices.Clone(within), name(w)))...)
		default:
			all = append(all, difference{within, &w, found})
		}
	}
	for _, d := range rest {
		all = append(all, difference{within, nil, &d})
	}
	return all
}

// name is what a directive is known by among its neighbours: a block by all of its words, a server by where it listens.
func name(d vocabulary.Directive) string {
	switch {
	case !d.Opens:
		return d.Words[0] + ";"
	case d.Words[0] == "server" && len(d.Block) > 0:
		return "server " + d.Block[0].Head()
	}
	return d.Head()
}

// inside is what stands in the block that others are around.
func inside(all []vocabulary.Directive, within []string) []vocabulary.Directive {
	for _, block := range within {
		i := slices.IndexFunc(all, func(d vocabulary.Directive) bool { return name(d) == block })
		if i < 0 {
			return nil
		}
		all = all[i].Block
	}
	return all
}

func arguments(d vocabulary.Directive) string { return strings.Join(d.Words[1:], " ") }

// directives are those of a file of a tree.
func directives(t *artifact.Tree, path string) []vocabulary.Directive {
	f := t.File(path)
	if f == nil {
		return nil
	}
	all, _ := vocabulary.NginxDirectives(string(f.Data)) // it is odoogen's own
	return all
}

func oneLines(all []vocabulary.Directive) []string {
	lines := make([]string, len(all))
	for i, d := range all {
		lines[i] = d.String()
	}
	return lines
}

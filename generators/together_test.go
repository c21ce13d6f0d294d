package generators_test

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"

	"odoogen/internal/artifact"
)

// provenTogether changes the fields in groups, and yields each with whether that has proven all that changing it alone
// would: that it changes a line, and that every line it changes names it. Each field is in two groups, and shares at most
// one of them with any other: of two fields, a line that comes from one but names the other is seen where the
// other is not changed.
func provenTogether(t *testing.T, all []*mutation, envs string, base *compiled) iter.Seq2[*mutation, bool] {
	var groups [][]*mutation
	side := int(math.Ceil(math.Sqrt(float64(len(all)))))
	for _, n := range []int{side, side + 1} { // with nothing in common: two numbers that agree in both rests are the same
		round := make([][]*mutation, n)
		for i, m := range all {
			if m.ordinary() {
				round[i%n] = append(round[i%n], m)
			}
		}
		groups = append(groups, round...)
	}
	proven := make([][]*mutation, len(groups))
	onAllCores(t, len(groups), func(i int, dir string) { proven[i] = prove(groups[i], dir, envs, base) })
	times := map[*mutation]int{}
	for _, m := range slices.Concat(proven...) {
		times[m]++
	}
	return func(yield func(*mutation, bool) bool) {
		for _, m := range all {
			if !yield(m, times[m] == 2) {
				return
			}
		}
	}
}

// ordinary tells whether nothing but its value need change for a field to matter.
func (m *mutation) ordinary() bool {
	path := m.paths[0]
	return about(context, path) == "" && about(bound, path) == "" && informational[shape(path)] == "" && !references[shape(path)]
}

// prove changes all fields of a group at once. A field is proven by a changed line that names it and no other of the
// group, where no line at all has changed that names none of them. Of a group that is refused, or where a line is left,
// parts are tried.
func prove(group []*mutation, dir, envs string, base *compiled) []*mutation {
	if len(group) == 0 {
		return nil
	}
	now, err := applied(group, dir, envs, base)
	if err != nil {
		if fine := unblamed(group, err); len(fine) < len(group) {
			return prove(fine, dir, envs, base)
		}
	}
	if err != nil || len(unlisted(base.trees, now.trees, changedFields(base, now))) > 0 {
		if len(group) == 1 {
			return nil
		}
		half := len(group) / 2
		return append(prove(group[:half], dir, envs, base), prove(group[half:], dir, envs, base)...)
	}
	var proven []*mutation
	named := namedAlone(group, base, now)
	for i, m := range group {
		if named[i] {
			proven = append(proven, m)
		}
	}
	return proven
}

// unblamed are the fields that a refusal says nothing of.
func unblamed(group []*mutation, refusal error) []*mutation {
	blamed := map[string]bool{}
	for word := range strings.FieldsSeq(refusal.Error()) {
		blamed[strings.TrimSuffix(word, ":")] = true
	}
	return slices.DeleteFunc(slices.Clone(group), func(m *mutation) bool {
		return slices.ContainsFunc(m.paths, func(p string) bool { return blamed[p] || blamed[p[:max(0, strings.LastIndexByte(p, '.'))]] })
	})
}

// applied compiles the sample with the likeliest other value of every field.
func applied(group []*mutation, dir, envs string, base *compiled) (*compiled, error) {
	lastFirst := slices.SortedFunc(slices.Values(group), func(a, b *mutation) int { // a place is found while all before it stands
		return -cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.col, b.col))
	})
	var beside strings.Builder
	for _, m := range lastFirst {
		spec, more, err := m.apply(envs, candidates(m.field, base.topology)[0])
		if err != nil {
			return nil, err
		}
		envs = spec
		beside.WriteString(more)
	}
	if err := writeSpec(dir, envs, beside.String()); err != nil {
		return nil, err
	}
	return compile(dir)
}

// namedAlone tells of each field whether a line changed that names it and no other of the group.
func namedAlone(group []*mutation, base, now *compiled) []bool {
	named := make([]bool, len(group))
	paths := make([]map[string]bool, len(group))
	for i, m := range group {
		paths[i] = map[string]bool{}
		for _, p := range m.paths {
			paths[i][p] = true
		}
	}
	eachFile(base.trees, now.trees, func(_, _ string, old, now *artifact.File) {
		for _, h := range hunks(linesOf(old), linesOf(now)) {
			for _, l := range slices.Concat(h.gone, h.came) {
				who, names := -1, 0
				for i := range group {
					if explains(l, paths[i]) {
						who = i
						names++
					}
				}
				if names == 1 {
					named[who] = true
				}
			}
		}
	})
	return named
}

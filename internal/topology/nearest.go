package topology

import (
	"maps"
	"reflect"
	"slices"
	"strings"
)

// nearest is the hint for a name that is not among the known ones.
func nearest[T any](name string, known map[string]T) string {
	names := slices.Sorted(maps.Keys(known))
	if best := closest(name, names); best != "" {
		return "did you mean " + best + "?"
	}
	switch {
	case len(names) == 0:
		return "there is none at all"
	case len(names) > 12:
		return ""
	}
	return "there is " + strings.Join(names, ", ")
}

// closest is the one of names that is most like name, or empty where none is like it. A name of two letters is
// like none: every other is two changes away.
func closest(name string, names []string) string {
	best, bestDistance := "", min(3, len(name))
	for _, k := range names {
		if d := distance(name, k); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

// distance is how many letters must be typed, dropped or changed to make b of a (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// similarField is the hint for a field that the schema does not know: the field that was meant, or those that
// there are, or the sibling that has one of that name.
func (e *evaluation) similarField(path, name string) string {
	around := modelType(parent(path))
	if around == nil {
		return ""
	}
	names := fieldNames(around)
	if best := closest(name, names); best != "" {
		meant := strings.TrimPrefix(parent(path)+"."+best, ".")
		e.suggested[meant] = true
		e.broken.add(meant)
		return "did you mean " + best + "?"
	}
	for _, f := range fields(around) {
		if t := entity(around.Field(f.index).Type); f.name != "" && t.Kind() == reflect.Struct && slices.Contains(fieldNames(t), name) {
			return name + " is a field of " + f.name
		}
	}
	return "there is " + strings.Join(names, ", ")
}

// modelType is the struct of the model that holds the fields at a path, or nil.
func modelType(path string) reflect.Type {
	t := reflect.TypeFor[Topology]()
	for _, label := range splitPath(path) {
		switch t.Kind() {
		case reflect.Slice:
			t = t.Elem() // an entry of a map or a list: its label is its name or number
		case reflect.Struct:
			f, ok := fieldNamed(t, label)
			if !ok {
				return nil
			}
			t = f
		default:
			return nil
		}
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	return t
}

// splitPath is the labels of a path; a number in brackets is one.
func splitPath(path string) []string {
	var labels []string
	for p := path; p != ""; p = parent(p) {
		labels = append(labels, strings.Trim(p[len(parent(p)):], `.[]"`))
	}
	slices.Reverse(labels)
	return labels
}

// entity is the type itself, or what a pointer leads to.
func entity(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

func fieldNamed(t reflect.Type, name string) (reflect.Type, bool) {
	for _, f := range fields(t) {
		if f.kind == "inline" {
			if inner, ok := fieldNamed(t.Field(f.index).Type, name); ok {
				return inner, true
			}
		}
		if f.name == name {
			return t.Field(f.index).Type, true
		}
	}
	return nil, false
}

func fieldNames(t reflect.Type) []string {
	var names []string
	for _, f := range fields(t) {
		switch f.kind {
		case "inline":
			names = append(names, fieldNames(t.Field(f.index).Type)...)
		case "":
			names = append(names, f.name)
		}
	}
	return names
}

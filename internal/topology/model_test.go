package topology

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"cuelang.org/go/cue"
	"github.com/google/go-cmp/cmp"
)

// repository is where the sample lies, as seen from this package.
const repository = "../.."

func loadSample(t testing.TB) (*Topology, *Origins) {
	t.Helper()
	topology, origins, err := Load(repository)
	if err != nil {
		t.Fatal(err)
	}
	return topology, origins
}

// TestModelIsTheSchema walks over the Go types and the definitions together: a field that one of them lacks, or
// has in another kind, is found.
func TestModelIsTheSchema(t *testing.T) {
	_, origins := loadSample(t)
	definition := cue.Value{}
	// The sample embeds schema.#Topology; the definition itself is reached through the package that it comes from.
	for _, i := range origins.root.BuildInstance().Imports {
		definition = origins.root.Context().BuildInstance(i).LookupPath(cue.MakePath(cue.Def("Topology")))
	}
	if !definition.Exists() {
		t.Fatal("no #Topology among the sample's imports")
	}
	var differences []string
	differ := func(path, format string, args ...any) {
		differences = append(differences, path+": "+fmt.Sprintf(format, args...))
	}
	var walk func(path string, v cue.Value, goType reflect.Type)
	walk = func(path string, v cue.Value, goType reflect.Type) {
		goType = entity(goType)
		kind := v.IncompleteKind()
		switch {
		case goType.Kind() == reflect.Struct && valueField(goType) != nil:
			walk(path, v, valueField(goType))
		case goType.Kind() == reflect.Struct:
			if kind != cue.StructKind {
				differ(path, "the schema has %v, the model a struct", kind)
				return
			}
			labels := fieldNames(goType)
			iter, err := v.Fields(cue.Optional(true))
			if err != nil {
				t.Fatal(path, err)
			}
			for iter.Next() {
				label := iter.Selector().Unquoted()
				field, ok := fieldNamed(goType, label)
				if !ok {
					differ(path, "the model has no %s", label)
					continue
				}
				labels = slices.DeleteFunc(labels, func(l string) bool { return l == label })
				walk(strings.TrimPrefix(path+"."+label, "."), iter.Value(), field)
			}
			for _, l := range labels {
				differ(path, "the schema has no %s", l)
			}
		case goType.Kind() == reflect.Slice && goType.Elem().Kind() == reflect.Pointer:
			entry := v.LookupPath(cue.MakePath(cue.AnyString))
			if !entry.Exists() {
				differ(path, "the model has a map, the schema does not")
				return
			}
			walk(path+".*", entry, goType.Elem())
		case goType == reflect.TypeFor[Scalar]():
			if any := cue.StringKind | cue.NumberKind | cue.BoolKind; kind&^any != 0 || kind&cue.StringKind == 0 {
				differ(path, "the schema has %v, the model a scalar", kind)
			}
		case goType == reflect.TypeFor[[]Scalar]():
			walk(path, listless(v), goType.Elem())
		case goType.Kind() == reflect.Slice:
			if kind != cue.ListKind {
				differ(path, "the schema has %v, the model a list", kind)
				return
			}
			elem := listElement(v)
			if !elem.Exists() {
				differ(path, "the list's elements are not known")
				return
			}
			walk(path+"[]", elem, goType.Elem())
		default:
			if want := kindOf(goType); kind != want {
				differ(path, "the schema has %v, the model %v", kind, want)
			}
		}
	}
	walk("", definition, reflect.TypeFor[Topology]())
	if diff := cmp.Diff([]string(nil), differences); diff != "" {
		t.Error(diff)
	}
}

// listless is a value that may be one thing or a list of such, without the list.
func listless(v cue.Value) cue.Value {
	_, ways := v.Expr()
	for _, w := range ways {
		if w.IncompleteKind()&cue.ListKind == 0 {
			return w
		}
	}
	return cue.Value{}
}

// listElement is what a list's elements are, also of a list with a default.
func listElement(v cue.Value) cue.Value {
	_, ways := v.Expr() // the list without its default
	for _, w := range append(ways, v) {
		if elem := w.LookupPath(cue.MakePath(cue.AnyIndex)); elem.Exists() {
			return elem
		}
	}
	return cue.Value{}
}

func valueField(t reflect.Type) reflect.Type {
	for _, f := range fields(t) {
		if f.kind == "value" {
			return t.Field(f.index).Type
		}
	}
	return nil
}

func kindOf(t reflect.Type) cue.Kind {
	if reflect.PointerTo(t).Implements(reflect.TypeFor[unit]()) {
		return cue.StringKind
	}
	switch t.Kind() {
	case reflect.String:
		return cue.StringKind
	case reflect.Bool:
		return cue.BoolKind
	case reflect.Float64:
		return cue.NumberKind
	case reflect.Int:
		return cue.IntKind
	}
	return cue.BottomKind
}

// TestDecodeIsTheJSON compares the model of the sample with what CUE exports of it.
func TestDecodeIsTheJSON(t *testing.T) {
	_, origins := loadSample(t)
	data, err := origins.root.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var exported map[string]any
	if err := json.Unmarshal(data, &exported); err != nil {
		t.Fatal(err)
	}
	d := decoder{origins: origins}
	var decoded Topology // before anything is inherited or resolved
	d.decode(origins.root, reflect.ValueOf(&decoded).Elem(), "")
	set := map[string]bool{}
	for _, path := range d.set {
		set[path] = true
	}
	if diff := cmp.Diff(any(exported), plainOf(set, reflect.ValueOf(&decoded).Elem(), "", exported)); diff != "" {
		t.Errorf("-CUE +model:\n%s", diff)
	}
}

// plainOf is a value of the model as JSON has it, without the optional fields that nobody set. Beside it goes what
// CUE exports: a size is right when that text means it ("60s" is "1min").
func plainOf(set map[string]bool, v reflect.Value, path string, exported any) any {
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if _, ok := v.Addr().Interface().(unit); ok {
		text, _ := exported.(string)
		same := reflect.New(v.Type())
		if err := same.Interface().(unit).parse(text); err == nil && same.Elem().Equal(v) {
			return text
		}
		return fmt.Sprint(v.Interface())
	}
	inside := func(label string) any {
		m, _ := exported.(map[string]any)
		return m[label]
	}
	switch v.Kind() {
	case reflect.Struct:
		for _, f := range fields(v.Type()) {
			if f.kind == "value" {
				return plainOf(set, v.Field(f.index), path, exported)
			}
		}
		out := map[string]any{}
		var add func(v reflect.Value)
		add = func(v reflect.Value) {
			for _, f := range fields(v.Type()) {
				at := strings.TrimPrefix(path+"."+f.name, ".")
				switch {
				case f.kind == "inline":
					add(v.Field(f.index))
				case f.kind == "" && set[at]:
					out[f.name] = plainOf(set, v.Field(f.index), at, inside(f.name))
				}
			}
		}
		add(v)
		return out
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Pointer {
			out := map[string]any{}
			for i := range v.Len() {
				entry := v.Index(i).Elem()
				name := entry.FieldByName("Name").String()
				out[name] = plainOf(set, entry, entry.FieldByName("Path").String(), inside(name))
			}
			return out
		}
		out := []any{}
		beside, _ := exported.([]any)
		for i := range v.Len() {
			var other any
			if i < len(beside) {
				other = beside[i]
			}
			out = append(out, plainOf(set, v.Index(i), fmt.Sprintf("%s[%d]", path, i), other))
		}
		return out
	case reflect.Int:
		return float64(v.Int())
	case reflect.String:
		return v.String()
	}
	return v.Interface()
}

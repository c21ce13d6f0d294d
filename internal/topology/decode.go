package topology

import (
	"fmt"
	"reflect"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"

	"cuelang.org/go/cue"
)

// unit is a scalar that the user writes with a unit.
type unit interface{ parse(text string) error }

// decoder copies an evaluated value into the model. It asks for each field by name instead of iterating, which
// spares CUE a topological sort per struct and is several times faster than Value.Decode.
type decoder struct {
	set      []string // paths of the optional fields that are present
	problems Problems
	origins  *Origins

	// begin is called with each new entry of a map, a pointer, before its value is decoded into it.
	// Entries are decoded several at once.
	begin func(entry any, v cue.Value)
}

// field is one decodable field of a model struct.
type field struct {
	index int
	name  string // empty for an inlined struct
	label cue.Path
	kind  string // "", name, path, value or inline
}

var fieldsOf sync.Map // reflect.Type -> []field

func fields(t reflect.Type) []field {
	if f, ok := fieldsOf.Load(t); ok {
		return f.([]field)
	}
	var out []field
	for i := range t.NumField() {
		tag, ok := t.Field(i).Tag.Lookup("cue")
		if !ok {
			continue
		}
		name, kind, _ := strings.Cut(tag, ",")
		out = append(out, field{index: i, name: name, kind: kind, label: cue.MakePath(cue.Str(name))})
	}
	fieldsOf.Store(t, out)
	return out
}

// decode fills into from v. A field that v does not have keeps its value: an instance starts as its class.
// What does not decode was refused by CUE already, and stays as it is.
func (d *decoder) decode(v cue.Value, into reflect.Value, path string) {
	if into.Kind() == reflect.Pointer && into.Type().Elem().Kind() == reflect.Struct {
		if into.IsNil() {
			into.Set(reflect.New(into.Type().Elem()))
		}
		into = into.Elem()
	}
	if p, ok := into.Addr().Interface().(unit); ok {
		text, err := v.String()
		if err != nil {
			return
		}
		if err := p.parse(text); err != nil {
			d.problems.add(d.origins, path, err.Error(), "")
		}
		return
	}
	if s, ok := into.Addr().Interface().(*Scalar); ok {
		*s = scalar(v)
		return
	}
	switch into.Kind() {
	case reflect.Struct:
		d.decodeStruct(v, into, path)
	case reflect.Slice:
		switch elem := into.Type().Elem(); {
		case elem.Kind() == reflect.Pointer:
			d.decodeMap(v, into, path)
		case elem == reflect.TypeFor[Scalar]() && v.Kind() != cue.ListKind:
			into.Set(reflect.ValueOf([]Scalar{scalar(v)}))
		default:
			d.decodeList(v, into, path)
		}
	case reflect.String:
		if s, err := v.String(); err == nil {
			into.SetString(s)
		}
	case reflect.Bool:
		if b, err := v.Bool(); err == nil {
			into.SetBool(b)
		}
	case reflect.Int, reflect.Int64:
		if n, err := v.Int64(); err == nil {
			into.SetInt(n)
		}
	case reflect.Float64:
		if f, err := v.Float64(); err == nil {
			into.SetFloat(f)
		}
	default:
		panic(fmt.Sprintf("topology: cannot decode %s into %s", path, into.Type()))
	}
}

// scalar is the text of a value that is a text, a number, true or false.
func scalar(v cue.Value) Scalar {
	if s, err := v.String(); err == nil {
		return Scalar(s)
	}
	text, _ := v.MarshalJSON() // of a number or a boolean its usual spelling
	return Scalar(text)
}

func (d *decoder) decodeStruct(v cue.Value, into reflect.Value, path string) {
	for _, f := range fields(into.Type()) {
		switch f.kind {
		case "name", "path":
			continue // set by decodeMap
		case "value":
			d.decode(v, into.Field(f.index), path)
			continue
		case "inline":
			d.decodeStruct(v, into.Field(f.index), path)
			continue
		}
		fv := v.LookupPath(f.label)
		if !fv.Exists() || fv.IncompleteKind() == cue.BottomKind {
			continue // not there, or refused by CUE
		}
		fpath := f.name
		if path != "" {
			fpath = path + "." + f.name
		}
		d.set = append(d.set, fpath)
		d.decode(fv, into.Field(f.index), fpath)
	}
}

func (d *decoder) decodeMap(v cue.Value, into reflect.Value, path string) {
	iter, err := v.Fields()
	if err != nil {
		return
	}
	var all []entry
	for iter.Next() {
		e := entry{iter.Value(), reflect.New(into.Type().Elem().Elem()), path + "." + iter.Selector().String()}
		for _, f := range fields(e.into.Type().Elem()) {
			switch f.kind {
			case "name":
				e.into.Elem().Field(f.index).SetString(iter.Selector().Unquoted())
			case "path":
				e.into.Elem().Field(f.index).SetString(e.path)
			}
		}
		into.Set(reflect.Append(into, e.into))
		all = append(all, e)
	}
	d.decodeEntries(all)
	sortByName(into)
}

// entry is one of a map: what it is decoded from, and the pointer that it is decoded into.
type entry struct {
	value cue.Value
	into  reflect.Value
	path  string
}

// decodeEntries decodes as many at once as there are processors: thousands of instances are most of a large spec, and what
// CUE has evaluated may be read by several (cue.Value).
func (d *decoder) decodeEntries(all []entry) {
	parts := make([]decoder, min(len(all), runtime.GOMAXPROCS(0)))
	var wg sync.WaitGroup
	for p := range parts {
		wg.Go(func() {
			part := decoder{origins: d.origins, begin: d.begin}
			for n := p; n < len(all); n += len(parts) {
				e := all[n]
				if d.begin != nil {
					d.begin(e.into.Interface(), e.value)
				}
				part.decode(e.value, e.into, e.path)
			}
			parts[p] = part
		})
	}
	wg.Wait()
	for _, part := range parts {
		d.set, d.problems = append(d.set, part.set...), append(d.problems, part.problems...)
	}
}

// sortByName puts the entries of a decoded map in the order of their names: CUE's order is the order in which the
// user wrote them, and no output may depend on that.
func sortByName(entries reflect.Value) {
	name := func(i int) string { return entries.Index(i).Elem().FieldByName("Name").String() }
	sort.Slice(entries.Interface(), func(i, j int) bool { return name(i) < name(j) })
}

func (d *decoder) decodeList(v cue.Value, into reflect.Value, path string) {
	iter, err := v.List()
	if err != nil {
		return
	}
	out := reflect.MakeSlice(into.Type(), 0, 4)
	for i := 0; iter.Next(); i++ {
		elem := reflect.New(into.Type().Elem()).Elem()
		d.decode(iter.Value(), elem, path+"["+strconv.Itoa(i)+"]")
		out = reflect.Append(out, elem)
	}
	into.Set(out)
}

package generators_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/load"

	"odoogen/generators"
	"odoogen/internal/artifact"
	"odoogen/internal/topology"
)

const repository = ".."

// compiled is a spec with its trees.
type compiled struct {
	topology *topology.Topology
	origins  *topology.Origins
	trees    []*artifact.Tree
}

func compile(dir string) (*compiled, error) {
	t, origins, err := topology.Load(dir)
	if err != nil {
		return nil, err
	}
	trees, err := generators.Build(t)
	return &compiled{t, origins, trees}, err
}

// sample compiles the repository's envs.cue.
func sample(t testing.TB) *compiled {
	t.Helper()
	c, err := compile(repository)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// evaluated is the sample as stock CUE sees it: what a path must lead to.
func evaluated(t testing.TB) cue.Value {
	t.Helper()
	instances := load.Instances([]string{"."}, &load.Config{Dir: repository, Env: []string{"CUE_REGISTRY=none"}})
	if err := instances[0].Err; err != nil {
		t.Fatal(err)
	}
	return cuecontext.New().BuildInstance(instances[0])
}

// specField is a place of the spec that holds one value, or may hold one.
type specField struct {
	path  string
	value reflect.Value // of the model; the zero value for a list that is empty
	list  bool          // an empty list: value is the zero value of an element
}

// text is the field's value, to be compared.
func (f specField) text() string { return fmt.Sprint(f.value, f.list) }

// specFields are all scalars that the schema knows of a topology with these entities: those that are set, those
// that have a default, and those that are left out.
func specFields(t *topology.Topology) []specField {
	var all []specField
	walk(reflect.ValueOf(t).Elem(), "", &all)
	return all
}

func walk(v reflect.Value, path string, all *[]specField) {
	switch {
	case v.Kind() == reflect.Pointer:
		if !v.IsNil() {
			walk(v.Elem(), path, all)
		}
	case v.Kind() == reflect.Struct && hasTags(v.Type()):
		walkStruct(v, path, all)
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Pointer:
		for i := range v.Len() {
			walk(v.Index(i), v.Index(i).Elem().FieldByName("Path").String(), all)
		}
	case v.Kind() == reflect.Slice && v.Len() == 0:
		if elem := v.Type().Elem(); elem.Kind() != reflect.Struct || !hasTags(elem) {
			*all = append(*all, specField{path: path, value: reflect.Zero(elem), list: true})
		}
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			walk(v.Index(i), fmt.Sprintf("%s[%d]", path, i), all)
		}
	default:
		*all = append(*all, specField{path: path, value: v})
	}
}

func walkStruct(v reflect.Value, path string, all *[]specField) {
	for i := range v.NumField() {
		tag, ok := v.Type().Field(i).Tag.Lookup("cue")
		if !ok {
			continue
		}
		switch name, kind, _ := strings.Cut(tag, ","); {
		case kind == "name" || kind == "path":
		case kind == "value" || kind == "inline":
			walk(v.Field(i), path, all)
		case path == "":
			walk(v.Field(i), name, all)
		default:
			walk(v.Field(i), path+"."+name, all)
		}
	}
}

func hasTags(t reflect.Type) bool {
	for i := range t.NumField() {
		if _, ok := t.Field(i).Tag.Lookup("cue"); ok {
			return true
		}
	}
	return false
}

var entityName = regexp.MustCompile(`^(hosts|clusters|classes|instances|access\.admins|sources\.repositories|sources\.versions|` +
	`packages\.vendors|ci\.jobs|ci\.jenkins\.plugins|patching\.windows|packages\.vendors\.\*\.packages)\.("[^"]*"|[^.\["]+)`)

var listIndex = regexp.MustCompile(`\[\d+\]`)

// shape is a path without the names that the user chose: "instances.*.domain".
func shape(path string) string {
	for range 3 { // names stand inside names
		path = entityName.ReplaceAllString(path, "$1.*")
	}
	return listIndex.ReplaceAllString(path, "[]")
}

// spec is a directory with an envs.cue, and perhaps a second file, that a test makes and throws away.
func writeSpec(dir, envs, more string) error {
	if err := os.WriteFile(filepath.Join(dir, "envs.cue"), []byte(envs), 0o666); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "more.cue"), []byte("package envs\n\n"+more), 0o666)
}

// statement is CUE that sets the value at a path: hosts: tests: debian: 13.
func statement(path, value string) string {
	var words []string
	for p := path; p != ""; {
		word := p
		if strings.HasPrefix(p, `"`) {
			word = p[:strings.Index(p[1:], `"`)+2]
		} else if i := strings.IndexByte(p, '.'); i >= 0 {
			word = p[:i]
		}
		words = append(words, word)
		p = strings.TrimPrefix(p[len(word):], ".")
	}
	return strings.Join(words, ": ") + ": " + value + "\n"
}

// sampleWith compiles the sample with more text beside it.
func sampleWith(t testing.TB, more string) *compiled {
	t.Helper()
	envs, err := os.ReadFile(filepath.Join(repository, "envs.cue"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := writeSpec(dir, string(envs), more); err != nil {
		t.Fatal(err)
	}
	c, err := compile(dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

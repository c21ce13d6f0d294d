package generators

import (
	"bytes"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"sync"

	"odoogen/internal/artifact"
	"odoogen/internal/conf"
)

// Modes of files on a host. Nobody writes to a generation.
const (
	readable   = 0o444
	executable = 0o555
	rootsAlone = 0o440 // what sudo demands of its files
)

// output gathers what a generator writes. The first failure sticks.
type output struct {
	files []artifact.File
	err   error
}

// add puts a written text at path. Changing it has the effects.
func (o *output) add(path string, text *conf.Text, effects ...artifact.Effect) {
	data, from, err := text.Result()
	if err != nil && o.err == nil {
		o.err = fmt.Errorf("%s: %w", path, err)
	}
	o.files = append(o.files, artifact.File{Path: path, Mode: readable, Effects: effects, Data: data, From: from})
}

// guarded is add for a file that only root and its group may read.
func (o *output) guarded(path string, text *conf.Text, effects ...artifact.Effect) {
	o.add(path, text, effects...)
	o.files[len(o.files)-1].Mode = rootsAlone
}

// constant puts the constant file files/name at path as it is. Each of its lines comes from itself.
func (o *output) constant(path, name string, mode uint32, effects ...artifact.Effect) {
	c, ok := constantFiles()[name]
	if !ok && o.err == nil {
		o.err = fmt.Errorf("there is no constant file %s", name)
	}
	o.files = append(o.files, artifact.File{Path: path, Mode: mode, Effects: effects, Data: c.data, From: c.from})
}

// constantFile is a file of files/, with the origin of each line. All hosts share it; nobody writes to it.
type constantFile struct {
	data []byte
	from []string
}

// constantFiles are those of files/, by name.
var constantFiles = sync.OnceValue(func() map[string]constantFile {
	all := map[string]constantFile{}
	err := fs.WalkDir(constants, "files", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name := strings.TrimPrefix(path, "files/")
		data, err := constants.ReadFile(path)
		from := make([]string, bytes.Count(data, []byte("\n")))
		for i := range from {
			from[i] = ConstantPrefix + name + ":" + itoa(i+1)
		}
		all[name] = constantFile{data, from}
		return err
	})
	if err != nil {
		panic(err) // what is embedded can be read
	}
	return all
})

// ConstantPrefix begins the origin of a constant file's line: "generators/files/release:12".
const ConstantPrefix = "generators/files/"

func (o *output) result() ([]artifact.File, error) { return o.files, o.err }

func itoa(n int) string { return strconv.Itoa(n) }

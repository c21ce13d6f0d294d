package picture

import (
	"bytes"
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"odoogen/internal/topology"
)

var repository, _ = filepath.Abs("../..")

func load(t *testing.T, dir string) *topology.Topology {
	t.Helper()
	spec, _, err := topology.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// The picture in docs/ is the sample's.
func TestThePictureIsCurrent(t *testing.T) {
	have, err := os.ReadFile(filepath.Join(repository, "docs/topology.svg"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, Draw(load(t, repository))) {
		t.Error("docs/topology.svg is not the sample's: make docs")
	}
}

// It is XML with all that the sample has, whatever a text says.
func TestThePictureIsWellFormed(t *testing.T) {
	envs, err := os.ReadFile(filepath.Join(repository, "envs.cue"))
	if err != nil {
		t.Fatal(err)
	}
	const hostile = `<script>alert("&")</script>`
	dir := t.TempDir()
	text := strings.Replace(string(envs), `"AX42-U"`, `"`+strings.ReplaceAll(hostile, `"`, `\"`)+`"`, 1)
	if err := os.WriteFile(filepath.Join(dir, "envs.cue"), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	for d := xml.NewDecoder(bytes.NewReader(Draw(load(t, dir)))); ; {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch x := token.(type) {
		case xml.CharData:
			said.Write(x)
		case xml.StartElement:
			if x.Name.Local == "script" {
				t.Error("a text of the spec became an element")
			}
		}
	}
	for _, want := range []string{hostile, "staging19.example.com", "PostgreSQL 15/main", "Jenkins", "vSwitch 10.0.0.0/24", "ssh for the whitelist", "BX21"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("the picture does not show %s", want)
		}
	}
}

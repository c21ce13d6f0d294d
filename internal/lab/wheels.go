package lab

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"odoogen/internal/artifact"
)

// pypi is where pip looks for packages.
const pypi = "https://pypi.org/simple/"

// pinsIn are the Python packages that the trees pin, "phonenumbers==8.13.50".
func pinsIn(trees []*artifact.Tree) []string {
	var all []string
	for _, tree := range trees {
		for _, f := range tree.Files {
			if strings.HasPrefix(f.Path, "python/") && strings.HasSuffix(f.Path, ".txt") {
				for _, w := range rows(f.Data) {
					all = append(all, w[0])
				}
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

var pinned = regexp.MustCompile(`^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==(.+)$`)

// servePins puts a stand-in of every pin into the package index: https://peps.python.org/pep-0503/.
func servePins(www string, pins []string) error {
	links := map[string]string{}
	for _, pin := range pins {
		m := pinned.FindStringSubmatch(pin)
		if m == nil {
			return fmt.Errorf("the lab cannot stand in for the Python package %q", pin)
		}
		file, data, err := wheel(m[1], m[2])
		if err != nil {
			return err
		}
		name := strings.ToLower(separators.ReplaceAllString(m[1], "-"))
		if err := serve(www, pypi+name+"/"+file, data); err != nil {
			return err
		}
		links[name] += fmt.Sprintf("<a href=\"%s#sha256=%x\">%[1]s</a>\n", file, sha256.Sum256(data))
	}
	for name, list := range links {
		if err := os.WriteFile(filepath.Join(www, "pypi.org/simple", name, "index.html"), []byte("<!DOCTYPE html>\n"+list), 0o644); err != nil {
			return err
		}
	}
	return nil
}

var separators = regexp.MustCompile(`[-_.]+`)

// wheel is a package with an empty module of its name that says what it is. Built twice it is the same:
// https://packaging.python.org/specifications/binary-distribution-format/.
func wheel(name, version string) (string, []byte, error) {
	module := strings.ToLower(separators.ReplaceAllString(name, "_"))
	stem := module + "-" + strings.ReplaceAll(version, "-", "_")
	info := stem + ".dist-info"
	var b, record bytes.Buffer
	z := zip.NewWriter(&b)
	add := func(file, text string) error {
		w, err := z.Create(file)
		if err == nil {
			_, err = w.Write([]byte(text))
		}
		sum := sha256.Sum256([]byte(text))
		fmt.Fprintf(&record, "%s,sha256=%s,%d\n", file, base64.RawURLEncoding.EncodeToString(sum[:]), len(text))
		return err
	}
	for _, f := range [][2]string{
		{path.Join(module, "__init__.py"), fmt.Sprintf("\"\"\"The lab's stand-in for %s %s.\"\"\"\n", name, version)},
		{info + "/METADATA", fmt.Sprintf("Metadata-Version: 2.1\nName: %s\nVersion: %s\nSummary: the lab's stand-in\n", name, version)},
		{info + "/WHEEL", "Wheel-Version: 1.0\nGenerator: odoogen lab\nRoot-Is-Purelib: true\nTag: py3-none-any\n"},
	} {
		if err := add(f[0], f[1]); err != nil {
			return "", nil, err
		}
	}
	w, err := z.Create(info + "/RECORD")
	if err != nil {
		return "", nil, err
	}
	if _, err := fmt.Fprintf(w, "%s%s/RECORD,,\n", record.String(), info); err != nil {
		return "", nil, err
	}
	err = z.Close()
	return stem + "-py3-none-any.whl", b.Bytes(), err
}

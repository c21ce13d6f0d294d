package push

import (
	"archive/tar"
	"bytes"
	"fmt"
	"slices"

	"odoogen/internal/artifact"
)

// blobs is the tar of MANIFEST and of the files that the host lacks at their places.
func blobs(tree *artifact.Tree, seen *Observation) ([]byte, error) {
	before, err := artifact.ParseManifest(seen.Manifest)
	if err != nil {
		return nil, err
	}
	has := map[string]artifact.Entry{}
	for _, e := range before {
		if !slices.Contains(seen.Drift, e.Path) {
			has[e.Path] = e
		}
	}
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	put := func(path string, mode uint32, data []byte) {
		if err == nil {
			err = w.WriteHeader(&tar.Header{Name: path, Mode: int64(mode), Size: int64(len(data)), Format: tar.FormatPAX})
		}
		if err == nil {
			_, err = w.Write(data)
		}
	}
	put(artifact.ManifestName, 0o444, tree.Manifest())
	for i := range tree.Files {
		f := &tree.Files[i]
		if e, ok := has[f.Path]; !ok || e.Digest != f.Digest() || e.Mode != f.Mode {
			put(f.Path, f.Mode, f.Data)
		}
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", tree.Host, err)
	}
	return out.Bytes(), nil
}

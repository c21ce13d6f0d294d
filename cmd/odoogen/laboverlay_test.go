package main

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"odoogen/generators"
	"odoogen/internal/artifact"
	"odoogen/internal/lab"
	"odoogen/internal/topology"
)

// TestLabOverlay pins which reviewed files are otherwise in a lab. What is not listed here is pushed as it was reviewed.
func TestLabOverlay(t *testing.T) {
	o := &lab.Overlay{HostKeys: map[string]string{}, Box: key("box"), Admin: key("operator"), Vendors: map[string]string{},
		Downloads: map[string]string{}, Revs: map[string]string{}}
	spec, _, err := topology.Load(repository)
	if err != nil {
		t.Fatal(err)
	}
	const forty = "0123456789abcdef0123456789abcdef01234567"
	for _, h := range spec.Hosts {
		o.HostKeys[h.Name] = key(h.Name)
	}
	for _, v := range spec.Packages.Vendors {
		o.Vendors[v.Name] = forty
	}
	for _, r := range spec.Sources.Repositories {
		o.Revs[r.Name] = forty
	}
	o.Downloads[spec.Sources.Wkhtmltopdf.URL] = forty + forty[:24]
	overlay(spec, o)
	trees, err := generators.Build(spec)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, tree := range trees {
		reviewed, err := artifact.ReadTree(repository + "/golden/" + tree.Host)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range tree.Files {
			if was := reviewed.File(f.Path); was == nil || string(was.Data) != string(f.Data) {
				got = append(got, tree.Host+"/"+f.Path)
			}
		}
		if len(tree.Files) != len(reviewed.Files) {
			t.Errorf("%s has %d files in the lab, and %d reviewed", tree.Host, len(tree.Files), len(reviewed.Files))
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{
		"ci/HOST.json",
		"ci/jenkins/casc/controller.yaml",
		"ci/mirror/known_hosts",
		"ci/restic/known_hosts",
		"ci/ssh/authorized_keys/anna",
		"ci/ssh/authorized_keys/ben",
		"tests/HOST.json",
		"tests/instances/ba17.repositories",
		"tests/instances/ba19.repositories",
		"tests/instances/qa17.repositories",
		"tests/instances/qa19.repositories",
		"tests/instances/staging17.repositories",
		"tests/instances/staging19.repositories",
		"tests/restic/known_hosts",
		"tests/ssh/authorized_keys/anna",
		"tests/ssh/authorized_keys/ben",
	}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func key(name string) string {
	return "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINn3+mfZCi9L4W2YNdbgwdo38s52sfWhkcmzveylGkca " + name
}

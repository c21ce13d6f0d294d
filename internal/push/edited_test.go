package push

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Of the files that a host is asked for it answers with those that are there: one of the generation that is not was
// deleted, and of others there is nothing to tell.
func TestEditedReadsWhatIsThere(t *testing.T) {
	runs := tree(t, "1", "x.service", "a.conf", "empty.conf", "gone.conf", "old.conf")
	next := tree(t, "1", "x.service", "a.conf", "empty.conf", "gone.conf")
	r, err := newReading(&host{wish: &wish{name: "h"}, tree: next,
		seen: &Observation{Manifest: runs.Manifest(), Drift: []string{"a.conf", "empty.conf", "gone.conf", "old.conf", "strange", "folder"}},
		plan: &Plan{Hands: []Hand{{"override", "/etc/x.conf"}, {"override", "/etc/null.conf"}, {"masked", "x.service"}}}})
	if err != nil {
		t.Fatal(err)
	}
	for at, text := range map[string]string{
		"/etc/odoogen/current/a.conf": "YQo=", "/etc/odoogen/current/empty.conf": "", "/etc/odoogen/current/old.conf": "Ygo=",
		"/etc/odoogen/current/strange": "Ywo=", "/etc/x.conf": "ZAo=",
	} {
		r.line([]string{"file", at, text})
	}
	got, err := r.result()
	want := []Edited{
		{Host: "h", Path: "/etc/x.conf", Data: []byte("d\n")},
		{Host: "h", Path: "a.conf", Data: []byte("a\n")},
		{Host: "h", Path: "empty.conf", Data: []byte{}},
		{Host: "h", Path: "gone.conf", Gone: true},
		{Host: "h", Path: "old.conf", Data: []byte("b\n"), Old: true},
		{Host: "h", Path: "strange", Data: []byte("c\n")},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("-want +got\n%s%v", diff, err)
	}
}

func TestNothingIsReadFromAHostThatDidNotAnswer(t *testing.T) {
	p := &Push{hosts: []*host{{wish: &wish{name: "tests"}}}}
	if all, err := p.Edited(t.Context()); len(all) > 0 || err != nil {
		t.Errorf("reads %v, %v", all, err)
	}
}

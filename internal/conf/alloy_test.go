package conf

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"odoogen/internal/conf/alloytest"
)

func TestAlloyReadsBackAsItWasGiven(t *testing.T) {
	for _, s := range hostile {
		a := NewAlloy("owner", "What it is.")
		a.Comment(s)
		a.Open("prometheus.scrape", "node")
		a.Set("text", s)
		a.Set("number", -1)
		a.Set("truth", true)
		a.Set("export", Ref("loki.write.grafana.receiver"))
		a.Set("exports", []Ref{"loki.relabel.journal.rules"})
		a.Set("list", []string{s, "b"})
		a.Set("maps", Array(Object().Set("__address__", s).Set("k"+s, "v")))
		a.Open("clustering", "")
		a.Close()
		a.Close()
		data, _, err := a.Result()
		if err != nil {
			t.Fatal(err)
		}
		got, err := alloytest.Parse(string(data))
		if err != nil {
			t.Errorf("%q: %v\n%s", s, err, data)
			continue
		}
		want := []alloytest.Block{{
			Name: "prometheus.scrape", Label: "node",
			Attributes: map[string]any{
				"text": s, "number": -1, "truth": true,
				"export": alloytest.Ref("loki.write.grafana.receiver"), "exports": []any{alloytest.Ref("loki.relabel.journal.rules")},
				"list": []any{s, "b"}, "maps": []any{map[string]any{"__address__": s, "k" + s: "v"}},
			},
			Blocks: []alloytest.Block{{Name: "clustering", Attributes: map[string]any{}}},
		}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", s, diff)
		}
	}
}

func TestAlloyRefuses(t *testing.T) {
	for name, write := range map[string]func(*Alloy){
		"a label with a dash":    func(a *Alloy) { a.Open("prometheus.scrape", "a-b") },
		"a label with a quote":   func(a *Alloy) { a.Open("prometheus.scrape", `a" {`) },
		"code in a reference":    func(a *Alloy) { a.Set("forward_to", Ref(`a.b" }`)) },
		"code among references":  func(a *Alloy) { a.Set("forward_to", []Ref{"a", "b()"}) },
		"what is no value":       func(a *Alloy) { a.Set("x", struct{}{}) },
		"text that is not UTF-8": func(a *Alloy) { a.Set("x", "\xff") },
	} {
		a := NewAlloy("owner", "")
		write(a)
		if data, _, err := a.Result(); err == nil {
			t.Errorf("carries %s:\n%s", name, data)
		}
	}
}

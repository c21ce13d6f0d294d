package generators

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"odoogen/internal/conf/alloytest"
	"odoogen/internal/topology"
)

// publishedBlocks are the blocks of Alloy 1.18.1 that odoogen writes, each with the attributes and inner blocks that
// its reference page lists (grafana/alloy, docs/sources/reference/components). * marks what must be there.
var publishedBlocks = map[string]string{
	"prometheus.scrape": "forward_to* targets* bearer_token_file body_size_limit honor_labels honor_timestamps job_name metrics_path " +
		"params sample_limit scheme scrape_interval scrape_timeout authorization basic_auth clustering oauth2 tls_config",
	"prometheus.relabel":                          "forward_to* max_cache_size cache_ttl rule",
	"prometheus.relabel/rule":                     "action modulus regex replacement separator source_labels target_label",
	"prometheus.remote_write":                     "external_labels endpoint wal",
	"prometheus.remote_write/endpoint":            "url* bearer_token_file headers name proxy_url remote_timeout basic_auth queue_config tls_config write_relabel_config",
	"prometheus.remote_write/endpoint/basic_auth": "username password password_file",
	"loki.source.journal":                         "forward_to* format_as_json labels matches max_age path relabel_rules legacy_position",
	"loki.relabel":                                "forward_to* max_cache_size rule",
	"loki.relabel/rule":                           "action modulus regex replacement separator source_labels target_label",
	"loki.write":                                  "external_labels max_streams endpoint wal",
	"loki.write/endpoint":                         "url* batch_size batch_wait bearer_token_file headers name proxy_url remote_timeout tenant_id basic_auth tls_config",
	"loki.write/endpoint/basic_auth":              "username password password_file",
}

// alloyExports are what other components may name.
var alloyExports = map[string][]string{
	"prometheus.relabel": {"receiver", "rules"}, "prometheus.remote_write": {"receiver"},
	"loki.relabel": {"receiver", "rules"}, "loki.write": {"receiver"},
}

func alloyOf(t *testing.T, spec *topology.Topology, host string) []alloytest.Block {
	t.Helper()
	blocks, err := alloytest.Parse(generated(t, Alloy, spec, host)["alloy/config.alloy"])
	if err != nil {
		t.Fatal(err)
	}
	return blocks
}

func TestAlloyKnowsEveryBlock(t *testing.T) {
	spec := sampleTopology(t)
	for _, host := range []string{"tests", "ci"} {
		exports := map[alloytest.Ref]bool{}
		blocks := alloyOf(t, spec, host)
		for _, b := range blocks {
			for _, export := range alloyExports[b.Name] {
				exports[alloytest.Ref(b.Name+"."+b.Label+"."+export)] = true
			}
		}
		for _, b := range blocks {
			if b.Label == "" {
				t.Errorf("%s: a component without a label", b.Name)
			}
			checkAlloyBlock(t, b, b.Name, exports)
		}
	}
}

func checkAlloyBlock(t *testing.T, b alloytest.Block, path string, exports map[alloytest.Ref]bool) {
	t.Helper()
	words, known := publishedBlocks[path]
	if !known {
		t.Errorf("Alloy has no block %s", path)
	}
	for _, word := range strings.Fields(words) {
		name, required := strings.CutSuffix(word, "*")
		if _, there := b.Attributes[name]; required && !there {
			t.Errorf("%s: no %s", path, name)
		}
	}
	published := strings.Fields(strings.ReplaceAll(words, "*", ""))
	for name, value := range b.Attributes {
		if !slices.Contains(published, name) {
			t.Errorf("%s has no attribute %s", path, name)
		}
		list, ok := value.([]any)
		if !ok {
			list = []any{value}
		}
		for _, v := range list {
			if ref, ok := v.(alloytest.Ref); ok && !exports[ref] {
				t.Errorf("%s: nothing exports %s", path, ref)
			}
		}
	}
	for _, inner := range b.Blocks {
		if !slices.Contains(published, inner.Name) {
			t.Errorf("%s has no block %s", path, inner.Name)
		}
		checkAlloyBlock(t, inner, path+"/"+inner.Name, exports)
	}
}

// Alloy reads every exporter that listens on the host, and nothing else.
func TestAlloyReadsTheExporters(t *testing.T) {
	spec := sampleTopology(t)
	for _, host := range []string{"tests", "ci"} {
		var got, want []string
		for _, b := range alloyOf(t, spec, host) {
			if b.Name != "prometheus.scrape" {
				continue
			}
			for _, x := range b.Attributes["targets"].([]any) {
				labels := x.(map[string]any)
				if labels["host"] != host {
					t.Errorf("host %v on %s", labels["host"], host)
				}
				got = append(got, labels["__address__"].(string))
			}
		}
		for _, l := range spec.Listeners(sampleHost(t, spec, host)) {
			if strings.Contains(l.What, "exporter") || l.Unit == topology.AlloyUnit {
				want = append(want, topology.Local(l.Port))
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", host, diff)
		}
	}
}

func TestAlloyUnit(t *testing.T) {
	files := generated(t, Alloy, sampleTopology(t), "tests")
	wantLines(t, files, "systemd/system/alloy.service.d/10-odoogen.conf",
		"ExecStart=",
		"ExecStart=/usr/bin/alloy run --disable-reporting --server.http.listen-addr=127.0.0.1:12345 --storage.path=/var/lib/alloy/data /etc/odoogen/current/alloy/config.alloy",
		"LoadCredential=grafana-token:/var/lib/odoogen/secrets/grafana-token")
	if strings.Count(files["alloy/config.alloy"], "/run/credentials/alloy.service/grafana-token") != 2 {
		t.Error("metrics and logs do not both read the token from the unit's credentials")
	}
}

func TestNoGrafanaNoAlloy(t *testing.T) {
	spec := sampleTopology(t)
	spec.Observability.Grafana = nil
	if files := generated(t, Alloy, spec, "tests"); len(files) > 0 {
		t.Errorf("%d files without Grafana", len(files))
	}
	spec.Observability = nil
	if files := generated(t, Exporters, spec, "tests"); len(files) > 0 {
		t.Errorf("%d files without observability", len(files))
	}
}

package native

import "strings"

// alloyBlock is what may stand in a block.
type alloyBlock struct{ required, attributes, blocks []string }

// unlabelled are blocks of the file that are no components.
var unlabelled = map[string]bool{"logging": true}

// alloyBlocks are the components that odoogen writes, with their keys, after docs/sources/reference/components of
// grafana/alloy v1.18.1; "" is the file itself. A block that has other keys in one component than in another stands as
// "component > block".
var alloyBlocks = map[string]*alloyBlock{
	"":                    {blocks: words("logging loki.source.journal loki.relabel loki.process loki.write prometheus.scrape prometheus.relabel prometheus.remote_write local.file")},
	"logging":             {attributes: words("level format write_to")},
	"loki.source.journal": {required: words("forward_to"), attributes: words("format_as_json labels matches max_age path relabel_rules"), blocks: words("legacy_position")},
	"legacy_position":     {required: words("file name")},
	"loki.relabel":        {required: words("forward_to"), attributes: words("max_cache_size"), blocks: words("rule")},
	"rule":                {attributes: words("action modulus regex replacement separator source_labels target_label")},
	"loki.process":        {required: words("forward_to"), blocks: words("stage.drop stage.json stage.label_drop stage.label_keep stage.labels stage.limit stage.logfmt stage.match stage.multiline stage.output stage.regex stage.replace stage.static_labels stage.template stage.timestamp")},
	"stage.drop":          {attributes: words("drop_counter_reason expression longer_than older_than separator source value")},
	"stage.json":          {required: words("expressions"), attributes: words("source drop_malformed")},
	"stage.label_drop":    {required: words("values")},
	"stage.label_keep":    {required: words("values")},
	"stage.labels":        {required: words("values"), attributes: words("source_type")},
	"stage.limit":         {required: words("rate burst"), attributes: words("drop by_label_name max_distinct_labels")},
	"stage.logfmt":        {required: words("mapping"), attributes: words("source")},
	"stage.match":         {required: words("selector"), attributes: words("action drop_counter_reason pipeline_name"), blocks: words("stage.drop stage.labels stage.regex stage.static_labels")},
	"stage.multiline":     {required: words("firstline"), attributes: words("max_lines max_wait_time trim_newlines")},
	"stage.output":        {required: words("source")},
	"stage.regex":         {required: words("expression"), attributes: words("source labels_from_groups")},
	"stage.replace":       {required: words("expression"), attributes: words("source replace")},
	"stage.static_labels": {required: words("values")},
	"stage.template":      {required: words("source template")},
	"stage.timestamp":     {required: words("source format"), attributes: words("fallback_formats location action_on_failure")},

	"loki.write":            {attributes: words("external_labels max_streams"), blocks: words("endpoint wal")},
	"loki.write > endpoint": {required: words("url"), attributes: words("batch_size batch_wait bearer_token_file bearer_token enable_http2 follow_redirects http_headers headers max_backoff_period max_backoff_retries min_backoff_period name no_proxy proxy_connect_header proxy_from_environment proxy_url remote_timeout retry_on_http_429 tenant_id"), blocks: words("authorization basic_auth tls_config")},
	"loki.write > wal":      {attributes: words("enabled drain_timeout max_read_frequency max_segment_age min_read_frequency")},
	"basic_auth":            {attributes: words("username password password_file")},
	"authorization":         {attributes: words("type credentials credentials_file")},
	"tls_config":            {attributes: words("ca_pem ca_file cert_pem cert_file insecure_skip_verify key_file key_pem min_version server_name")},

	"prometheus.scrape":                  {required: words("forward_to targets"), attributes: words("bearer_token_file bearer_token body_size_limit enable_compression enable_http2 extra_metrics follow_redirects http_headers honor_labels honor_timestamps job_name label_limit label_name_length_limit label_value_length_limit metrics_path no_proxy params proxy_connect_header proxy_from_environment proxy_url sample_limit scheme scrape_interval scrape_protocols scrape_timeout target_limit track_timestamps_staleness"), blocks: words("authorization basic_auth clustering tls_config")},
	"clustering":                         {required: words("enabled")},
	"prometheus.relabel":                 {required: words("forward_to"), attributes: words("max_cache_size"), blocks: words("rule")},
	"prometheus.remote_write":            {attributes: words("external_labels"), blocks: words("endpoint wal")},
	"prometheus.remote_write > endpoint": {required: words("url"), attributes: words("bearer_token_file bearer_token enable_http2 follow_redirects http_headers headers name no_proxy proxy_connect_header proxy_from_environment proxy_url remote_timeout send_exemplars send_native_histograms"), blocks: words("authorization basic_auth metadata_config queue_config tls_config write_relabel_config")},
	"prometheus.remote_write > wal":      {attributes: words("truncate_frequency min_keepalive_time max_keepalive_time")},
	"metadata_config":                    {attributes: words("send send_interval max_samples_per_send")},
	"queue_config":                       {attributes: words("batch_send_deadline capacity max_backoff max_samples_per_send max_shards min_backoff min_shards retry_on_http_429 sample_age_limit")},
	"write_relabel_config":               {attributes: words("action modulus regex replacement separator source_labels target_label")},
	"local.file":                         {required: words("filename"), attributes: words("detector is_secret poll_frequency")},
}

// relabelActions are what a rule may do, and a stage.match.
var relabelActions = words("replace keep drop hashmod labelmap labeldrop labelkeep lowercase uppercase keepequal dropequal")

func words(s string) []string { return strings.Fields(s) }

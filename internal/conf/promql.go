package conf

import (
	"strconv"
	"strings"
)

// Selector is a metric of Prometheus' with its matchers: label with its operator and value, by turns. Selector("up",
// "job=", "node", "name=~", "odoo-.+") is up{job="node",name=~"odoo-.+"}. Strings are quoted as Go's are (Prometheus
// documentation, Querying basics, String literals).
func Selector(metric string, matchers ...string) string {
	words := make([]string, 0, len(matchers)/2)
	for n := 0; n+1 < len(matchers); n += 2 {
		words = append(words, matchers[n]+strconv.Quote(matchers[n+1]))
	}
	return metric + "{" + strings.Join(words, ",") + "}"
}

package native

import (
	"fmt"
	"slices"
	"strings"
)

// promtoolRules has Prometheus's own tool read the rules: structure, expressions, templates. Duplicates count.
func promtoolRules(c *check) {
	res := c.run(slices.Concat([]string{"promtool", "check", "rules", "--lint=all", "--lint-fatal"}, c.paths())...)
	if res.code == 0 {
		return
	}
	// It writes a heading for each file, and what is wrong below it.
	path := ""
	for line := range strings.Lines(res.stdout + res.stderr) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "Checking "); ok {
			path = c.inTree(name)
			continue
		}
		if line == "" || line == "FAILED:" || strings.HasPrefix(line, "SUCCESS") {
			continue
		}
		if p, n := c.locate(line); p != "" {
			c.fail(p, n, "%s", preamble.ReplaceAllString(line, ""))
		} else {
			n := 0
			fmt.Sscanf(line, "line %d:", &n)
			c.fail(path, n, "%s", line)
		}
	}
}

package native

import (
	"fmt"
	"slices"
	"strings"

	"odoogen/internal/artifact"
)

// promtoolRules has Prometheus's own tool read the rules: structure, expressions, templates. Duplicates count.
func promtoolRules(c *check) { c.promtool("rules", "--lint=all", "--lint-fatal") }

// promtoolConfig has it read a server's configuration, and the rules that this names.
func promtoolConfig(c *check) { c.promtool("config", "--lint=all", "--lint-fatal") }

func (c *check) promtool(kind string, flags ...string) {
	for _, f := range c.files {
		argv := slices.Concat([]string{"promtool", "check", kind}, flags, []string{at(f)})
		if res := c.run(argv...); res.code != 0 {
			c.findings(f, res.stdout+res.stderr)
		}
	}
}

// findings are the lines in which promtool says what is wrong with a file, below its headings. A problem of YAML has
// a heading and then its line's number alone.
func (c *check) findings(f *artifact.File, output string) {
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		switch {
		case line == "", line == "FAILED:", strings.HasPrefix(line, "Checking "), strings.Contains(line, "SUCCESS"),
			strings.HasSuffix(line, "yaml: unmarshal errors:"):
			continue
		}
		path, n := c.locate(line)
		if path == "" {
			path = f.Path
			fmt.Sscanf(line, "line %d:", &n)
		}
		c.fail(path, n, "%s", preamble().ReplaceAllString(line, ""))
	}
}

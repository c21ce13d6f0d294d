package native

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
)

// jsonFiles are well-formed JSON, with each key of an object there once.
func jsonFiles(c *check) {
	for _, f := range c.files {
		var any any
		err := json.Unmarshal(f.Data, &any)
		var syntax *json.SyntaxError
		switch {
		case errors.As(err, &syntax):
			c.fail(f.Path, bytes.Count(f.Data[:syntax.Offset], []byte("\n"))+1, "%s", err)
		case err != nil:
			c.fail(f.Path, 0, "%s", err)
		}
	}
}

// plugins are one id and one version in each line: without a version, each installation would be another.
func plugins(c *check) {
	for _, f := range c.files {
		for n, line := range strings.Split(strings.TrimSuffix(string(f.Data), "\n"), "\n") {
			if line != "" && line[0] != '#' && !pluginLine.MatchString(line) {
				c.fail(f.Path, n+1, "%q is not id:version", line)
			}
		}
	}
}

var pluginLine = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*:[0-9][A-Za-z0-9._-]*$`)

// envFiles are read by bash, in scripts, and some by systemd, as EnvironmentFile=. Both must see the same variables
// with the same values, and bash must find nothing to run.
func envFiles(c *check) {
	for _, f := range c.files {
		bad := false
		for n, line := range strings.Split(strings.TrimSuffix(string(f.Data), "\n"), "\n") {
			if line != "" && line[0] != '#' && !assignment.MatchString(line) {
				c.fail(f.Path, n+1, "not KEY=value in a form that bash and systemd read alike")
				bad = true
			}
		}
		if !bad {
			c.quiet("bash", "-n", at(f))
		}
	}
}

// assignment is a key with a value that is bare, in single quotes, or in double quotes with nothing to expand.
var assignment = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=([A-Za-z0-9_@%+=:,./-]*|'[^']*'|"([^"\\$` + "`" + `]|\\["\\$` + "`" + `])*")$`)

package native

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"unicode"

	"odoogen/internal/artifact"
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

// carried refuses files of the spec whose places on the host are taken.
func carried(c *check) {
	for _, f := range c.files {
		if place := strings.TrimPrefix(f.Path, "files"); slices.Contains(c.host.taken, place) {
			c.fail(f.Path, 0, "%s is there already, and not the spec's", place)
		}
	}
}

// plugins are one id and one version in each line: without a version, each installation would be another.
func plugins(c *check) {
	for _, f := range c.files {
		for n, line := range records(f) {
			if !pluginLine().MatchString(line) {
				c.fail(f.Path, n, "%q is not id:version", line)
			}
		}
	}
}

// requirements are one package with one version in each line, as pip install -r reads them.
func requirements(c *check) {
	for _, f := range c.files {
		for n, line := range records(f) {
			if !requirementLine().MatchString(line) {
				c.fail(f.Path, n, "%q is not package==version", line)
			}
		}
	}
}

// requirementLine is a package at one version of PEP 440, in its normal form.
var requirementLine = lazily(`^[A-Za-z0-9][A-Za-z0-9._-]*(\[[A-Za-z0-9,._-]+\])?==([0-9]+!)?[0-9]+(\.[0-9]+)*((a|b|rc)[0-9]+)?(\.post[0-9]+)?(\.dev[0-9]+)?(\+[a-z0-9.]+)?( ; .+)?$`)

// lists are records of as many words each.
func lists(c *check) {
	for _, f := range c.files {
		words := 0
		for n, line := range records(f) {
			w := strings.Split(line, " ")
			if words == 0 {
				words = len(w)
			}
			if slices.Contains(w, "") || strings.ContainsFunc(line, unicode.IsControl) {
				c.fail(f.Path, n, "%q is no record of words", line)
			} else if len(w) != words && !(f.Path == openList && len(w) >= 2) {
				c.fail(f.Path, n, "%q is not a record of %s like those before it", line, plural(words, "word"))
			}
		}
	}
}

// openList has an instance in each line, and all its domains.
const openList = "certbot/names"

// records are a file's lines by number, less comments and empty ones.
func records(f *artifact.File) func(yield func(int, string) bool) {
	return func(yield func(int, string) bool) {
		for n, line := range strings.Split(strings.TrimSuffix(string(f.Data), "\n"), "\n") {
			if line != "" && line[0] != '#' && !yield(n+1, line) {
				return
			}
		}
	}
}

// createcluster has the file read by the module with which pg_createcluster reads it.
func createcluster(c *check) {
	for _, f := range c.files {
		c.quiet("perl", "-I/usr/share/postgresql-common", "-MPgCommon", "-e", "PgCommon::read_conf_file($ARGV[0])", at(f))
	}
}

// perl has the file compiled: needrestart's configuration is Perl.
func perl(c *check) {
	for _, f := range c.files {
		if res := c.run("perl", "-c", at(f)); res.code != 0 {
			c.complaints(res.stderr)
		}
	}
}

var pluginLine = lazily(`^[A-Za-z0-9][A-Za-z0-9_-]*:[0-9][A-Za-z0-9._-]*$`)

// envFiles are read by bash, in scripts, and some by systemd, as EnvironmentFile=. Both must see the same variables
// with the same values, and bash must find nothing to run.
func envFiles(c *check) {
	for _, f := range c.files {
		bad := false
		for n, line := range records(f) {
			if !assignment().MatchString(line) {
				c.fail(f.Path, n, "not KEY=value in a form that bash and systemd read alike")
				bad = true
			}
		}
		if !bad {
			c.quiet("bash", "-n", at(f))
		}
	}
}

// assignment is a key with a value that is bare, in single quotes, or in double quotes with nothing to expand.
var assignment = lazily(`^[A-Za-z_][A-Za-z0-9_]*=([A-Za-z0-9_@%+=:,./-]*|'[^']*'|"([^"\\$` + "`" + `]|\\["\\$` + "`" + `])*")$`)

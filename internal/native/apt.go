package native

import (
	"strings"
)

// apt has apt read its configuration, its sources and its pins, through the doors. apt-cache wants no list of
// packages for that.
func apt(c *check) {
	if c.quiet("apt-config", "dump").code != 0 {
		return
	}
	// Without /etc/apt/sources.list, which is this machine's.
	c.quiet("apt-get", "-o", "Dir::Etc::sourcelist=/dev/null", "indextargets")
	res := c.run("apt-cache", "-o", "Dir::Etc::sourcelist=/dev/null", "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=", "-o", "Dir::State::lists=/tmp", "policy")
	c.complaints(pinType().ReplaceAllString(res.stderr, `pin type "$1"`))
	for _, f := range c.files {
		if strings.HasSuffix(f.Path, ".sources") {
			c.deb822(f.Path, string(f.Data))
		}
	}
}

// pinType is what apt did not understand, and does not quote.
var pinType = lazily(`pin type (\S+)`)

// sourceFields are those of sources.list(5) that odoogen's sources may use. apt ignores a field that it does not know.
var sourceFields = map[string]bool{
	"types": true, "uris": true, "suites": true, "components": true, "architectures": true, "signed-by": true,
	"enabled": true, "languages": true, "targets": true, "check-valid-until": true, "by-hash": true, "pdiffs": true,
}

// deb822 refuses fields that apt would ignore, above all a misspelt Signed-By.
func (c *check) deb822(path, data string) {
	for n, line := range strings.Split(data, "\n") {
		field, _, ok := strings.Cut(line, ":")
		if ok && line[0] != '#' && line[0] != ' ' && !sourceFields[strings.ToLower(field)] {
			c.fail(path, n+1, "apt has no field %s for a source, and would ignore it", field)
		}
	}
}

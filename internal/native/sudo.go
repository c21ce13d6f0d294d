package native

import (
	"slices"
	"strings"
)

// sudo has visudo read /etc/sudoers, and through the door the tree's files, as sudo does. A file that it does not
// name has been passed over: sudo ignores names with a dot or a tilde.
func sudo(c *check) {
	res := c.run("visudo", "--check", "--strict")
	read := strings.Split(res.stdout, "\n")
	for _, f := range c.files {
		if res.code == 0 && !slices.Contains(read, at(f)+": parsed OK") {
			c.fail(f.Path, 0, "sudo does not read this file: a name with a dot or a tilde is passed over")
		}
	}
	c.complaints(res.stderr)
}

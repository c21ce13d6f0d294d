package native

import "slices"

// shellcheck reads every script, and what it sources, with all its warnings.
func shellcheck(c *check) {
	c.complaintsOf(c.run(slices.Concat([]string{"shellcheck", "--external-sources", "--format=gcc"}, c.paths())...))
}

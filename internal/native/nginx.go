package native

import "strings"

// nginx has nginx test the whole configuration, from the distribution's nginx.conf through the door into the tree.
// A warning counts: two vhosts of one name are only that to nginx, which then never asks the second.
func nginx(c *check) {
	res := c.run("nginx", "-t", "-q")
	for line := range strings.Lines(res.stdout + res.stderr) {
		// The summary of a failure says nothing that the line before it did not.
		if line = strings.TrimSpace(line); line != "" && !strings.HasSuffix(line, "test failed") {
			c.complaint(line)
		}
	}
}

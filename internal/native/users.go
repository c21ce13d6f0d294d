package native

import (
	"slices"
	"strings"
)

// sysusers makes the tree's users and groups in the root. A warning fails: systemd-sysusers goes on without the
// user that it could not make.
func sysusers(c *check) {
	res := c.runCommand(command{argv: slices.Concat([]string{"systemd-sysusers"}, c.paths()), env: []string{"SYSTEMD_LOG_LEVEL=notice"}})
	c.complaints(res.stderr)
}

// tmpfiles makes the tree's directories in the root. What lies outside of a file system of its own is the machine's
// and is left alone.
func tmpfiles(c *check) {
	c.quiet(slices.Concat([]string{"systemd-tmpfiles", "--create", "--remove", "--boot",
		"--exclude-prefix=/dev", "--exclude-prefix=/proc", "--exclude-prefix=/sys"}, c.paths())...)
}

// sysctl has each key looked up in this kernel and each line parsed, and writes none.
func sysctl(c *check) {
	for _, f := range c.files {
		for line := range strings.Lines(c.run("sysctl", "--dry-run", "--load="+at(f)).stderr) {
			// A key as the file has it: with dots.
			c.complaint(strings.ReplaceAll(procSys().ReplaceAllStringFunc(strings.TrimSpace(line), dotted), "sysctl: ", ""))
		}
	}
}

var procSys = lazily(`/proc/sys/[^:\s]+`)

func dotted(key string) string {
	return "\"" + strings.ReplaceAll(strings.TrimPrefix(key, "/proc/sys/"), "/", ".") + "\""
}

package native

import (
	"regexp"
	"strings"
)

// sshd has sshd read its whole configuration through the door, as its unit does before each start, and once more
// for each user that a Match block names: what stands in such a block is only then read.
func sshd(c *check) {
	c.quiet("mkdir", "-p", "/run/sshd")
	c.quiet("ssh-keygen", "-A")
	if res := c.quiet("sshd", "-t"); res.code != 0 {
		return
	}
	seen := map[string]bool{}
	for _, f := range c.files {
		for n, line := range strings.Split(string(f.Data), "\n") {
			m := matchUser.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			for user := range strings.SplitSeq(m[1], ",") {
				if seen[user] || strings.ContainsAny(user, "*?!") {
					continue
				}
				seen[user] = true
				res := c.run("sshd", "-T", "-C", "user="+user+",host=peer,addr=10.0.0.2")
				if res.code != 0 {
					c.fail(f.Path, n+1, "sshd -T -C user=%s: %s", user, strings.TrimSpace(res.stderr))
				}
			}
		}
	}
}

var matchUser = regexp.MustCompile(`(?i)^\s*Match\s+(?:.*\s)?User\s+"?([^\s"]+)`)

// keys has ssh-keygen read each line of an authorized_keys or known_hosts file. Whole, it would pass over a bad line.
func keys(c *check) {
	for _, f := range c.files {
		for n, line := range strings.Split(string(f.Data), "\n") {
			if line == "" || line[0] == '#' {
				continue
			}
			res := c.root.runCommand(c.ctx, command{argv: []string{"ssh-keygen", "-l", "-f", "/dev/stdin"}, stdin: line + "\n"})
			if res.code != 0 || strings.Count(res.stdout, "\n") != 1 {
				c.fail(f.Path, n+1, "ssh-keygen finds no key in this line: %s", strings.TrimSpace(res.stderr+res.stdout))
			}
		}
	}
}

// sshClient has ssh read the file for each host that it names, and for one that it does not.
func sshClient(c *check) {
	for _, f := range c.files {
		hosts := []string{"other.example"}
		for line := range strings.Lines(string(f.Data)) {
			if words := strings.Fields(line); len(words) > 1 && strings.EqualFold(words[0], "Host") {
				for _, h := range words[1:] {
					if !strings.ContainsAny(h, "*?!") {
						hosts = append(hosts, h)
					}
				}
			}
		}
		for _, h := range hosts {
			if res := c.quiet("ssh", "-G", "-T", "-F", at(f), h); res.code != 0 {
				break
			}
		}
	}
}

package native

import (
	"slices"
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
			m := matchUser().FindStringSubmatch(line)
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

var matchUser = lazily(`(?i)^\s*Match\s+(?:.*\s)?User\s+"?([^\s"]+)`)

// knownHosts has ssh-keygen read each line. Given the whole file, it would pass over a bad one.
func knownHosts(c *check) {
	for _, f := range c.files {
		for n, line := range records(f) {
			c.key(f.Path, n, line)
		}
	}
}

// authorizedKeys does so too, and looks at the options before each key: sshd reads those at a login alone, and refuses
// the key if it knows one of them not.
func authorizedKeys(c *check) {
	for _, f := range c.files {
		for n, line := range records(f) {
			for _, m := range keyOption().FindAllStringSubmatch(options(line), -1) {
				if !slices.Contains(keyOptions, strings.ToLower(m[1])) {
					c.fail(f.Path, n, "sshd knows no option %s, and would refuse the key", m[1])
				}
			}
			c.key(f.Path, n, line)
		}
	}
}

func (c *check) key(path string, n int, line string) {
	res := c.runCommand(command{argv: []string{"ssh-keygen", "-l", "-f", "/dev/stdin"}, stdin: line + "\n"})
	if res.code != 0 || strings.Count(res.stdout, "\n") != 1 {
		c.fail(path, n, "ssh-keygen finds no key in this line: %s", strings.TrimSpace(res.stderr+res.stdout))
	}
}

// options are what stands before the type of the key.
func options(line string) string {
	if i := keyType().FindStringIndex(line); i != nil {
		return line[:i[0]]
	}
	return line
}

var (
	keyType   = lazily(`(^| )(sk-)?(ssh|ecdsa)-[a-z0-9@.-]+ AAAA`)
	keyOption = lazily(`([A-Za-z0-9-]+)(="(?:[^"\\]|\\.)*")?(?:,|$)`)
	// sshd(8), AUTHORIZED_KEYS FILE FORMAT.
	keyOptions = words(`agent-forwarding cert-authority command environment expiry-time from no-agent-forwarding
		no-port-forwarding no-pty no-touch-required no-user-rc no-x11-forwarding permitlisten permitopen
		port-forwarding principals pty restrict tunnel user-rc verify-required x11-forwarding`)
)

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

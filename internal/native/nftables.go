package native

// nftables has each ruleset checked, and then loaded twice, in the root's own network: once over nothing, as at boot,
// and once over itself, as at a reload.
func nftables(c *check) {
	for _, f := range c.files {
		if res := c.quiet("nft", "--check", "--file", at(f)); res.code != 0 {
			continue
		}
		c.quiet("nft", "--file", at(f))
		c.quiet("nft", "--file", at(f))
	}
}

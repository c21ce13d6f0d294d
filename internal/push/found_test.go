package push

import (
	"testing"
)

// Generation 0 is turned to and from, a host is ejected and adopted again, each with its way back. The host's own script
// does it, in a mount namespace of its own. A line is what stands at two places of somebody else's and behind a
// door, then current, confirmed, and what a push has left.
func TestGenerationZeroAndBack(t *testing.T) {
	const include = "include /etc/odoogen/current/x.d"
	const left = "/etc/odoogen/.back /etc/odoogen/.doors /var/lib/odoogen/armed /var/lib/odoogen/lease \n"
	const want = "found: theirs theirs none none none\n" +
		"turned: " + include + " none one generations/1-a none" + left +
		"reverted: theirs theirs none none none\n" +
		"confirmed: " + include + " none one generations/1-a generations/1-a\n" +
		"left: theirs theirs none none generations/1-a" + left +
		"stayed: " + include + " none one generations/1-a generations/1-a\n" +
		"as found: theirs theirs none none generations/0\n" +
		"by hand: " + include + " none one generations/1-a generations/1-a\n" +
		"ejected: " + include + " none one directory none\n" +
		"adopted: " + include + " none two generations/2-b none" + left +
		"as ejected: " + include + " none one directory none\n" +
		"by hand: " + include + " none one directory generations/0\n" +
		"frozen\tthe auditors look\n" +
		"ejected: odoogen turns nothing here; the configuration is the plain files below /etc/odoogen/current\n" +
		"frozen since T the auditors look\n" +
		"leased\n"
	hostSays(t, "testdata/found.sh", want)
}

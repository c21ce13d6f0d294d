package topology

import (
	"strings"
	"testing"
)

// A name may be as long as its message says, and no longer.
func TestNamesHaveALength(t *testing.T) {
	for n, longest := range map[*naming]int{&hostName: 32, &clusterName: 31, &className: 31, &instanceName: 26, &loginName: 31,
		&folderName: 63, &jobName: 63, &pluginName: 63, &serverName: 253, &packageNamed: 63} {
		for length, want := range map[int]bool{0: false, 2: true, longest: true, longest + 1: false} {
			if name := strings.Repeat("a", length); n.allows(name) != want {
				t.Errorf("%s: of %d letters: allowed: %t, want %t", n.want, length, !want, want)
			}
		}
	}
}

package push

import "testing"

// What is done by hand is struck at its programs, by a loss of power or their failure: the host is what it was, or what it
// becomes. ALL=1 strikes at each.
func TestWhatIsDoneByHandIsWholeOrNotDone(t *testing.T) {
	hostSays(t, "testdata/struck.sh",
		"the generation before: old or new\nas found: old or new\nfrom what was found: old or new\nejected: old or new\n")
}

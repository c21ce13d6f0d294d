package push

import "testing"

// What is done by hand is struck at its programs, by a loss of power or their failure: the host is what it was, or what it
// becomes. ALL=1 strikes at each.
func TestWhatIsDoneByHandIsWholeOrNotDone(t *testing.T) {
	hostSays(t, "testdata/struck.sh",
		"the generation before: old or new\nas found: old or new\nthe generation before, killed: old or new\nfrom what was found: old or new\nejected: old or new\n")
}

// The first words of a line are what was done, then come what the host says of itself, what a way back needs, and what stands
// at two places.
func TestByHandAtNight(t *testing.T) {
	const plain = "ejected: odoogen turns nothing here; the configuration is the plain files below /etc/odoogen/current; one\n"
	hostSays(t, "testdata/night.sh", "the generation before has other files: 1-aaa, confirmed; one\n"+
		"as found: as it was found: nothing of odoogen runs here; theirs\n"+
		"and back to what stood, not to what was fled: 4-ccc, confirmed; three\n"+
		"killed: ejected: an eject or a rollback by hand was cut off: the next such command, push or boot settles it first; .back .doors three\n"+
		"booted: 4-ccc, confirmed; three\n"+
		"ejected\t1-aaa\n"+
		"once more, and hung up on: "+plain+
		"as-found current generations links\n"+
		"ejected\t-\n"+
		"as-found current generations links\n"+
		"cut off: ejected: a push was cut off before it turned this host to 6-eee; what it did goes back by itself, or now: \"revert\"; .back .doors one\n"+
		"that push had not turned the host: odoogen-host revert\n"+
		"current\t\nconfirmed\t\narmed\ncurrent\t\n"+
		"reverted: "+plain+
		"frozen\tthe auditors look\n"+
		"6-eee waits for its confirmation: \"confirm\" keeps it, \"revert\" takes it back\n"+
		"frozen late: 6-eee, not confirmed: goes back to what was found by itself; \"confirm\" keeps it, \"revert\" goes back now; .back .doors one\n"+
		"confirmed\t6-eee\nunlocked\n"+
		"frozen since T: the auditors look\nhint: odoogen-host unlock, on the host\n"+
		"frozen in time: 6-eee, confirmed; one\n")
}

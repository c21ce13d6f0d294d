package push

import (
	"strings"
	"testing"
)

// Generation 0 is turned to and from, a host is ejected and adopted again, each with its way back. The host's own script
// does it, in a mount namespace of its own. A line is what stands at two places of somebody else's and behind a
// door, then current, confirmed, and what a push has left.
func TestGenerationZeroAndBack(t *testing.T) {
	const include = "include /etc/odoogen/current/x.d"
	const left = "/etc/odoogen/.back /etc/odoogen/.doors /var/lib/odoogen/armed /var/lib/odoogen/lease \n"
	want := "found: theirs theirs none none none\n" +
		"turned: " + include + " none one generations/1-a none" + left +
		"reverted: theirs theirs none none none\n" +
		"confirmed: " + include + " none one generations/1-a generations/1-a\n" +
		"left: theirs theirs none none generations/1-a" + strings.Replace(left, ".back", ".back /etc/odoogen/.brought.new", 1) +
		"stayed: " + include + " none one generations/1-a generations/1-a\n" +
		"as found: theirs theirs none none generations/0\n" +
		"by hand: " + include + " none one generations/1-a generations/1-a\n" +
		"this push was taken back\nended\t1\n" +
		"not left: " + include + " none one generations/1-a generations/1-a\n" +
		"ejected: " + include + " none one directory none\n" +
		"adopted: " + include + " none two generations/2-b none" + left +
		"as ejected: " + include + " none one directory none\n" +
		"2-b, confirmed\n" +
		"by hand: " + include + " none one directory generations/0\n" +
		"# and theirs\n" +
		"frozen\tthe auditors look\n" +
		"frozen\tthe auditors look\n" +
		"ejected: odoogen turns nothing here; the configuration is the plain files below /etc/odoogen/current\n" +
		"frozen since T the auditors look\n" +
		"unlocked\nleased\n"
	hostSays(t, "testdata/found.sh", want)
}

// The session says after each turn what stands at two places, a file's and a folder's, and what is kept of them.
func TestWhatIsInTheWayIsKept(t *testing.T) {
	const ours, zero, aside, found = "include /etc/odoogen/current/x.d none ", "generations/0/etc/x.d/", "set-aside/etc/x.d/", "as-found/etc/x.d/"
	const byHand = aside + "folder/file=by hand  " + aside + "include.2=mine  " + aside + "include=by hand \n"
	hostSays(t, "testdata/kept.sh", "the doors came: "+ours+zero+"folder/file=found  "+zero+"include=found \n"+
		"their going was taken back: "+ours+zero+"folder/file=found  "+zero+"include=found \n"+
		"they went: found found\n"+
		"they came again: "+ours+zero+"folder/file=mine  "+zero+"include=mine \n"+
		"and were made again: "+ours+zero+"folder/file=mine  "+zero+"include=mine  "+aside+"folder/file=by hand  "+aside+"include=by hand \n"+
		"as found: at night mine "+byHand+
		"0\n1-a\n2-b\n3-c\n4-d\n"+ // what stood stays, also for who goes back to it
		"test works on this host\ncurrent\t4-d\n"+
		"back again: "+ours+zero+"folder/file=mine  "+zero+"include=at night  "+byHand+
		"4-d, turned by hand: a push that fails goes back to 3-c, where the link \"confirmed\" leads\n"+
		"usage: odoogen-host COMMAND, as root. It needs no network and no odoogen elsewhere.\n"+
		"4-d, confirmed\n"+
		"ejected: "+ours+found+"folder/file=mine  "+found+"include=at night  "+byHand+
		"ejected again: "+ours+"as-found.2/etc/odoogen/current/x.d/a=four  as-found.2/etc/x.d/include=include /etc/odoogen/current/x.d  "+found+"folder/file=mine  "+found+"include=at night  "+byHand)
}

// The session says after each step what was asked of systemd, and how it stands.
func TestWhichUnitsStartWithTheHost(t *testing.T) {
	hostSays(t, "testdata/units.sh", `what packages brought comes:
  enable check.service
  enable cron.service
  enable nginx.service
  start odoogen.target
  start cron.service nginx.service
  enabled: check.service cron.service nginx.service theirs.service; active: cron.service nginx.service odoogen.target theirs.service worker.service
nginx leaves:
  stop nginx.service
  disable nginx.service
  stop nginx.service
  enabled: check.service cron.service theirs.service; active: cron.service odoogen.target theirs.service worker.service
is taken back: the target starts it:
  enable nginx.service
  start odoogen.target
  enabled: check.service cron.service nginx.service theirs.service; active: cron.service nginx.service odoogen.target theirs.service worker.service
the generation before, by hand:
  start odoogen.target
  enabled: check.service cron.service theirs.service; active: cron.service nginx.service odoogen.target theirs.service worker.service
and that again:
  stop nginx.service
  disable nginx.service
  start odoogen.target
  enabled: check.service cron.service theirs.service; active: cron.service odoogen.target theirs.service worker.service
what ran when it was adopted:
  start odoogen.target
  enabled: check.service cron.service later.service theirs.service; active: cron.service later.service odoogen.target theirs.service worker.service
taken back, 7:
  reload-or-restart later.service
  enabled: check.service cron.service later.service theirs.service; active: cron.service later.service odoogen.target theirs.service worker.service
taken back, 8:
  restart later.service
  enabled: check.service cron.service later.service theirs.service; active: cron.service later.service odoogen.target theirs.service worker.service
taken back, not running:
  restart later.service
  enabled: check.service cron.service later.service theirs.service; active: cron.service later.service odoogen.target theirs.service worker.service
as found:
  stop odoogen.target
  stop worker.service
  disable check.service
  enabled: later.service theirs.service; active: cron.service later.service theirs.service
back:
  enable check.service
  start odoogen.target
  enabled: check.service later.service nginx.service theirs.service; active: cron.service later.service nginx.service odoogen.target theirs.service worker.service
as found again:
  stop odoogen.target
  stop worker.service
  disable check.service
  enabled: later.service nginx.service theirs.service; active: cron.service later.service nginx.service theirs.service
current	1-a
not active: worker.service
this host is 1-a, but not all of it went well: odoogen-host status, journalctl -b
exit 1
failed	reload ssh.service
current	0
this host is as it was found, but not all of it went well: odoogen-host status, journalctl -b
exit 1
current	1-a
not active: worker.service, its condition does not hold
`)
}

package push

import "testing"

// A beat that comes while its push gives the lease up, as both may after a cut, makes no lease of nobody's, and one that
// comes while another push takes the host does not keep it for that.
func TestABeatRenewsOnlyItsOwnLease(t *testing.T) {
	newSecretsHost(t).run(`lease=$state/lease
		take() { printf '%s\tme\n' "$1" >"$lease.new"; touch -d "${2-now}" "$lease.new"; mv "$lease.new" "$lease"; }
		take ours '20 seconds ago'; beat theirs; [ "$(lease_left)" -le 10 ] || die "another push's beat renewed it"
		beat ours; [ "$(lease_left)" -gt 20 ] || die "its own beat did not"
		(read() { builtin read "$@" && rm "$lease"; }; beat ours)
		[ ! -e "$lease" ] || die "given up, it is there again: $(<"$lease")"
		take ours
		(read() { builtin read "$@" && take theirs '20 seconds ago'; }; beat ours)
		[ "$(lease_left)" -le 10 ] || die "a late beat renewed what another push has taken"
		rm "$lease"; beat ours; [ ! -e "$lease" ]`)
}

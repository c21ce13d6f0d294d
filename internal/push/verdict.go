package push

// Exit codes of a push: what became of the hosts, as read back from them.
const (
	Applied    = 0 // applied, or already so
	Failed     = 1 // failed, and nothing has changed
	RolledBack = 3 // every host is again what it was
	Unknown    = 4 // a host does not answer: it is its old generation or the new one
	Partial    = 5 // some hosts have confirmed, others have not: the next push mends it
)

// Verdict is a push that did not succeed.
type Verdict struct {
	Code int
	Why  error
}

func (v *Verdict) Error() string { return v.Why.Error() }

func (v *Verdict) Unwrap() error { return v.Why }

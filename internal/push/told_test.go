package push

import (
	"context"
	"errors"
	"testing"
	"time"
)

// TestToldWhoEndedACall: what a host said of itself counts, also where the time was over in that moment; else why it was ended here,
// and what it was at.
func TestToldWhoEndedACall(t *testing.T) {
	for _, c := range []struct {
		f       failure
		want    string
		unknown bool
	}{
		{failure{code: 1, said: "nginx: nonsense", err: tooLong(time.Minute)}, "nginx: nonsense", false},
		{failure{code: 255, err: tooLong(time.Minute)}, "not done within 1m0s", true},
		{failure{code: -1, err: context.Canceled}, "context canceled", true},
		{failure{code: 255, said: "unpacking\nwaits for dpkg", err: tooLong(time.Minute)}, "not done within 1m0s; said last: waits for dpkg", true},
		{failure{code: 255, said: "waits for dpkg", err: tooLong(time.Minute)}, "not done within 1m0s; said last: waits for dpkg", true},
		{failure{code: 255, said: "unpacking\nwaits for dpkg"}, "unreachable: the connection was lost; said last: waits for dpkg", true},
	} {
		c.f.argv = []string{"ssh"}
		if err := told(&c.f, true); err.Error() != c.want || errors.Is(err, errUnreachable) != c.unknown {
			t.Errorf("%+v: %v", c.f, err)
		}
	}
}

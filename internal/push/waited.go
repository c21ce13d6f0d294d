package push

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// forAtMost gives what is asked of a host so long. Where it takes longer, the error says that.
func forAtMost(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, limit, tooLong(limit))
}

// tooLong is for how long a host was waited for, in vain.
type tooLong time.Duration

func (t tooLong) Error() string { return fmt.Sprintf("not done within %v", time.Duration(t)) }

// givenUp is of a call that was ended here, as it took too long or as the operator no longer wants it. What became of it is as little
// known as that of a host which is unreachable.
type givenUp struct{ why error }

func (g givenUp) Error() string { return g.why.Error() }

func (g givenUp) Is(target error) bool { return target == errUnreachable }

func (g givenUp) Unwrap() error { return g.why }

// endedHere tells whether it was not ssh that failed.
func endedHere(err error) bool {
	return errors.Is(err, context.Canceled) || errors.As(err, new(tooLong))
}

package lifecycle

import (
	"context"
	"time"
)

// Linger gives a context for work that was begun under ctx and should be allowed to finish: it ends at most grace after ctx
// does, or at once when cancel is called. The values of ctx stay.
func Linger(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-work.Done():
		}
	})
	return work, func() { stop(); cancel() }
}

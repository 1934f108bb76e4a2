package app

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/auth"
	"turnero/internal/platform/bus"
)

// A process that runs auth has told others what it believed; when it hears that rights were changed it takes that back, and
// what it says by that is no change of rights again.
func TestWhatAProcessSaidBeforeItHeardOfAChangeIsTakenBackOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		wakes, retracted := bus.NewMemory(), 0
		c := &core{bus: wakes, auth: auth.New(auth.Deps{Now: time.Now, Logger: slog.New(slog.DiscardHandler)})}
		c.retract = func() {
			retracted++
			wakes.Wake(topicCredentials)
		}
		done := make(chan error)
		go func() { done <- c.followChanges(ctx) }()
		synctest.Wait()
		for i, topic := range []string{topicRights, topicTenants} {
			wakes.Wake(topic)
			synctest.Wait()
			require.Equal(t, i+1, retracted, topic)
		}
		wakes.Wake(topicCredentials)
		synctest.Wait()
		require.Equal(t, 2, retracted)
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)

		service := &core{bus: wakes, retract: c.retract}
		service.forgetRights()
		require.Equal(t, 2, retracted, "a process that does not run auth said nothing")
	})
}

package trouble_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/platform/trouble"
)

func TestWhatGoesWrongAtEveryTryIsToldOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		teller := trouble.New(slog.New(slog.NewTextHandler(&log, nil)))
		told := func() string {
			defer log.Reset()
			return log.String()
		}
		const what = "events not read"
		teller.Tell(t.Context(), what, nil)
		require.Empty(t, told(), "it always worked")

		for port := range 100 {
			time.Sleep(time.Second)
			teller.Tell(t.Context(), what, fmt.Errorf("dial 127.0.0.1:%d: connection refused", 5000+port), "consumer", "bot")
		}
		first := told()
		require.Equal(t, 1, strings.Count(first, "\n"), first)
		require.Contains(t, first, `level=WARN msg="events not read" consumer=bot error="dial 127.0.0.1:5000: connection refused"`)

		for range 2 {
			teller.Tell(t.Context(), what, errors.New("the database system is starting up"))
			teller.Tell(t.Context(), what, errors.New("dial 127.0.0.1:9: connection refused"))
		}
		other := told()
		require.Equal(t, 1, strings.Count(other, "\n"), other)
		require.Contains(t, other, "starting up")

		teller.Tell(t.Context(), "jobs not claimed", errors.New("connection refused"))
		require.Contains(t, told(), "jobs not claimed", "something else is something else")
		time.Sleep(time.Second)
		teller.Tell(t.Context(), what, nil)
		teller.Tell(t.Context(), what, nil)
		end := told()
		require.Equal(t, 1, strings.Count(end, "\n"), end)
		require.Contains(t, end, `level=INFO msg="works again" what="events not read" after=1m40s failures=104`)

		teller.Tell(t.Context(), what, errors.New("connection refused"))
		require.Contains(t, told(), "events not read", "the next time is told anew")
	})
}

func TestTroubleThatLastsIsNotForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		teller := trouble.New(slog.New(slog.NewTextHandler(&log, nil)))
		for range 3600 {
			time.Sleep(time.Second)
			teller.Tell(t.Context(), "jobs not claimed", errors.New("connection refused"))
		}
		require.Equal(t, 6, strings.Count(log.String(), "\n"), log.String())
		log.Reset()
		for n := range 1000 {
			teller.Tell(t.Context(), "jobs not claimed", errors.New("error "+strings.Repeat("x", n)))
		}
		require.Less(t, strings.Count(log.String(), "\n"), 10)
	})
}

func TestTheEndOfTheWorkIsNoTrouble(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	teller := trouble.New(slog.New(slog.NewTextHandler(&log, nil)))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	teller.Tell(ctx, "jobs not claimed", ctx.Err())
	require.Empty(t, log.String())
	late, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	teller.Tell(late, "jobs not claimed", late.Err())
	require.Contains(t, log.String(), "deadline", "that something took too long is")
}

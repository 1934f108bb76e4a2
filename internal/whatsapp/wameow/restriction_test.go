package wameow_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/whatsapp"
	"turnero/wasim"
)

func (s *sink) awaitLock(t testing.TB, what string, is func(r whatsapp.Restriction) bool) {
	t.Helper()
	s.await(t, what, func() bool { return slices.ContainsFunc(s.locks, is) })
}

func TestRestrictionIsToldWithItsEndAndItsLift(t *testing.T) {
	t.Parallel()
	b := simpleBench(t)
	_, _, err := b.send("uno")
	require.NoError(t, err)
	phone, err := b.net.Restrict(b.business, wasim.RestrictNewChats, time.Hour)
	require.NoError(t, err)
	b.sink.awaitLock(t, "the notice", func(r whatsapp.Restriction) bool { return r.Until.Equal(phone.Restriction.Until) && !r.IsGuess })

	_, _, err = b.send("a quien nunca escribió")
	requireRejected(t, err, whatsapp.FailedRestricted)
	b.write("hola")
	b.sink.awaitTexts(t, "hola")
	_, _, err = b.send("a quien escribió")
	require.NoError(t, err, "chats that exist go on")

	n := len(b.locksSeen())
	_, err = b.net.Lift(b.business)
	require.NoError(t, err)
	b.sink.await(t, "the lift", func() bool {
		return len(b.sink.locks) > n && b.sink.locks[len(b.sink.locks)-1] == whatsapp.Restriction{}
	})
	require.Equal(t, whatsapp.LinkConnected, b.sink.lastState())
	b.clean()
}

func (b *bench) locksSeen() []whatsapp.Restriction {
	b.sink.mu.Lock()
	defer b.sink.mu.Unlock()
	return slices.Clone(b.sink.locks)
}

func TestRefusedMessageAsksForTheEndOfTheRestriction(t *testing.T) {
	t.Parallel()
	b := simpleBench(t)
	_, _, err := b.send("uno")
	require.NoError(t, err)
	b.fault(wasim.Fault{Kind: "nack", Code: 463, Count: 1})
	_, _, err = b.send("a quien no se puede")
	requireRejected(t, err, whatsapp.FailedRestricted)
	b.sink.awaitLock(t, "that the account is free", func(r whatsapp.Restriction) bool { return r == whatsapp.Restriction{} })

	b.line.Close() // and is told of the restriction when it is back
	phone, err := b.net.Restrict(b.business, "", time.Hour)
	require.NoError(t, err)
	b.sink = newSink()
	b.line = open(t, b.engine, b.ref, b.sink)
	b.sink.awaitState(t, whatsapp.LinkConnected)
	b.sink.awaitLock(t, "the notice that waited", func(r whatsapp.Restriction) bool { return r.Until.Equal(phone.Restriction.Until) })
	_, _, err = b.send("a nadie")
	requireRejected(t, err, whatsapp.FailedRestricted)
}

func TestNoticeThatCannotBeStoredComesAgain(t *testing.T) {
	t.Parallel()
	b := simpleBench(t)
	refusals := 2
	b.sink.mu.Lock()
	b.sink.onLock = func() error {
		b.sink.mu.Lock()
		defer b.sink.mu.Unlock()
		if refusals == 0 {
			return nil
		}
		refusals--
		return errNotNow
	}
	b.sink.mu.Unlock()
	phone, err := b.net.Restrict(b.business, "", time.Hour)
	require.NoError(t, err)
	b.sink.awaitLock(t, "the notice", func(r whatsapp.Restriction) bool { return r.Until.Equal(phone.Restriction.Until) })
	require.Zero(t, refusals)
}

package sqlstore_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/events"
	"turnero/internal/id"
	"turnero/internal/platform/groupcommit"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
	"turnero/internal/whatsapp"
	"turnero/internal/whatsapp/sqlstore"
)

func TestSessionsAreTurnedTogether(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		committer := groupcommit.New(db, groupcommit.Fences{Table: "whatsapp_sessions", Stale: whatsapp.ErrStaleFence})
		t.Cleanup(committer.Close)
		t.Run("alone", func(t *testing.T) { testTurns(t, db, func(s *sqlstore.Store) *sqlstore.Store { return s }) })
		t.Run("together", func(t *testing.T) {
			testTurns(t, db, func(s *sqlstore.Store) *sqlstore.Store { return s.Together(committer) })
		})
	})
}

func testTurns(t *testing.T, db *sqlkit.DB, with func(*sqlstore.Store) *sqlstore.Store) {
	ctx := t.Context()
	worlds := make([]*world, 20)
	for i := range worlds {
		worlds[i] = setup(t, db)
		worlds[i].store = with(worlds[i].store)
	}
	turn := func(w *world, ref whatsapp.Ref, fence int64, decide func(s *whatsapp.Session) []events.Event) (bool, error) {
		return w.store.Turn(ctx, whatsapp.Turn{Term: whatsapp.Term{Ref: ref, Fence: fence}, Decide: decide})
	}
	until := now.Add(time.Hour)
	restrict := func(s *whatsapp.Session) []events.Event {
		s.Status, s.Reason, s.Since, s.Until, s.Locked = whatsapp.StatusRestricted, "reachout_lock", now, until, until
		s.IsLinked, s.DownSince, s.IsAlerted = true, now, true
		s.Identity = whatsapp.Identity{Contact: whatsapp.ContactIDs{Number: whatsapp.NumberAddress("5491100000000"), LID: address(t, "900@lid")}, PushName: "Pelu 💇"}
		return []events.Event{&events.SessionStatusChanged{Tenant: s.Tenant, Session: s.Session, Status: "restricted", Since: now}}
	}
	var work sync.WaitGroup
	for _, w := range worlds {
		work.Go(func() {
			ok, err := turn(w, w.ref, 1, restrict)
			if err == nil && !ok { // another transaction held it; its owner waits for it then
				err = w.store.InTx(ctx, func(tx whatsapp.Store) error {
					s, err := tx.LockSession(ctx, w.ref)
					return errors.Join(err, tx.Emit(ctx, restrict(&s)[0]), tx.SaveSession(ctx, s))
				})
			}
			if err != nil {
				t.Errorf("turn: %v", err)
			}
		})
	}
	work.Wait()
	for _, w := range worlds {
		got, err := w.store.FindSession(ctx, w.ref)
		require.NoError(t, err)
		want := whatsapp.Session{Ref: w.ref, Name: "Línea", Fence: 1, CreatedAt: now}
		restrict(&want)
		require.Equal(t, want, got)
		var told int
		require.NoError(t, db.Handle().Read().NewRaw("SELECT COUNT(*) FROM outbox WHERE tenant_id = ? AND name = ?", w.ref.Tenant, "whatsapp.session.status").Scan(ctx, &told))
		require.Equal(t, 1, told)
	}

	w, other := worlds[0], worlds[1]
	touch := func(s *whatsapp.Session) []events.Event { s.Reason = "touched"; return nil }
	_, err := turn(w, w.ref, 2, touch)
	require.ErrorIs(t, err, whatsapp.ErrStaleFence)
	for name, ref := range map[string]whatsapp.Ref{
		"another tenant's":        {Tenant: other.ref.Tenant, Session: w.ref.Session},
		"in other letters":        {Tenant: w.ref.Tenant, Session: id.FromSession(strings.ToUpper(w.ref.Session.String()))},
		"one that does not exist": {Tenant: w.ref.Tenant, Session: id.NewSession()},
	} {
		ok, err := turn(w, ref, 1, touch)
		require.False(t, ok, name)
		require.True(t, err == nil || errors.Is(err, whatsapp.ErrStaleFence), "%s: %v", name, err)
	}
	got, err := w.store.FindSession(ctx, w.ref)
	require.NoError(t, err)
	require.Equal(t, "reachout_lock", got.Reason)

	// Who holds the session is not waited for.
	if db.Dialect() == sqlkit.SQLite {
		return // where a transaction that writes is alone
	}
	holding, release := make(chan struct{}), make(chan struct{})
	held := make(chan error, 1)
	go func() {
		held <- w.store.InTerm(ctx, whatsapp.Term{Ref: w.ref, Fence: 1}, func(whatsapp.Store) error { close(holding); <-release; return nil })
	}()
	<-holding
	short, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	ok, err := w.store.Turn(short, whatsapp.Turn{Term: whatsapp.Term{Ref: w.ref, Fence: 1}, Decide: touch})
	close(release)
	require.NoError(t, err)
	require.False(t, ok)
	require.NoError(t, <-held)
}

package sqlstore_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/id"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
	"turnero/internal/whatsapp"
)

func TestSessionsAreKeptWhole(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		w := setup(t, db)
		ctx := t.Context()
		full := whatsapp.Session{Ref: w.ref, Name: "Otra", Status: whatsapp.StatusDegraded, Reason: "silent", Since: now.Add(time.Second), Until: now.Add(time.Hour),
			Identity: whatsapp.Identity{Contact: whatsapp.ContactIDs{Number: whatsapp.NumberAddress("5491100000000"), LID: address(t, "900@lid")}, PushName: "Peluquería 💇"},
			IsLinked: true, IsPaused: true, DownSince: now, IsAlerted: true, Fence: 7, Owner: "Process", CreatedAt: now}
		w.tx(func(tx whatsapp.Store) error { return tx.SaveSession(ctx, full) })
		got, err := w.store.FindSession(ctx, w.ref)
		require.NoError(t, err)
		require.Equal(t, full, got)
		w.tx(func(tx whatsapp.Store) error {
			got, err = tx.LockSession(ctx, w.ref)
			require.Equal(t, full, got)
			added, err2 := tx.AddSession(ctx, whatsapp.Session{Ref: w.ref, Status: whatsapp.StatusStopped})
			require.False(t, added)
			return errors.Join(err, err2)
		})
		second := whatsapp.Session{Ref: whatsapp.Ref{Tenant: w.ref.Tenant, Session: id.NewSession()}, Name: "Segunda", Status: whatsapp.StatusStopped, CreatedAt: now.Add(time.Minute)}
		w.tx(func(tx whatsapp.Store) error { _, err := tx.AddSession(ctx, second); return err })
		list, err := w.store.ListSessions(ctx, w.ref.Tenant)
		require.NoError(t, err)
		require.Equal(t, []whatsapp.Session{full, second}, list)
		atStart, err := w.store.ListSessionsToCarry(ctx)
		require.NoError(t, err)
		require.Contains(t, atStart, full)
		require.NotContains(t, atStart, second)
		requireNotFound(t, w.store.InTx(ctx, func(tx whatsapp.Store) error {
			return tx.SaveSession(ctx, whatsapp.Session{Ref: whatsapp.Ref{Tenant: w.ref.Tenant, Session: id.NewSession()}})
		}))
	})
}

func TestOnlyTheTermThatHoldsTheFenceWrites(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		w := setup(t, db)
		ctx := t.Context()
		write := func(fence int64) error {
			return w.store.InTerm(ctx, whatsapp.Term{Ref: w.ref, Fence: fence}, func(tx whatsapp.Store) error {
				_, err := tx.AddMessage(ctx, w.draft(w.chat, fmt.Sprint("F", fence), whatsapp.In))
				return err
			})
		}
		require.NoError(t, write(1))
		require.ErrorIs(t, write(0), whatsapp.ErrStaleFence)
		require.ErrorIs(t, write(2), whatsapp.ErrStaleFence)
		foreign := w.store.InTerm(ctx, whatsapp.Term{Ref: whatsapp.Ref{Tenant: id.NewTenant(), Session: w.ref.Session}, Fence: 1}, func(whatsapp.Store) error { return nil })
		require.ErrorIs(t, foreign, whatsapp.ErrStaleFence)
		list, err := w.store.ListMessages(ctx, w.ref.Tenant, w.chat.ID, whatsapp.MessageCursor{}, 10)
		require.NoError(t, err)
		require.Len(t, list, 1)
	})
}

// A new owner must wait for the last write of the old one, or else the old one must notice: never both unseen.
func TestTheFenceCannotMoveUnderAWrite(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		w := setup(t, db)
		ctx := t.Context()
		inside, moved := make(chan struct{}), make(chan error, 1)
		go func() {
			<-inside
			moved <- w.store.InTx(ctx, func(tx whatsapp.Store) error {
				s, err := tx.LockSession(ctx, w.ref)
				s.Fence++
				return errors.Join(err, tx.SaveSession(ctx, s))
			})
		}()
		var once sync.Once
		err := w.store.InTerm(ctx, whatsapp.Term{Ref: w.ref, Fence: 1}, func(tx whatsapp.Store) error {
			once.Do(func() { close(inside) })
			select {
			case err := <-moved:
				return fmt.Errorf("the fence moved while it was held: %w", err)
			case <-time.After(100 * time.Millisecond): // long enough for a lock that does not hold to be seen
			}
			_, err := tx.AddMessage(ctx, w.draft(w.chat, "held", whatsapp.In))
			return err
		})
		require.NoError(t, err)
		require.NoError(t, <-moved)
		require.ErrorIs(t, w.store.InTerm(ctx, whatsapp.Term{Ref: w.ref, Fence: 1}, func(whatsapp.Store) error { return nil }), whatsapp.ErrStaleFence)
	})
}

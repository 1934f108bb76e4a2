package sqlstore_test

import (
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
	"turnero/internal/whatsapp"
)

func TestAProcessHoldsOnToItsSessionsForAWhile(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		w := setup(t, db)
		ctx := t.Context()
		process := "p" + rand.Text()
		isHolding := func(process string) bool {
			held, err := w.store.IsHolding(ctx, process)
			require.NoError(t, err)
			return held
		}
		holdOn := func(d time.Duration) bool {
			held, err := w.store.HoldOn(ctx, process, d)
			require.NoError(t, err)
			return held
		}
		require.False(t, isHolding(process))
		require.True(t, holdOn(time.Minute))
		require.True(t, isHolding(process))
		require.False(t, isHolding(strings.ToLower(process)), "IDs are compared letter by letter")
		require.False(t, isHolding("another"))
		require.True(t, holdOn(time.Minute), "it may be prolonged")
		require.NoError(t, w.store.LetGo(ctx, process))
		require.False(t, isHolding(process))

		require.True(t, holdOn(50*time.Millisecond), "and begun again")
		require.Eventually(t, func() bool { return !isHolding(process) }, 10*time.Second, 5*time.Millisecond, "it runs out by the database's clock")
		require.False(t, holdOn(time.Minute), "what has run out may have been seen by others")
		require.False(t, isHolding(process))
		require.NoError(t, w.store.LetGo(ctx, process))
		require.True(t, holdOn(time.Minute))
		require.NoError(t, w.store.LetGo(ctx, process))
	})
}

func TestSessionsWithAQueueAreListed(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		w, other := setup(t, db), setup(t, db)
		ctx := t.Context()
		w.tx(func(tx whatsapp.Store) error {
			for i := range 3 {
				m := w.draft(w.chat, fmt.Sprint("Q", i), whatsapp.Out)
				m.Status = whatsapp.MessageQueued
				if _, err := tx.AddMessage(ctx, m); err != nil {
					return err
				}
			}
			return nil
		})
		other.tx(func(tx whatsapp.Store) error {
			_, err := tx.AddMessage(ctx, other.draft(other.chat, "IN", whatsapp.In))
			return err
		})
		refs, err := w.store.ListWithQueue(ctx)
		require.NoError(t, err)
		count := map[whatsapp.Ref]int{}
		for _, ref := range refs {
			count[ref]++
		}
		require.Equal(t, 1, count[w.ref])
		require.Zero(t, count[other.ref])
	})
}

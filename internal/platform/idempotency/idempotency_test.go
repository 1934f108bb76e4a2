package idempotency_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/idempotency"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
)

// claim makes one claim in a transaction of its own.
func claim(ctx context.Context, db *sqlkit.DB, tenant id.Tenant, operation, key, body, entity string) (before string, err error) {
	err = db.Handle().InTx(ctx, func(ctx context.Context, h sqlkit.Handle) error {
		before, err = idempotency.Claim(ctx, h, tenant, operation, key, idempotency.Hash(body), entity, time.Now())
		return err
	})
	return before, err
}

func TestARepeatedKeyGivesWhatItMade(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		tenant := id.NewTenant()
		try := func(tenant id.Tenant, operation, key, body, entity string) string {
			t.Helper()
			before, err := claim(t.Context(), db, tenant, operation, key, body, entity)
			require.NoError(t, err)
			return before
		}
		require.Empty(t, try(tenant, "book", "k", "body", "apt_1"))
		require.Equal(t, "apt_1", try(tenant, "book", "k", "body", "apt_2"))
		require.Empty(t, try(tenant, "book", "K", "other", "apt_3"), "keys differ in letter case")
		require.Empty(t, try(tenant, "send", "k", "other", "msg_1"), "another operation")
		require.Empty(t, try(id.NewTenant(), "book", "k", "other", "apt_4"), "another tenant")
		require.Empty(t, try(tenant, "book", "", "body", "apt_5"))
		require.Empty(t, try(tenant, "book", "", "body", "apt_6"), "no key is always fresh")
	})
}

func TestAKeyOfAnotherRequestIsRefused(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		tenant := id.NewTenant()
		_, err := claim(t.Context(), db, tenant, "book", "k", "body", "apt_1")
		require.NoError(t, err)
		_, err = claim(t.Context(), db, tenant, "book", "k", "other body", "apt_2")
		require.True(t, fault.HasReason(err, "idempotency_key_reused"), err)
		for _, bad := range []string{strings.Repeat("k", 256), "ñ", "\xff", "a\x00b", "a\n"} {
			_, err = claim(t.Context(), db, tenant, "book", bad, "body", "apt_3")
			require.True(t, fault.Is(err, fault.Invalid), "%q: %v", bad, err)
		}
		_, err = claim(t.Context(), db, tenant, "book", strings.Repeat("k", 255), "body", "apt_3")
		require.NoError(t, err)
	})
}

func TestAKeyIsTakenOnlyIfItsTransactionCommits(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		for _, commits := range []bool{true, false} {
			tenant := id.NewTenant()
			claimed, settle := make(chan struct{}), make(chan struct{})
			first := make(chan error, 1)
			go func() {
				first <- db.Handle().InTx(t.Context(), func(ctx context.Context, h sqlkit.Handle) error {
					_, err := idempotency.Claim(ctx, h, tenant, "book", "k", idempotency.Hash("body"), "apt_1", time.Now())
					close(claimed)
					<-settle
					if !commits {
						return errors.Join(err, errors.New("no"))
					}
					return err
				})
			}()
			<-claimed
			type answer struct {
				before string
				err    error
			}
			second := make(chan answer, 1)
			go func() {
				before, err := claim(t.Context(), db, tenant, "book", "k", "body", "apt_2")
				second <- answer{before, err}
			}()
			close(settle)
			require.Equal(t, commits, <-first == nil)
			got := <-second
			require.NoError(t, got.err)
			if commits {
				require.Equal(t, "apt_1", got.before, "the second waits for the first")
			} else {
				require.Empty(t, got.before)
			}
		}
	})
}

func TestOldKeysAreForgotten(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		tenant := id.NewTenant()
		_, err := claim(t.Context(), db, tenant, "book", "k", "body", "apt_1")
		require.NoError(t, err)
		n, err := idempotency.Forget(t.Context(), db.Handle(), time.Now().Add(-time.Hour))
		require.NoError(t, err)
		require.Zero(t, n)
		n, err = idempotency.Forget(t.Context(), db.Handle(), time.Now().Add(time.Hour))
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		before, err := claim(t.Context(), db, tenant, "book", "k", "other body", "apt_2")
		require.NoError(t, err)
		require.Empty(t, before)
	})
}

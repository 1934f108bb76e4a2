package sqlstore_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/events"
	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/jobs"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
	"turnero/internal/tenants"
	"turnero/internal/tenants/sqlstore"
)

var moment = time.Date(2026, 3, 25, 13, 0, 0, 123456000, time.UTC)

func newStore(db *sqlkit.DB) *sqlstore.Store {
	silent := slog.New(slog.DiscardHandler)
	return sqlstore.New(db, outbox.New(db, bus.NewMemory(), time.Now, silent), jobs.New(db, bus.NewMemory(), time.Now, silent))
}

func sample(slug string) tenants.Tenant {
	return tenants.Tenant{ID: id.NewTenant(), Slug: slug, Status: tenants.Active, CreatedAt: moment, UpdatedAt: moment, FirstAdmin: id.NewUser(),
		Settings: tenants.Settings{Name: "Peluquería Ñandú 💇", Zone: "America/Argentina/Buenos_Aires", Language: "es", Country: "AR", Address: strings.Repeat("ñ", 300),
			ReminderOffsets: []time.Duration{24 * time.Hour, 2 * time.Hour}, BotEnabled: true, Greeting: strings.Repeat("💇", 500)}}
}

// slug makes one that no other test uses.
func slug() string { return strings.ReplaceAll(id.NewTenant().String(), "_", "-") }

func TestWhatIsStoredComesBack(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		s := newStore(db)
		full := sample(slug())
		bare := tenants.Tenant{ID: id.NewTenant(), Slug: slug(), Status: tenants.Pending, CreatedAt: moment, UpdatedAt: moment}
		for _, want := range []tenants.Tenant{full, bare} {
			require.NoError(t, s.InsertTenant(t.Context(), want))
			got, err := s.FindTenant(t.Context(), want.ID)
			require.NoError(t, err)
			require.Equal(t, want, got)
			got, err = s.FindTenantBySlug(t.Context(), want.Slug)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
		changed := sample(slug())
		changed.ID, changed.Status = bare.ID, tenants.Suspended
		changed.UpdatedAt = moment.Add(time.Hour)
		require.NoError(t, s.UpdateTenant(t.Context(), changed))
		got, err := s.FindTenant(t.Context(), bare.ID)
		require.NoError(t, err)
		require.Equal(t, changed, got)
		got, err = s.FindTenant(t.Context(), full.ID)
		require.NoError(t, err)
		require.Equal(t, full, got, "the neighbour stays as it was")

		require.NoError(t, s.DeleteTenant(t.Context(), bare.ID))
		require.NoError(t, s.DeleteTenant(t.Context(), bare.ID))
		_, err = s.FindTenant(t.Context(), bare.ID)
		require.True(t, fault.Is(err, fault.NotFound))
		require.True(t, fault.Is(s.UpdateTenant(t.Context(), changed), fault.NotFound))
		_, err = s.FindTenant(t.Context(), full.ID)
		require.NoError(t, err)
	})
}

func TestSlugsAreUniqueAndTellUpperCaseFromLower(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		s := newStore(db)
		first, second := sample(slug()), sample(slug())
		require.NoError(t, s.InsertTenant(t.Context(), first))
		require.NoError(t, s.InsertTenant(t.Context(), second))
		require.True(t, fault.HasReason(s.InsertTenant(t.Context(), sample(first.Slug)), "slug_taken"))
		second.Slug = first.Slug
		require.True(t, fault.HasReason(s.UpdateTenant(t.Context(), second), "slug_taken"))
		_, err := s.FindTenantBySlug(t.Context(), strings.ToUpper(first.Slug))
		require.True(t, fault.Is(err, fault.NotFound))

		err = s.InTx(t.Context(), func(st tenants.Store) error {
			require.True(t, fault.HasReason(st.InsertTenant(t.Context(), sample(first.Slug)), "slug_taken"))
			return st.InsertTenant(t.Context(), sample(slug())) // the transaction goes on
		})
		require.NoError(t, err)
	})
}

func TestAnIDInOtherLetterCaseFindsNothing(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		s := newStore(db)
		one := sample(slug())
		require.NoError(t, s.InsertTenant(t.Context(), one))
		var n int
		count := "SELECT COUNT(*) FROM tenants WHERE id = '%'"
		require.NoError(t, db.SQL().QueryRowContext(t.Context(), strings.Replace(count, "%", one.ID.String(), 1)).Scan(&n))
		require.Equal(t, 1, n)
		require.NoError(t, db.SQL().QueryRowContext(t.Context(), strings.Replace(count, "%", strings.ToUpper(one.ID.String()), 1)).Scan(&n))
		require.Zero(t, n)
	})
}

func TestListsGoByStatusAndPosition(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		s := newStore(db)
		all := make([]tenants.Tenant, 4)
		for i := range all {
			all[i] = sample(slug())
			all[i].Status = []tenants.Status{tenants.Active, tenants.Suspended, tenants.Pending, tenants.Active}[i]
			require.NoError(t, s.InsertTenant(t.Context(), all[i]))
		}
		got, err := s.ListTenants(t.Context(), []tenants.Status{tenants.Active, tenants.Suspended}, id.Tenant{}, 2)
		require.NoError(t, err)
		require.Equal(t, all[:2], got)
		got, err = s.ListTenants(t.Context(), []tenants.Status{tenants.Active, tenants.Suspended}, all[1].ID, 2)
		require.NoError(t, err)
		require.Equal(t, all[3:], got)
	})
}

func TestATransactionThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		s := newStore(db)
		one := sample(slug())
		stop := errors.New("stop")
		work := func(st tenants.Store) error {
			require.NoError(t, st.InsertTenant(t.Context(), one))
			_, err := st.LockTenant(t.Context(), one.ID)
			require.NoError(t, err)
			require.NoError(t, st.Emit(t.Context(), &events.TenantCreated{Tenant: one.ID}))
			require.NoError(t, st.Enqueue(t.Context(), &events.RecordAudit{Tenant: one.ID, Entry: id.NewAuditEntry()}))
			require.NoError(t, st.EnqueueAt(t.Context(), &events.DiscardTenant{Tenant: one.ID}, moment))
			before, err := st.ClaimKey(t.Context(), "op", "key", "hash", one.ID.String(), moment)
			require.NoError(t, err)
			require.Empty(t, before)
			return stop
		}
		require.ErrorIs(t, s.InTx(t.Context(), work), stop)
		count := func() (n int) {
			q := "SELECT (SELECT COUNT(*) FROM tenants) + (SELECT COUNT(*) FROM outbox) + (SELECT COUNT(*) FROM jobs) + (SELECT COUNT(*) FROM idempotency_keys)"
			require.NoError(t, db.SQL().QueryRowContext(t.Context(), q).Scan(&n))
			return n
		}
		require.Zero(t, count())
		stop = nil
		require.NoError(t, s.InTx(t.Context(), work))
		require.Equal(t, 5, count())
		before, err := s.ClaimKey(t.Context(), "op", "key", "hash", "x", moment)
		require.NoError(t, err)
		require.Equal(t, one.ID.String(), before)
	})
}

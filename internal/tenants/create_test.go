package tenants_test

import (
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/tenants"
)

func TestABusinessBeginsActiveWithItsAdminAndDefaults(t *testing.T) {
	t.Parallel()
	b := setup(t)
	in := wanted()
	in.Admin.Password = ""
	out, err := b.CreateTenant(t.Context(), operator, in)
	require.NoError(t, err)
	require.Equal(t, "made-up", out.Password)
	require.Equal(t, tenants.Active, out.Status)
	require.Equal(t, "peluqueria-nandu", out.Slug)
	require.False(t, out.FirstAdmin.IsZero())
	require.Equal(t, tenants.Settings{Name: "Peluquería Ñandú", Zone: zone, Language: "es", Country: "AR", BotEnabled: true,
		ReminderOffsets: []time.Duration{24 * time.Hour, 2 * time.Hour}}, out.Settings)

	found, err := b.FindTenant(t.Context(), out.ID)
	require.NoError(t, err)
	require.Equal(t, out.Tenant, found)
	found, err = b.FindBySlug(t.Context(), "peluqueria-nandu")
	require.NoError(t, err)
	require.Equal(t, out.Tenant, found)
	active, err := b.IsActive(t.Context(), out.ID)
	require.NoError(t, err)
	require.True(t, active)

	require.Equal(t, []string{"tenant.created"}, b.told(t))
	acts := b.audited(t)
	require.Len(t, acts, 1)
	require.Equal(t, tenants.ActCreated, acts[0].Action)
	require.Equal(t, out.ID, acts[0].Tenant)
	require.Equal(t, operator.User.String(), acts[0].Actor)
	require.Equal(t, "192.0.2.7", acts[0].Address)
	require.Equal(t, "req-1", acts[0].RequestID)
}

func TestBusinessesOfTheSameNameGetDifferentSlugs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.Equal(t, "ana", b.create(t, "Ana").Slug)
	require.Equal(t, "ana-2", b.create(t, "¡Aná!").Slug)
	require.Equal(t, "ana-3", b.create(t, "ANA").Slug)
	require.Equal(t, "negocio", b.create(t, "美容院").Slug)
	long := strings.Repeat("barbería ", 10)
	require.Equal(t, "barberia-barberia-barberia-barberia-barb", b.create(t, long).Slug)
	require.Equal(t, "barberia-barberia-barberia-barberia-ba-2", b.create(t, long).Slug)

	in := wanted()
	in.Slug = "ana"
	_, err := b.CreateTenant(t.Context(), operator, in)
	require.True(t, fault.HasReason(err, "slug_taken"), err)
	require.Equal(t, 6, b.users.count())
}

func TestEveryBrokenRuleOfANewBusinessIsNamed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := b.CreateTenant(t.Context(), operator, tenants.NewTenant{Name: " ", Slug: "No!", Zone: "Buenos Aires", Language: "fr", Country: "ZZ", Address: "a\x00b"})
	f, ok := fault.As(err)
	require.True(t, ok)
	var names []string
	for _, field := range f.Fields {
		names = append(names, field.Name)
	}
	require.Equal(t, []string{"name", "zone", "language", "country", "address", "slug"}, names)

	b.users.refuse = fault.BadField("email", "must be an e-mail address")
	_, err = b.CreateTenant(t.Context(), operator, wanted())
	f, ok = fault.As(err)
	require.True(t, ok)
	require.Equal(t, []fault.Field{{Name: "admin.email", Rule: "must be an e-mail address"}}, f.Fields)
	require.Equal(t, "admin.email must be an e-mail address", f.Message)

	_, err = b.CreateTenant(t.Context(), operator, tenants.NewTenant{Name: "Ana", Zone: "Buenos Aires"})
	f, ok = fault.As(err)
	require.True(t, ok)
	require.Len(t, f.Fields, 2, "those of the business and of its admin together")
	require.Equal(t, []string{"zone", "admin.email"}, []string{f.Fields[0].Name, f.Fields[1].Name})
	require.Empty(t, b.texts(t, "SELECT id FROM tenants"))
	require.Empty(t, b.texts(t, "SELECT id FROM jobs"))
}

func TestNothingIsLeftOfACreationThatFails(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.users.fail = fault.New(fault.Conflict, "email_taken", "somebody has this e-mail address already")
	in := wanted()
	in.IdempotencyKey, in.BodyHash = "k", "h"
	_, err := b.CreateTenant(t.Context(), operator, in)
	require.True(t, fault.HasReason(err, "email_taken"), err)
	require.Empty(t, b.texts(t, "SELECT id FROM tenants"))
	require.Zero(t, b.users.count())
	require.Empty(t, b.told(t))
	require.Empty(t, b.audited(t))

	b.users.fail = nil
	out, err := b.CreateTenant(t.Context(), operator, in)
	require.NoError(t, err, "the same key makes it once nothing stands in the way")
	for _, job := range b.planned(t) {
		require.NoError(t, b.HandleDiscard(t.Context(), &job), "the discard planned by the failed attempt")
	}
	found, err := b.FindTenant(t.Context(), out.ID)
	require.NoError(t, err)
	require.Equal(t, tenants.Active, found.Status)
	require.Equal(t, 1, b.users.count())
}

func TestNothingIsLeftOfACreationWhoseProcessDied(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.users.stall = func() { panic("killed") }
	require.PanicsWithValue(t, "killed", func() { _, _ = b.CreateTenant(t.Context(), operator, wanted()) })

	half := b.texts(t, "SELECT id FROM tenants")
	require.Len(t, half, 1)
	require.Equal(t, 1, b.users.count())
	tenant, err := id.ParseTenant(half[0])
	require.NoError(t, err)
	active, err := b.IsActive(t.Context(), tenant)
	require.NoError(t, err)
	require.False(t, active)
	_, err = b.FindTenant(t.Context(), tenant)
	require.True(t, fault.Is(err, fault.NotFound))
	_, err = b.FindBySlug(t.Context(), "peluqueria-nandu")
	require.True(t, fault.Is(err, fault.NotFound))
	_, err = b.Settings(t.Context(), tenant)
	require.True(t, fault.Is(err, fault.NotFound))
	_, err = b.Suspend(t.Context(), operator, tenant)
	require.True(t, fault.Is(err, fault.NotFound))
	list, err := b.ListTenants(t.Context(), "", id.Tenant{}, 10)
	require.NoError(t, err)
	require.Empty(t, list)

	jobs := b.planned(t)
	require.Len(t, jobs, 1)
	due := b.texts(t, "SELECT CAST(run_at AS TEXT) FROM jobs WHERE kind = 'tenants.discard'")
	require.Equal(t, []string{strconv.FormatInt(b.clock.now().Add(2*time.Minute).UnixMicro(), 10)}, due)

	b.users.discard = errors.New("auth does not answer")
	require.Error(t, b.HandleDiscard(t.Context(), &jobs[0]))
	require.Equal(t, []string{"discarding"}, b.texts(t, "SELECT status FROM tenants"))
	b.users.discard = nil
	for range 2 {
		require.NoError(t, b.HandleDiscard(t.Context(), &jobs[0]))
		require.Zero(t, b.users.count())
		require.Empty(t, b.texts(t, "SELECT id FROM tenants"))
	}
	b.users.stall = nil
	_, err = b.CreateTenant(t.Context(), operator, wanted())
	require.NoError(t, err)
}

func TestACreationThatWasDiscardedMeanwhileDoesNotComeBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.users.stall = func() {
		for _, job := range b.planned(t) {
			require.NoError(t, b.HandleDiscard(t.Context(), &job))
		}
	}
	_, err := b.CreateTenant(t.Context(), operator, wanted())
	require.Error(t, err)
	require.Empty(t, b.texts(t, "SELECT id FROM tenants"))
	require.Empty(t, b.told(t))
}

func TestAFinishedBusinessIsNeverDiscarded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	out := b.create(t, "Ana")
	_, err := b.Suspend(t.Context(), operator, out.ID)
	require.NoError(t, err)
	for _, job := range b.planned(t) {
		require.NoError(t, b.HandleDiscard(t.Context(), &job))
	}
	_, err = b.FindTenant(t.Context(), out.ID)
	require.NoError(t, err)
	require.Equal(t, 1, b.users.count())
}

func TestTheSameIdempotencyKeyMakesOneBusiness(t *testing.T) {
	t.Parallel()
	b := setup(t)
	in := wanted()
	in.IdempotencyKey, in.BodyHash, in.Admin.Password = "k1", "h1", ""
	type outcome struct {
		out tenants.CreatedTenant
		err error
	}
	results := make(chan outcome, 8)
	var wg sync.WaitGroup
	for range cap(results) {
		wg.Go(func() {
			out, err := b.CreateTenant(t.Context(), operator, in)
			results <- outcome{out, err}
		})
	}
	wg.Wait()
	close(results)
	shown := 0
	var made id.Tenant
	for r := range results {
		if r.err != nil {
			require.True(t, fault.HasReason(r.err, "creation_in_progress"), r.err)
			continue
		}
		if r.out.Password != "" {
			shown++
			made = r.out.ID
		}
	}
	require.Equal(t, 1, shown, "the password is shown once")
	require.Len(t, b.texts(t, "SELECT id FROM tenants"), 1)
	require.Equal(t, 1, b.users.count())

	b.users.refuse = fault.New(fault.Conflict, "email_taken", "somebody has this e-mail address already") // as it now would
	again, err := b.CreateTenant(t.Context(), operator, in)
	require.NoError(t, err)
	require.Equal(t, made, again.ID)
	require.Empty(t, again.Password)

	in.BodyHash = "h2"
	_, err = b.CreateTenant(t.Context(), operator, in)
	require.True(t, fault.HasReason(err, "idempotency_key_reused"), err)
}

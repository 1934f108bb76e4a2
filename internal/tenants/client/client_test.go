package client_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/jobs"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/peer"
	"turnero/internal/platform/secret"
	"turnero/internal/platform/sqlkit/sqltest"
	"turnero/internal/tenants"
	"turnero/internal/tenants/client"
	"turnero/internal/tenants/sqlstore"
)

var (
	quiet = slog.New(slog.DiscardHandler)
	key   = secret.Master{5, 2}.DeriveKey(peer.KeyPurpose)
)

// people lets every business begin.
type people struct{}

func (people) CheckFirstAdmin(context.Context, string, string, string) error { return nil }
func (people) CreateFirstAdmin(context.Context, id.Tenant, string, string, string) (id.User, string, error) {
	return id.NewUser(), "", nil
}
func (people) DiscardUsers(context.Context, id.Tenant) error { return nil }

// setup gives the service of one process, its server, and the client of another, which hears of changes.
func setup(t *testing.T) (*tenants.Service, *httptest.Server, *client.Client) {
	t.Helper()
	db, wake := sqltest.Fresh(t, "sqlite"), bus.NewMemory()
	var far *client.Client
	svc := tenants.New(tenants.Deps{Store: sqlstore.New(db, outbox.New(db, wake, time.Now, quiet), jobs.New(db, wake, time.Now, quiet)), Users: people{},
		Now: time.Now, Logger: quiet, Changed: func() { far.Forget() }})
	mux := http.NewServeMux()
	client.Serve(peer.NewServer(mux, key, time.Now, quiet), svc)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	far = client.New(peer.NewTarget(peer.NewClient(key, time.Now), []string{server.URL}, time.Now), time.Now)
	return svc, server, far
}

func TestAnotherProcessKnowsWhatTheServiceKnows(t *testing.T) {
	t.Parallel()
	svc, server, far := setup(t)
	made, err := svc.CreateTenant(t.Context(), tenants.Caller{}, tenants.NewTenant{Name: "Peluquería Ñandú", Zone: "America/Argentina/Buenos_Aires",
		Admin: tenants.FirstAdmin{Email: "ana@example.com", Name: "Ana", Password: "correcto caballo"}})
	require.NoError(t, err)
	same := func() {
		t.Helper()
		want, err := svc.Settings(t.Context(), made.ID)
		require.NoError(t, err)
		got, err := far.Settings(t.Context(), made.ID)
		require.NoError(t, err)
		require.Equal(t, want, got)
		active, err := svc.IsActive(t.Context(), made.ID)
		require.NoError(t, err)
		there, err := far.IsActive(t.Context(), made.ID)
		require.NoError(t, err)
		require.Equal(t, active, there)
	}
	same()
	name, greeting, bot := "Otra", "¡Hola!", true
	offsets := []time.Duration{3 * time.Hour, time.Hour}
	_, err = svc.UpdateSettings(t.Context(), tenants.Caller{}, made.ID, tenants.SettingsPatch{Name: &name, Greeting: &greeting, BotEnabled: &bot, ReminderOffsets: &offsets})
	require.NoError(t, err)
	same()
	_, err = svc.Suspend(t.Context(), tenants.Caller{}, made.ID)
	require.NoError(t, err)
	same()

	_, err = far.Settings(t.Context(), id.NewTenant())
	require.True(t, fault.Is(err, fault.NotFound), err)
	active, err := far.IsActive(t.Context(), id.NewTenant())
	require.NoError(t, err)
	require.False(t, active)

	server.Close()
	same() // for a moment
	far.Forget()
	_, err = far.IsActive(t.Context(), made.ID)
	require.True(t, fault.HasReason(err, "target_unavailable"), "that nobody answers is not that there is no business: %v", err)
}

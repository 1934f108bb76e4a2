package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/appointments"
	"turnero/internal/appointments/httpapi"
	"turnero/internal/appointments/sqlstore"
	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/httpkit"
	"turnero/internal/platform/jobs"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
)

// The tests live on Friday 20 March 2026, 09:00 in Buenos Aires.
var today = time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC)

type firms struct{}

func (firms) Business(context.Context, id.Tenant) (appointments.Business, error) {
	return appointments.Business{Name: "Peluquería", Zone: "America/Argentina/Buenos_Aires", Address: "Corrientes 1234", Region: "AR"}, nil
}

type phones struct{}

func (phones) Parse(text, _ string) (string, error) {
	if !strings.HasPrefix(text, "+") || len(text) < 9 {
		return "", errors.New("not a number")
	}
	return text, nil
}

func (phones) Fold(e164 string) string { return e164 }

// front is the API of one business, with a caller for each role.
type front struct {
	t       testing.TB
	handler http.Handler
	api     *httpkit.API
	db      *sqlkit.DB
	mu      sync.Mutex
	now     time.Time
	callers map[string]id.Principal
}

func newFront(t testing.TB, db *sqlkit.DB) *front {
	t.Helper()
	tenant := id.NewTenant()
	f := &front{t: t, db: db, now: today, callers: map[string]id.Principal{
		"admin":    {Tenant: tenant, User: id.NewUser(), Role: id.Admin},
		"employee": {Tenant: tenant, User: id.NewUser(), Role: id.Employee},
		"stranger": {Tenant: id.NewTenant(), User: id.NewUser(), Role: id.Admin},
		"customer": {Tenant: tenant, User: id.NewUser(), Role: id.EndUser},
	}}
	now := func() time.Time {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.now
	}
	logger, b := slog.New(slog.DiscardHandler), bus.NewMemory()
	store := sqlstore.New(db, outbox.New(db, b, now, logger), jobs.New(db, b, now, logger))
	svc := appointments.New(appointments.Deps{Store: store, Businesses: firms{}, Phones: phones{}, Now: now})
	mux := http.NewServeMux()
	f.api = httpkit.New(mux, "test", "1", func(_ context.Context, r *http.Request) (id.Principal, error) {
		p, ok := f.callers[r.Header.Get("X-Caller")]
		if !ok {
			return p, fault.New(fault.Unauthenticated, "no_credentials", "log in first")
		}
		return p, nil
	}, logger)
	httpapi.Register(f.api, svc)
	require.NoError(t, f.api.Check())
	f.handler = mux
	return f
}

// sqlite is a front on a database of its own.
func sqlite(t *testing.T) *front {
	t.Helper()
	return newFront(t, sqltest.Fresh(t, "sqlite"))
}

type object = map[string]any

// call does one request and gives status and body. body is text, or anything with a JSON form; nil is none.
func (f *front) call(caller, method, path string, body any, header ...string) (int, object) {
	f.t.Helper()
	var raw []byte
	switch v := body.(type) {
	case nil:
	case string:
		raw = []byte(v)
	default:
		var err error
		raw, err = json.Marshal(v)
		require.NoError(f.t, err)
	}
	r := httptest.NewRequest(method, path, bytes.NewReader(raw))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Caller", caller)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, r)
	var out object
	if w.Body.Len() > 0 {
		require.NoError(f.t, json.Unmarshal(w.Body.Bytes(), &out), w.Body.String())
	}
	return w.Code, out
}

// must is call as the admin that expects the status.
func (f *front) must(status int, method, path string, body any, header ...string) object {
	f.t.Helper()
	got, out := f.call("admin", method, path, body, header...)
	require.Equal(f.t, status, got, "%s %s: %v", method, path, out)
	return out
}

// everyDay gives the same hours to each weekday.
func everyDay(from, to string) []object {
	var out []object
	for _, day := range []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"} {
		out = append(out, object{"weekday": day, "from": from, "to": to})
	}
	return out
}

// salon sets up a service of 30 minutes and Ana, who performs it from 9 to 18, and gives their IDs.
func (f *front) salon() (service, staff string) {
	f.t.Helper()
	service = f.must(201, "POST", "/api/services", object{"name": "Corte", "duration": 30, "price": object{"amount": 1500000, "currency": "ARS"}})["id"].(string)
	staff = f.must(201, "POST", "/api/staff", object{"name": "Ana", "services": []string{service}, "hours": everyDay("09:00", "18:00")})["id"].(string)
	return service, staff
}

func list(o object, name string) []object {
	raw, _ := o[name].([]any)
	out := make([]object, len(raw))
	for i, v := range raw {
		out[i], _ = v.(object)
	}
	return out
}

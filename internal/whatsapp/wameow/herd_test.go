package wameow_test

import (
	"context"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"turnero/internal/id"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/secret"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
	"turnero/internal/whatsapp"
	"turnero/internal/whatsapp/leased"
	"turnero/internal/whatsapp/sqlstore"
	"turnero/internal/whatsapp/wameow"
	"turnero/internal/whatsapp/wastore"
	"turnero/wasim"
)

// TURNERO_HERD is how many lines TestHerdComesBackAtOnceWithoutAStorm drops (1000, say), TURNERO_HERD_DB on which database.
const (
	herdVariable   = "TURNERO_HERD"
	herdDBVariable = "TURNERO_HERD_DB"
)

func herdSize() int {
	if n, err := strconv.Atoi(os.Getenv(herdVariable)); err == nil && n > 0 {
		return n
	}
	return 24
}

// tally counts transactions and the statements that are not part of a group.
type tally struct{ begun, statements atomic.Int64 }

func (*tally) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

func (c *tally) AfterQuery(_ context.Context, e *bun.QueryEvent) {
	if strings.HasPrefix(e.Query, "BEGIN") {
		c.begun.Add(1)
		return
	}
	c.statements.Add(1)
}

// herd is a process that carries many lines, with everything but the API.
type herd struct {
	*testing.T
	net     *wasim.Network
	svc     *whatsapp.Service
	plain   *sqlkit.DB // not counted
	tally   tally
	numbers []string
}

func newHerd(t *testing.T, size int) *herd {
	t.Helper()
	name := os.Getenv(herdDBVariable)
	if name == "" {
		name = "sqlite"
	}
	h := &herd{T: t, net: newNetwork(t), plain: sqltest.Fresh(t, name)}
	db := h.plain.Observed(&h.tally)
	keys, err := secret.NewKeyring(db, secret.Master{1}, time.Now)
	require.NoError(t, err)
	store, err := wastore.Open(t.Context(), wastore.Options{DB: db, Keys: keys, Network: string(wameow.NetworkSim), Logger: logger()})
	require.NoError(t, err)
	t.Cleanup(store.Close)
	root := h.net.RootKey()
	engine, err := wameow.New(wameow.Options{Devices: productDevices{store}, HTTPClient: h.net.HTTPClient(), RootKey: &root, Logger: logger()})
	require.NoError(t, err)
	wakes := bus.NewMemory()
	alone := leased.Alone(wakes, logger())
	h.svc = whatsapp.New(whatsapp.Deps{Store: sqlstore.New(db, outbox.New(db, wakes, time.Now, logger())).Together(store.Committer()), Engine: engine, Claims: alone, Peers: alone,
		Now: time.Now, Logger: logger(), FoldPhone: func(digits string) string { return digits },
		ParsePhone: func(_ context.Context, _ id.Tenant, text string) (string, bool, error) { return text, true, nil }})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = h.svc.Manager().Run(ctx) })
	t.Cleanup(running.Wait)
	t.Cleanup(cancel)
	h.linkAll(size)
	return h
}

// productDevices is the product's device store, without more.
type productDevices struct{ *wastore.Store }

func (d productDevices) Network() wameow.Network { return wameow.Network(d.Store.Network()) }

// linkAll links so many lines, each of a business of its own.
func (h *herd) linkAll(size int) {
	h.Helper()
	var work sync.WaitGroup
	places := make(chan struct{}, 4)
	for range size {
		number := newNumber()
		h.numbers = append(h.numbers, number)
		places <- struct{}{}
		work.Go(func() {
			defer func() { <-places }()
			if err := h.link(number); err != nil {
				h.Errorf("link: %v", err)
			}
		})
	}
	work.Wait()
	h.awaitConnected(5 * time.Minute)
}

func (h *herd) link(number string) error {
	if _, err := h.net.AddPhone(number, "Peluquería"); err != nil {
		return err
	}
	p := id.Principal{Tenant: id.NewTenant(), User: id.NewUser(), Role: id.Admin}
	if _, err := h.svc.Init(h.Context(), p, id.Session{}); err != nil {
		return err
	}
	for {
		code, err := h.svc.QR(h.Context(), p, id.Session{})
		if err == nil {
			err = h.net.Scan(number, code.Text)
		}
		if err == nil {
			return nil // else there is none yet, or a busy machine let it grow old
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-h.Context().Done():
			return err
		}
	}
}

func (h *herd) connected() int {
	var n int
	require.NoError(h, h.plain.Handle().Read().NewRaw("SELECT COUNT(*) FROM whatsapp_sessions WHERE status = ?", whatsapp.StatusConnected).Scan(h.Context(), &n))
	return n
}

func (h *herd) awaitConnected(limit time.Duration) {
	h.Helper()
	require.Eventually(h, func() bool {
		return h.connected() == len(h.numbers) && h.net.Stats().Connections == int64(len(h.numbers))
	}, limit, 50*time.Millisecond, "%d of %d lines are connected", h.connected(), len(h.numbers))
}

func TestHerdComesBackAtOnceWithoutAStorm(t *testing.T) {
	size := herdSize()
	h := newHerd(t, size)
	logins := h.net.Stats().Logins
	began, spent := time.Now(), cpuTime(t)
	before, statements := h.tally.begun.Load(), h.tally.statements.Load()
	_, err := h.net.Fault(wasim.Fault{Kind: "cut"})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return h.net.Stats().Logins == logins+int64(size) }, time.Minute, 10*time.Millisecond)
	h.awaitConnected(time.Minute)
	took, spent := time.Since(began), cpuTime(t)-spent
	transactions := h.tally.begun.Load() - before
	t.Logf("%d lines were back after %v, for %v of processor time with their network: %d transactions (%.1f a second), %d statements besides groups", size, took.Round(time.Millisecond), spent.Round(time.Millisecond), transactions,
		float64(transactions)/took.Seconds(), h.tally.statements.Load()-statements)
	require.Less(t, took, 10*time.Second)
	require.Less(t, transactions, int64(3*size)) // two changes of status and what the keys need, if nothing came together
	require.Positive(t, transactions)
	require.Zero(t, h.net.Stats().RatchetReuse)
}

// cpuTime is what the process has used so far.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

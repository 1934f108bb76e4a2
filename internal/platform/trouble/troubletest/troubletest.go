// Package troubletest has a database fail for a while, and looks at what is told of it.
package troubletest

import (
	"bytes"
	"context"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"turnero/internal/platform/sqlkit"
)

// Outage is a hook that lets statements fail while it lasts.
type Outage struct {
	lasts  atomic.Bool
	failed atomic.Int64

	mu  sync.Mutex
	log bytes.Buffer
}

// Of gives the database as it is seen through the outage.
func (o *Outage) Of(db *sqlkit.DB) *sqlkit.DB { return db.Observed(o) }

// Logger is for what is to tell of it.
func (o *Outage) Logger() *slog.Logger { return slog.New(slog.NewTextHandler(o, nil)) }

// Write implements io.Writer.
func (o *Outage) Write(line []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.log.Write(line)
}

// BeforeQuery implements bun.QueryHook.
func (o *Outage) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context {
	if !o.lasts.Load() {
		return ctx
	}
	o.failed.Add(1)
	ctx, cancel := context.WithDeadline(ctx, time.Unix(0, 0))
	cancel()
	return ctx
}

// AfterQuery implements bun.QueryHook.
func (o *Outage) AfterQuery(context.Context, *bun.QueryEvent) {}

// Begin has statements fail from now on, and waits until many did.
func (o *Outage) Begin(t *testing.T, many int64) {
	t.Helper()
	o.lasts.Store(true)
	require.Eventually(t, func() bool { return o.failed.Load() >= many }, 30*time.Second, 10*time.Millisecond)
}

// End has statements work again.
func (o *Outage) End() { o.lasts.Store(false) }

// Told gives what was told so far.
func (o *Outage) Told() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.log.String()
}

var varies = regexp.MustCompile(`time=\S+ |[0-9]+`)

// RequireNothingTwice checks that each warning was told once.
func (o *Outage) RequireNothingTwice(t *testing.T) {
	t.Helper()
	seen := map[string]bool{}
	for line := range strings.Lines(o.Told()) {
		key := varies.ReplaceAllString(line, "")
		require.False(t, seen[key], "told again: %s", line)
		seen[key] = strings.Contains(line, "level=WARN")
	}
	require.NotEmpty(t, seen)
}

package pulse

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"turnero/internal/platform/httpkit"
)

const (
	askEvery = time.Second
	askLimit = 2 * time.Second
	patience = 2500 * time.Millisecond // without an answer, before the database counts as away
	// MostSkew is by how much two clocks may differ before an operator is told.
	MostSkew = 5 * time.Second
)

// Options are what a Pulse stands on.
type Options struct {
	Ask    func(ctx context.Context) (time.Time, error) // the database's clock
	Now    func() time.Time                             // the process's
	Logger *slog.Logger
}

// Pulse watches one database. It counts as there until Run has found otherwise.
type Pulse struct {
	o Options

	mu       sync.Mutex
	present  context.Context // ends when the database goes away
	leave    context.CancelFunc
	fellAt   time.Time // when it went away; zero while it is there
	skew     time.Duration
	isSkewed bool
}

// New makes a Pulse.
func New(o Options) *Pulse {
	p := &Pulse{o: o}
	p.present, p.leave = context.WithCancel(context.Background())
	return p
}

// Run asks until ctx ends. It returns nil.
func (p *Pulse) Run(ctx context.Context) error {
	heard := time.Now()
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for {
		err := p.ask(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			heard = time.Now()
			p.rise(ctx)
		case time.Since(heard) >= patience:
			p.fall(ctx, heard, err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (p *Pulse) ask(ctx context.Context) error {
	call, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	before := p.o.Now()
	theirs, err := p.o.Ask(call)
	if err != nil {
		return err
	}
	p.compare(ctx, Skew(before, theirs, p.o.Now()))
	return nil
}

// Skew tells by how much a clock that was read between two moments of another runs ahead of that one, as far as the time between them lets
// it be known.
func Skew(before, theirs, after time.Time) time.Duration {
	switch {
	case theirs.Before(before):
		return theirs.Sub(before)
	case theirs.After(after):
		return theirs.Sub(after)
	}
	return 0
}

// compare tells the operator of clocks that differ, once, and again when they agree.
func (p *Pulse) compare(ctx context.Context, skew time.Duration) {
	p.mu.Lock()
	was := p.isSkewed
	p.skew, p.isSkewed = skew, skew.Abs() > MostSkew
	is := p.isSkewed
	p.mu.Unlock()
	switch {
	case is && !was:
		p.o.Logger.WarnContext(ctx, "the clocks of this process and of the database differ: set both by NTP, since tokens, reminders and the times of messages follow this one", "database_ahead", skew.Round(time.Second).String())
	case was && !is:
		p.o.Logger.InfoContext(ctx, "the clocks of this process and of the database agree again")
	}
}

func (p *Pulse) rise(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fellAt.IsZero() {
		return
	}
	p.o.Logger.InfoContext(ctx, "the database answers again: requests are taken", "after", time.Since(p.fellAt).Round(time.Millisecond).String())
	p.fellAt = time.Time{}
	p.present, p.leave = context.WithCancel(context.Background())
}

func (p *Pulse) fall(ctx context.Context, since time.Time, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.fellAt.IsZero() {
		return
	}
	p.fellAt = since
	p.o.Logger.ErrorContext(ctx, "the database does not answer: requests are refused until it does", "error", err.Error())
	p.leave()
}

// IsThere reports whether the database answers, as far as is known.
func (p *Pulse) IsThere() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fellAt.IsZero()
}

// LastSkew is by how much the database's clock was ahead of the process's when it was asked last.
func (p *Pulse) LastSkew() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.skew
}

// Guard refuses requests under /api/ while the database is away (503 "database_unavailable" with Retry-After), and gives up those that are under
// way when it goes. Streams stay open: their listeners go on when it is back.
func (p *Pulse) Guard(isStream func(path string) bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/api/") {
			next.ServeHTTP(w, r)
			return
		}
		p.mu.Lock()
		present := p.present
		p.mu.Unlock()
		if present.Err() != nil {
			httpkit.WriteProblem(w, r, httpkit.DatabaseAway())
			return
		}
		if isStream(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		ctx, cancel := context.WithCancelCause(r.Context())
		defer cancel(nil)
		defer context.AfterFunc(present, func() { cancel(httpkit.DatabaseAway()) })()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

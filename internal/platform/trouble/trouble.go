// Package trouble tells the operator of what goes wrong at every try: once when it begins, once for each other way in which it
// goes wrong meanwhile, and once when it works again. Whatever asks a database or a server over and over would otherwise
// fill the log with one sentence for as long as that is away.
package trouble

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"
)

const (
	mostWays = 8                // in which one thing is told to go wrong
	tellAnew = 10 * time.Minute // after which it is told that it still does
)

// Teller remembers what goes wrong. It may be used by many at once.
type Teller struct {
	logger *slog.Logger

	mu   sync.Mutex
	open map[string]*state // by what goes wrong
}

type state struct {
	since, told time.Time
	times       int
	ways        map[string]bool // errors that were told
}

// New makes a Teller that writes to the logger.
func New(logger *slog.Logger) *Teller { return &Teller{logger: logger, open: map[string]*state{}} }

// Tell is called with the outcome of every try. what says what has not happened when err is not nil ("events not read"), always in
// the same words; attrs are added to a warning. An error that comes of the end of ctx is nobody's trouble.
func (t *Teller) Tell(ctx context.Context, what string, err error, attrs ...any) {
	switch {
	case err == nil:
		if s := t.end(what); s != nil {
			t.logger.InfoContext(ctx, "works again", "what", what, "after", time.Since(s.since).Round(time.Millisecond).String(), "failures", s.times)
		}
	case errors.Is(ctx.Err(), context.Canceled):
	default:
		if times, isNews := t.count(what, err); isNews {
			t.logger.WarnContext(ctx, what, append(attrs, "error", err.Error(), "failures", times)...)
		}
	}
}

// end forgets what went wrong, and gives it if it did.
func (t *Teller) end(what string) *state {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.open[what]
	delete(t.open, what)
	return s
}

// count notes a failure. It tells how many there were since the last success, and whether this one is worth a word.
func (t *Teller) count(what string, err error) (times int, isNews bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	s := t.open[what]
	if s == nil {
		s = &state{since: now, told: now, ways: map[string]bool{}}
		t.open[what] = s
	}
	s.times++
	way := kindOf(err.Error())
	isNews = now.Sub(s.told) >= tellAnew
	if !s.ways[way] && len(s.ways) < mostWays {
		s.ways[way], isNews = true, true
	}
	if isNews {
		s.told = now
	}
	return s.times, isNews
}

// kindOf leaves out what differs from one try to the next, such as the port of a connection.
func kindOf(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, text)
}

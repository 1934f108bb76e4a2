package live

import (
	"context"
	"log/slog"

	"turnero/internal/platform/outbox"
)

// Memory is the Fanout of an installation with one process.
type Memory struct{ *hub }

var _ Fanout = (*Memory)(nil)

// NewMemory makes the Fanout of one process. What another process numbers, its listeners get at the next poll.
func NewMemory(log Log, logger *slog.Logger) *Memory { return &Memory{newHub(log, logger)} }

// Publish implements Fanout.
func (m *Memory) Publish(recs []outbox.Record) { m.add(recs) }

// Run implements Fanout.
func (m *Memory) Run(ctx context.Context) error {
	m.run(ctx, func() {})
	return nil
}

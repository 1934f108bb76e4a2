package wastore

import (
	"context"
	"database/sql"
	"time"

	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"
)

const (
	// keepHashes is how long a decrypted message is remembered: the servers keep what was not acknowledged for 14 days.
	keepHashes = 14 * 24 * time.Hour
	// keepOutgoing is how long what was sent is kept for receivers that ask for it again.
	keepOutgoing = 7 * 24 * time.Hour
)

// The numbers of a buffered event, in the order of the table's columns: seconds and milliseconds since the Unix epoch.
const (
	bufferServer = iota
	bufferInserted
)

func bufferRow(hash [32]byte) key { return key{table: tBuffer, a: string(hash[:])} }

// GetBufferedEvent implements store.EventBuffer; nil when there is none. The plaintext of one that was cleared is nil.
func (s *session) GetBufferedEvent(ctx context.Context, hash [32]byte) (*store.BufferedEvent, error) {
	r, err := s.find(ctx, bufferRow(hash))
	if err != nil || r == nil {
		return nil, err
	}
	return &store.BufferedEvent{Plaintext: r.data, ServerTime: time.Unix(r.ints[bufferServer], 0), InsertTime: time.UnixMilli(r.ints[bufferInserted])}, nil
}

// PutBufferedEvent implements store.EventBuffer.
func (s *session) PutBufferedEvent(ctx context.Context, hash [32]byte, plaintext []byte, at time.Time) error {
	return s.put(ctx, durable, bufferRow(hash), &row{ints: []int64{at.Unix(), s.store.now().UnixMilli()}, data: plaintext})
}

// ClearBufferedEventPlaintext implements store.EventBuffer.
func (s *session) ClearBufferedEventPlaintext(ctx context.Context, hash [32]byte) error {
	k := bufferRow(hash)
	r, err := s.find(ctx, k)
	if err != nil || r == nil || len(r.data) == 0 {
		return err
	}
	return s.put(ctx, lazy, k, &row{ints: r.ints})
}

// DeleteOldBufferedHashes implements store.EventBuffer, for this session.
func (s *session) DeleteOldBufferedHashes(ctx context.Context) error {
	return s.deleteOlder(ctx, tBuffer, bufferInserted, s.store.now().Add(-keepHashes))
}

// deleteOlder deletes rows that were inserted before an instant. which is the number that tells when.
func (s *session) deleteOlder(ctx context.Context, id tableID, which int, before time.Time) error {
	old, err := s.search(ctx, id, func(_ key, r *row) bool { return r.ints[which] < before.UnixMilli() }, "inserted_at < ?", before.UnixMilli())
	if err != nil || len(old) == 0 {
		return err
	}
	return s.change(ctx, durable, func(w *writes) {
		for _, f := range old {
			w.put(f.key, nil)
		}
	})
}

func retryRow(chat types.JID, waID types.MessageID) key { return textRow(tRetry, chat.String(), waID) }

// GetOutgoingEvent implements store.EventBuffer; sql.ErrNoRows when there is none under either address.
func (s *session) GetOutgoingEvent(ctx context.Context, chat, alt types.JID, waID types.MessageID) (format string, plaintext []byte, err error) {
	for _, c := range []types.JID{chat, alt} {
		r, err := s.find(ctx, retryRow(c, waID))
		if err != nil {
			return "", nil, err
		}
		if r != nil {
			return r.texts[0], r.data, nil
		}
	}
	return "", nil, sql.ErrNoRows
}

// AddOutgoingEvent implements store.EventBuffer.
func (s *session) AddOutgoingEvent(ctx context.Context, chat types.JID, waID types.MessageID, format string, plaintext []byte) error {
	return s.put(ctx, durable, retryRow(chat, waID), &row{texts: []string{clean(format)}, ints: []int64{s.store.now().UnixMilli()}, data: plaintext})
}

// DeleteOldOutgoingEvents implements store.EventBuffer.
func (s *session) DeleteOldOutgoingEvents(ctx context.Context) error {
	return s.deleteOlder(ctx, tRetry, 0, s.store.now().Add(-keepOutgoing))
}

package wameow

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// ratchetPatience is how long an operation on Signal state waits for the one before it. A send may hold the state while it
// fetches keys, at most sendLimit; whoever holds it longer has come to a stop in between.
const ratchetPatience = 15 * time.Second

// errRatchetStuck ends a connection on which an operation took the Signal state and never gave it back.
var errRatchetStuck = errors.New("wameow: the session's signal state was not given back")

// ratchet gives one session's Signal state to one operation at a time. The library loads a ratchet, moves it and stores it in
// separate calls, from the goroutine that handles stanzas, from those that answer requests to repeat, and from each sender;
// two at once would use a message key twice.
//
// An operation is one of three. A decryption holds the state for its transaction. A send holds it from the moment at which
// it reads all sessions until it has written them, or until the call ends (sendOp). What the library does on its own (answers
// to retries, messages to the own phone) reads one session and writes it back: such a loose operation holds the state between
// the two; the library does nothing but compute and ask the store in between. A loose reader that never writes is
// possible in theory (a session that vanished meanwhile); the next one waits ratchetPatience and then ends the connection.
type ratchet struct {
	held    chan struct{} // holds one value while somebody holds the state
	isLoose atomic.Bool   // the holder is a loose operation
}

func newRatchet() *ratchet { return &ratchet{held: make(chan struct{}, 1)} }

func (r *ratchet) lock(ctx context.Context) error {
	select {
	case r.held <- struct{}{}:
		return nil
	default:
	}
	patience := time.NewTimer(ratchetPatience)
	defer patience.Stop()
	select {
	case r.held <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-patience.C:
		return errRatchetStuck
	}
}

func (r *ratchet) unlock() { <-r.held }

// lockLoose begins a loose operation.
func (r *ratchet) lockLoose(ctx context.Context) error {
	if err := r.lock(ctx); err != nil {
		return err
	}
	r.isLoose.Store(true)
	return nil
}

// endLoose ends the loose operation; false when there is none.
func (r *ratchet) endLoose() bool {
	if !r.isLoose.CompareAndSwap(true, false) {
		return false
	}
	r.unlock()
	return true
}

// scope marks the context of the store calls that belong to one operation which holds the state, or will.
type scope struct {
	holds bool    // the operation holds the state now
	send  *sendOp // the send, nil for a decryption
}

type scopeKey struct{}

func withScope(ctx context.Context, s *scope) context.Context {
	return context.WithValue(ctx, scopeKey{}, s)
}

// scopeOf gives the operation to which a store call belongs, nil for a loose one.
func scopeOf(ctx context.Context) *scope {
	s, _ := ctx.Value(scopeKey{}).(*scope)
	return s
}

// holding reports whether the call belongs to an operation that holds the state already.
func holding(ctx context.Context) bool {
	s := scopeOf(ctx)
	return s != nil && s.holds
}

// sendOf gives the send to which a store call belongs, nil when it belongs to none.
func sendOf(ctx context.Context) *sendOp {
	if s := scopeOf(ctx); s != nil {
		return s.send
	}
	return nil
}

package lease

import (
	"context"
	"errors"
	"time"
)

// The times of a lease. Every is a quarter of TTL, so that two renewals may fail before the deadline of a term.
const (
	TTL    = 3 * time.Second        // how long a lock stands without a renewal
	Every  = 750 * time.Millisecond // the pause between renewals
	Margin = 500 * time.Millisecond // how much earlier than its lock a term ends
)

// ErrUnavailable means that the locks could not be asked, or did not answer in time: nothing is known about the keys.
var ErrUnavailable = errors.New("locks are not available")

// Why a term has ended: the cause of its context.
var (
	ErrExpired  = errors.New("lease: not renewed in time")
	ErrTaken    = errors.New("lease: somebody else holds the lock")
	ErrReleased = errors.New("lease: released")
	ErrStopped  = errors.New("lease: renewals have stopped")
)

// Owner is who holds a lock.
type Owner struct {
	ID      string // different for every run of a process
	Address string // where other processes reach it; any text
}

// Locks is where the locks stand. All methods are safe for concurrent use; their errors match ErrUnavailable. Answers are in
// the order of the keys. seq grows with every call of one owner, so that a release which arrives late, after its caller has
// given it up and locked the key again, leaves the newer lock alone.
type Locks interface {
	// TTL is how long a lock stands without a renewal; 0 means until it is released.
	TTL() time.Duration
	// Take locks the keys that are free or the owner's already, and says which it got.
	Take(ctx context.Context, self Owner, seq int64, keys []string) (won []bool, err error)
	// Renew prolongs the owner's locks and puts missing ones back. It says which are the owner's now.
	Renew(ctx context.Context, self Owner, seq int64, keys []string) (mine []bool, err error)
	// Release unlocks those of the keys that are the owner's and were locked by earlier calls.
	Release(ctx context.Context, self Owner, seq int64, keys []string) error
	// Leave says that the owner, which holds nothing, will not be heard of any more.
	Leave(ctx context.Context, self Owner) error
	// Owners gives the owners of those of the keys that are locked.
	Owners(ctx context.Context, keys []string) (map[string]Owner, error)
	// List gives all locked keys that begin with the prefix, and their owners.
	List(ctx context.Context, prefix string) (map[string]Owner, error)
}

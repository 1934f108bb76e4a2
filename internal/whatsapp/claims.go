package whatsapp

import (
	"context"
	"errors"
)

// Process is one process that carries sessions.
type Process struct {
	ID      string // different for every run
	Address string // where others reach it
}

// Ownership is who carries what at one moment.
type Ownership struct {
	Owners    map[Ref]Process
	Processes map[string]Process // by ID: who carries sessions or is ready to, this process included
	IsAlone   bool               // there can be no other process
}

// Claims settle which process may try to open which session. They give speed, not safety: what must not be done by two is
// guarded by the fence. Errors mean that nothing is known.
type Claims interface {
	// Self is this process.
	Self() Process
	// Claim tries for sessions and gives those that are this process's now, whether won or had before. Each comes with a context that ends
	// when the session no longer is: lost, given up, or not confirmed in time.
	Claim(ctx context.Context, refs ...Ref) (map[Ref]context.Context, error)
	// Release gives sessions up, so that another process can have them at once.
	Release(ctx context.Context, refs ...Ref) error
	// Ownership tells who carries what.
	Ownership(ctx context.Context) (Ownership, error)
	// Leave says that this process carries nothing any more.
	Leave(ctx context.Context) error
}

// Peers reaches the other processes.
type Peers interface {
	// Ask has the owner of a session do something with it. The error is the owner's fault; Unavailable when it does not answer.
	Ask(ctx context.Context, owner Process, e Errand) (Answer, error)
	// Wake tells the owner of a session, whoever that is, that there is something to send. It may get lost.
	Wake(ref Ref)
	// Announce tells every process, this one included, to look anew at who should carry what. Announced receives after others or this one did.
	Announce()
	Announced() <-chan struct{}
}

// errHeld says that a session's last owner keeps it by the database, although its lock is gone.
var errHeld = errors.New("whatsapp: the session's owner holds on to it")

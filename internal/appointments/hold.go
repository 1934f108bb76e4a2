package appointments

import (
	"context"
	"time"

	"turnero/internal/fault"
	"turnero/internal/id"
)

// Hold keeps a slot for a short time while a customer decides. Until it expires it occupies time as an appointment does.
type Hold struct {
	ID         id.Hold
	Location   Location
	Service    id.Service
	Staff      Ref[id.Staff]
	Start, End time.Time
	Occupied   Span
	Origin     string
	By         string
	CreatedAt  time.Time
	ExpiresAt  time.Time // no longer held from this instant on
}

// How long a hold lasts.
const (
	DefaultHold = 5 * time.Minute
	MaxHold     = 15 * time.Minute
)

// Hold keeps a slot for a while. It is refused as Book refuses a booking. The same key and body give the same hold again, as
// long as it is there.
func (s *Service) Hold(ctx context.Context, tenant id.Tenant, cmd HoldCommand) (Hold, error) {
	if cmd.For == 0 {
		cmd.For = DefaultHold
	}
	var f findings
	f.add(cmd.For < time.Minute || cmd.For > MaxHold, "minutes", "must be from 1 to 15")
	if err := f.err(); err != nil {
		return Hold{}, err
	}
	if err := checkWanted(cmd.Service, cmd.Start); err != nil {
		return Hold{}, err
	}
	w := want{service: cmd.Service, staff: cmd.Staff, location: cmd.Location, start: cmd.Start, now: s.now()}
	h := Hold{ID: id.NewHold(), Service: cmd.Service, Origin: cmd.Origin, By: cmd.By, CreatedAt: w.now, ExpiresAt: w.now.Add(cmd.For)}
	err := s.once(ctx, tenant, "create-hold", cmd.Key, h.ID, func(tx Store) error {
		g, err := s.take(ctx, tx, tenant, w)
		if err != nil {
			return err
		}
		h.Location, h.Staff, h.Start, h.End, h.Occupied = g.location, g.Staff, g.Start, g.End, g.occupied
		if err = tx.DeleteExpiredHolds(ctx, tenant, []id.Staff{h.Staff.ID}, w.now); err != nil {
			return err
		}
		return tx.CreateHold(ctx, tenant, h)
	}, func(tx Store, before string) (err error) {
		h, err = earlier(ctx, tenant, before, id.ParseHold, tx.FindHold)
		return err
	})
	if err != nil {
		return Hold{}, s.offerAlternatives(ctx, tenant, w, err)
	}
	return h, nil
}

// Release ends a hold before its time.
func (s *Service) Release(ctx context.Context, tenant id.Tenant, hold id.Hold) error {
	found, err := s.store.DeleteHold(ctx, tenant, hold)
	if err == nil && !found {
		err = fault.NotFoundf("hold")
	}
	return err
}

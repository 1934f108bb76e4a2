package appointments

import (
	"context"
	"fmt"

	"turnero/internal/events"
	"turnero/internal/fault"
	"turnero/internal/id"
)

// Locations lists the places of business, the first one first. A business that has set up nothing yet has none.
func (s *Service) Locations(ctx context.Context, tenant id.Tenant) ([]Location, error) {
	return s.store.ListLocations(ctx, tenant)
}

// Location gives one location.
func (s *Service) Location(ctx context.Context, tenant id.Tenant, location id.Location) (Location, error) {
	return s.store.FindLocation(ctx, tenant, location)
}

// CreateLocation adds a place of business. An empty zone is the business's, a zero Policy is DefaultPolicy.
func (s *Service) CreateLocation(ctx context.Context, tenant id.Tenant, key Idempotency, l Location) (Location, error) {
	if l.Zone == "" {
		firm, err := s.firms.Business(ctx, tenant)
		if err != nil {
			return Location{}, fmt.Errorf("read the business: %w", err)
		}
		l.Zone = firm.Zone
	}
	if l.Policy == (Policy{}) {
		l.Policy = DefaultPolicy()
	}
	if err := l.check(); err != nil {
		return Location{}, err
	}
	l.ID, l.CreatedAt = id.NewLocation(), s.now()
	err := s.once(ctx, tenant, "create-location", key, l.ID, func(tx Store) error {
		all, err := tx.ListLocations(ctx, tenant)
		if err == nil {
			err = checkRoom("locations", len(all))
		}
		if err == nil {
			_, err = tx.CreateLocation(ctx, tenant, l)
		}
		return err
	}, func(tx Store, before string) (err error) {
		l, err = earlier(ctx, tenant, before, id.ParseLocation, tx.FindLocation)
		return err
	})
	return l, err
}

// firstPlace is the business's first location. The first set-up makes it, in its own transaction.
type firstPlace struct {
	Location
	isNew bool
}

// firstPlace gives the business's first location: the one that is there, or one to be made of what the business has settled.
func (s *Service) firstPlace(ctx context.Context, tenant id.Tenant) (firstPlace, error) {
	all, err := s.store.ListLocations(ctx, tenant)
	if err != nil || len(all) > 0 {
		return firstPlace{Location: append(all, Location{})[0]}, err
	}
	firm, err := s.firms.Business(ctx, tenant)
	if err != nil {
		return firstPlace{}, fmt.Errorf("read the business: %w", err)
	}
	// The ID follows from the tenant, so that two first set-ups at once make one location.
	l := Location{ID: id.FromLocation(tenant.String()), Name: firm.Name, Zone: firm.Zone, Address: firm.Address, Policy: DefaultPolicy(), CreatedAt: s.now()}
	if err = l.check(); err != nil {
		return firstPlace{}, fmt.Errorf("the business cannot have a location yet: %w", err)
	}
	return firstPlace{l, true}, nil
}

// settle makes the location if it is not there yet.
func (p firstPlace) settle(ctx context.Context, tx Store, tenant id.Tenant) error {
	if !p.isNew {
		return nil
	}
	_, err := tx.CreateLocation(ctx, tenant, p.Location)
	return err
}

// Offerings lists the services of the business, active or not.
func (s *Service) Offerings(ctx context.Context, tenant id.Tenant) ([]Offering, error) {
	return s.store.ListOfferings(ctx, tenant)
}

// Offering gives one service.
func (s *Service) Offering(ctx context.Context, tenant id.Tenant, service id.Service) (Offering, error) {
	return s.store.FindOffering(ctx, tenant, service)
}

// CreateOffering adds a service. A step of 0 is half an hour, or the duration when that is shorter.
func (s *Service) CreateOffering(ctx context.Context, tenant id.Tenant, key Idempotency, o Offering) (Offering, error) {
	if o.Step == 0 {
		o.Step = o.DefaultStep()
	}
	if err := o.check(); err != nil {
		return Offering{}, err
	}
	first, err := s.firstPlace(ctx, tenant)
	if err != nil {
		return Offering{}, err
	}
	o.ID, o.CreatedAt = id.NewService(), s.now()
	err = s.once(ctx, tenant, "create-service", key, o.ID, func(tx Store) error {
		all, err := tx.ListOfferings(ctx, tenant)
		if err == nil {
			err = checkRoom("services", len(all))
		}
		if err == nil {
			err = first.settle(ctx, tx, tenant)
		}
		if err == nil {
			err = tx.CreateOffering(ctx, tenant, o)
		}
		return err
	}, func(tx Store, before string) (err error) {
		o, err = earlier(ctx, tenant, before, id.ParseService, tx.FindOffering)
		return err
	})
	return o, err
}

// UpdateOffering changes a service as change says. Appointments already booked keep their length, buffers and price.
func (s *Service) UpdateOffering(ctx context.Context, tenant id.Tenant, service id.Service, change func(*Offering)) (Offering, error) {
	var o Offering
	err := s.store.InTx(ctx, func(tx Store) (err error) {
		if o, err = tx.FindOffering(ctx, tenant, service); err != nil {
			return err
		}
		change(&o)
		if err = o.check(); err != nil {
			return err
		}
		return tx.UpdateOffering(ctx, tenant, o)
	})
	return o, err
}

// StaffMembers lists the staff, active or not.
func (s *Service) StaffMembers(ctx context.Context, tenant id.Tenant) ([]Staff, error) {
	return s.store.ListStaff(ctx, tenant)
}

// StaffMember gives one staff member.
func (s *Service) StaffMember(ctx context.Context, tenant id.Tenant, staff id.Staff) (Staff, error) {
	return s.store.FindStaff(ctx, tenant, staff)
}

// CreateStaff adds a staff member. A zero location is the first one.
func (s *Service) CreateStaff(ctx context.Context, tenant id.Tenant, key Idempotency, m Staff) (Staff, error) {
	if err := m.check(); err != nil {
		return Staff{}, err
	}
	first, err := s.firstPlace(ctx, tenant)
	if err != nil {
		return Staff{}, err
	}
	if m.Location.IsZero() {
		m.Location = first.ID
	}
	m.ID, m.CreatedAt = id.NewStaff(), s.now()
	err = s.once(ctx, tenant, "create-staff", key, m.ID, func(tx Store) error {
		all, err := tx.ListStaff(ctx, tenant)
		if err == nil {
			err = checkRoom("staff", len(all))
		}
		if err == nil {
			err = first.settle(ctx, tx, tenant)
		}
		if err == nil {
			err = s.checkReferences(ctx, tx, tenant, &m)
		}
		if err == nil {
			err = tx.CreateStaff(ctx, tenant, m)
		}
		return err
	}, func(tx Store, before string) (err error) {
		m, err = earlier(ctx, tenant, before, id.ParseStaff, tx.FindStaff)
		return err
	})
	return m, err
}

// UpdateStaff changes a staff member as change says. Appointments already booked stay, whatever the new hours are.
func (s *Service) UpdateStaff(ctx context.Context, tenant id.Tenant, staff id.Staff, change func(*Staff)) (Staff, error) {
	var m Staff
	err := s.store.InTx(ctx, func(tx Store) (err error) {
		if err = tx.LockStaff(ctx, tenant, []id.Staff{staff}); err != nil {
			return err
		}
		if m, err = tx.FindStaff(ctx, tenant, staff); err != nil {
			return err
		}
		change(&m)
		if err = m.check(); err != nil {
			return err
		}
		if err = s.checkReferences(ctx, tx, tenant, &m); err != nil {
			return err
		}
		return tx.UpdateStaff(ctx, tenant, m)
	})
	return m, err
}

// checkReferences looks whether what the staff member names is there.
func (s *Service) checkReferences(ctx context.Context, tx Store, tenant id.Tenant, m *Staff) error {
	if _, err := tx.FindLocation(ctx, tenant, m.Location); err != nil {
		return err
	}
	all, err := tx.ListOfferings(ctx, tenant)
	if err != nil {
		return err
	}
	known := map[id.Service]bool{}
	for _, o := range all {
		known[o.ID] = true
	}
	var f findings
	for i, service := range m.Services {
		f.add(!known[service], fmt.Sprintf("services[%d]", i), "must be a service of the business, named once")
		known[service] = false
	}
	return f.err()
}

func checkRoom(what string, have int) error {
	if have < MaxSetup {
		return nil
	}
	return fault.New(fault.Conflict, "too_many_"+what, fmt.Sprintf("a business may have at most %d %s", MaxSetup, what))
}

// once makes something under the caller's key: fresh writes it, or, when the key made something before, again reads that.
func (s *Service) once(ctx context.Context, tenant id.Tenant, operation string, key Idempotency, entity fmt.Stringer, fresh func(Store) error, again func(tx Store, before string) error) error {
	return s.store.InTx(ctx, func(tx Store) error {
		before, err := tx.ClaimKey(ctx, tenant, operation, key, entity.String(), s.now())
		if err != nil {
			return err
		}
		if before != "" {
			return again(tx, before)
		}
		return fresh(tx)
	})
}

// earlier reads what a key made before.
func earlier[I, T any](ctx context.Context, tenant id.Tenant, before string, parse func(string) (I, error), find func(context.Context, id.Tenant, I) (T, error)) (T, error) {
	known, err := parse(before)
	if err != nil {
		var none T
		return none, fmt.Errorf("read what the key made: %w", err)
	}
	return find(ctx, tenant, known)
}

// emitAll tells several events in order.
func emitAll(ctx context.Context, tx Store, all []events.Event) error {
	for _, ev := range all {
		if err := tx.Emit(ctx, ev); err != nil {
			return err
		}
	}
	return nil
}

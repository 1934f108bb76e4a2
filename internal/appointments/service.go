package appointments

import (
	"time"
)

// Service is the module's use cases.
type Service struct {
	store  Store
	firms  Businesses
	phones Phones
	now    func() time.Time
}

// Deps is what a Service needs.
type Deps struct {
	Store      Store
	Businesses Businesses
	Phones     Phones
	Now        func() time.Time
}

// New makes the Service.
func New(d Deps) *Service {
	return &Service{store: d.Store, firms: d.Businesses, phones: d.Phones, now: d.Now}
}

// Within gives the same use cases inside of a transaction that the caller holds: everything that they change commits
// or falls with it. A refusal (a fault) leaves nothing behind in the transaction, so that it may go on.
func (s *Service) Within(tx Store) *Service {
	inner := *s
	inner.store = tx
	return &inner
}

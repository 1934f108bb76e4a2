package appointments

import (
	"context"
	"time"

	"turnero/internal/events"
	"turnero/internal/id"
)

// Store keeps everything of the module. Every method names the tenant; what belongs to another tenant is as if it did not
// exist: Find… then answers a fault (fault.NotFound). Inside of InTx the Store given to the function is the transaction.
type Store interface {
	// InTx runs fn in one transaction, and again when the database asks for it; within a transaction it joins that one.
	InTx(ctx context.Context, fn func(Store) error) error
	// Emit tells the event if and only if the transaction commits.
	Emit(ctx context.Context, ev events.Event) error
	// Enqueue and EnqueueAt give out the command if and only if the transaction commits; to be done at once, or not before at.
	Enqueue(ctx context.Context, job events.Job) error
	EnqueueAt(ctx context.Context, job events.Job, at time.Time) error
	// ClaimKey notes that the caller's key made entity; it returns the entity that the same key and body made before, "" if none.
	ClaimKey(ctx context.Context, tenant id.Tenant, operation string, key Idempotency, entity string, now time.Time) (string, error)

	SetupStore
	CustomerStore
	BookingStore
}

// Idempotency is a caller's Idempotency-Key with the fingerprint of the request's body. The zero value means "no key".
type Idempotency struct{ Key, BodyHash string }

// SetupStore keeps what a business sets up. Lists are in the order of creation and bounded by MaxSetup.
type SetupStore interface {
	// CreateLocation adds the location, and reports false when its ID is already there.
	CreateLocation(ctx context.Context, tenant id.Tenant, l Location) (bool, error)
	UpdateLocation(ctx context.Context, tenant id.Tenant, l Location) error
	FindLocation(ctx context.Context, tenant id.Tenant, location id.Location) (Location, error)
	ListLocations(ctx context.Context, tenant id.Tenant) ([]Location, error)

	CreateOffering(ctx context.Context, tenant id.Tenant, o Offering) error
	UpdateOffering(ctx context.Context, tenant id.Tenant, o Offering) error
	FindOffering(ctx context.Context, tenant id.Tenant, service id.Service) (Offering, error)
	ListOfferings(ctx context.Context, tenant id.Tenant) ([]Offering, error)

	// CreateStaff adds the person together with the row that bookings lock.
	CreateStaff(ctx context.Context, tenant id.Tenant, s Staff) error
	UpdateStaff(ctx context.Context, tenant id.Tenant, s Staff) error
	FindStaff(ctx context.Context, tenant id.Tenant, staff id.Staff) (Staff, error)
	ListStaff(ctx context.Context, tenant id.Tenant) ([]Staff, error)

	CreateClosure(ctx context.Context, tenant id.Tenant, c Closure) error
	FindClosure(ctx context.Context, tenant id.Tenant, closure id.Closure) (Closure, error)
	DeleteClosure(ctx context.Context, tenant id.Tenant, closure id.Closure) error
	ListClosures(ctx context.Context, tenant id.Tenant) ([]Closure, error)
}

// MaxSetup bounds how many locations, offerings, staff and closures of each a business may have.
const MaxSetup = 500

// CustomerStore keeps the customers.
type CustomerStore interface {
	FindCustomer(ctx context.Context, tenant id.Tenant, customer id.Customer) (Customer, error)
	// MatchCustomer finds the customer with the WhatsApp ID, else with the folded phone, and reports whether there is one.
	MatchCustomer(ctx context.Context, tenant id.Tenant, whatsapp, fold string) (Customer, bool, error)
	// CreateCustomer adds the customer, and reports false when the WhatsApp ID or the folded phone is somebody's already.
	CreateCustomer(ctx context.Context, tenant id.Tenant, c Customer, fold string) (bool, error)
	UpdateCustomer(ctx context.Context, tenant id.Tenant, c Customer, fold string) error
	ListCustomers(ctx context.Context, tenant id.Tenant, q CustomerQuery) ([]Customer, error)
}

// CustomerQuery selects customers, the newest first.
type CustomerQuery struct {
	Search string // part of the name or of the phone; "" = all
	After  id.Customer
	Limit  int
}

// BookingStore keeps what occupies time.
type BookingStore interface {
	// LoadPlan reads what an Agenda is made of, in at most four statements whatever the number of staff.
	LoadPlan(ctx context.Context, tenant id.Tenant, q PlanQuery) (Plan, error)
	// LockStaff keeps every other booking of these people waiting until the transaction ends. Rows are locked in the order of IDs.
	LockStaff(ctx context.Context, tenant id.Tenant, staff []id.Staff) error

	CreateAppointment(ctx context.Context, tenant id.Tenant, a Appointment) error
	// UpdateAppointment stores the changed appointment, whose Version is the one it was read with, and counts it up.
	UpdateAppointment(ctx context.Context, tenant id.Tenant, a *Appointment) error
	FindAppointment(ctx context.Context, tenant id.Tenant, appointment id.Appointment) (Appointment, error)
	// LockAppointment is FindAppointment that keeps other changes of it waiting until the transaction ends.
	LockAppointment(ctx context.Context, tenant id.Tenant, appointment id.Appointment) (Appointment, error)
	// ListAppointments gives them in the order of start and ID.
	ListAppointments(ctx context.Context, tenant id.Tenant, q AppointmentQuery) ([]Appointment, error)

	CreateHold(ctx context.Context, tenant id.Tenant, h Hold) error
	FindHold(ctx context.Context, tenant id.Tenant, hold id.Hold) (Hold, error)
	// DeleteHold removes the hold and reports whether it was there.
	DeleteHold(ctx context.Context, tenant id.Tenant, hold id.Hold) (bool, error)
	// DeleteExpiredHolds removes the holds of these people that expired by the instant.
	DeleteExpiredHolds(ctx context.Context, tenant id.Tenant, staff []id.Staff, by time.Time) error
}

// AppointmentQuery selects appointments; zero fields select everything.
type AppointmentQuery struct {
	Span     Span // those that overlap it; a zero end is open
	Staff    id.Staff
	Location id.Location
	Customer id.Customer
	Statuses []Status
	After    AppointmentPosition // those behind this one
	Limit    int
}

// AppointmentPosition is a place in the order of appointments.
type AppointmentPosition struct {
	Start time.Time
	ID    id.Appointment
}

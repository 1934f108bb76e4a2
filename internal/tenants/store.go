package tenants

import (
	"context"
	"time"

	"turnero/internal/events"
	"turnero/internal/id"
)

// Store keeps businesses. Finding nothing is a fault (NotFound).
type Store interface {
	// InTx runs fn with a Store whose changes are committed together, or not at all when fn returns an error. fn may run
	// more than once.
	InTx(ctx context.Context, fn func(Store) error) error
	// Emit writes an event that is told if and only if the transaction commits.
	Emit(ctx context.Context, ev events.Event) error
	// Enqueue writes a job that is done if and only if the transaction commits.
	Enqueue(ctx context.Context, job events.Job) error
	// EnqueueAt is Enqueue for a job that is not to be done before the instant.
	EnqueueAt(ctx context.Context, job events.Job, at time.Time) error
	// ClaimKey records that a super-admin's idempotency key makes entity and returns "", or returns the entity that it made before.
	ClaimKey(ctx context.Context, operation, key, bodyHash, entity string, now time.Time) (string, error)

	// InsertTenant adds a business; a slug or ID that is in use is a fault (Conflict, "slug_taken").
	InsertTenant(ctx context.Context, t Tenant) error
	// FindTenant finds a business in whatever status.
	FindTenant(ctx context.Context, tenant id.Tenant) (Tenant, error)
	// LockTenant is FindTenant that keeps others from changing the business until the end of the transaction.
	LockTenant(ctx context.Context, tenant id.Tenant) (Tenant, error)
	// FindTenantBySlug finds a business in whatever status by its exact slug.
	FindTenantBySlug(ctx context.Context, slug string) (Tenant, error)
	// ListTenants lists businesses with one of the statuses in order of ID, those after the given one (zero = from the start), at most limit.
	ListTenants(ctx context.Context, statuses []Status, after id.Tenant, limit int) ([]Tenant, error)
	// UpdateTenant stores everything of the business but the time of creation; a slug that is in use is a fault (Conflict, "slug_taken").
	UpdateTenant(ctx context.Context, t Tenant) error
	// DeleteTenant removes a business; one that is not there is no error.
	DeleteTenant(ctx context.Context, tenant id.Tenant) error
}

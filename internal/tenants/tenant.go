package tenants

import (
	"context"
	"slices"
	"time"

	"turnero/internal/events"
	"turnero/internal/fault"
	"turnero/internal/id"
)

// Status is what a business may do.
type Status string

// The states of a business.
const (
	Pending    Status = "pending"    // being created: seen by nobody
	Discarding Status = "discarding" // its creation was given up and is being undone: seen by nobody
	Active     Status = "active"
	Suspended  Status = "suspended" // nobody logs in, no key works, its line is down
)

// moves is the table of allowed changes of status.
var moves = map[Status][]Status{
	Pending:    {Active, Discarding},
	Active:     {Suspended},
	Suspended:  {Active},
	Discarding: {},
}

// Tenant is one business.
type Tenant struct {
	ID         id.Tenant
	Slug       string // unique in the installation; names the booking page
	Status     Status
	Settings   Settings
	FirstAdmin id.User
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// isFinished reports whether the business exists for anybody but the creation itself.
func (t Tenant) isFinished() bool { return t.Status == Active || t.Status == Suspended }

// move changes the status, or tells why that is not possible.
func (t *Tenant) move(to Status, now time.Time) error {
	if !slices.Contains(moves[t.Status], to) {
		return fault.New(fault.Conflict, "wrong_status", "a business that is "+string(t.Status)+" cannot become "+string(to))
	}
	t.Status, t.UpdatedAt = to, now
	return nil
}

// Caller is who asks for something and from where, as the edge knows it. The zero value is the program itself.
type Caller struct {
	id.Principal
	Address   string // network address, without port
	RequestID string
}

// The acts of this module that the audit log records.
const (
	ActCreated         = "tenant.created"
	ActChanged         = "tenant.changed"
	ActSuspended       = "tenant.suspended"
	ActReopened        = "tenant.reopened"
	ActSettingsChanged = "settings.changed"
)

// record has a line written to the audit log if and only if the transaction of st commits.
func (s *Service) record(ctx context.Context, st Store, by Caller, tenant id.Tenant, act string, detail map[string]string) error {
	actor := by.Actor()
	if actor == "" {
		actor = "system"
	}
	return st.Enqueue(ctx, &events.RecordAudit{Tenant: tenant, Entry: id.NewAuditEntry(), At: s.now(), Actor: actor, Action: act, Target: tenant.String(),
		Address: by.Address, RequestID: by.RequestID, Detail: detail})
}

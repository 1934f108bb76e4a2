package auth

import (
	"context"
	"strings"
	"time"

	"turnero/internal/events"
	"turnero/internal/fault"
	"turnero/internal/id"
)

// The acts of this module that the audit log records. Other modules name theirs likewise: a thing, a dot, what befell it.
const (
	ActLoginOK           = "login.ok"
	ActLoginFailed       = "login.failed"
	ActLogout            = "login.ended"
	ActRefreshReused     = "refresh.reused"
	ActPasswordChanged   = "password.changed"
	ActPasswordReset     = "password.reset"
	ActUserCreated       = "user.created"
	ActUserChanged       = "user.changed"
	ActUserDeactivated   = "user.deactivated"
	ActUserReactivated   = "user.reactivated"
	ActAPIKeyCreated     = "api_key.created"
	ActAPIKeyRevoked     = "api_key.revoked"
	ActSigningKeyRotated = "signing_key.rotated"
)

// AuditEntry is one line of the audit log.
type AuditEntry struct {
	Tenant    id.Tenant // whom the act concerns; zero = the platform
	ID        id.AuditEntry
	At        time.Time
	Actor     string // user or API key ID, or "system"
	Action    string
	Target    string // ID of what was acted upon
	Address   string
	RequestID string
	Detail    map[string]string
}

// AuditQuery chooses lines of the audit log.
type AuditQuery struct {
	Tenant   id.Tenant
	Everyone bool   // lines of all tenants and of the platform; Tenant is then ignored
	Action   string // "" = all
	After    AuditPosition
	Limit    int
}

// AuditPosition is a place in the audit log; a page begins behind it. The zero value is the beginning.
type AuditPosition struct {
	At int64         `json:"at"` // microseconds
	ID id.AuditEntry `json:"id"`
}

// Position gives the place of a line.
func (e AuditEntry) Position() AuditPosition { return AuditPosition{At: e.At.UnixMicro(), ID: e.ID} }

// ListAudit lists the lines that the caller may see, newest first: an admin those of the own business, a super-admin those
// of any or, when tenant is zero, all. Naming another's tenant is a fault (NotFound).
func (s *Service) ListAudit(ctx context.Context, by Caller, q AuditQuery) ([]AuditEntry, error) {
	switch {
	case by.Role == id.SuperAdmin:
		q.Everyone = q.Tenant.IsZero()
	case q.Tenant.IsZero() || q.Tenant == by.Tenant:
		q.Tenant, q.Everyone = by.Tenant, false
	default:
		return nil, fault.NotFoundf("tenant")
	}
	return s.store.ListAudit(ctx, q)
}

// HandleRecordAudit writes the line that another module asked for.
func (s *Service) HandleRecordAudit(ctx context.Context, job *events.RecordAudit) error {
	return s.store.InsertAudit(ctx, AuditEntry{Tenant: job.Tenant, ID: job.Entry, At: job.At, Actor: job.Actor, Action: job.Action, Target: job.Target,
		Address: job.Address, RequestID: job.RequestID, Detail: job.Detail})
}

// record writes a line about an act of the caller, in the transaction of st.
func (s *Service) record(ctx context.Context, st Store, by Caller, tenant id.Tenant, action, target string, detail map[string]string) error {
	return st.InsertAudit(ctx, AuditEntry{Tenant: tenant, ID: id.NewAuditEntry(), At: s.now(), Actor: by.actor(), Action: action, Target: target,
		Address: by.Address, RequestID: clip(by.RequestID, 191), Detail: detail})
}

// clip cuts text that comes from outside to what its column holds.
func clip(s string, most int) string {
	s = strings.ToValidUTF8(s, "")
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}

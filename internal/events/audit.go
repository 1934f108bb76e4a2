package events

import (
	"time"

	"turnero/internal/id"
)

// RecordAudit asks auth to write one line of the audit log. It is enqueued in the transaction of the act that it records,
// so that the line follows if and only if the act did. Asking twice with the same Entry writes one line.
type RecordAudit struct {
	Tenant    id.Tenant         `json:"tenant"` // whom the act concerns; zero = the platform
	Entry     id.AuditEntry     `json:"entry"`
	At        time.Time         `json:"at"`
	Actor     string            `json:"actor"`               // user or API key ID, or "system"
	Action    string            `json:"action"`              // dotted: "tenant.suspended"
	Target    string            `json:"target,omitempty"`    // ID of what was acted upon
	Address   string            `json:"address,omitempty"`   // network address of the caller
	RequestID string            `json:"requestId,omitempty"` // of the request that did it
	Detail    map[string]string `json:"detail,omitempty"`    // never a secret
}

// DiscardTenant asks tenants to remove a business whose creation was never finished. A finished one stays as it is.
type DiscardTenant struct {
	Tenant id.Tenant `json:"tenant"`
}

func (j *RecordAudit) JobKind() string        { return "audit.record" }
func (j *RecordAudit) JobTenant() id.Tenant   { return j.Tenant }
func (j *RecordAudit) OrderKey() string       { return "" }
func (j *RecordAudit) UniqueKey() string      { return j.Entry.String() }
func (j *DiscardTenant) JobKind() string      { return "tenants.discard" }
func (j *DiscardTenant) JobTenant() id.Tenant { return j.Tenant }
func (j *DiscardTenant) OrderKey() string     { return j.Tenant.String() }
func (j *DiscardTenant) UniqueKey() string    { return j.Tenant.String() }

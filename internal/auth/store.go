package auth

import (
	"context"
	"time"

	"turnero/internal/events"
	"turnero/internal/id"
)

// Store keeps what this module knows. A tenant's ID that is zero means the platform itself (super-admins belong to no
// tenant). Finding nothing is a fault (NotFound). The Find…ByEmail, …ByHash methods name no tenant because they are the
// ones that tell it: their argument is a credential or what a person logs in with.
type Store interface {
	// InTx runs fn with a Store whose changes are committed together, or not at all when fn returns an error. fn may run
	// more than once.
	InTx(ctx context.Context, fn func(Store) error) error
	// Emit writes an event that is told if and only if the transaction commits.
	Emit(ctx context.Context, ev events.Event) error
	// ClaimKey records that an idempotency key makes entity and returns "", or returns the entity that it made before.
	ClaimKey(ctx context.Context, tenant id.Tenant, operation, key, bodyHash, entity string, now time.Time) (string, error)
	UserStore
	LoginStore
	APIKeyStore
	SigningKeyStore
	AuditStore
}

// UserStore keeps people.
type UserStore interface {
	// InsertUser adds a person; an e-mail address that somebody has already is a fault (Conflict, "email_taken").
	InsertUser(ctx context.Context, u User) error
	FindUser(ctx context.Context, tenant id.Tenant, user id.User) (User, error)
	FindUserByEmail(ctx context.Context, email Email) (User, error)
	// LockUser is FindUser that keeps others from changing the person until the end of the transaction.
	LockUser(ctx context.Context, tenant id.Tenant, user id.User) (User, error)
	// LockActiveAdmins finds and locks all active admins of the tenant, so that two changes cannot each leave the other's to be the last.
	LockActiveAdmins(ctx context.Context, tenant id.Tenant) ([]User, error)
	// ListUsers lists people in order of ID, those after the given one (zero = from the start), at most limit.
	ListUsers(ctx context.Context, tenant id.Tenant, after id.User, limit int) ([]User, error)
	// UpdateUser stores everything of the person but the e-mail address and the time of creation.
	UpdateUser(ctx context.Context, u User) error
	// DeleteUsers removes all people of a tenant.
	DeleteUsers(ctx context.Context, tenant id.Tenant) error
}

// LoginStore keeps log-ins and the chains of their refresh tokens.
type LoginStore interface {
	InsertLogin(ctx context.Context, l Login) error
	// LockLogin finds a log-in and keeps others from using or revoking it until the end of the transaction.
	LockLogin(ctx context.Context, tenant id.Tenant, login id.Login) (Login, error)
	// ExtendLogin moves the end of a log-in.
	ExtendLogin(ctx context.Context, tenant id.Tenant, login id.Login, until time.Time) error
	// RevokeLogin ends one log-in; one that is revoked already stays as it is.
	RevokeLogin(ctx context.Context, tenant id.Tenant, login id.Login, reason string, now time.Time) error
	// RevokeLogins ends all log-ins of a person but the one given (zero = all).
	RevokeLogins(ctx context.Context, tenant id.Tenant, user id.User, except id.Login, reason string, now time.Time) error
	// HasLogins reports whether anybody of the tenant has ever logged in, as far as is still kept.
	HasLogins(ctx context.Context, tenant id.Tenant) (bool, error)
	// FindStanding reads what a log-in is worth at this moment.
	FindStanding(ctx context.Context, tenant id.Tenant, login id.Login, user id.User) (Standing, error)
	InsertRefreshToken(ctx context.Context, t RefreshToken) error
	FindRefreshTokenByHash(ctx context.Context, hash string) (RefreshToken, error)
	// RotateRefreshToken marks a token as used, keeping the salt of its successor.
	RotateRefreshToken(ctx context.Context, tenant id.Tenant, token id.RefreshToken, salt string, now time.Time) error
	// DeleteExpiredLogins removes log-ins and refresh tokens that ended before the instant.
	DeleteExpiredLogins(ctx context.Context, before time.Time) error
}

// APIKeyStore keeps API keys.
type APIKeyStore interface {
	InsertAPIKey(ctx context.Context, k APIKey) error
	FindAPIKey(ctx context.Context, tenant id.Tenant, key id.APIKey) (APIKey, error)
	FindAPIKeyByHash(ctx context.Context, hash string) (APIKey, error)
	// ListAPIKeys lists keys in order of ID, those after the given one (zero = from the start), at most limit.
	ListAPIKeys(ctx context.Context, tenant id.Tenant, after id.APIKey, limit int) ([]APIKey, error)
	// RevokeAPIKey ends a key and reports whether it was in force.
	RevokeAPIKey(ctx context.Context, tenant id.Tenant, key id.APIKey, now time.Time) (bool, error)
	// TouchAPIKey records a use, unless one after notSince is recorded.
	TouchAPIKey(ctx context.Context, tenant id.Tenant, key id.APIKey, now, notSince time.Time) error
}

// SigningKeyStore keeps the installation's signing keys, sealed.
type SigningKeyStore interface {
	// ListSigningKeys lists the newest keys, newest first, at most limit.
	ListSigningKeys(ctx context.Context, limit int) ([]SigningKey, error)
	// InsertSigningKey adds a key and reports whether it did: a generation that is there already stays as it is.
	InsertSigningKey(ctx context.Context, k SigningKey) (bool, error)
}

// AuditStore keeps the audit log.
type AuditStore interface {
	// InsertAudit adds a line; one with the same tenant and ID stays as it is.
	InsertAudit(ctx context.Context, e AuditEntry) error
	// ListAudit lists lines, newest first.
	ListAudit(ctx context.Context, q AuditQuery) ([]AuditEntry, error)
}

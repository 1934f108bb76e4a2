package auth

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"turnero/internal/fault"
	"turnero/internal/id"
)

const (
	apiKeyPrefix = "tk_"
	// apiKeyHint is how many characters of a key are kept readable, to tell keys apart in a list.
	apiKeyHint = 9
	// lastUseStep is how exact the record of a key's last use is: one write a minute at most.
	lastUseStep = time.Minute
)

// APIKey is a credential of a business's own systems. It acts with an admin's role, narrowed to its scopes. The key itself
// is not kept, only its SHA-256: it has 256 random bits.
type APIKey struct {
	Tenant     id.Tenant
	ID         id.APIKey
	Name       string
	Hint       string // the first characters of the key
	Hash       string // lower-case hex
	Scopes     []string
	CreatedBy  string // actor
	CreatedAt  time.Time
	ExpiresAt  time.Time // zero = never
	LastUsedAt time.Time // to the minute; zero = never
	RevokedAt  time.Time // zero while in force
}

// isInForce reports whether the key may be used at the instant.
func (k APIKey) isInForce(now time.Time) bool {
	return k.RevokedAt.IsZero() && (k.ExpiresAt.IsZero() || now.Before(k.ExpiresAt))
}

// NewAPIKey is what a key is made of.
type NewAPIKey struct {
	Name           string
	Scopes         []string  // at least one
	ExpiresAt      time.Time // zero = never
	IdempotencyKey string
	BodyHash       string
}

// CreateAPIKey makes a key for the tenant and returns it with its secret text, which is shown this once: a request
// repeated with the same idempotency key gets the same APIKey and no text.
func (s *Service) CreateAPIKey(ctx context.Context, by Caller, tenant id.Tenant, in NewAPIKey) (APIKey, string, error) {
	now := s.now()
	name, err := s.checkAPIKey(&in, now)
	if err != nil {
		return APIKey{}, "", err
	}
	text := apiKeyPrefix + base64.RawURLEncoding.EncodeToString(randomBytes(32))
	fresh := APIKey{Tenant: tenant, ID: id.NewAPIKey(), Name: name, Hint: text[:apiKeyHint], Hash: hashSecret(text), Scopes: in.Scopes,
		CreatedBy: by.actor(), CreatedAt: now, ExpiresAt: in.ExpiresAt}
	var out APIKey
	var shown string
	err = s.store.InTx(ctx, func(st Store) error {
		before, err := st.ClaimKey(ctx, tenant, "api_keys.create", in.IdempotencyKey, in.BodyHash, fresh.ID.String(), now)
		if err != nil {
			return err
		}
		if before != "" {
			old, err := id.ParseAPIKey(before)
			if err != nil {
				return err
			}
			shown = ""
			out, err = st.FindAPIKey(ctx, tenant, old)
			return err
		}
		out, shown = fresh, text
		if err = st.InsertAPIKey(ctx, fresh); err != nil {
			return err
		}
		return s.record(ctx, st, by, tenant, ActAPIKeyCreated, fresh.ID.String(), map[string]string{"name": name, "scopes": strings.Join(in.Scopes, " ")})
	})
	if err != nil {
		return APIKey{}, "", err
	}
	return out, shown, nil
}

// checkAPIKey names every broken rule and puts the scopes in order, each once.
func (s *Service) checkAPIKey(in *NewAPIKey, now time.Time) (string, error) {
	var broken []fault.Field
	name, err := cleanName("name", in.Name)
	broken = appendFields(broken, err)
	if len(in.Scopes) == 0 {
		broken = append(broken, fault.Field{Name: "scopes", Rule: "must name at least one"})
	}
	for i, scope := range in.Scopes {
		if !slices.Contains(s.scopes, scope) {
			broken = append(broken, fault.Field{Name: fmt.Sprintf("scopes[%d]", i), Rule: "must be one of " + strings.Join(s.scopes, ", ")})
		}
	}
	if !in.ExpiresAt.IsZero() && !in.ExpiresAt.After(now) {
		broken = append(broken, fault.Field{Name: "expiresAt", Rule: "must be in the future"})
	}
	if in.ExpiresAt.Year() > 9999 {
		broken = append(broken, fault.Field{Name: "expiresAt", Rule: "must be before the year 10000"})
	}
	in.Scopes = slices.Compact(slices.Sorted(slices.Values(in.Scopes)))
	in.ExpiresAt = in.ExpiresAt.UTC().Truncate(time.Microsecond)
	return name, fault.BadFields(broken...)
}

// ListAPIKeys lists the tenant's keys in the order in which they were made, revoked ones included.
func (s *Service) ListAPIKeys(ctx context.Context, tenant id.Tenant, after id.APIKey, limit int) ([]APIKey, error) {
	return s.store.ListAPIKeys(ctx, tenant, after, limit)
}

// RevokeAPIKey ends a key at once. Revoking it again changes nothing.
func (s *Service) RevokeAPIKey(ctx context.Context, by Caller, tenant id.Tenant, key id.APIKey) error {
	err := s.store.InTx(ctx, func(st Store) error {
		if _, err := st.FindAPIKey(ctx, tenant, key); err != nil {
			return err
		}
		ended, err := st.RevokeAPIKey(ctx, tenant, key, s.now())
		if err != nil || !ended {
			return err
		}
		return s.record(ctx, st, by, tenant, ActAPIKeyRevoked, key.String(), nil)
	})
	s.rightsChanged()
	return err
}

// Package idempotency remembers which request made which thing, so that a request repeated with the same Idempotency-Key
// (draft-ietf-httpapi-idempotency-key-header) gives the same thing instead of a second one.
package idempotency

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/groupcommit"
	"turnero/internal/platform/sqlkit"

	"github.com/uptrace/bun"
)

// MaxKeyLength is the longest key accepted, in characters.
const MaxKeyLength = 255

type row struct {
	bun.BaseModel `bun:"table:idempotency_keys"`
	TenantID      string `bun:"tenant_id,pk"`
	Operation     string `bun:"operation,pk"`
	Key           string `bun:"key,pk"`
	BodyHash      string `bun:"body_hash"`
	EntityID      string `bun:"entity_id"`
	CreatedAt     int64  `bun:"created_at"`
}

// Hash gives the fingerprint of a request's body, by which a repeated key with another body is told apart.
func Hash(body any) string {
	raw, err := json.Marshal(body)
	if err != nil {
		raw = []byte(fmt.Sprintf("%#v", body))
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// Claim records, in the transaction of h, that the key of this tenant and operation makes entity. For a fresh key it
// returns "": go on and make it. For a key already used with the same body it returns the entity made then: answer with
// that in its present state. With another body it is a fault (Invalid, "idempotency_key_reused"). An empty key is always fresh and is not recorded.
func Claim(ctx context.Context, h sqlkit.Handle, tenant id.Tenant, operation, key, bodyHash, entity string, now time.Time) (string, error) {
	if key == "" {
		return "", nil
	}
	if err := Check(key); err != nil {
		return "", err
	}
	r := &row{TenantID: tenant.String(), Operation: operation, Key: key, BodyHash: bodyHash, EntityID: entity, CreatedAt: sqlkit.Micros(now)}
	fresh, err := h.InsertIfAbsent(ctx, r)
	if err != nil {
		return "", fmt.Errorf("claim idempotency key: %w", err)
	}
	if fresh {
		return "", nil
	}
	var old row
	err = h.Write().NewSelect().Model(&old).Where("tenant_id = ?", r.TenantID).Where("operation = ?", operation).Where("? = ?", bun.Ident("key"), key).Scan(ctx)
	if err != nil {
		return "", fmt.Errorf("read idempotency key: %w", err)
	}
	if old.BodyHash != bodyHash {
		return "", &fault.Error{Code: fault.Invalid, Reason: "idempotency_key_reused", Message: "this Idempotency-Key was used with another request",
			Fields: []fault.Field{{Name: "Idempotency-Key", Rule: "must be new for a new request"}}}
	}
	return old.EntityID, nil
}

// The table as group commits write it.
var (
	claims      = table("key")
	claimsMySQL = table("`key`")
)

func table(key string) *groupcommit.Table {
	text := func(name string) groupcommit.Column { return groupcommit.Column{Name: name, Kind: groupcommit.Text} }
	return &groupcommit.Table{Name: "idempotency_keys", OnlyNew: true, Keys: []groupcommit.Column{text("tenant_id"), text("operation"), text(key)},
		Values: []groupcommit.Column{text("body_hash"), text("entity_id"), {Name: "created_at", Kind: groupcommit.Int}}}
}

// Row gives a fresh claim of a key that has passed Check as a row for a group commit, whose member fails when the key is there already.
func Row(d sqlkit.Dialect, tenant id.Tenant, operation, key, bodyHash, entity string, now time.Time) groupcommit.Row {
	t := claims
	if d == sqlkit.MySQL {
		t = claimsMySQL
	}
	return groupcommit.Row{Table: t, Values: []any{tenant.String(), operation, key, bodyHash, entity, sqlkit.Micros(now)}}
}

// Check refuses keys that not every database could keep as they are.
func Check(key string) error {
	if len(key) > MaxKeyLength {
		return fault.BadField("Idempotency-Key", fmt.Sprintf("must have at most %d characters", MaxKeyLength))
	}
	for i := range len(key) {
		if key[i] < ' ' || key[i] > '~' {
			return fault.BadField("Idempotency-Key", "must be of printable ASCII characters")
		}
	}
	return nil
}

// Forget deletes the keys recorded before the instant and returns how many.
func Forget(ctx context.Context, h sqlkit.Handle, before time.Time) (int64, error) {
	return sqlkit.Affected(h.Write().NewDelete().Model((*row)(nil)).Where("created_at < ?", sqlkit.Micros(before)).Exec(ctx))
}

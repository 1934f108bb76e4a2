package auth

import (
	"context"
	"fmt"
	"time"

	"turnero/internal/fault"
	"turnero/internal/id"
)

// KeyTerm is one signing key and the times in which it is in force.
type KeyTerm struct {
	KID           string
	MadeAt        time.Time
	SignsFrom     time.Time // before that it is only published
	SignsUntil    time.Time // zero while no later key has been made
	VerifiesUntil time.Time // likewise
}

// Rotate makes a new key. All processes publish it within a minute; it signs three minutes later, when everybody who
// verifies has it. Tokens signed with the key before go on to be valid until they expire; soon after the last has, that key
// is in force no more. Nothing need be restarted. When so many keys are in force that a token's would be forgotten, or when
// somebody else is making one at this moment, the fault is Conflict, and there is no new key.
func (r *Keyring) Rotate(ctx context.Context) error {
	keys, err := r.store.ListSigningKeys(ctx, mostKeys)
	if err != nil {
		return fmt.Errorf("read signing keys: %w", err)
	}
	if len(inForce(keys, r.now())) == mostKeys {
		return fault.New(fault.Conflict, "too_many_signing_keys", fmt.Sprintf("%d keys are in force; wait until one is so no more, at most %s", mostKeys, retireAfter))
	}
	last := int64(0)
	if len(keys) > 0 {
		last = keys[0].Generation
	}
	key, err := r.generate(ctx, last+1)
	if err != nil {
		return err
	}
	return r.store.InTx(ctx, func(st Store) error {
		switch fresh, err := st.InsertSigningKey(ctx, key); {
		case err != nil:
			return fmt.Errorf("store signing key: %w", err)
		case !fresh:
			return fault.New(fault.Conflict, "signing_key_rotated", "somebody else has made a new key at this moment")
		}
		return st.InsertAudit(ctx, AuditEntry{ID: id.NewAuditEntry(), At: key.CreatedAt, Actor: Caller{}.actor(), Action: ActSigningKeyRotated, Target: key.KID})
	})
}

// Terms lists the keys in force, newest first; none before the first has been needed.
func (r *Keyring) Terms(ctx context.Context) ([]KeyTerm, error) {
	keys, err := r.store.ListSigningKeys(ctx, mostKeys)
	if err != nil {
		return nil, fmt.Errorf("read signing keys: %w", err)
	}
	keys = inForce(keys, r.now())
	out := make([]KeyTerm, len(keys))
	for i, k := range keys {
		out[i] = KeyTerm{KID: k.KID, MadeAt: k.CreatedAt, SignsFrom: k.CreatedAt}
		if k.Generation > 1 {
			out[i].SignsFrom = k.CreatedAt.Add(publishAhead)
		}
		if i > 0 {
			out[i].SignsUntil, out[i].VerifiesUntil = keys[i-1].CreatedAt.Add(publishAhead), keys[i-1].CreatedAt.Add(retireAfter)
		}
	}
	return out, nil
}

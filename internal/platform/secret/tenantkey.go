package secret

import (
	"context"
	"crypto/cipher"
	"crypto/rand"
	"strconv"

	"turnero/internal/id"
)

// binaryVersion begins everything sealed in the byte form.
const binaryVersion = 1

// TenantKey is one tenant's open data key, for those who seal often: no look-up, and bytes instead of text. The scheme is that
// of Keyring.Seal. It may be used by many goroutines at once.
type TenantKey struct {
	key   cipher.AEAD
	owner []byte // how the associated data begin
}

// TenantKey opens the tenant's data key (the zero tenant: the platform's), making it when there is none.
func (k *Keyring) TenantKey(ctx context.Context, tenant id.Tenant) (*TenantKey, error) {
	key, err := k.key(ctx, tenant)
	if err != nil {
		return nil, err
	}
	return &TenantKey{key: key, owner: associated(tenant.String(), "")}, nil
}

// Seal encrypts plaintext for a place, which must say unambiguously where the bytes are kept: table and row. They open only there.
func (t *TenantKey) Seal(place, plaintext []byte) []byte {
	nonce := t.key.NonceSize()
	out := make([]byte, 1+nonce, 1+nonce+len(plaintext)+t.key.Overhead())
	out[0] = binaryVersion
	_, _ = rand.Read(out[1:])
	return t.key.Seal(out, out[1:1+nonce], plaintext, t.aad(place))
}

// Open decrypts what Seal made for the same tenant and place; ErrSealed when it was not that.
func (t *TenantKey) Open(place, sealed []byte) ([]byte, error) {
	nonce := t.key.NonceSize()
	if len(sealed) < 1+nonce || sealed[0] != binaryVersion {
		return nil, ErrSealed
	}
	plain, err := t.key.Open(nil, sealed[1:1+nonce], sealed[1+nonce:], t.aad(place))
	if err != nil {
		return nil, ErrSealed
	}
	return plain, nil
}

func (t *TenantKey) aad(place []byte) []byte {
	out := make([]byte, 0, len(t.owner)+len(place))
	return append(append(out, t.owner...), place...)
}

// AppendPart appends one part of a place, with its length before it, so that no two lists of parts give the same bytes.
func AppendPart(place []byte, part string) []byte {
	place = strconv.AppendInt(place, int64(len(part)), 10)
	place = append(place, ':')
	return append(place, part...)
}

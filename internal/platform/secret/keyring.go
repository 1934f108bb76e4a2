package secret

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/uptrace/bun"

	"turnero/internal/id"
	"turnero/internal/platform/sqlkit"
)

// version begins every sealed text, so that another scheme can follow.
const version = "v1."

var (
	// ErrWrongMasterKey says that the stored keys were made with another master key.
	ErrWrongMasterKey = errors.New("the master key does not open the keys stored in this database: give the key that this installation was first started with")
	// ErrSealed says that a sealed text does not open here: it was changed, or belongs to another place.
	ErrSealed = errors.New("sealed text does not open: it was changed or belongs elsewhere")
)

// Keyring seals and opens small secrets with a data key per tenant.
type Keyring struct {
	h      sqlkit.Handle
	root   Master
	master cipher.AEAD
	now    func() time.Time
	cache  *cache
}

// cache holds the data keys that are open, by the name of their row.
type cache struct {
	mu   sync.RWMutex
	keys map[string]cipher.AEAD
}

func (c *cache) get(name string) cipher.AEAD {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.keys[name]
}

func (c *cache) put(name string, key cipher.AEAD) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keys[name] = key
}

// NewKeyring makes the keyring of a database.
func NewKeyring(db *sqlkit.DB, master Master, now func() time.Time) (*Keyring, error) {
	aead, err := newAEAD(master[:])
	if err != nil {
		return nil, err
	}
	return &Keyring{h: db.Handle(), root: master, master: aead, now: now, cache: &cache{keys: map[string]cipher.AEAD{}}}, nil
}

// In gives the keyring for use inside the transaction of h. A tenant's first key is then made in that transaction; made
// outside of it, it would wait for the one writing connection of SQLite, which the transaction holds.
func (k *Keyring) In(h sqlkit.Handle) *Keyring {
	return &Keyring{h: h, root: k.root, master: k.master, now: k.now, cache: k.cache}
}

// DeriveKey gives the installation's key for a purpose, the same in every process that has the master key; see Master.DeriveKey.
func (k *Keyring) DeriveKey(purpose string) []byte { return k.root.DeriveKey(purpose) }

type keyRow struct {
	bun.BaseModel `bun:"table:tenant_keys"`
	TenantID      string `bun:"tenant_id,pk"`
	Wrapped       string `bun:"wrapped"`
	CreatedAt     int64  `bun:"created_at"`
}

// Seal encrypts plaintext for the tenant (the zero tenant: the platform itself). place names where the text is kept ("table:row"); it opens only there.
func (k *Keyring) Seal(ctx context.Context, tenant id.Tenant, place string, plaintext []byte) (string, error) {
	key, err := k.key(ctx, tenant)
	if err != nil {
		return "", err
	}
	return seal(key, associated(tenant.String(), place), plaintext), nil
}

// Open decrypts what Seal made for the same tenant and place; ErrSealed when it was not that.
func (k *Keyring) Open(ctx context.Context, tenant id.Tenant, place, sealed string) ([]byte, error) {
	key, err := k.key(ctx, tenant)
	if err != nil {
		return nil, err
	}
	return open(key, associated(tenant.String(), place), sealed)
}

// Check reports whether the master key opens what is stored: ErrWrongMasterKey when it does not. In a new database it stores a key
// of the platform, so that a wrong master key is noticed from the second start on.
func (k *Keyring) Check(ctx context.Context) error {
	_, err := k.key(ctx, id.Tenant{})
	return err
}

// platformKey is the row of the zero tenant.
const platformKey = "platform"

func rowName(tenant id.Tenant) string {
	if tenant.IsZero() {
		return platformKey
	}
	return tenant.String()
}

func (k *Keyring) key(ctx context.Context, tenant id.Tenant) (cipher.AEAD, error) {
	name := rowName(tenant)
	if key := k.cache.get(name); key != nil {
		return key, nil
	}
	wrapped, err := k.find(ctx, name)
	if err != nil {
		return nil, err
	}
	raw, err := open(k.master, associated(name, "tenant_keys"), wrapped)
	if err != nil {
		return nil, ErrWrongMasterKey
	}
	key, err := newAEAD(raw)
	if err != nil {
		return nil, err
	}
	k.h.AfterCommit(func() { k.cache.put(name, key) }) // a key that was rolled back must not stay
	return key, nil
}

// find reads the wrapped data key, making it if nobody has: of two who try at once, both get the one that was stored.
func (k *Keyring) find(ctx context.Context, name string) (string, error) {
	var row keyRow
	err := k.h.Read().NewSelect().Model(&row).Where("tenant_id = ?", name).Scan(ctx)
	if err == nil {
		return row.Wrapped, nil
	}
	if !sqlkit.IsNoRows(err) {
		return "", fmt.Errorf("read data key: %w", err)
	}
	var fresh [KeySize]byte
	_, _ = rand.Read(fresh[:])
	err = k.h.InTx(ctx, func(ctx context.Context, h sqlkit.Handle) error {
		made := &keyRow{TenantID: name, Wrapped: seal(k.master, associated(name, "tenant_keys"), fresh[:]), CreatedAt: sqlkit.Micros(k.now())}
		if _, err := h.InsertIfAbsent(ctx, made); err != nil {
			return err
		}
		return h.Write().NewSelect().Model(&row).Where("tenant_id = ?", name).Scan(ctx)
	})
	if err != nil {
		return "", fmt.Errorf("make data key: %w", err)
	}
	return row.Wrapped, nil
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// associated joins owner and place so that no two pairs give the same bytes.
func associated(owner, place string) []byte {
	return fmt.Appendf(nil, "%d:%s|%s", len(owner), owner, place)
}

func seal(key cipher.AEAD, aad, plaintext []byte) string {
	nonce := make([]byte, key.NonceSize(), key.NonceSize()+len(plaintext)+key.Overhead())
	_, _ = rand.Read(nonce)
	return version + base64.RawStdEncoding.EncodeToString(key.Seal(nonce, nonce, plaintext, aad))
}

func open(key cipher.AEAD, aad []byte, sealed string) ([]byte, error) {
	text, ok := strings.CutPrefix(sealed, version)
	raw, err := base64.RawStdEncoding.DecodeString(text)
	if !ok || err != nil || len(raw) < key.NonceSize() {
		return nil, ErrSealed
	}
	plain, err := key.Open(nil, raw[:key.NonceSize()], raw[key.NonceSize():], aad)
	if err != nil {
		return nil, ErrSealed
	}
	return plain, nil
}

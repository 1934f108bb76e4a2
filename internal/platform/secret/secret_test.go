package secret_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/id"
	"turnero/internal/platform/secret"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
)

func TestMasterKeyIsMadeOnceAndKeptPrivate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, _, err := secret.LoadOrCreate(dir, "", false)
	require.ErrorIs(t, err, secret.ErrNoMasterKey)
	made, created, err := secret.LoadOrCreate(dir, "", true)
	require.NoError(t, err)
	require.True(t, created)
	path := filepath.Join(dir, secret.FileName)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	again, created, err := secret.LoadOrCreate(dir, "", true)
	require.NoError(t, err)
	require.False(t, created)
	require.Equal(t, made, again)

	require.NoError(t, os.Chmod(path, 0o644))
	_, _, err = secret.LoadOrCreate(dir, "", true)
	require.ErrorContains(t, err, "chmod 600")
	require.NoError(t, os.Chmod(path, 0o600))
	require.NoError(t, os.WriteFile(path, []byte("short"), 0o600))
	_, _, err = secret.LoadOrCreate(dir, "", true)
	require.ErrorContains(t, err, "32 bytes")
}

func TestMasterKeyIsReadInBase64AndHex(t *testing.T) {
	t.Parallel()
	raw := make([]byte, 32)
	for i := range raw {
		raw[i] = byte(250 - i)
	}
	for _, text := range []string{hex.EncodeToString(raw), base64.StdEncoding.EncodeToString(raw), base64.RawURLEncoding.EncodeToString(raw), " " + base64.URLEncoding.EncodeToString(raw) + "\n"} {
		m, err := secret.ParseMaster(text)
		require.NoError(t, err, text)
		require.Equal(t, raw, m[:])
	}
	for _, text := range []string{"", "x", strings.Repeat("00", 32), strings.Repeat("qqqq", 10) + "qqo=", hex.EncodeToString(raw[:31]), base64.StdEncoding.EncodeToString(append(raw, 1))} {
		_, err := secret.ParseMaster(text)
		require.Error(t, err, text)
	}
}

func TestAMasterKeyNeverShowsItself(t *testing.T) {
	t.Parallel()
	m, err := secret.ParseMaster(base64.StdEncoding.EncodeToString([]byte("0123456789abcdefghijklmnopqrstuv")))
	require.NoError(t, err)
	asJSON, err := json.Marshal(map[string]any{"key": m})
	require.NoError(t, err)
	var logged bytes.Buffer
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "key", m)
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "key", &m)
	for _, text := range []string{fmt.Sprint(m), fmt.Sprintf("%v %+v %#v %x %s %d", m, m, m, m, m, &m), string(asJSON), logged.String()} {
		require.Contains(t, text, "[master key]")
		require.NotContains(t, text, "0123456789")
		require.NotContains(t, text, "30313233")
		require.NotContains(t, text, "48 49")
		require.NotContains(t, text, "MDEyMzQ1")
	}
}

func TestATenantsFirstKeyIsMadeInTheTransactionThatNeedsIt(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		k := keyring(t, db, secret.Master{})
		tenant := id.NewTenant()
		var sealed string
		write := func(fail error) error {
			return db.Handle().InTx(t.Context(), func(ctx context.Context, h sqlkit.Handle) (err error) {
				if sealed, err = k.In(h).Seal(ctx, tenant, "p", []byte("x")); err != nil {
					return err
				}
				plain, err := k.In(h).Open(ctx, tenant, "p", sealed)
				require.NoError(t, err)
				require.Equal(t, "x", string(plain))
				return fail
			})
		}
		no := errors.New("no")
		require.ErrorIs(t, write(no), no)
		_, err := k.Open(t.Context(), tenant, "p", sealed)
		require.ErrorIs(t, err, secret.ErrSealed, "the key went with its transaction")
		require.NoError(t, write(nil))
		plain, err := keyring(t, db, secret.Master{}).Open(t.Context(), tenant, "p", sealed)
		require.NoError(t, err)
		require.Equal(t, "x", string(plain))
	})
}

func keyring(t *testing.T, db *sqlkit.DB, m secret.Master) *secret.Keyring {
	t.Helper()
	k, err := secret.NewKeyring(db, m, time.Now)
	require.NoError(t, err)
	return k
}

func TestWhatIsSealedOpensOnlyForItsTenantAndPlace(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		var m secret.Master
		k := keyring(t, db, m)
		one, two := id.NewTenant(), id.NewTenant()
		sealed, err := k.Seal(t.Context(), one, "devices:1", []byte("noise key"))
		require.NoError(t, err)
		require.NotContains(t, sealed, "noise")
		again, err := k.Seal(t.Context(), one, "devices:1", []byte("noise key"))
		require.NoError(t, err)
		require.NotEqual(t, sealed, again, "a nonce is never used twice")

		plain, err := keyring(t, db, m).Open(t.Context(), one, "devices:1", sealed)
		require.NoError(t, err)
		require.Equal(t, "noise key", string(plain))
		for name, attempt := range map[string]func() ([]byte, error){
			"other tenant": func() ([]byte, error) { return k.Open(t.Context(), two, "devices:1", sealed) },
			"platform":     func() ([]byte, error) { return k.Open(t.Context(), id.Tenant{}, "devices:1", sealed) },
			"other place":  func() ([]byte, error) { return k.Open(t.Context(), one, "devices:2", sealed) },
			"cut":          func() ([]byte, error) { return k.Open(t.Context(), one, "devices:1", sealed[:len(sealed)-2]) },
			"no version":   func() ([]byte, error) { return k.Open(t.Context(), one, "devices:1", sealed[3:]) },
			"empty":        func() ([]byte, error) { return k.Open(t.Context(), one, "devices:1", "") },
		} {
			_, err := attempt()
			require.ErrorIs(t, err, secret.ErrSealed, name)
		}
	})
}

func TestAWrongMasterKeyIsNoticedAtTheStart(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		require.NoError(t, keyring(t, db, secret.Master{1}).Check(t.Context()))
		require.NoError(t, keyring(t, db, secret.Master{1}).Check(t.Context()))
		require.ErrorIs(t, keyring(t, db, secret.Master{2}).Check(t.Context()), secret.ErrWrongMasterKey)
	})
}

func TestManyWhoNeedATenantsFirstKeyAtOnceShareOne(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		tenant := id.NewTenant()
		sealed := make([]string, 16)
		var wg sync.WaitGroup
		for i := range sealed {
			wg.Go(func() {
				text, err := keyring(t, db, secret.Master{}).Seal(t.Context(), tenant, "p", []byte("x"))
				if err == nil {
					sealed[i] = text
				}
			})
		}
		wg.Wait()
		k := keyring(t, db, secret.Master{})
		for _, text := range sealed {
			plain, err := k.Open(t.Context(), tenant, "p", text)
			require.NoError(t, err)
			require.Equal(t, "x", string(plain))
		}
	})
}

func TestTenantKeySealsBytesInPlace(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		k := keyring(t, db, secret.Master{})
		one, err := k.TenantKey(t.Context(), id.NewTenant())
		require.NoError(t, err)
		two, err := k.TenantKey(t.Context(), id.NewTenant())
		require.NoError(t, err)
		place := secret.AppendPart(secret.AppendPart(nil, "table"), "row")
		for _, plain := range [][]byte{[]byte("ratchet"), {}} {
			sealed := one.Seal(place, plain)
			require.NotContains(t, string(sealed), "ratchet")
			require.NotEqual(t, sealed, one.Seal(place, plain), "a nonce is used once")
			got, err := one.Open(place, sealed)
			require.NoError(t, err)
			require.Equal(t, string(plain), string(got))
			_, err = two.Open(place, sealed)
			require.ErrorIs(t, err, secret.ErrSealed, "another tenant")
			_, err = one.Open(secret.AppendPart(nil, "table"), sealed)
			require.ErrorIs(t, err, secret.ErrSealed, "another place")
			for i := range sealed {
				changed := append([]byte{}, sealed...)
				changed[i] ^= 1
				_, err = one.Open(place, changed)
				require.ErrorIs(t, err, secret.ErrSealed)
			}
			_, err = one.Open(place, sealed[:8])
			require.ErrorIs(t, err, secret.ErrSealed)
		}
	})
}

func TestPartsOfAPlaceCannotBeShifted(t *testing.T) {
	t.Parallel()
	join := func(parts ...string) string {
		var place []byte
		for _, p := range parts {
			place = secret.AppendPart(place, p)
		}
		return string(place)
	}
	require.NotEqual(t, join("ab", "c"), join("a", "bc"))
	require.NotEqual(t, join("a", ""), join("", "a"))
	require.NotEqual(t, join("1:a"), join("", "a"))
}

func TestADerivedKeyIsOnePurposesAlone(t *testing.T) {
	t.Parallel()
	one, other := secret.Master{1}, secret.Master{2}
	key := one.DeriveKey("peer")
	require.Len(t, key, secret.KeySize)
	require.Equal(t, key, one.DeriveKey("peer"), "every process makes the same")
	require.NotEqual(t, key, one.DeriveKey("other"))
	require.NotEqual(t, key, other.DeriveKey("peer"))
	require.NotEqual(t, key, one[:])
}

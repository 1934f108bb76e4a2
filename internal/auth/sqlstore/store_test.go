package sqlstore_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/auth"
	"turnero/internal/auth/sqlstore"
	"turnero/internal/events"
	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
)

var moment = time.Date(2026, 3, 25, 13, 0, 0, 123456000, time.UTC)

func newStore(db *sqlkit.DB) *sqlstore.Store {
	return sqlstore.New(db, outbox.New(db, bus.NewMemory(), time.Now, slog.New(slog.DiscardHandler)))
}

// each runs fn on every database with a tenant that no other test knows.
func each(t *testing.T, fn func(t *testing.T, s *sqlstore.Store, tenant id.Tenant)) {
	t.Helper()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) { fn(t, newStore(db), id.NewTenant()) })
}

func requireNotFound(t *testing.T, err error) {
	t.Helper()
	require.Equal(t, fault.NotFound, fault.CodeOf(err), "%v", err)
}

func person(tenant id.Tenant, role id.Role) auth.User {
	u := id.NewUser()
	return auth.User{Tenant: tenant, ID: u, Email: auth.Email(u.String() + "@example.com"), Name: "Ñandú 💇", Role: role, PasswordHash: "$argon2id$x", Temporary: true,
		Active: true, CreatedAt: moment, UpdatedAt: moment}
}

func insertUser(t *testing.T, s *sqlstore.Store, tenant id.Tenant, role id.Role) auth.User {
	t.Helper()
	u := person(tenant, role)
	require.NoError(t, s.InsertUser(t.Context(), u))
	return u
}

func insertLogin(t *testing.T, s *sqlstore.Store, u auth.User) auth.Login {
	t.Helper()
	l := auth.Login{Tenant: u.Tenant, ID: id.NewLogin(), User: u.ID, Address: "2001:db8::1", CreatedAt: moment, ExpiresAt: moment.Add(time.Hour)}
	require.NoError(t, s.InsertLogin(t.Context(), l))
	return l
}

func hash(name string) string { return strings.Repeat("0", 34) + strings.TrimPrefix(name, "x") }

func TestUsersComeBackAsTheyWereStored(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *sqlstore.Store, tenant id.Tenant) {
		u := insertUser(t, s, tenant, id.Admin)
		operator := insertUser(t, s, id.Tenant{}, id.SuperAdmin)
		for _, want := range []auth.User{u, operator} {
			got, err := s.FindUser(t.Context(), want.Tenant, want.ID)
			require.NoError(t, err)
			require.Equal(t, want, got)
			got, err = s.FindUserByEmail(t.Context(), want.Email)
			require.NoError(t, err)
			require.Equal(t, want, got)
			got, err = s.LockUser(t.Context(), want.Tenant, want.ID)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
		changed := u
		changed.Name, changed.Role, changed.PasswordHash, changed.Temporary, changed.Active, changed.UpdatedAt = "Eva", id.Employee, "$y", false, false, moment.Add(time.Hour)
		require.NoError(t, s.UpdateUser(t.Context(), changed))
		got, err := s.FindUser(t.Context(), tenant, u.ID)
		require.NoError(t, err)
		require.Equal(t, changed, got)
		got, err = s.FindUser(t.Context(), id.Tenant{}, operator.ID)
		require.NoError(t, err)
		require.Equal(t, operator, got)
	})
}

func TestAddressesAreUniqueAcrossTenants(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *sqlstore.Store, tenant id.Tenant) {
		u := insertUser(t, s, tenant, id.Admin)
		double := person(id.NewTenant(), id.Admin)
		double.Email = u.Email
		require.True(t, fault.HasReason(s.InsertUser(t.Context(), double), "email_taken"))
		_, err := s.FindUser(t.Context(), double.Tenant, double.ID)
		requireNotFound(t, err)
		_, err = s.FindUserByEmail(t.Context(), auth.Email(strings.ToUpper(string(u.Email))))
		requireNotFound(t, err)
	})
}

func TestAnotherTenantsRowsAreNotThere(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *sqlstore.Store, tenant id.Tenant) {
		ctx := t.Context()
		u := insertUser(t, s, tenant, id.Admin)
		l := insertLogin(t, s, u)
		token := auth.RefreshToken{Tenant: tenant, ID: id.NewRefreshToken(), Login: l.ID, Hash: hash(l.ID.String()), CreatedAt: moment, ExpiresAt: moment.Add(time.Hour)}
		require.NoError(t, s.InsertRefreshToken(ctx, token))
		key := auth.APIKey{Tenant: tenant, ID: id.NewAPIKey(), Name: "shop", Hash: hash(u.ID.String()), Scopes: []string{"chats:read"}, CreatedAt: moment}
		require.NoError(t, s.InsertAPIKey(ctx, key))
		entry := auth.AuditEntry{Tenant: tenant, ID: id.NewAuditEntry(), At: moment, Actor: "system", Action: "x"}
		require.NoError(t, s.InsertAudit(ctx, entry))

		for _, other := range []id.Tenant{id.NewTenant(), {}} {
			_, err := s.FindUser(ctx, other, u.ID)
			requireNotFound(t, err)
			_, err = s.LockUser(ctx, other, u.ID)
			requireNotFound(t, err)
			stranger := u
			stranger.Tenant, stranger.Name = other, "changed"
			requireNotFound(t, s.UpdateUser(ctx, stranger))
			_, err = s.LockLogin(ctx, other, l.ID)
			requireNotFound(t, err)
			_, err = s.FindStanding(ctx, other, l.ID, u.ID)
			requireNotFound(t, err)
			requireNotFound(t, s.ExtendLogin(ctx, other, l.ID, moment))
			require.NoError(t, s.RevokeLogin(ctx, other, l.ID, "x", moment))
			require.NoError(t, s.RevokeLogins(ctx, other, u.ID, id.Login{}, "x", moment))
			requireNotFound(t, s.RotateRefreshToken(ctx, other, token.ID, "salt", moment))
			_, err = s.FindAPIKey(ctx, other, key.ID)
			requireNotFound(t, err)
			ended, err := s.RevokeAPIKey(ctx, other, key.ID, moment)
			require.NoError(t, err)
			require.False(t, ended)
			require.NoError(t, s.TouchAPIKey(ctx, other, key.ID, moment, moment))
		}
		stranger := id.NewTenant()
		require.NoError(t, s.DeleteUsers(ctx, stranger))
		admins, err := s.LockActiveAdmins(ctx, stranger)
		require.NoError(t, err)
		require.Empty(t, admins)
		used, err := s.HasLogins(ctx, stranger)
		require.NoError(t, err)
		require.False(t, used)
		users, err := s.ListUsers(ctx, stranger, id.User{}, 5)
		require.NoError(t, err)
		require.Empty(t, users)
		keys, err := s.ListAPIKeys(ctx, stranger, id.APIKey{}, 5)
		require.NoError(t, err)
		require.Empty(t, keys)
		lines, err := s.ListAudit(ctx, auth.AuditQuery{Tenant: stranger, Limit: 5})
		require.NoError(t, err)
		require.Empty(t, lines)

		gotUser, err := s.FindUser(ctx, tenant, u.ID)
		require.NoError(t, err)
		require.Equal(t, u, gotUser)
		gotLogin, err := s.LockLogin(ctx, tenant, l.ID)
		require.NoError(t, err)
		require.Equal(t, l, gotLogin)
		gotToken, err := s.FindRefreshTokenByHash(ctx, token.Hash)
		require.NoError(t, err)
		require.Equal(t, token, gotToken)
		gotKey, err := s.FindAPIKey(ctx, tenant, key.ID)
		require.NoError(t, err)
		require.Equal(t, key, gotKey)
	})
}

func TestTextInOtherLetterCaseFindsNothing(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		s, tenant := newStore(db), id.NewTenant()
		u := insertUser(t, s, tenant, id.Admin)
		l := insertLogin(t, s, u)
		letters := "abcdef" + hash(l.ID.String())[6:]
		require.NoError(t, s.InsertRefreshToken(t.Context(), auth.RefreshToken{Tenant: tenant, ID: id.NewRefreshToken(), Login: l.ID, Hash: letters}))
		require.NoError(t, s.InsertAPIKey(t.Context(), auth.APIKey{Tenant: tenant, ID: id.NewAPIKey(), Hash: letters}))
		_, err := s.FindRefreshTokenByHash(t.Context(), strings.ToUpper(letters))
		requireNotFound(t, err)
		_, err = s.FindAPIKeyByHash(t.Context(), strings.ToUpper(letters))
		requireNotFound(t, err)
		_, err = s.FindAPIKeyByHash(t.Context(), letters)
		require.NoError(t, err)
		for query, id := range map[string]string{"SELECT COUNT(*) FROM users WHERE tenant_id = '": tenant.String(), "SELECT COUNT(*) FROM users WHERE id = '": u.ID.String(),
			"SELECT COUNT(*) FROM logins WHERE id = '": l.ID.String()} {
			var n int
			require.NoError(t, db.SQL().QueryRowContext(t.Context(), query+id+"'").Scan(&n))
			require.Equal(t, 1, n, query)
			require.NoError(t, db.SQL().QueryRowContext(t.Context(), query+strings.ToUpper(id)+"'").Scan(&n))
			require.Zero(t, n, query)
		}
	})
}

func TestListsGoInOrderBehindAPosition(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *sqlstore.Store, tenant id.Tenant) {
		var users []auth.User
		var keys []auth.APIKey
		for range 5 {
			u := insertUser(t, s, tenant, id.Employee)
			k := auth.APIKey{Tenant: tenant, ID: id.NewAPIKey(), Name: "k", Hint: "tk_abcdef", Hash: hash(u.ID.String()), Scopes: []string{"a", "b"}, CreatedBy: u.ID.String(), CreatedAt: moment,
				ExpiresAt: moment.Add(time.Hour), LastUsedAt: moment, RevokedAt: moment}
			require.NoError(t, s.InsertAPIKey(t.Context(), k))
			users, keys = append(users, u), append(keys, k)
		}
		gotUsers, err := s.ListUsers(t.Context(), tenant, id.User{}, 2)
		require.NoError(t, err)
		require.Equal(t, users[:2], gotUsers)
		gotUsers, err = s.ListUsers(t.Context(), tenant, users[1].ID, 10)
		require.NoError(t, err)
		require.Equal(t, users[2:], gotUsers)
		gotKeys, err := s.ListAPIKeys(t.Context(), tenant, id.APIKey{}, 2)
		require.NoError(t, err)
		require.Equal(t, keys[:2], gotKeys)
		gotKeys, err = s.ListAPIKeys(t.Context(), tenant, keys[1].ID, 10)
		require.NoError(t, err)
		require.Equal(t, keys[2:], gotKeys)
	})
}

func TestOnlyActiveAdminsCountAsAdmins(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *sqlstore.Store, tenant id.Tenant) {
		first, second, gone := insertUser(t, s, tenant, id.Admin), insertUser(t, s, tenant, id.Admin), insertUser(t, s, tenant, id.Admin)
		insertUser(t, s, tenant, id.Employee)
		gone.Active = false
		require.NoError(t, s.UpdateUser(t.Context(), gone))
		require.NoError(t, s.InTx(t.Context(), func(st auth.Store) error {
			got, err := st.LockActiveAdmins(t.Context(), tenant)
			require.Equal(t, []auth.User{first, second}, got)
			return err
		}))
		require.NoError(t, s.DeleteUsers(t.Context(), tenant))
		left, err := s.ListUsers(t.Context(), tenant, id.User{}, 10)
		require.NoError(t, err)
		require.Empty(t, left)
	})
}

func TestALoginStandsUntilItIsRevoked(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *sqlstore.Store, tenant id.Tenant) {
		ctx := t.Context()
		u, other := insertUser(t, s, tenant, id.Admin), insertUser(t, s, tenant, id.Employee)
		first, second, third, theirs := insertLogin(t, s, u), insertLogin(t, s, u), insertLogin(t, s, u), insertLogin(t, s, other)
		revokedFor := func(l auth.Login) string {
			got, err := s.LockLogin(ctx, tenant, l.ID)
			require.NoError(t, err)
			require.Equal(t, got.RevokedFor == "", got.RevokedAt.IsZero())
			return got.RevokedFor
		}
		standing, err := s.FindStanding(ctx, tenant, first.ID, u.ID)
		require.NoError(t, err)
		require.Equal(t, auth.Standing{Role: id.Admin, Active: true}, standing)
		_, err = s.FindStanding(ctx, tenant, first.ID, other.ID)
		requireNotFound(t, err)
		require.NoError(t, s.RevokeLogin(ctx, tenant, first.ID, "login.ended", moment))
		standing, err = s.FindStanding(ctx, tenant, first.ID, u.ID)
		require.NoError(t, err)
		require.Equal(t, moment, standing.RevokedAt)
		require.NoError(t, s.RevokeLogins(ctx, tenant, u.ID, second.ID, "password.changed", moment.Add(time.Hour)))
		require.Equal(t, "login.ended", revokedFor(first), "the first reason stays")
		require.Empty(t, revokedFor(second))
		require.Equal(t, "password.changed", revokedFor(third))
		require.Empty(t, revokedFor(theirs))
		require.NoError(t, s.RevokeLogins(ctx, tenant, u.ID, id.Login{}, "user.deactivated", moment))
		require.Equal(t, "user.deactivated", revokedFor(second))

		require.NoError(t, s.ExtendLogin(ctx, tenant, theirs.ID, moment.Add(48*time.Hour)))
		got, err := s.LockLogin(ctx, tenant, theirs.ID)
		require.NoError(t, err)
		require.Equal(t, moment.Add(48*time.Hour), got.ExpiresAt)
		used, err := s.HasLogins(ctx, tenant)
		require.NoError(t, err)
		require.True(t, used)
	})
}

func TestARefreshTokenIsRotatedOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *sqlstore.Store, tenant id.Tenant) {
		l := insertLogin(t, s, insertUser(t, s, tenant, id.Admin))
		want := auth.RefreshToken{Tenant: tenant, ID: id.NewRefreshToken(), Login: l.ID, Hash: hash(l.ID.String()), CreatedAt: moment, ExpiresAt: moment.Add(time.Hour)}
		require.NoError(t, s.InsertRefreshToken(t.Context(), want))
		twin := want
		twin.ID = id.NewRefreshToken()
		require.Error(t, s.InsertRefreshToken(t.Context(), twin), "no two tokens have one hash")
		require.NoError(t, s.RotateRefreshToken(t.Context(), tenant, want.ID, "salt", moment))
		requireNotFound(t, s.RotateRefreshToken(t.Context(), tenant, want.ID, "other", moment.Add(time.Second)))
		want.Salt, want.RotatedAt = "salt", moment
		got, err := s.FindRefreshTokenByHash(t.Context(), want.Hash)
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

func TestWhatHasExpiredIsRemoved(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		s := newStore(db)
		l := insertLogin(t, s, insertUser(t, s, id.NewTenant(), id.Admin))
		token := auth.RefreshToken{Tenant: l.Tenant, ID: id.NewRefreshToken(), Login: l.ID, Hash: hash(l.ID.String()), ExpiresAt: l.ExpiresAt}
		require.NoError(t, s.InsertRefreshToken(t.Context(), token))
		require.NoError(t, s.DeleteExpiredLogins(t.Context(), l.ExpiresAt))
		_, err := s.FindRefreshTokenByHash(t.Context(), token.Hash)
		require.NoError(t, err)
		require.NoError(t, s.DeleteExpiredLogins(t.Context(), l.ExpiresAt.Add(time.Microsecond)))
		_, err = s.FindRefreshTokenByHash(t.Context(), token.Hash)
		requireNotFound(t, err)
		_, err = s.LockLogin(t.Context(), l.Tenant, l.ID)
		requireNotFound(t, err)
	})
}

func TestAnAPIKeyIsFoundRevokedAndTouched(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *sqlstore.Store, tenant id.Tenant) {
		ctx := t.Context()
		want := auth.APIKey{Tenant: tenant, ID: id.NewAPIKey(), Name: "Ñandú", Hint: "tk_abcdef", Scopes: []string{"chats:read"}, CreatedBy: "system", CreatedAt: moment}
		want.Hash = hash(want.ID.String())
		require.NoError(t, s.InsertAPIKey(ctx, want))
		touch := func(now time.Time) time.Time {
			require.NoError(t, s.TouchAPIKey(ctx, tenant, want.ID, now, now.Add(-time.Minute)))
			got, err := s.FindAPIKeyByHash(ctx, want.Hash)
			require.NoError(t, err)
			return got.LastUsedAt
		}
		require.Equal(t, moment, touch(moment))
		require.Equal(t, moment, touch(moment.Add(59*time.Second)))
		require.Equal(t, moment.Add(time.Minute), touch(moment.Add(time.Minute)))
		for _, fresh := range []bool{true, false} {
			ended, err := s.RevokeAPIKey(ctx, tenant, want.ID, moment)
			require.NoError(t, err)
			require.Equal(t, fresh, ended)
		}
		want.LastUsedAt, want.RevokedAt = moment.Add(time.Minute), moment
		got, err := s.FindAPIKey(ctx, tenant, want.ID)
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

func TestOneSigningKeyPerGenerationIsKept(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		s := newStore(db)
		key := func(generation int64, kid string) auth.SigningKey {
			return auth.SigningKey{Generation: generation, KID: kid, PublicKey: []byte(strings.Repeat("k", 32)), SealedSeed: strings.Repeat("s", 200), CreatedAt: moment}
		}
		for _, k := range []auth.SigningKey{key(1, "a"), key(2, "b"), key(3, "c")} {
			fresh, err := s.InsertSigningKey(t.Context(), k)
			require.NoError(t, err)
			require.True(t, fresh)
		}
		fresh, err := s.InsertSigningKey(t.Context(), key(3, "d"))
		require.NoError(t, err)
		require.False(t, fresh)
		got, err := s.ListSigningKeys(t.Context(), 2)
		require.NoError(t, err)
		require.Equal(t, []auth.SigningKey{key(3, "c"), key(2, "b")}, got)
	})
}

func TestTheTrailIsReadBackwardsInPages(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		s, tenant := newStore(db), id.NewTenant()
		var newestFirst []auth.AuditEntry
		for i := range 7 {
			e := auth.AuditEntry{Tenant: tenant, ID: id.NewAuditEntry(), At: moment.Add(time.Duration(i/3) * time.Second), Actor: "system", Action: []string{"x", "y"}[i%2],
				Target: "t", Address: "2001:db8::1", RequestID: "r", Detail: map[string]string{"email": "\x00 ñ"}}
			require.NoError(t, s.InsertAudit(t.Context(), e))
			twin := e
			twin.Action = "changed"
			require.NoError(t, s.InsertAudit(t.Context(), twin))
			newestFirst = append([]auth.AuditEntry{e}, newestFirst...)
		}
		platform := auth.AuditEntry{ID: id.NewAuditEntry(), At: moment.Add(-time.Hour), Actor: "system", Action: "x"}
		require.NoError(t, s.InsertAudit(t.Context(), platform))

		var got []auth.AuditEntry
		q := auth.AuditQuery{Tenant: tenant, Limit: 2}
		for range 4 {
			page, err := s.ListAudit(t.Context(), q)
			require.NoError(t, err)
			got = append(got, page...)
			q.After = page[len(page)-1].Position()
		}
		require.Equal(t, newestFirst, got)
		all, err := s.ListAudit(t.Context(), auth.AuditQuery{Everyone: true, Limit: 100})
		require.NoError(t, err)
		require.Len(t, all, 8)
		require.Equal(t, platform.ID, all[7].ID)
		some, err := s.ListAudit(t.Context(), auth.AuditQuery{Everyone: true, Action: "y", Limit: 100})
		require.NoError(t, err)
		require.Len(t, some, 3)
		own, err := s.ListAudit(t.Context(), auth.AuditQuery{Limit: 100})
		require.NoError(t, err)
		require.Len(t, own, 1, "the zero tenant is the platform, not everybody")
	})
}

func TestATransactionThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		s, tenant := newStore(db), id.NewTenant()
		u := person(tenant, id.Admin)
		stop := errors.New("stop")
		work := func(st auth.Store) error {
			require.NoError(t, st.InsertUser(t.Context(), u))
			require.True(t, fault.HasReason(st.InsertUser(t.Context(), u), "email_taken"), "the transaction goes on")
			require.NoError(t, st.InsertAudit(t.Context(), auth.AuditEntry{Tenant: tenant, ID: id.NewAuditEntry(), At: moment}))
			require.NoError(t, st.Emit(t.Context(), &events.UserDeactivated{Tenant: tenant, User: u.ID}))
			before, err := st.ClaimKey(t.Context(), tenant, "op", "key", "hash", u.ID.String(), moment)
			require.NoError(t, err)
			require.Empty(t, before)
			return stop
		}
		count := func() (n int) {
			q := "SELECT (SELECT COUNT(*) FROM users) + (SELECT COUNT(*) FROM outbox) + (SELECT COUNT(*) FROM audit_log) + (SELECT COUNT(*) FROM idempotency_keys)"
			require.NoError(t, db.SQL().QueryRowContext(t.Context(), q).Scan(&n))
			return n
		}
		require.ErrorIs(t, s.InTx(t.Context(), work), stop)
		require.Zero(t, count())
		stop = nil
		require.NoError(t, s.InTx(t.Context(), work))
		require.Equal(t, 4, count())
		before, err := s.ClaimKey(t.Context(), tenant, "op", "key", "hash", "x", moment)
		require.NoError(t, err)
		require.Equal(t, u.ID.String(), before)
	})
}

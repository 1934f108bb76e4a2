package auth

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"turnero/internal/fault"
	"turnero/internal/id"
)

const (
	// RefreshLifetime is how long a refresh token may wait for its use.
	RefreshLifetime = 30 * 24 * time.Hour
	// RefreshGrace is how long after its use a refresh token still gives the successor it gave then: the answer to the first
	// use may have been lost on the way.
	RefreshGrace = 10 * time.Second

	refreshPrefix = "rt_"
)

// RefreshToken is one link of a log-in's chain. The token itself is not kept, only its SHA-256: it has 256 random bits, so
// nothing slower is needed (NIST SP 800-63B section 5.1.2.2).
type RefreshToken struct {
	Tenant    id.Tenant
	ID        id.RefreshToken
	Login     id.Login
	Hash      string // lower-case hex
	Salt      string // with the token itself gives its successor; "" until it is used
	CreatedAt time.Time
	ExpiresAt time.Time
	RotatedAt time.Time // zero until it is used
}

func newRefreshToken(l Login, now time.Time) (string, RefreshToken) {
	return refreshTokenOf(l, refreshPrefix+base64.RawURLEncoding.EncodeToString(randomBytes(32)), now)
}

func refreshTokenOf(l Login, text string, now time.Time) (string, RefreshToken) {
	return text, RefreshToken{Tenant: l.Tenant, ID: id.NewRefreshToken(), Login: l.ID, Hash: hashSecret(text), CreatedAt: now, ExpiresAt: now.Add(RefreshLifetime)}
}

// successor gives the token that follows text. It can be told again to whoever still holds text, and to nobody else: the
// salt alone, which is what the database has, tells nothing.
func successor(text, salt string) string {
	mac := hmac.New(sha256.New, []byte(text))
	mac.Write([]byte("refresh-token-successor:" + salt))
	return refreshPrefix + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// hashSecret gives the form in which a secret of 256 random bits is kept.
func hashSecret(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// Refresh swaps a refresh token for its successor and a new access token. A token used a second time within RefreshGrace
// gives the same successor; later it ends the log-in and all its tokens, because one of the two users of it is a thief.
// Whatever is wrong, the fault is the same: Unauthenticated, "invalid_refresh_token".
func (s *Service) Refresh(ctx context.Context, by Caller, text string) (Session, error) {
	invalid := fault.New(fault.Unauthenticated, "invalid_refresh_token", "this refresh token is not valid; log in again")
	if !isRefreshToken(text) {
		return Session{}, invalid
	}
	found, err := s.store.FindRefreshTokenByHash(ctx, hashSecret(text))
	if fault.Is(err, fault.NotFound) {
		return Session{}, invalid
	}
	if err != nil {
		return Session{}, fmt.Errorf("refresh: %w", err)
	}
	if ok, err := s.tenantMayAct(ctx, found.Tenant); err != nil || !ok {
		return Session{}, cmp.Or(err, error(invalid))
	}
	var next string
	var user User
	var reused bool
	err = s.store.InTx(ctx, func(st Store) error {
		next, reused = "", false
		token, login, err := lockChain(ctx, st, found)
		if err != nil {
			return err
		}
		now := s.now()
		if !login.RevokedAt.IsZero() || !now.Before(token.ExpiresAt) {
			return nil
		}
		if reused = !token.RotatedAt.IsZero() && now.Sub(token.RotatedAt) > RefreshGrace; reused {
			return s.endReused(ctx, st, by, login, now)
		}
		if user, err = st.FindUser(ctx, login.Tenant, login.User); err != nil || !user.Active {
			return err
		}
		next, err = advance(ctx, st, login, token, text, now)
		return err
	})
	if reused {
		s.rightsChanged()
	}
	switch {
	case fault.Is(err, fault.NotFound), err == nil && next == "":
		return Session{}, invalid
	case err != nil:
		return Session{}, fmt.Errorf("refresh: %w", err)
	}
	return s.session(ctx, user, found.Login, next)
}

// lockChain keeps other uses of the same chain waiting, and reads a token of it as it is then.
func lockChain(ctx context.Context, st Store, found RefreshToken) (RefreshToken, Login, error) {
	login, err := st.LockLogin(ctx, found.Tenant, found.Login)
	if err != nil {
		return RefreshToken{}, Login{}, err
	}
	token, err := st.FindRefreshTokenByHash(ctx, found.Hash) // it may have been used while we waited
	return token, login, err
}

// advance gives the successor of a token, making it on the first use.
func advance(ctx context.Context, st Store, l Login, token RefreshToken, text string, now time.Time) (string, error) {
	if !token.RotatedAt.IsZero() {
		return successor(text, token.Salt), nil
	}
	salt := hex.EncodeToString(randomBytes(32))
	next, row := refreshTokenOf(l, successor(text, salt), now)
	if err := st.RotateRefreshToken(ctx, l.Tenant, token.ID, salt, now); err != nil {
		return "", err
	}
	if err := st.InsertRefreshToken(ctx, row); err != nil {
		return "", err
	}
	return next, st.ExtendLogin(ctx, l.Tenant, l.ID, row.ExpiresAt)
}

func (s *Service) endReused(ctx context.Context, st Store, by Caller, l Login, now time.Time) error {
	if err := st.RevokeLogin(ctx, l.Tenant, l.ID, ActRefreshReused, now); err != nil {
		return err
	}
	by.Principal = id.Principal{Tenant: l.Tenant, User: l.User}
	return s.record(ctx, st, by, l.Tenant, ActRefreshReused, l.ID.String(), nil)
}

// Logout ends the log-in of a refresh token, or, when that is empty, the one of an access token, given as the whole
// Authorization header. What is not or no longer valid is no error: it is logged out (RFC 7009 section 2.2).
func (s *Service) Logout(ctx context.Context, by Caller, refresh, authorization string) error {
	if refresh == "" && authorization == "" {
		return fault.BadField("refreshToken", "is required without an access token")
	}
	tenant, login, err := s.loginOf(ctx, refresh, authorization)
	if err == nil {
		err = s.endLogin(ctx, by, tenant, login)
	}
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Unauthenticated) {
		return nil
	}
	return err
}

// loginOf tells which log-in a refresh token or an access token belongs to.
func (s *Service) loginOf(ctx context.Context, refresh, authorization string) (id.Tenant, id.Login, error) {
	if refresh != "" {
		token, err := s.store.FindRefreshTokenByHash(ctx, hashSecret(refresh))
		return token.Tenant, token.Login, err
	}
	text, err := bearerToken(authorization)
	if err != nil {
		return id.Tenant{}, id.Login{}, err
	}
	v, err := s.tokens.verify(ctx, text, s.tokens.audience)
	return v.Principal.Tenant, v.Principal.Login, err
}

func (s *Service) endLogin(ctx context.Context, by Caller, tenant id.Tenant, login id.Login) error {
	err := s.store.InTx(ctx, func(st Store) error {
		l, err := st.LockLogin(ctx, tenant, login)
		if err != nil || !l.RevokedAt.IsZero() {
			return err
		}
		if err = st.RevokeLogin(ctx, tenant, login, ActLogout, s.now()); err != nil {
			return err
		}
		who := by
		who.Principal = id.Principal{Tenant: tenant, User: l.User}
		return s.record(ctx, st, who, tenant, ActLogout, login.String(), nil)
	})
	s.rightsChanged()
	return err
}

// Sweep removes what has expired: log-ins and refresh tokens that nobody can use any more. Run it now and then.
func (s *Service) Sweep(ctx context.Context) error { return s.store.DeleteExpiredLogins(ctx, s.now()) }

func isRefreshToken(text string) bool {
	return strings.HasPrefix(text, refreshPrefix) && len(text) == len(refreshPrefix)+base64.RawURLEncoding.EncodedLen(32)
}

package auth

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"turnero/internal/fault"
	"turnero/internal/id"
)

// AccessLifetime is how long an access token is valid.
const AccessLifetime = 10 * time.Minute

// tokenSigner makes and reads access tokens: JWTs (RFC 7519) signed with EdDSA (RFC 8037).
type tokenSigner struct {
	issuer   string
	audience string
	now      func() time.Time
	ring     *keyring
}

// claims are the members of an access token. Scopes is there for tokens that stand for an API key.
type claims struct {
	jwt.RegisteredClaims
	Tenant id.Tenant `json:"tenant,omitzero"`
	Role   id.Role   `json:"role"`
	Scopes []string  `json:"scopes,omitempty"`
	Login  id.Login  `json:"sid"`
}

// sign makes an access token for a person.
func (t *tokenSigner) sign(ctx context.Context, p id.Principal) (string, error) {
	kid, key, err := t.ring.current(ctx)
	if err != nil {
		return "", err
	}
	now := t.now()
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, &claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: t.issuer, Audience: jwt.ClaimStrings{t.audience}, Subject: p.User.String(),
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(AccessLifetime)),
			ID: base64.RawURLEncoding.EncodeToString(randomBytes(16)),
		},
		Tenant: p.Tenant, Role: p.Role, Scopes: p.Scopes, Login: p.Login,
	})
	token.Header["kid"] = kid
	text, err := token.SignedString(key)
	if err != nil {
		return "", fmt.Errorf("sign access token: %w", err)
	}
	return text, nil
}

// errUnknownKey is what a token signed with a key that is not in force fails with.
var errUnknownKey = errors.New("signed with a key that is not in force")

// verify reads an access token: signature by a key in force, algorithm, issuer, audience and expiry all required.
func (t *tokenSigner) verify(ctx context.Context, text string) (id.Principal, time.Time, error) {
	var c claims
	var trouble error // of ours, not of the token
	_, err := jwt.ParseWithClaims(text, &c, func(token *jwt.Token) (any, error) {
		kid, _ := token.Header["kid"].(string)
		key, err := t.ring.find(ctx, kid)
		if err != nil {
			trouble = err
			return nil, err
		}
		if key == nil {
			return nil, errUnknownKey
		}
		return key, nil
	}, jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}), jwt.WithIssuer(t.issuer), jwt.WithAudience(t.audience),
		jwt.WithExpirationRequired(), jwt.WithTimeFunc(t.now), jwt.WithStrictDecoding())
	if trouble != nil {
		return id.Principal{}, time.Time{}, trouble
	}
	if errors.Is(err, jwt.ErrTokenExpired) {
		return id.Principal{}, time.Time{}, fault.New(fault.Unauthenticated, "token_expired", "the access token has expired; refresh it")
	}
	if err != nil {
		return id.Principal{}, time.Time{}, invalidToken().WithCause(err)
	}
	user, err := id.ParseUser(c.Subject)
	if err != nil || c.Login.IsZero() || c.ExpiresAt == nil {
		return id.Principal{}, time.Time{}, invalidToken().WithCause(err)
	}
	return id.Principal{Tenant: c.Tenant, User: user, Role: c.Role, Scopes: c.Scopes, Login: c.Login}, c.ExpiresAt.Time, nil
}

func invalidToken() *fault.Error {
	return fault.New(fault.Unauthenticated, "invalid_token", "the access token is not valid")
}

// bearerToken takes the token out of an Authorization header (RFC 6750 section 2.1).
func bearerToken(header string) (string, error) {
	scheme, token, ok := strings.Cut(strings.TrimSpace(header), " ")
	token = strings.TrimSpace(token)
	if !ok || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", fault.New(fault.Unauthenticated, "invalid_token", "the Authorization header must be: Bearer <access token>")
	}
	return token, nil
}

package auth

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"turnero/internal/fault"
	"turnero/internal/id"
)

const (
	// AccessLifetime is how long an access token is valid.
	AccessLifetime = 10 * time.Minute
	// InternalLifetime is how long an internal token is valid: longer than any request may take.
	InternalLifetime = 2 * time.Minute
	// internalSkew is by how much the clocks of two machines of an installation may differ.
	internalSkew = 30 * time.Second

	defaultIssuer   = "turnero"
	defaultAudience = "turnero-api"
	// internalAudience is for services of the installation. Such a token is never given out: the edge, which makes it of
	// whatever a caller shows, refuses it from a caller.
	internalAudience = "turnero-internal"
)

// KeySource gives the public keys that verify tokens.
type KeySource interface {
	// FindKey gives the key with the ID, or nil when none in force has it.
	FindKey(ctx context.Context, kid string) (ed25519.PublicKey, error)
}

// Verifier reads tokens: JWTs (RFC 7519) signed with EdDSA (RFC 8037). Signature by a key in force, algorithm, issuer,
// audience and expiry are all required.
type Verifier struct {
	issuer   string
	audience string
	keys     KeySource
	now      func() time.Time
}

// NewVerifier makes a verifier of an installation's tokens, for a process that has only its public keys.
func NewVerifier(keys KeySource, now func() time.Time) *Verifier {
	return &Verifier{issuer: defaultIssuer, audience: defaultAudience, keys: keys, now: now}
}

// Verified is what a token says.
type Verified struct {
	Principal id.Principal
	Until     time.Time // when the token expires
	// Internal tells a token that the edge made, after asking whether its caller may act, from an access token, whose person
	// may have logged out since.
	Internal bool
}

// Verify reads the token of an Authorization header. Whatever does not hold is a fault (Unauthenticated).
func (v *Verifier) Verify(ctx context.Context, authorization string) (Verified, error) {
	text, err := bearerToken(authorization)
	if err != nil {
		return Verified{}, err
	}
	return v.verify(ctx, text, v.audience, internalAudience)
}

// tokenSigner makes tokens as well.
type tokenSigner struct {
	Verifier
	ring *Keyring
}

// claims are the members of a token. The subject is the person or, with scopes, the API key.
type claims struct {
	jwt.RegisteredClaims
	Tenant id.Tenant `json:"tenant,omitzero"`
	Role   id.Role   `json:"role"`
	Scopes []string  `json:"scopes,omitempty"`
	Login  id.Login  `json:"sid,omitzero"`
}

// sign makes an access token for a person.
func (t *tokenSigner) sign(ctx context.Context, p id.Principal) (string, error) {
	return t.make(ctx, p, t.audience, t.now().Add(AccessLifetime))
}

func (t *tokenSigner) make(ctx context.Context, p id.Principal, audience string, until time.Time) (string, error) {
	kid, key, err := t.ring.current(ctx)
	if err != nil {
		return "", err
	}
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, &claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: t.issuer, Audience: jwt.ClaimStrings{audience}, Subject: p.Actor(),
			IssuedAt: jwt.NewNumericDate(t.now()), ExpiresAt: jwt.NewNumericDate(until),
			ID: base64.RawURLEncoding.EncodeToString(randomBytes(16)),
		},
		Tenant: p.Tenant, Role: p.Role, Scopes: p.Scopes, Login: p.Login,
	})
	token.Header["kid"] = kid
	text, err := token.SignedString(key)
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return text, nil
}

// errUnknownKey is what a token signed with a key that is not in force fails with.
var errUnknownKey = errors.New("signed with a key that is not in force")

// verify reads a token for one of the audiences.
func (v *Verifier) verify(ctx context.Context, text string, audiences ...string) (Verified, error) {
	var c claims
	var trouble error // of ours, not of the token
	_, err := jwt.ParseWithClaims(text, &c, func(token *jwt.Token) (any, error) {
		kid, _ := token.Header["kid"].(string)
		key, err := v.keys.FindKey(ctx, kid)
		if err != nil {
			trouble = err
			return nil, err
		}
		if key == nil {
			return nil, errUnknownKey
		}
		return key, nil
	}, jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}), jwt.WithIssuer(v.issuer), jwt.WithAudience(audiences...),
		jwt.WithExpirationRequired(), jwt.WithTimeFunc(v.now), jwt.WithLeeway(v.leeway(audiences)), jwt.WithStrictDecoding())
	if trouble != nil {
		return Verified{}, trouble
	}
	internal := slices.Equal(c.Audience, jwt.ClaimStrings{internalAudience})
	if errors.Is(err, jwt.ErrTokenExpired) || err == nil && !internal && !v.now().Before(c.ExpiresAt.Time) {
		return Verified{}, fault.New(fault.Unauthenticated, "token_expired", "the access token has expired; refresh it")
	}
	if err != nil {
		return Verified{}, invalidToken().WithCause(err)
	}
	p, err := c.principal()
	if err != nil || !internal && p.Login.IsZero() {
		return Verified{}, invalidToken().WithCause(err)
	}
	return Verified{Principal: p, Until: c.ExpiresAt.UTC(), Internal: internal}, nil
}

// leeway is for tokens that one machine has just made for another.
func (v *Verifier) leeway(audiences []string) time.Duration {
	if slices.Contains(audiences, internalAudience) {
		return internalSkew
	}
	return 0
}

func (c *claims) principal() (id.Principal, error) {
	p := id.Principal{Tenant: c.Tenant, Role: c.Role, Scopes: c.Scopes, Login: c.Login}
	var err error
	if p.User, err = id.ParseUser(c.Subject); err == nil {
		return p, nil
	}
	p.User = id.User{}
	p.APIKey, err = id.ParseAPIKey(c.Subject)
	return p, err
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

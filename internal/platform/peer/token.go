package peer

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"turnero/internal/fault"
)

const (
	audience = "peer"
	issuer   = "turnero"
	// tokenLifetime is how long a token is good; the client makes a new one after half of it.
	tokenLifetime = time.Minute
	// clockSkew is by how much the clocks of two machines may differ beyond the lifetime.
	clockSkew = 30 * time.Second
	// refused is the reason of the fault by which the server turns a token away.
	refused = "peer_refused"
)

// KeyPurpose is what the key of the tokens is derived for from the master key (secret.Master.DeriveKey).
const KeyPurpose = "peer"

// minter makes tokens, each for use over half its life.
type minter struct {
	key []byte
	now func() time.Time

	mu    sync.Mutex
	text  string
	fresh time.Time // until when text is used
}

// token gives the value of the Authorization header.
func (m *minter) token() (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	if left := m.fresh.Sub(now); left > 0 && left <= tokenLifetime/2 { // more is left only when the clock was set back
		return m.text, nil
	}
	text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, &jwt.RegisteredClaims{Issuer: issuer, Audience: jwt.ClaimStrings{audience},
		IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(tokenLifetime))}).SignedString(m.key)
	if err != nil {
		return "", fmt.Errorf("sign peer token: %w", err)
	}
	m.text, m.fresh = "Bearer "+text, now.Add(tokenLifetime/2)
	return m.text, nil
}

// markHeader carries a token beside the credentials of the caller for whom a request is passed on.
const markHeader = "X-Turnero-Peer"

// Mark has a request that is passed on for somebody else show that it comes from a process of the installation.
func (c *Client) Mark(h http.Header) error {
	token, err := c.tokens.token()
	if err != nil {
		return err
	}
	h.Set(markHeader, token)
	return nil
}

// IsMarked reports whether a process of the installation passed the request on, so that what it says of its caller (the
// network address) may be believed.
func (s *Server) IsMarked(r *http.Request) bool {
	mark := r.Header.Get(markHeader)
	return mark != "" && s.tokens.checkText(mark) == nil
}

// checker tells the tokens of this installation's processes from everything else.
type checker struct {
	key []byte
	now func() time.Time
}

// check gives nil when the request shows a token that is good now.
func (c *checker) check(r *http.Request) error { return c.checkText(r.Header.Get("Authorization")) }

func (c *checker) checkText(header string) error {
	text, ok := strings.CutPrefix(header, "Bearer ")
	if !ok {
		return refusal(errors.New("no token"))
	}
	var claims jwt.RegisteredClaims
	_, err := jwt.ParseWithClaims(text, &claims, func(*jwt.Token) (any, error) { return c.key, nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithIssuer(issuer), jwt.WithAudience(audience),
		jwt.WithExpirationRequired(), jwt.WithTimeFunc(c.now), jwt.WithLeeway(clockSkew), jwt.WithStrictDecoding())
	if err != nil {
		return refusal(err)
	}
	if claims.ExpiresAt.Sub(c.now()) > tokenLifetime+clockSkew {
		return refusal(errors.New("the token lives for too long"))
	}
	return nil
}

func refusal(cause error) error {
	return fault.New(fault.Unauthenticated, refused, "only processes of this installation may ask this").WithCause(cause)
}

package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"turnero/internal/fault"
	"turnero/internal/id"
)

// maxLoginRounds bounds how often a log-in is checked anew because the account was changed while it was checked.
const maxLoginRounds = 3

// Login is one log-in of a person on one device: it lives as long as its chain of refresh tokens, or until it is revoked.
type Login struct {
	Tenant     id.Tenant
	ID         id.Login
	User       id.User
	Address    string // network address from which the person logged in
	CreatedAt  time.Time
	ExpiresAt  time.Time // of its newest refresh token
	RevokedAt  time.Time // zero while it stands
	RevokedFor string    // the act that ended it
}

// Session is what a person gets for logging in or refreshing.
type Session struct {
	AccessToken  string
	ExpiresIn    time.Duration // of the access token
	RefreshToken string
	User         User
}

// Login opens a log-in for a person who knows their password. Attempts are counted per account and per network address
// before anything is hashed; over the limit the fault is TooMany with RetryAfter.
//
// An unknown address, a wrong password, a deactivated person and a suspended business all get the same fault
// (Unauthenticated, "invalid_credentials") after one run of the hash function. That a business is suspended is not told
// here, not even to somebody with the right password: its owner hears it from the operator.
func (s *Service) Login(ctx context.Context, by Caller, email, password string) (Session, error) {
	address, malformed := ParseEmail("email", email)
	if err := s.throttle(ctx, by.Address, "login:"+string(address)); err != nil {
		return Session{}, err
	}
	for range maxLoginRounds {
		var user User
		err := error(fault.NotFoundf("user"))
		if malformed == nil {
			user, err = s.store.FindUserByEmail(ctx, address)
		}
		if err != nil && !fault.Is(err, fault.NotFound) {
			return Session{}, err
		}
		right, fresh, err := s.checkLogin(ctx, user, err == nil, clipPassword(password))
		if err != nil {
			return Session{}, err
		}
		if !right {
			return Session{}, s.refuse(ctx, by, user, address)
		}
		out, err := s.open(ctx, by, user, fresh)
		if !errors.Is(err, errChangedMeanwhile) {
			return out, err
		}
	}
	return Session{}, fault.New(fault.Unavailable, "busy", "this account is being changed at this moment; try again").WithRetryAfter(time.Second)
}

// checkLogin reports whether the password is right and the person may enter. fresh is the password's hash made anew when the
// stored one was made with another cost. For an unknown person it does the same work on a hash that nothing matches.
func (s *Service) checkLogin(ctx context.Context, user User, known bool, password string) (right bool, fresh string, err error) {
	encoded := s.hasher.decoy
	if known {
		encoded = user.PasswordHash
	}
	right, stale, err := s.hasher.verify(ctx, encoded, password)
	if err != nil {
		return false, "", fmt.Errorf("check password: %w", err)
	}
	if !known || !right {
		return false, "", nil
	}
	if right, err = s.mayEnter(ctx, user); err != nil || !right || !stale {
		return right, "", err
	}
	if fresh, err = s.hasher.hash(ctx, password); err != nil {
		return false, "", fmt.Errorf("hash password anew: %w", err)
	}
	return true, fresh, nil
}

// throttle counts an attempt, first by where it comes from and then by what it is aimed at.
func (s *Service) throttle(ctx context.Context, address, account string) error {
	for _, l := range []struct {
		limiter Limiter
		key     string
	}{{s.addressLimit, "login:" + address}, {s.accountLimit, account}} {
		ok, wait, err := l.limiter.Allow(ctx, l.key)
		if err != nil {
			return fmt.Errorf("count log-in attempt: %w", err)
		}
		if !ok {
			return fault.New(fault.TooMany, "too_many_attempts", "too many attempts; wait before the next").WithRetryAfter(max(wait, time.Second))
		}
	}
	return nil
}

// mayEnter reports whether the person and their business are active.
func (s *Service) mayEnter(ctx context.Context, u User) (bool, error) {
	if !u.Active {
		return false, nil
	}
	return s.tenantMayAct(ctx, u.Tenant)
}

// tenantMayAct reports whether the business is active; the platform itself, the zero tenant, always is.
func (s *Service) tenantMayAct(ctx context.Context, tenant id.Tenant) (bool, error) {
	if tenant.IsZero() {
		return true, nil
	}
	return s.tenants.IsActive(ctx, tenant)
}

// refuse records the attempt and gives the one answer that all refused log-ins get.
func (s *Service) refuse(ctx context.Context, by Caller, user User, email Email) error {
	err := s.record(ctx, s.store, by, user.Tenant, ActLoginFailed, user.ID.String(), map[string]string{"email": string(email)})
	if err != nil {
		return err
	}
	return fault.New(fault.Unauthenticated, "invalid_credentials", "the e-mail address or the password is not right, or this account cannot log in at present")
}

// errChangedMeanwhile says that the person is not who they were when the password was checked.
var errChangedMeanwhile = errors.New("the account was changed after its password was checked")

// open stores the log-in, unless the person was changed since the password was checked. fresh replaces the password's hash when not empty.
func (s *Service) open(ctx context.Context, by Caller, checked User, fresh string) (Session, error) {
	now := s.now()
	login := Login{Tenant: checked.Tenant, ID: id.NewLogin(), User: checked.ID, Address: clip(by.Address, 64), CreatedAt: now, ExpiresAt: now.Add(RefreshLifetime)}
	text, token := newRefreshToken(login, now)
	by.Principal = id.Principal{Tenant: checked.Tenant, User: checked.ID}
	var user User
	err := s.store.InTx(ctx, func(st Store) error {
		var err error
		if user, err = st.LockUser(ctx, checked.Tenant, checked.ID); err != nil {
			return err
		}
		if user.PasswordHash != checked.PasswordHash || !user.Active {
			return errChangedMeanwhile
		}
		if fresh != "" {
			user.PasswordHash = fresh
			if err = st.UpdateUser(ctx, user); err != nil {
				return err
			}
		}
		if err = st.InsertLogin(ctx, login); err != nil {
			return err
		}
		if err = st.InsertRefreshToken(ctx, token); err != nil {
			return err
		}
		return s.record(ctx, st, by, user.Tenant, ActLoginOK, login.ID.String(), nil)
	})
	if err != nil {
		return Session{}, fmt.Errorf("open log-in: %w", err)
	}
	return s.session(ctx, user, login.ID, text)
}

// session makes what a person gets: an access token for the log-in, beside the refresh token.
func (s *Service) session(ctx context.Context, user User, login id.Login, refresh string) (Session, error) {
	access, err := s.tokens.sign(ctx, id.Principal{Tenant: user.Tenant, User: user.ID, Role: user.Role, Login: login})
	if err != nil {
		return Session{}, err
	}
	return Session{AccessToken: access, ExpiresIn: AccessLifetime, RefreshToken: refresh, User: user}, nil
}

// clipPassword bounds what is hashed: nothing longer can be right.
func clipPassword(password string) string { return clip(normalPassword(password), 8*MaxPasswordLength) }

package auth

import (
	"context"
	"fmt"

	"turnero/internal/fault"
	"turnero/internal/id"
)

// ChangePassword gives the caller another password, for which they must know the present one, and ends all their log-ins
// but the one they act by. Attempts are limited like those to log in.
func (s *Service) ChangePassword(ctx context.Context, by Caller, current, next string) error {
	if err := s.throttle(ctx, by.Address, "password:"+by.User.String()); err != nil {
		return err
	}
	user, err := s.store.FindUser(ctx, by.Tenant, by.User)
	if err != nil {
		return err
	}
	ok, _, err := s.hasher.verify(ctx, user.PasswordHash, clipPassword(current))
	if err != nil {
		return fmt.Errorf("check password: %w", err)
	}
	if !ok {
		return fault.BadField("currentPassword", "is not your password")
	}
	if err = checkPassword("newPassword", next, user.Email, user.Name); err != nil {
		return err
	}
	if normalPassword(next) == normalPassword(current) {
		return fault.BadField("newPassword", "must not be the present one")
	}
	return s.setPassword(ctx, by, user, next, false, ActPasswordChanged)
}

// ResetPassword gives a person of the business a made-up password, returned this once, and ends all their log-ins. It is
// for somebody who has forgotten theirs; an admin changes the own one with ChangePassword.
func (s *Service) ResetPassword(ctx context.Context, by Caller, tenant id.Tenant, user id.User) (string, error) {
	u, err := s.store.FindUser(ctx, tenant, user)
	if err != nil {
		return "", err
	}
	if err = keepKeysFromAdmins(by, u.Role); err != nil {
		return "", err
	}
	if by.User == u.ID {
		return "", fault.New(fault.Conflict, "own_account", "change your own password with the present one")
	}
	made := newTemporaryPassword()
	return made, s.setPassword(ctx, by, u, made, true, ActPasswordReset)
}

// SetPassword gives whoever has the address another password, for the operator at the machine. An empty password has one
// made up; the password in force is returned. All log-ins of the person end.
func (s *Service) SetPassword(ctx context.Context, email, password string) (string, error) {
	address, err := ParseEmail("email", email)
	if err != nil {
		return "", err
	}
	user, err := s.store.FindUserByEmail(ctx, address)
	if err != nil {
		return "", err
	}
	madeUp := password == ""
	if madeUp {
		password = newTemporaryPassword()
	} else if err = checkPassword("password", password, user.Email, user.Name); err != nil {
		return "", err
	}
	return password, s.setPassword(ctx, Caller{}, user, password, madeUp, ActPasswordReset)
}

// setPassword stores the password, unless somebody else has changed it since checked was read.
func (s *Service) setPassword(ctx context.Context, by Caller, checked User, password string, temporary bool, act string) error {
	hash, err := s.hasher.hash(ctx, normalPassword(password))
	if err != nil {
		return fmt.Errorf("hash password: %w", err)
	}
	err = s.store.InTx(ctx, func(st Store) error {
		user, err := st.LockUser(ctx, checked.Tenant, checked.ID)
		if err != nil {
			return err
		}
		if user.PasswordHash != checked.PasswordHash {
			return fault.New(fault.Conflict, "password_changed_meanwhile", "the password was changed at the same moment; try again")
		}
		user.PasswordHash, user.Temporary, user.UpdatedAt = hash, temporary, s.now()
		if err = st.UpdateUser(ctx, user); err != nil {
			return err
		}
		if err = st.RevokeLogins(ctx, user.Tenant, user.ID, by.Login, act, user.UpdatedAt); err != nil {
			return err
		}
		return s.record(ctx, st, by, user.Tenant, act, user.ID.String(), nil)
	})
	s.rightsChanged()
	return err
}

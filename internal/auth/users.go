package auth

import (
	"context"
	"fmt"

	"turnero/internal/events"
	"turnero/internal/fault"
	"turnero/internal/id"
)

// CreateUser adds an admin or employee to a business. Without a password one is made up and returned, this once. Faults:
// Invalid naming each broken rule; Conflict "email_taken"; Forbidden "api_key_no_admins" when an API key wants an admin.
func (s *Service) CreateUser(ctx context.Context, by Caller, tenant id.Tenant, in NewUser) (CreatedUser, error) {
	if err := keepKeysFromAdmins(by, in.Role); err != nil {
		return CreatedUser{}, err
	}
	return s.createUser(ctx, by, tenant, in, staffRoles)
}

// CreateSuperAdmin adds an operator of the platform, who belongs to no tenant. Without a password one is made up.
func (s *Service) CreateSuperAdmin(ctx context.Context, email, name, password string) (CreatedUser, error) {
	return s.createUser(ctx, Caller{}, id.Tenant{}, NewUser{Email: email, Name: name, Password: password, Role: id.SuperAdmin}, []id.Role{id.SuperAdmin})
}

// CheckFirstAdmin refuses, by the same faults, what CreateFirstAdmin would refuse; it changes nothing.
func (s *Service) CheckFirstAdmin(ctx context.Context, email, name, password string) error {
	u, err := NewUser{Email: email, Name: name, Password: password, Role: id.Admin}.check(staffRoles)
	if err != nil {
		return err
	}
	_, err = s.store.FindUserByEmail(ctx, u.Email)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return ErrEmailTaken()
}

// CreateFirstAdmin adds the admin with whom a business begins, returning the ID and the password made up when none was
// given. Nobody can log in there until the tenant is active.
func (s *Service) CreateFirstAdmin(ctx context.Context, tenant id.Tenant, email, name, password string) (id.User, string, error) {
	u, err := s.createUser(ctx, Caller{}, tenant, NewUser{Email: email, Name: name, Password: password, Role: id.Admin}, staffRoles)
	return u.ID, u.Password, err
}

// DiscardUsers removes the people of a business that was never finished. It refuses (Conflict) one where somebody has
// logged in, which can only be a finished one.
func (s *Service) DiscardUsers(ctx context.Context, tenant id.Tenant) error {
	if tenant.IsZero() {
		return fault.New(fault.Conflict, "no_tenant", "the platform's own users are not discarded")
	}
	err := s.store.InTx(ctx, func(st Store) error {
		used, err := st.HasLogins(ctx, tenant)
		if err != nil {
			return err
		}
		if used {
			return fault.New(fault.Conflict, "tenant_in_use", "somebody has logged in there")
		}
		return st.DeleteUsers(ctx, tenant)
	})
	s.rightsChanged()
	return err
}

// ErrEmailTaken makes the fault for an address that somebody in the installation has already.
func ErrEmailTaken() error {
	f := fault.New(fault.Conflict, "email_taken", "somebody has this e-mail address already")
	f.Fields = []fault.Field{{Name: "email", Rule: "must not be in use"}}
	return f
}

func (s *Service) createUser(ctx context.Context, by Caller, tenant id.Tenant, in NewUser, roles []id.Role) (CreatedUser, error) {
	u, err := in.check(roles)
	if err != nil {
		return CreatedUser{}, err
	}
	made := ""
	if in.Password == "" {
		made = newTemporaryPassword()
		in.Password, u.Temporary = made, true
	}
	if u.PasswordHash, err = s.hasher.hash(ctx, normalPassword(in.Password)); err != nil {
		return CreatedUser{}, fmt.Errorf("hash password: %w", err)
	}
	u.Tenant, u.ID, u.Active, u.CreatedAt = tenant, id.NewUser(), true, s.now()
	u.UpdatedAt = u.CreatedAt
	var out CreatedUser
	err = s.store.InTx(ctx, func(st Store) error {
		before, err := st.ClaimKey(ctx, tenant, "users.create", in.IdempotencyKey, in.BodyHash, u.ID.String(), u.CreatedAt)
		if err != nil {
			return err
		}
		if before != "" {
			old, err := id.ParseUser(before)
			if err != nil {
				return err
			}
			out = CreatedUser{}
			out.User, err = st.FindUser(ctx, tenant, old)
			return err
		}
		out = CreatedUser{User: u, Password: made}
		if err = st.InsertUser(ctx, u); err != nil {
			return err
		}
		return s.record(ctx, st, by, tenant, ActUserCreated, u.ID.String(), map[string]string{"role": string(u.Role), "email": string(u.Email)})
	})
	return out, err
}

// FindUser gives one person of a business.
func (s *Service) FindUser(ctx context.Context, tenant id.Tenant, user id.User) (User, error) {
	return s.store.FindUser(ctx, tenant, user)
}

// ListUsers lists the people of a business in the order in which they were added, those after the given one, at most limit.
func (s *Service) ListUsers(ctx context.Context, tenant id.Tenant, after id.User, limit int) ([]User, error) {
	return s.store.ListUsers(ctx, tenant, after, limit)
}

// UpdateUser changes a person of the caller's business. Deactivating somebody ends their log-ins at once and is told as
// events.UserDeactivated. Faults (Conflict): "own_account" when somebody would deactivate or demote themselves,
// "last_admin" when nobody would be left to run the business.
func (s *Service) UpdateUser(ctx context.Context, by Caller, tenant id.Tenant, user id.User, patch UserPatch) (User, error) {
	if err := patch.clean(); err != nil {
		return User{}, err
	}
	var out User
	err := s.store.InTx(ctx, func(st Store) error {
		admins, err := st.LockActiveAdmins(ctx, tenant)
		if err != nil {
			return err
		}
		old, err := st.LockUser(ctx, tenant, user)
		if err != nil {
			return err
		}
		out = patch.apply(old)
		if out == old {
			return nil
		}
		if err = mayChange(by, old, out, len(admins)); err != nil {
			return err
		}
		out.UpdatedAt = s.now()
		if err = st.UpdateUser(ctx, out); err != nil {
			return err
		}
		return s.afterChange(ctx, st, by, old, out)
	})
	if err != nil {
		return User{}, err
	}
	s.rightsChanged()
	return out, nil
}

// clean reads the values and names all broken rules.
func (p *UserPatch) clean() error {
	var broken []fault.Field
	if p.Name != nil {
		name, err := cleanName("name", *p.Name)
		broken = appendFields(broken, err)
		p.Name = &name
	}
	if p.Role != nil {
		broken = appendFields(broken, checkRole(*p.Role, staffRoles))
	}
	return fault.BadFields(broken...)
}

func (p UserPatch) apply(u User) User {
	if p.Name != nil {
		u.Name = *p.Name
	}
	if p.Role != nil {
		u.Role = *p.Role
	}
	if p.Active != nil {
		u.Active = *p.Active
	}
	return u
}

// mayChange keeps a business from losing whoever can run it. admins counts the active ones before the change.
func mayChange(by Caller, old, changed User, admins int) error {
	if err := keepKeysFromAdmins(by, old.Role, changed.Role); err != nil {
		return err
	}
	loses := old.isAdmin() && !changed.isAdmin()
	if by.User == old.ID && (loses || !changed.Active || changed.Role != old.Role) {
		return fault.New(fault.Conflict, "own_account", "nobody deactivates or demotes themselves; ask another admin")
	}
	if loses && admins <= 1 {
		return fault.New(fault.Conflict, "last_admin", "somebody must be left who can run the business")
	}
	return nil
}

// keepKeysFromAdmins refuses an API key that would make or change an admin: it could give itself, by way of a person, what its scopes do not.
func keepKeysFromAdmins(by Caller, roles ...id.Role) error {
	if by.APIKey.IsZero() {
		return nil
	}
	for _, r := range roles {
		if r != id.Employee {
			return fault.New(fault.Forbidden, "api_key_no_admins", "an API key may make and change employees only")
		}
	}
	return nil
}

// afterChange records the change and, when the person lost access, ends their log-ins and says so.
func (s *Service) afterChange(ctx context.Context, st Store, by Caller, old, changed User) error {
	if old.Active && !changed.Active {
		if err := st.RevokeLogins(ctx, changed.Tenant, changed.ID, id.Login{}, ActUserDeactivated, changed.UpdatedAt); err != nil {
			return err
		}
		if err := st.Emit(ctx, &events.UserDeactivated{Tenant: changed.Tenant, User: changed.ID, At: changed.UpdatedAt}); err != nil {
			return err
		}
		if err := s.record(ctx, st, by, changed.Tenant, ActUserDeactivated, changed.ID.String(), nil); err != nil {
			return err
		}
	}
	if !old.Active && changed.Active {
		if err := s.record(ctx, st, by, changed.Tenant, ActUserReactivated, changed.ID.String(), nil); err != nil {
			return err
		}
	}
	if old.Name == changed.Name && old.Role == changed.Role {
		return nil
	}
	detail := map[string]string{}
	if old.Name != changed.Name {
		detail["name"] = changed.Name
	}
	if old.Role != changed.Role {
		detail["role"], detail["oldRole"] = string(changed.Role), string(old.Role)
	}
	return s.record(ctx, st, by, changed.Tenant, ActUserChanged, changed.ID.String(), detail)
}

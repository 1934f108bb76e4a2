package httpapi

import (
	"context"
	"net/http"
	"time"

	"turnero/internal/auth"
	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/httpkit"
	"turnero/internal/platform/idempotency"
)

// UserBody is a person on the wire. It is exported because the OpenAPI document leaves out what is embedded unexported.
type UserBody struct {
	ID                 string    `json:"id" example:"usr_01j9z3k5w8e0r9v6c2m4x7b1qd"`
	Tenant             string    `json:"tenant,omitempty" doc:"the business; absent for a super-admin"`
	Email              string    `json:"email"`
	Name               string    `json:"name"`
	Role               string    `json:"role" enum:"super_admin,tenant_admin,tenant_user,end_user"`
	Active             bool      `json:"active"`
	MustChangePassword bool      `json:"mustChangePassword" doc:"the password was made up for them; they should choose another"`
	CreatedAt          time.Time `json:"createdAt"`
}

func userBodyOf(u auth.User) UserBody {
	return UserBody{ID: u.ID.String(), Tenant: u.Tenant.String(), Email: string(u.Email), Name: u.Name, Role: string(u.Role), Active: u.Active,
		MustChangePassword: u.Temporary, CreatedAt: u.CreatedAt}
}

type userOutput struct{ Body UserBody }

type createUserInput struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"255" doc:"a repeated request gives the person made by the first, without the password"`
	Body           struct {
		Email    string `json:"email" maxLength:"320"`
		Name     string `json:"name" maxLength:"400" doc:"1 to 100 characters"`
		Role     string `json:"role" enum:"tenant_admin,tenant_user"`
		Password string `json:"password,omitempty" maxLength:"1000" doc:"10 to 200 characters; without it one is made up and returned once"`
	}
}

type createdUserOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         struct {
		UserBody
		TemporaryPassword string `json:"temporaryPassword,omitempty" doc:"the password made up for them, shown this once"`
	}
}

type usersInput struct{ httpkit.PageInput }

type usersOutput struct{ Body httpkit.Page[UserBody] }

type userInput struct {
	ID string `path:"id"`
}

type updateUserInput struct {
	ID   string `path:"id"`
	Body struct {
		Name   *string `json:"name,omitempty" maxLength:"400" doc:"1 to 100 characters"`
		Role   *string `json:"role,omitempty" enum:"tenant_admin,tenant_user"`
		Active *bool   `json:"active,omitempty" doc:"false ends all log-ins of the person at once"`
	}
}

type resetOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         struct {
		TemporaryPassword string `json:"temporaryPassword" doc:"shown this once"`
	}
}

func registerUsers(api *httpkit.API, svc *auth.Service) {
	admins := []id.Role{id.Admin}
	httpkit.Handle(api, httpkit.Op{ID: "create-user", Method: http.MethodPost, Path: "/api/users", Tag: tag, Roles: admins, Scope: "users:write",
		Status: http.StatusCreated, Summary: "Add an employee or admin", Errors: []int{http.StatusConflict}}, createUser(svc))
	httpkit.Handle(api, httpkit.Op{ID: "list-users", Method: http.MethodGet, Path: "/api/users", Tag: tag, Roles: admins, Scope: "users:read",
		Summary: "List the people of the business"}, listUsers(svc))
	httpkit.Handle(api, httpkit.Op{ID: "get-user", Method: http.MethodGet, Path: "/api/users/{id}", Tag: tag, Roles: admins, Scope: "users:read",
		Summary: "One person of the business", Errors: []int{http.StatusNotFound}},
		func(ctx context.Context, p id.Principal, in *userInput) (*userOutput, error) {
			user, err := userOf(in.ID)
			if err != nil {
				return nil, err
			}
			u, err := svc.FindUser(ctx, p.Tenant, user)
			return &userOutput{Body: userBodyOf(u)}, err
		})
	httpkit.Handle(api, httpkit.Op{ID: "update-user", Method: http.MethodPatch, Path: "/api/users/{id}", Tag: tag, Roles: admins, Scope: "users:write",
		Summary: "Rename, deactivate, reactivate a person or change their role", Errors: []int{http.StatusNotFound, http.StatusConflict},
		Description: "Nobody deactivates or demotes themselves (409 `own_account`) or the last active admin (409 `last_admin`)."}, updateUser(svc))
	httpkit.Handle(api, httpkit.Op{ID: "reset-user-password", Method: http.MethodPost, Path: "/api/users/{id}/reset-password", Tag: tag, Roles: admins, Scope: "users:write",
		Summary: "Give a person who forgot theirs a made-up password", Errors: []int{http.StatusNotFound, http.StatusConflict},
		Description: "The password is shown this once, and all log-ins of the person end."}, resetPassword(svc))
}

// userOf reads the path's ID: what is not one names nobody.
func userOf(text string) (id.User, error) {
	user, err := id.ParseUser(text)
	if err != nil {
		return id.User{}, fault.NotFoundf("user")
	}
	return user, nil
}

func createUser(svc *auth.Service) func(context.Context, id.Principal, *createUserInput) (*createdUserOutput, error) {
	return func(ctx context.Context, p id.Principal, in *createUserInput) (*createdUserOutput, error) {
		b := in.Body
		u, err := svc.CreateUser(ctx, callerOf(ctx, p), p.Tenant, auth.NewUser{Email: b.Email, Name: b.Name, Role: id.Role(b.Role), Password: b.Password,
			IdempotencyKey: in.IdempotencyKey, BodyHash: idempotency.Hash([]any{b.Email, b.Name, b.Role, b.Password != ""})})
		out := &createdUserOutput{CacheControl: "no-store"}
		out.Body.UserBody, out.Body.TemporaryPassword = userBodyOf(u.User), u.Password
		return out, err
	}
}

func listUsers(svc *auth.Service) func(context.Context, id.Principal, *usersInput) (*usersOutput, error) {
	return func(ctx context.Context, p id.Principal, in *usersInput) (*usersOutput, error) {
		var after id.User
		if err := httpkit.DecodeCursor(in.Cursor, &after); err != nil {
			return nil, err
		}
		users, err := svc.ListUsers(ctx, p.Tenant, after, in.Limit+1)
		if err != nil {
			return nil, err
		}
		return &usersOutput{Body: page(users, in.Limit, userBodyOf, func(u auth.User) any { return u.ID })}, nil
	}
}

func updateUser(svc *auth.Service) func(context.Context, id.Principal, *updateUserInput) (*userOutput, error) {
	return func(ctx context.Context, p id.Principal, in *updateUserInput) (*userOutput, error) {
		user, err := userOf(in.ID)
		if err != nil {
			return nil, err
		}
		patch := auth.UserPatch{Name: in.Body.Name, Active: in.Body.Active}
		if in.Body.Role != nil {
			role := id.Role(*in.Body.Role)
			patch.Role = &role
		}
		u, err := svc.UpdateUser(ctx, callerOf(ctx, p), p.Tenant, user, patch)
		return &userOutput{Body: userBodyOf(u)}, err
	}
}

func resetPassword(svc *auth.Service) func(context.Context, id.Principal, *userInput) (*resetOutput, error) {
	return func(ctx context.Context, p id.Principal, in *userInput) (*resetOutput, error) {
		user, err := userOf(in.ID)
		if err != nil {
			return nil, err
		}
		out := &resetOutput{CacheControl: "no-store"}
		out.Body.TemporaryPassword, err = svc.ResetPassword(ctx, callerOf(ctx, p), p.Tenant, user)
		return out, err
	}
}

package httpapi

import (
	"context"
	"net/http"

	"turnero/internal/auth"
	"turnero/internal/id"
	"turnero/internal/platform/httpkit"
)

type passwordInput struct {
	Body struct {
		CurrentPassword string `json:"currentPassword" maxLength:"1000"`
		NewPassword     string `json:"newPassword" maxLength:"1000" doc:"10 to 200 characters"`
	}
}

func registerAccount(api *httpkit.API, svc *auth.Service) {
	httpkit.Handle(api, httpkit.Op{ID: "get-me", Method: http.MethodGet, Path: "/api/auth/me", Tag: tag, Roles: id.Roles(), Summary: "Who am I"},
		func(ctx context.Context, p id.Principal, _ *struct{}) (*userOutput, error) {
			u, err := svc.FindUser(ctx, p.Tenant, p.User)
			return &userOutput{Body: userBodyOf(u)}, err
		})
	httpkit.Handle(api, httpkit.Op{ID: "change-password", Method: http.MethodPost, Path: "/api/auth/password", Tag: tag, Roles: id.Roles(), Status: http.StatusNoContent,
		Summary:     "Change the own password",
		Description: "Needs the present one. Every other log-in of the person ends; the one that makes the call stays."},
		func(ctx context.Context, p id.Principal, in *passwordInput) (*noOutput, error) {
			return nil, svc.ChangePassword(ctx, callerOf(ctx, p), in.Body.CurrentPassword, in.Body.NewPassword)
		})
}

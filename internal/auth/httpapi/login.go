package httpapi

import (
	"context"
	"net/http"

	"turnero/internal/auth"
	"turnero/internal/id"
	"turnero/internal/platform/httpkit"
)

type loginInput struct {
	Body struct {
		Email    string `json:"email" maxLength:"320" example:"ana@example.com"`
		Password string `json:"password" maxLength:"1000"`
	}
}

type refreshInput struct {
	Body struct {
		RefreshToken string `json:"refreshToken" maxLength:"200" doc:"the newest one of this log-in"`
	}
}

type logoutInput struct {
	Authorization string `header:"Authorization" hidden:"true"`
	Body          *struct {
		RefreshToken string `json:"refreshToken,omitempty" maxLength:"200" doc:"of the log-in to end; without it the access token says which"`
	}
}

// sessionBody is what logging in and refreshing answer (RFC 6749 section 5.1, in camelCase).
type sessionBody struct {
	AccessToken  string   `json:"accessToken" doc:"send it as Authorization: Bearer …"`
	RefreshToken string   `json:"refreshToken" doc:"good for one POST /api/auth/refresh within 30 days"`
	TokenType    string   `json:"tokenType" enum:"Bearer"`
	ExpiresIn    int      `json:"expiresIn" doc:"seconds until the access token expires"`
	User         UserBody `json:"user"`
}

type sessionOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         sessionBody
}

type noOutput struct{}

func registerLogin(api *httpkit.API, svc *auth.Service) {
	httpkit.Handle(api, httpkit.Op{ID: "login", Method: http.MethodPost, Path: "/api/auth/login", Tag: tag, Public: true, Errors: []int{http.StatusUnauthorized},
		Summary: "Log in with e-mail address and password",
		Description: "An unknown address, a wrong password, a deactivated person and a suspended business get the same answer (401 `invalid_credentials`), " +
			"after the same time. Too many attempts for one account or from one address: 429 with Retry-After."},
		func(ctx context.Context, p id.Principal, in *loginInput) (*sessionOutput, error) {
			out, err := svc.Login(ctx, callerOf(ctx, p), in.Body.Email, in.Body.Password)
			return sessionAnswer(out), err
		})
	httpkit.Handle(api, httpkit.Op{ID: "refresh", Method: http.MethodPost, Path: "/api/auth/refresh", Tag: tag, Public: true, Errors: []int{http.StatusUnauthorized},
		Summary: "Swap a refresh token for a new pair",
		Description: "A refresh token is good for one use. Used again within 10 seconds it gives the same successor, so that a lost answer can be asked for again; " +
			"used later it ends the log-in with all its tokens, because somebody else has a copy."},
		func(ctx context.Context, p id.Principal, in *refreshInput) (*sessionOutput, error) {
			out, err := svc.Refresh(ctx, callerOf(ctx, p), in.Body.RefreshToken)
			return sessionAnswer(out), err
		})
	httpkit.Handle(api, httpkit.Op{ID: "logout", Method: http.MethodPost, Path: "/api/auth/logout", Tag: tag, Public: true, Status: http.StatusNoContent,
		Summary:     "End a log-in",
		Description: "Ends the log-in that the refresh token belongs to or, without one, that of the access token. Credentials that are no longer valid are no error."},
		func(ctx context.Context, p id.Principal, in *logoutInput) (*noOutput, error) {
			refresh := ""
			if in.Body != nil {
				refresh = in.Body.RefreshToken
			}
			return nil, svc.Logout(ctx, callerOf(ctx, p), refresh, in.Authorization)
		})
}

func sessionAnswer(s auth.Session) *sessionOutput {
	return &sessionOutput{CacheControl: "no-store", Body: sessionBody{AccessToken: s.AccessToken, RefreshToken: s.RefreshToken, TokenType: "Bearer",
		ExpiresIn: int(s.ExpiresIn.Seconds()), User: userBodyOf(s.User)}}
}

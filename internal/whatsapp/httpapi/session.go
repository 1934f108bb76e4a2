package httpapi

import (
	"context"
	"net/http"

	"turnero/internal/id"
	"turnero/internal/platform/httpkit"
	"turnero/internal/whatsapp"
)

type sessionOutput struct{ Body sessionBody }

type sessionsOutput struct{ Body httpkit.Page[sessionBody] }

type addSessionInput struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"255" doc:"a repeated request gives the line made by the first"`
	Body           struct {
		Name string `json:"name" minLength:"1" maxLength:"64" example:"Sucursal Norte"`
	}
}

func registerSessions(api *httpkit.API, svc *whatsapp.Service) {
	httpkit.Handle(api, httpkit.Op{ID: "init-session", Method: http.MethodPost, Path: "/api/whatsapp/init", Tag: tag, Roles: admins, Scope: writeLines,
		Summary: "Start the line: connect it, or show a QR to link it", Errors: []int{http.StatusNotFound, http.StatusConflict},
		Description: "Starting a line that runs changes nothing. The answer is the status at this moment; poll `/api/whatsapp/status` or listen to the events."},
		onSession(func(ctx context.Context, p id.Principal, session id.Session) (whatsapp.Session, error) {
			return svc.Init(ctx, p, session)
		}))
	httpkit.Handle(api, httpkit.Op{ID: "get-session-status", Method: http.MethodGet, Path: "/api/whatsapp/status", Tag: tag, Roles: people, Scope: readLines,
		Summary: "What the line is doing", Errors: []int{http.StatusNotFound}},
		onSession(func(ctx context.Context, p id.Principal, session id.Session) (whatsapp.Session, error) {
			return svc.FindSession(ctx, p, session)
		}))
	httpkit.Handle(api, httpkit.Op{ID: "restart-session", Method: http.MethodPost, Path: "/api/whatsapp/restart", Tag: tag, Roles: admins, Scope: writeLines,
		Summary: "Close the line's connection and open another", Errors: []int{http.StatusNotFound, http.StatusConflict}},
		onSession(func(ctx context.Context, p id.Principal, session id.Session) (whatsapp.Session, error) {
			return svc.Restart(ctx, p, session)
		}))
	httpkit.Handle(api, httpkit.Op{ID: "logout-session", Method: http.MethodPost, Path: "/api/whatsapp/logout", Tag: tag, Roles: admins, Scope: writeLines,
		Summary: "Remove the line's link to its phone", Errors: []int{http.StatusNotFound}, Description: "Its keys are deleted and what is queued fails. Chats and messages stay."},
		onSession(func(ctx context.Context, p id.Principal, session id.Session) (whatsapp.Session, error) {
			return svc.Logout(ctx, p, session)
		}))
	httpkit.Handle(api, httpkit.Op{ID: "list-sessions", Method: http.MethodGet, Path: "/api/whatsapp/sessions", Tag: tag, Roles: people, Scope: readLines,
		Summary: "List the lines of the business, oldest first"},
		func(ctx context.Context, p id.Principal, _ *struct{}) (*sessionsOutput, error) {
			list, err := svc.ListSessions(ctx, p)
			if err != nil {
				return nil, err
			}
			return &sessionsOutput{httpkit.Page[sessionBody]{Items: mapped(list, sessionOf)}}, nil
		})
	httpkit.Handle(api, httpkit.Op{ID: "add-session", Method: http.MethodPost, Path: "/api/whatsapp/sessions", Tag: tag, Roles: admins, Scope: writeLines, Status: http.StatusCreated,
		Summary: "Add a line for one more number", Errors: []int{http.StatusConflict}, Description: "Start it with `POST /api/whatsapp/init?session=`."},
		func(ctx context.Context, p id.Principal, in *addSessionInput) (*sessionOutput, error) {
			s, err := svc.AddSession(ctx, p, in.Body.Name, in.IdempotencyKey)
			if err != nil {
				return nil, err
			}
			return &sessionOutput{sessionOf(s)}, nil
		})
}

// onSession makes the handler of an operation on one line that answers with its status.
func onSession(do func(context.Context, id.Principal, id.Session) (whatsapp.Session, error)) func(context.Context, id.Principal, *SessionInput) (*sessionOutput, error) {
	return func(ctx context.Context, p id.Principal, in *SessionInput) (*sessionOutput, error) {
		session, err := in.session()
		if err != nil {
			return nil, err
		}
		s, err := do(ctx, p, session)
		if err != nil {
			return nil, err
		}
		return &sessionOutput{sessionOf(s)}, nil
	}
}

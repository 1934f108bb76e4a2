package httpapi

import (
	"context"
	"net/http"

	"turnero/internal/id"
	"turnero/internal/platform/httpkit"
	"turnero/internal/whatsapp"
)

type checkInput struct {
	SessionInput
	Phone string `query:"phone" required:"true" maxLength:"40" example:"+5491122334455"`
}

type checkOutput struct {
	Body struct {
		Phone      string `json:"phone" doc:"E.164, as asked"`
		Exists     bool   `json:"exists" doc:"the number is on WhatsApp"`
		WhatsAppID string `json:"whatsappId,omitempty" doc:"by number; it may be written otherwise than asked" example:"5491122334455@s.whatsapp.net"`
		LID        string `json:"lid,omitempty" example:"120001@lid"`
	}
}

func registerContacts(api *httpkit.API, svc *whatsapp.Service) {
	httpkit.Handle(api, httpkit.Op{ID: "check-contact", Method: http.MethodGet, Path: "/api/contacts/check", Tag: tag, Roles: people, Scope: readChats,
		Summary: "Ask WhatsApp whether a phone number is there", Errors: []int{http.StatusNotFound, http.StatusServiceUnavailable},
		Description: "Needs a connected line: 503 `session_not_linked` or, with Retry-After, `session_offline`."},
		func(ctx context.Context, p id.Principal, in *checkInput) (*checkOutput, error) {
			session, err := in.session()
			if err != nil {
				return nil, err
			}
			c, err := svc.CheckContact(ctx, p, session, in.Phone)
			if err != nil {
				return nil, err
			}
			out := &checkOutput{}
			out.Body.Phone, out.Body.Exists = c.Phone, c.IsOn
			out.Body.WhatsAppID, out.Body.LID = c.IDs.Number.String(), c.IDs.LID.String()
			return out, nil
		})
}

// Package httpapi is the REST side of notifications.
package httpapi

import (
	"context"
	"net/http"
	"time"

	"turnero/internal/id"
	"turnero/internal/notifications"
	"turnero/internal/platform/httpkit"
)

// Notification is a reminder as the API shows it.
type Notification struct {
	ID          id.Notification `json:"id"`
	Appointment id.Appointment  `json:"appointmentId"`
	Channel     string          `json:"channel" enum:"whatsapp"`
	Offset      int             `json:"offset" doc:"minutes before the appointment"`
	Due         time.Time       `json:"due" doc:"when it is sent"`
	Start       time.Time       `json:"start" doc:"start of the appointment that it reminds of"`
	Status      string          `json:"status" enum:"planned,queued,dropped,skipped" doc:"queued: handed to WhatsApp; the message's own status tells the rest"`
	Reason      string          `json:"reason,omitempty"`
	Message     id.Message      `json:"messageId" doc:"the message, once it is queued"`
}

type listOutput struct{ Body httpkit.Page[Notification] }

// Register adds the operations to the API.
func Register(api *httpkit.API, svc *notifications.Service) {
	httpkit.Handle(api, httpkit.Op{ID: "list-notifications", Method: http.MethodGet, Path: "/api/notifications", Tag: "notifications",
		Summary: "List planned and sent reminders, those due last first", Roles: []id.Role{id.Admin, id.Employee}, Scope: "appointments:read"},
		func(ctx context.Context, p id.Principal, in *httpkit.PageInput) (*listOutput, error) {
			var after notifications.Position
			if err := httpkit.DecodeCursor(in.Cursor, &after); err != nil {
				return nil, err
			}
			items, next, err := svc.List(ctx, p.Tenant, after, in.Limit)
			if err != nil {
				return nil, err
			}
			out := &listOutput{Body: httpkit.Page[Notification]{Items: make([]Notification, len(items))}}
			for i, r := range items {
				out.Body.Items[i] = Notification{ID: r.ID, Appointment: r.Appointment, Channel: r.Channel, Offset: int(r.Offset / time.Minute), Due: r.Due,
					Start: r.Start, Status: string(r.State), Reason: r.Reason, Message: r.Message}
			}
			if next != nil {
				out.Body.NextCursor = httpkit.EncodeCursor(next)
			}
			return out, nil
		})
}

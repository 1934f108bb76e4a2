package httpapi

import (
	"context"
	"net/http"

	"turnero/internal/appointments"
	"turnero/internal/id"
	"turnero/internal/platform/httpkit"
)

type closureBody struct {
	ID        string `json:"id"`
	Location  string `json:"location"`
	Staff     string `json:"staff,omitempty" doc:"absent when everybody at the location is away"`
	FirstDate string `json:"firstDate,omitempty" doc:"when it closes whole dates" example:"2026-12-25"`
	LastDate  string `json:"lastDate,omitempty" doc:"the last closed date"`
	From      string `json:"from,omitempty" doc:"when it closes a range of time"`
	To        string `json:"to,omitempty"`
	Reason    string `json:"reason"`

	Appointments []appointmentBody `json:"appointments,omitempty" doc:"when it has just been made: those that lie in the closed time and stay booked, for somebody to care about"`
}

func closureOf(c *appointments.Closure) closureBody {
	b := closureBody{ID: c.ID.String(), Location: c.Location.String(), Staff: c.Staff.String(), FirstDate: c.First.String(), LastDate: c.Last.String(), Reason: c.Reason}
	if !c.Span.From.IsZero() {
		b.From, b.To = c.Span.From.Format(rfc3339), c.Span.To.Format(rfc3339)
	}
	return b
}

type closuresOutput struct{ Body httpkit.Page[closureBody] }

type closureOutput struct{ Body closureBody }

type createClosureInput struct {
	KeyInput
	Body struct {
		Location         string `json:"location,omitempty" maxLength:"100" doc:"that of the staff member, else the first one"`
		Staff            string `json:"staff,omitempty" maxLength:"100" doc:"everybody at the location when absent"`
		FirstDate        string `json:"firstDate,omitempty" maxLength:"40" doc:"to close whole dates of the location"`
		LastDate         string `json:"lastDate,omitempty" maxLength:"40" doc:"included; firstDate when absent"`
		From             string `json:"from,omitempty" maxLength:"40" doc:"to close a range of time"`
		To               string `json:"to,omitempty" maxLength:"40"`
		Reason           string `json:"reason,omitempty" maxLength:"500"`
		KeepAppointments bool   `json:"keepAppointments,omitempty" doc:"close although there are appointments, which stay booked; without it the answer is 409 with their list"`
	}
}

func registerClosures(api *httpkit.API, svc *appointments.Service) {
	httpkit.Handle(api, httpkit.Op{ID: "list-closures", Method: http.MethodGet, Path: "/api/closures", Tag: tag, Roles: people, Scope: readSetup,
		Summary: "List when the business or somebody of it is closed"},
		func(ctx context.Context, p id.Principal, _ *struct{}) (*closuresOutput, error) {
			all, err := svc.Closures(ctx, p.Tenant)
			return &closuresOutput{Body: pageOf(all, closureOf)}, err
		})
	httpkit.Handle(api, httpkit.Op{ID: "create-closure", Method: http.MethodPost, Path: "/api/closures", Tag: tag, Roles: admins, Scope: writeSetup,
		Status: http.StatusCreated, Summary: "Close a location or a staff member's agenda for a time", Errors: []int{http.StatusConflict}},
		func(ctx context.Context, p id.Principal, in *createClosureInput) (*closureOutput, error) {
			c, err := in.closure()
			if err != nil {
				return nil, err
			}
			c, met, err := svc.CreateClosure(ctx, p.Tenant, in.key(in.Body), c, in.Body.KeepAppointments)
			if err != nil {
				return nil, toWire(err)
			}
			out := &closureOutput{Body: closureOf(&c)}
			out.Body.Appointments = appointmentsOf(met)
			return out, nil
		})
	httpkit.Handle(api, httpkit.Op{ID: "delete-closure", Method: http.MethodDelete, Path: "/api/closures/{id}", Tag: tag, Roles: admins, Scope: writeSetup,
		Status: http.StatusNoContent, Summary: "Open again"},
		func(ctx context.Context, p id.Principal, in *IDInput) (*struct{}, error) {
			closure, err := inPath(in.ID, "closure", id.ParseClosure)
			if err != nil {
				return nil, err
			}
			return nil, svc.DeleteClosure(ctx, p.Tenant, closure)
		})
}

func (in *createClosureInput) closure() (c appointments.Closure, err error) {
	b := &in.Body
	c.Reason = b.Reason
	if c.Location, err = inField("location", b.Location, id.ParseLocation); err != nil {
		return c, err
	}
	if c.Staff, err = inField("staff", b.Staff, id.ParseStaff); err != nil {
		return c, err
	}
	if b.FirstDate != "" {
		if c.First, err = dateOf("firstDate", b.FirstDate); err != nil {
			return c, err
		}
	}
	if b.LastDate != "" {
		if c.Last, err = dateOf("lastDate", b.LastDate); err != nil {
			return c, err
		}
	}
	if b.From != "" {
		if c.Span.From, err = instantOf("from", b.From); err != nil {
			return c, err
		}
	}
	if b.To != "" {
		c.Span.To, err = instantOf("to", b.To)
	}
	return c, err
}

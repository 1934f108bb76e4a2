package httpapi

import (
	"context"
	"net/http"
	"time"

	"turnero/internal/appointments"
	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/httpkit"
)

type agendaInput struct {
	httpkit.PageInput
	From     string   `query:"from" maxLength:"40" doc:"a date of the location, or an instant: those that end later"`
	To       string   `query:"to" maxLength:"40" doc:"a date, which is included, or an instant: those that start earlier"`
	Staff    string   `query:"staff" maxLength:"100"`
	Customer string   `query:"customer" maxLength:"100"`
	Location string   `query:"location" maxLength:"100"`
	Status   []string `query:"status" maxItems:"5" enum:"booked,confirmed,completed,no_show,cancelled" doc:"one or more, separated by commas"`
}

type agendaOutput struct {
	Body httpkit.Page[appointmentBody]
}

// agendaCursor is the position behind which the next page begins.
type agendaCursor struct {
	Start int64          `json:"s"` // microseconds
	ID    id.Appointment `json:"i"`
}

func registerAgenda(api *httpkit.API, svc *appointments.Service) {
	httpkit.Handle(api, httpkit.Op{ID: "list-appointments", Method: http.MethodGet, Path: "/api/appointments", Tag: tag, Roles: people, Scope: readAgenda,
		Summary: "List appointments in the order of start"},
		func(ctx context.Context, p id.Principal, in *agendaInput) (*agendaOutput, error) {
			q, err := in.query(ctx, p, svc)
			if err != nil {
				return nil, err
			}
			found, err := svc.Appointments(ctx, p.Tenant, q)
			if err != nil {
				return nil, err
			}
			out := &agendaOutput{Body: pageOf(found[:min(len(found), in.Limit)], appointmentOf)}
			if len(found) > in.Limit {
				last := &found[in.Limit-1]
				out.Body.NextCursor = httpkit.EncodeCursor(agendaCursor{Start: last.Start.UnixMicro(), ID: last.ID})
			}
			return out, nil
		})
}

func (in *agendaInput) query(ctx context.Context, p id.Principal, svc *appointments.Service) (q appointments.AppointmentQuery, err error) {
	q.Limit = in.Limit + 1
	if q.Staff, err = inField("staff", in.Staff, id.ParseStaff); err != nil {
		return q, err
	}
	if q.Customer, err = inField("customer", in.Customer, id.ParseCustomer); err != nil {
		return q, err
	}
	if q.Location, err = inField("location", in.Location, id.ParseLocation); err != nil {
		return q, err
	}
	for _, status := range in.Status {
		q.Statuses = append(q.Statuses, appointments.Status(status))
	}
	var after agendaCursor
	if err = httpkit.DecodeCursor(in.Cursor, &after); err != nil {
		return q, err
	}
	if !after.ID.IsZero() {
		q.After = appointments.AppointmentPosition{Start: time.UnixMicro(after.Start).UTC(), ID: after.ID}
	}
	if q.Span.From, err = in.bound(ctx, p, svc, "from", in.From, 0); err != nil {
		return q, err
	}
	if q.Span.To, err = in.bound(ctx, p, svc, "to", in.To, 1); err != nil {
		return q, err
	}
	if !q.Span.From.IsZero() && !q.Span.To.IsZero() && !q.Span.From.Before(q.Span.To) {
		return q, fault.BadField("to", "must be after from")
	}
	return q, nil
}

// bound reads one end of the range: an instant, or a date of the location with the days added that make it included.
func (in *agendaInput) bound(ctx context.Context, p id.Principal, svc *appointments.Service, field, text string, days int) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if len(text) != len(time.DateOnly) {
		return boundOf(field, text)
	}
	date, err := dateOf(field, text)
	if err != nil {
		return time.Time{}, err
	}
	place, err := in.place(ctx, p, svc)
	if err != nil {
		return time.Time{}, err
	}
	date = date.AddDays(days)
	span, err := place.DaySpan(date, date)
	return span.From, err
}

// place gives the location whose dates are meant. A business without locations has no appointments either: any zone will do.
func (in *agendaInput) place(ctx context.Context, p id.Principal, svc *appointments.Service) (appointments.Location, error) {
	all, err := svc.Locations(ctx, p.Tenant)
	if err != nil {
		return appointments.Location{}, err
	}
	for _, l := range all {
		if in.Location == "" || l.ID.String() == in.Location {
			return l, nil
		}
	}
	return appointments.Location{Zone: "UTC"}, nil
}

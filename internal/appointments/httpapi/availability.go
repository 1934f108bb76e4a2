package httpapi

import (
	"context"
	"net/http"

	"turnero/internal/appointments"
	"turnero/internal/id"
	"turnero/internal/platform/httpkit"
)

type availabilityInput struct {
	Service  string `query:"service" required:"true" maxLength:"100" doc:"ID of the service"`
	Staff    string `query:"staff" maxLength:"100" doc:"ID; everybody who performs the service when absent"`
	Location string `query:"location" maxLength:"100" doc:"ID; that of the staff member, else the first one, when absent"`
	From     string `query:"from" required:"true" maxLength:"40" doc:"a date, or an instant: the first start wanted" example:"2026-03-26"`
	To       string `query:"to" required:"true" maxLength:"40" doc:"a date, which is included, or an instant, which is not; at most 62 days in all" example:"2026-03-27"`
}

type availabilityOutput struct{ Body availabilityBody }

func registerAvailability(api *httpkit.API, svc *appointments.Service) {
	httpkit.Handle(api, httpkit.Op{ID: "list-availability", Method: http.MethodGet, Path: "/api/availability", Tag: tag, Roles: people, Scope: readAgenda,
		Summary: "List what can be booked now", Errors: []int{http.StatusNotFound}},
		func(ctx context.Context, p id.Principal, in *availabilityInput) (*availabilityOutput, error) {
			q, err := in.query()
			if err != nil {
				return nil, err
			}
			found, err := svc.Availability(ctx, p.Tenant, q)
			if err != nil {
				return nil, err
			}
			return &availabilityOutput{Body: availabilityBody{Service: refBody{ID: found.Service.ID.String(), Name: found.Service.Name},
				Location: placeOf(&found.Location), found: found.Slots}}, nil
		})
}

func (in *availabilityInput) query() (q appointments.AvailabilityQuery, err error) {
	if q.Service, err = inField("service", in.Service, id.ParseService); err != nil {
		return q, err
	}
	if q.Staff, err = inField("staff", in.Staff, id.ParseStaff); err != nil {
		return q, err
	}
	if q.Location, err = inField("location", in.Location, id.ParseLocation); err != nil {
		return q, err
	}
	span, first, last, err := rangeOf(in.From, in.To)
	q.From, q.To, q.First, q.Last = span.From, span.To, first, last
	return q, err
}

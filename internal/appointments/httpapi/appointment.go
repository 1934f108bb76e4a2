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

const rfc3339 = time.RFC3339

type clientBody struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Phone string `json:"phone,omitempty" doc:"E.164"`
}

type appointmentBody struct {
	ID        string            `json:"id"`
	Start     string            `json:"start" doc:"with the offset of the location's zone" example:"2026-03-26T10:00:00-03:00"`
	End       string            `json:"end"`
	Status    string            `json:"status" enum:"booked,confirmed,completed,no_show,cancelled"`
	Services  []refBody         `json:"services" nullable:"false"`
	Staff     refBody           `json:"staff"`
	Customer  clientBody        `json:"customer"`
	Location  placeBody         `json:"location"`
	Price     *moneyBody        `json:"price,omitempty" doc:"as it was when booked"`
	Notes     string            `json:"notes"`
	Origin    string            `json:"origin" doc:"where it was booked: api, bot"`
	BookedBy  string            `json:"bookedBy" doc:"ID of the user, API key or customer"`
	BookedAt  time.Time         `json:"bookedAt"`
	Cancelled *cancellationBody `json:"cancelled,omitempty"`
	Version   int64             `json:"version" doc:"grows with every change"`
}

type cancellationBody struct {
	By     string    `json:"by" doc:"who cancelled first"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
}

func appointmentOf(a *appointments.Appointment) appointmentBody {
	b := appointmentBody{ID: a.ID.String(), Start: instantIn(&a.Location, a.Start), End: instantIn(&a.Location, a.End), Status: string(a.Status),
		Services: []refBody{{ID: a.Service.ID.String(), Name: a.Service.Name}}, Staff: refBody{ID: a.Staff.ID.String(), Name: a.Staff.Name},
		Customer: clientBody{ID: a.Customer.ID.String(), Name: a.Customer.Name, Phone: a.Customer.Phone}, Location: placeOf(&a.Location),
		Price: moneyOf(a.Price), Notes: a.Notes, Origin: a.Origin, BookedBy: a.BookedBy, BookedAt: a.BookedAt.UTC(), Version: a.Version}
	if a.Status == appointments.Cancelled {
		b.Cancelled = &cancellationBody{By: a.Cancelled.By, At: a.Cancelled.At.UTC(), Reason: a.Cancelled.Reason}
	}
	return b
}

func appointmentsOf(all []appointments.Appointment) []appointmentBody {
	return pageOf(all, appointmentOf).Items
}

type appointmentOutput struct{ Body appointmentBody }

func answer(a appointments.Appointment, err error) (*appointmentOutput, error) {
	if err != nil {
		return nil, toWire(err)
	}
	return &appointmentOutput{Body: appointmentOf(&a)}, nil
}

type bookInput struct {
	KeyInput
	Body struct {
		Service  string `json:"service" maxLength:"100" doc:"ID of the service" required:"false"`
		Staff    string `json:"staff,omitempty" maxLength:"100" doc:"ID; anybody who is free when absent"`
		Location string `json:"location,omitempty" maxLength:"100" doc:"ID; that of the staff member, else the first one, when absent"`
		Start    string `json:"start" maxLength:"40" doc:"an instant, or a wall-clock time of the location without offset" example:"2026-03-26T10:00:00-03:00" required:"false"`
		Hold     string `json:"hold,omitempty" maxLength:"100" doc:"ID of the hold that keeps the slot; it says what of the above is absent"`
		Customer struct {
			ID    string `json:"id,omitempty" maxLength:"100" doc:"an existing customer; or else:"`
			Name  string `json:"name,omitempty" maxLength:"500"`
			Phone string `json:"phone,omitempty" maxLength:"40" doc:"E.164, or as dialled in the country of the business; who has it already is that customer" example:"+5491122334455"`
		} `json:"customer"`
		Notes string `json:"notes,omitempty" maxLength:"4000"`
	}
}

func (in *bookInput) command(p id.Principal) (cmd appointments.BookCommand, err error) {
	b := &in.Body
	cmd = appointments.BookCommand{Key: in.key(in.Body), Notes: b.Notes, Origin: appointments.OriginAPI, By: p.Actor(),
		Customer: appointments.CustomerRef{Name: b.Customer.Name, Phone: b.Customer.Phone}}
	if cmd.Service, cmd.Staff, cmd.Location, cmd.Start, err = readWanted(b.Service, b.Staff, b.Location, b.Start); err != nil {
		return cmd, err
	}
	if cmd.Hold, err = inField("hold", b.Hold, id.ParseHold); err != nil {
		return cmd, err
	}
	cmd.Customer.ID, err = inField("customer.id", b.Customer.ID, id.ParseCustomer)
	return cmd, err
}

// readWanted reads what names a time that somebody wants.
func readWanted(service, staff, location, start string) (v id.Service, f id.Staff, l id.Location, m appointments.Moment, err error) {
	if v, err = inField("service", service, id.ParseService); err != nil {
		return v, f, l, m, err
	}
	if f, err = inField("staff", staff, id.ParseStaff); err != nil {
		return v, f, l, m, err
	}
	if l, err = inField("location", location, id.ParseLocation); err != nil || start == "" {
		return v, f, l, m, err
	}
	m, err = appointments.ParseMoment("start", start)
	return v, f, l, m, err
}

type rescheduleInput struct {
	IDInput
	Body struct {
		Start   *string `json:"start,omitempty" maxLength:"40"`
		Staff   *string `json:"staff,omitempty" maxLength:"100"`
		Notes   *string `json:"notes,omitempty" maxLength:"4000"`
		Version int64   `json:"version,omitempty" doc:"refuse unless the appointment still has this version"`
	}
}

func (in *rescheduleInput) command(p id.Principal) (appointments.RescheduleCommand, error) {
	cmd := appointments.RescheduleCommand{Notes: in.Body.Notes, Version: in.Body.Version, By: p.Actor()}
	if in.Body.Start != nil {
		m, err := appointments.ParseMoment("start", *in.Body.Start)
		if err != nil {
			return cmd, err
		}
		cmd.Start = &m
	}
	if in.Body.Staff != nil {
		staff, err := id.ParseStaff(*in.Body.Staff)
		if err != nil {
			return cmd, fault.BadField("staff", "must be an ID as this API gives them")
		}
		cmd.Staff = &staff
	}
	return cmd, nil
}

type cancelInput struct {
	IDInput
	Body *struct {
		Reason string `json:"reason,omitempty" maxLength:"2000"`
	} `required:"false"`
}

func registerAppointments(api *httpkit.API, svc *appointments.Service) {
	httpkit.Handle(api, httpkit.Op{ID: "book-appointment", Method: http.MethodPost, Path: "/api/appointments", Tag: tag, Roles: people, Scope: writeAgenda,
		Status: http.StatusCreated, Summary: "Book", Errors: []int{http.StatusNotFound, http.StatusConflict},
		Description: "A time that cannot be booked is refused with its reason as code (`slot_taken`, `closed`, `break`, `closure`: 409; `past`, `notice`, `horizon`, `off_grid`, `not_performed`, `not_offered`, `dst_gap`, `dst_overlap`: 422) and the nearest slots as `alternatives`."},
		func(ctx context.Context, p id.Principal, in *bookInput) (*appointmentOutput, error) {
			cmd, err := in.command(p)
			if err != nil {
				return nil, err
			}
			return answer(svc.Book(ctx, p.Tenant, cmd))
		})
	httpkit.Handle(api, httpkit.Op{ID: "get-appointment", Method: http.MethodGet, Path: "/api/appointments/{id}", Tag: tag, Roles: people, Scope: readAgenda,
		Summary: "Show an appointment"},
		func(ctx context.Context, p id.Principal, in *IDInput) (*appointmentOutput, error) {
			appointment, err := inPath(in.ID, "appointment", id.ParseAppointment)
			if err != nil {
				return nil, err
			}
			return answer(svc.Appointment(ctx, p.Tenant, appointment))
		})
	httpkit.Handle(api, httpkit.Op{ID: "reschedule-appointment", Method: http.MethodPatch, Path: "/api/appointments/{id}", Tag: tag, Roles: people, Scope: writeAgenda,
		Summary: "Move an appointment, give it to somebody else, or change its notes", Errors: []int{http.StatusConflict}},
		func(ctx context.Context, p id.Principal, in *rescheduleInput) (*appointmentOutput, error) {
			appointment, err := inPath(in.ID, "appointment", id.ParseAppointment)
			if err != nil {
				return nil, err
			}
			cmd, err := in.command(p)
			if err != nil {
				return nil, err
			}
			return answer(svc.Reschedule(ctx, p.Tenant, appointment, cmd))
		})
	httpkit.Handle(api, httpkit.Op{ID: "cancel-appointment", Method: http.MethodPost, Path: "/api/appointments/{id}/cancel", Tag: tag, Roles: people, Scope: writeAgenda,
		Summary: "Cancel an appointment; again changes nothing", Errors: []int{http.StatusConflict}},
		func(ctx context.Context, p id.Principal, in *cancelInput) (*appointmentOutput, error) {
			appointment, err := inPath(in.ID, "appointment", id.ParseAppointment)
			if err != nil {
				return nil, err
			}
			reason := ""
			if in.Body != nil {
				reason = in.Body.Reason
			}
			return answer(svc.Cancel(ctx, p.Tenant, appointment, p.Actor(), reason))
		})
	registerSettling(api, "confirm-appointment", "confirm", "Note that an appointment holds", svc.Confirm)
	registerSettling(api, "complete-appointment", "complete", "Note that an appointment took place", svc.Complete)
	registerSettling(api, "no-show-appointment", "no-show", "Note that the customer did not come", svc.MarkNoShow)
	registerAgenda(api, svc)
}

// registerSettling adds an operation that moves an appointment to a status.
func registerSettling(api *httpkit.API, operation, verb, summary string,
	settle func(context.Context, id.Tenant, id.Appointment, string) (appointments.Appointment, error)) {
	httpkit.Handle(api, httpkit.Op{ID: operation, Method: http.MethodPost, Path: "/api/appointments/{id}/" + verb, Tag: tag, Roles: people, Scope: writeAgenda,
		Summary: summary + "; again changes nothing", Errors: []int{http.StatusConflict}},
		func(ctx context.Context, p id.Principal, in *IDInput) (*appointmentOutput, error) {
			appointment, err := inPath(in.ID, "appointment", id.ParseAppointment)
			if err != nil {
				return nil, err
			}
			return answer(settle(ctx, p.Tenant, appointment, p.Actor()))
		})
}

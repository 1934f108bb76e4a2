package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"turnero/internal/appointments"
	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/httpkit"
)

type shiftBody struct {
	Weekday string `json:"weekday" enum:"sunday,monday,tuesday,wednesday,thursday,friday,saturday"`
	From    string `json:"from" maxLength:"20" doc:"wall clock of the location" example:"09:00"`
	To      string `json:"to" maxLength:"20" doc:"later than from; past midnight goes on as 24:00, 25:00 …: 22:00 to 26:00 ends at 02:00 on the next day" example:"18:00"`
}

func shiftsOf(all []appointments.Shift) []shiftBody {
	out := make([]shiftBody, len(all))
	for i, s := range all {
		out[i] = shiftBody{Weekday: strings.ToLower(s.Day.String()), From: s.From.String(), To: s.To.String()}
	}
	return out
}

func readShifts(field string, all []shiftBody) ([]appointments.Shift, error) {
	out := make([]appointments.Shift, len(all))
	var broken []fault.Field
	for i, b := range all {
		weekday := slices.IndexFunc(weekdays, func(d time.Weekday) bool { return strings.EqualFold(d.String(), b.Weekday) })
		from, okFrom := appointments.ParseClock(b.From)
		to, okTo := appointments.ParseClock(b.To)
		for name, ok := range map[string]bool{"from": okFrom, "to": okTo} {
			if !ok {
				broken = append(broken, fault.Field{Name: fmt.Sprintf("%s[%d].%s", field, i, name), Rule: "must be a time from 00:00 to 48:00, such as 09:30"})
			}
		}
		out[i] = appointments.Shift{Day: time.Weekday(weekday), From: from, To: to}
	}
	return out, fault.BadFields(broken...)
}

var weekdays = []time.Weekday{time.Sunday, time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday, time.Saturday}

type staffBody struct {
	ID       string      `json:"id"`
	Name     string      `json:"name"`
	Location string      `json:"location" doc:"ID of where the person works"`
	Services []string    `json:"services" nullable:"false" doc:"IDs of what the person performs"`
	Hours    []shiftBody `json:"hours" nullable:"false" doc:"the week's shifts"`
	Breaks   []shiftBody `json:"breaks" nullable:"false" doc:"taken out of the shifts that start on the same weekday"`
	Active   bool        `json:"active" doc:"can be booked"`
}

func staffOf(m *appointments.Staff) staffBody {
	b := staffBody{ID: m.ID.String(), Name: m.Name, Location: m.Location.String(), Services: make([]string, len(m.Services)),
		Hours: shiftsOf(m.Hours), Breaks: shiftsOf(m.Breaks), Active: m.Active}
	for i, service := range m.Services {
		b.Services[i] = service.String()
	}
	return b
}

type staffOutput struct{ Body staffBody }

type staffListOutput struct{ Body httpkit.Page[staffBody] }

type createStaffInput struct {
	KeyInput
	Body struct {
		Name     string      `json:"name" maxLength:"500"`
		Location string      `json:"location,omitempty" maxLength:"100" doc:"the first one when absent"`
		Services []string    `json:"services,omitempty" maxItems:"500" nullable:"false"`
		Hours    []shiftBody `json:"hours,omitempty" maxItems:"50" nullable:"false"`
		Breaks   []shiftBody `json:"breaks,omitempty" maxItems:"50" nullable:"false"`
		Active   *bool       `json:"active,omitempty" doc:"true when absent"`
	}
}

type updateStaffInput struct {
	IDInput
	Body struct {
		Name     *string      `json:"name,omitempty" maxLength:"500"`
		Location *string      `json:"location,omitempty" maxLength:"100"`
		Services *[]string    `json:"services,omitempty" maxItems:"500" doc:"replaces all"`
		Hours    *[]shiftBody `json:"hours,omitempty" maxItems:"50" doc:"replaces all"`
		Breaks   *[]shiftBody `json:"breaks,omitempty" maxItems:"50" doc:"replaces all"`
		Active   *bool        `json:"active,omitempty"`
	}
}

func registerStaff(api *httpkit.API, svc *appointments.Service) {
	httpkit.Handle(api, httpkit.Op{ID: "list-staff", Method: http.MethodGet, Path: "/api/staff", Tag: tag, Roles: people, Scope: readSetup,
		Summary: "List the staff with their hours"},
		func(ctx context.Context, p id.Principal, _ *struct{}) (*staffListOutput, error) {
			all, err := svc.StaffMembers(ctx, p.Tenant)
			return &staffListOutput{Body: pageOf(all, staffOf)}, err
		})
	httpkit.Handle(api, httpkit.Op{ID: "get-staff", Method: http.MethodGet, Path: "/api/staff/{id}", Tag: tag, Roles: people, Scope: readSetup,
		Summary: "Show a staff member"},
		func(ctx context.Context, p id.Principal, in *IDInput) (*staffOutput, error) {
			staff, err := inPath(in.ID, "staff member", id.ParseStaff)
			if err != nil {
				return nil, err
			}
			m, err := svc.StaffMember(ctx, p.Tenant, staff)
			return &staffOutput{Body: staffOf(&m)}, err
		})
	httpkit.Handle(api, httpkit.Op{ID: "create-staff", Method: http.MethodPost, Path: "/api/staff", Tag: tag, Roles: admins, Scope: writeSetup,
		Status: http.StatusCreated, Summary: "Add a staff member"},
		func(ctx context.Context, p id.Principal, in *createStaffInput) (*staffOutput, error) {
			b := &in.Body
			m := appointments.Staff{Name: b.Name, Active: b.Active == nil || *b.Active}
			if err := readStaff(&m, &b.Location, &b.Services, &b.Hours, &b.Breaks); err != nil {
				return nil, err
			}
			m, err := svc.CreateStaff(ctx, p.Tenant, in.key(in.Body), m)
			return &staffOutput{Body: staffOf(&m)}, err
		})
	httpkit.Handle(api, httpkit.Op{ID: "update-staff", Method: http.MethodPatch, Path: "/api/staff/{id}", Tag: tag, Roles: admins, Scope: writeSetup,
		Summary: "Change a staff member, the hours included; what is booked stays"},
		func(ctx context.Context, p id.Principal, in *updateStaffInput) (*staffOutput, error) {
			staff, err := inPath(in.ID, "staff member", id.ParseStaff)
			if err != nil {
				return nil, err
			}
			var read appointments.Staff
			b := &in.Body
			if err = readStaff(&read, b.Location, b.Services, b.Hours, b.Breaks); err != nil {
				return nil, err
			}
			m, err := svc.UpdateStaff(ctx, p.Tenant, staff, func(m *appointments.Staff) { in.change(m, read) })
			return &staffOutput{Body: staffOf(&m)}, err
		})
}

// change takes over what the request names; read holds what of it had to be parsed.
func (in *updateStaffInput) change(m *appointments.Staff, read appointments.Staff) {
	b := &in.Body
	set(&m.Name, b.Name)
	set(&m.Active, b.Active)
	if b.Location != nil {
		m.Location = read.Location
	}
	if b.Services != nil {
		m.Services = read.Services
	}
	if b.Hours != nil {
		m.Hours = read.Hours
	}
	if b.Breaks != nil {
		m.Breaks = read.Breaks
	}
}

// readStaff reads what is given of IDs and hours; what is nil stays.
func readStaff(m *appointments.Staff, location *string, services *[]string, hours, breaks *[]shiftBody) (err error) {
	if location != nil {
		if m.Location, err = inField("location", *location, id.ParseLocation); err != nil {
			return err
		}
	}
	if services != nil {
		for i, text := range *services {
			service, err := id.ParseService(text)
			if err != nil {
				return fault.BadField(fmt.Sprintf("services[%d]", i), "must be an ID as this API gives them")
			}
			m.Services = append(m.Services, service)
		}
	}
	if hours != nil {
		if m.Hours, err = readShifts("hours", *hours); err != nil {
			return err
		}
	}
	if breaks != nil {
		m.Breaks, err = readShifts("breaks", *breaks)
	}
	return err
}

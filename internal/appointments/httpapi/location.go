package httpapi

import (
	"context"
	"net/http"
	"time"

	"turnero/internal/appointments"
	"turnero/internal/id"
	"turnero/internal/platform/httpkit"
)

type locationBody struct {
	ID           string `json:"id"`
	Name         string `json:"name"`
	Zone         string `json:"zone" doc:"IANA name" example:"America/Argentina/Buenos_Aires"`
	Address      string `json:"address"`
	Notice       int    `json:"notice" doc:"least minutes between booking and start"`
	HorizonDays  int    `json:"horizonDays" doc:"how many days ahead can be booked"`
	ClosureDates string `json:"closureDates" enum:"shift,calendar" doc:"what a closure of whole dates closes: the shifts that start on them, or the dates from midnight to midnight"`
}

func locationOf(l *appointments.Location) locationBody {
	return locationBody{ID: l.ID.String(), Name: l.Name, Zone: l.Zone, Address: l.Address, Notice: minutes(l.Policy.Notice),
		HorizonDays: l.Policy.HorizonDays, ClosureDates: string(l.Policy.ClosureDates)}
}

type locationOutput struct{ Body locationBody }

type locationsOutput struct{ Body httpkit.Page[locationBody] }

type createLocationInput struct {
	KeyInput
	Body struct {
		Name         string  `json:"name" maxLength:"500"`
		Zone         string  `json:"zone,omitempty" maxLength:"100" doc:"IANA name; the business's when absent"`
		Address      string  `json:"address,omitempty" maxLength:"2000"`
		Notice       int     `json:"notice,omitempty" doc:"minutes"`
		HorizonDays  *int    `json:"horizonDays,omitempty" doc:"60 when absent"`
		ClosureDates *string `json:"closureDates,omitempty" enum:"shift,calendar"`
	}
}

type updateLocationInput struct {
	IDInput
	Body struct {
		Name         *string `json:"name,omitempty" maxLength:"500"`
		Zone         *string `json:"zone,omitempty" maxLength:"100"`
		Keep         string  `json:"keep,omitempty" enum:"wall,instant" doc:"what stays of future appointments when the zone changes; without it the change is refused while there are any"`
		Address      *string `json:"address,omitempty" maxLength:"2000"`
		Notice       *int    `json:"notice,omitempty" doc:"minutes"`
		HorizonDays  *int    `json:"horizonDays,omitempty"`
		ClosureDates *string `json:"closureDates,omitempty" enum:"shift,calendar"`
	}
}

func registerLocations(api *httpkit.API, svc *appointments.Service) {
	httpkit.Handle(api, httpkit.Op{ID: "list-locations", Method: http.MethodGet, Path: "/api/locations", Tag: tag, Roles: people, Scope: readSetup,
		Summary: "List the places of business; the first set-up makes one"},
		func(ctx context.Context, p id.Principal, _ *struct{}) (*locationsOutput, error) {
			all, err := svc.Locations(ctx, p.Tenant)
			return &locationsOutput{Body: pageOf(all, locationOf)}, err
		})
	httpkit.Handle(api, httpkit.Op{ID: "get-location", Method: http.MethodGet, Path: "/api/locations/{id}", Tag: tag, Roles: people, Scope: readSetup,
		Summary: "Show a place of business"},
		func(ctx context.Context, p id.Principal, in *IDInput) (*locationOutput, error) {
			location, err := inPath(in.ID, "location", id.ParseLocation)
			if err != nil {
				return nil, err
			}
			l, err := svc.Location(ctx, p.Tenant, location)
			return &locationOutput{Body: locationOf(&l)}, err
		})
	httpkit.Handle(api, httpkit.Op{ID: "create-location", Method: http.MethodPost, Path: "/api/locations", Tag: tag, Roles: admins, Scope: writeSetup,
		Status: http.StatusCreated, Summary: "Add a place of business"},
		func(ctx context.Context, p id.Principal, in *createLocationInput) (*locationOutput, error) {
			b := &in.Body
			l := appointments.Location{Name: b.Name, Zone: b.Zone, Address: b.Address, Policy: appointments.DefaultPolicy()}
			l.Policy.Notice = length(b.Notice)
			setPolicy(&l.Policy, nil, b.HorizonDays, b.ClosureDates)
			l, err := svc.CreateLocation(ctx, p.Tenant, in.key(in.Body), l)
			return &locationOutput{Body: locationOf(&l)}, err
		})
	httpkit.Handle(api, httpkit.Op{ID: "update-location", Method: http.MethodPatch, Path: "/api/locations/{id}", Tag: tag, Roles: admins, Scope: writeSetup,
		Summary: "Change a place of business", Errors: []int{http.StatusConflict}},
		func(ctx context.Context, p id.Principal, in *updateLocationInput) (*locationOutput, error) {
			location, err := inPath(in.ID, "location", id.ParseLocation)
			if err != nil {
				return nil, err
			}
			l, err := svc.UpdateLocation(ctx, p.Tenant, location, appointments.Keep(in.Body.Keep), in.change)
			return &locationOutput{Body: locationOf(&l)}, toWire(err)
		})
}

func (in *updateLocationInput) change(l *appointments.Location) {
	b := &in.Body
	set(&l.Name, b.Name)
	set(&l.Zone, b.Zone)
	set(&l.Address, b.Address)
	setPolicy(&l.Policy, b.Notice, b.HorizonDays, b.ClosureDates)
}

func setPolicy(p *appointments.Policy, notice, horizon *int, closures *string) {
	setMinutes(&p.Notice, notice)
	set(&p.HorizonDays, horizon)
	if closures != nil {
		p.ClosureDates = appointments.ClosureRule(*closures)
	}
}

// set takes over what a change names.
func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

func setMinutes(field *time.Duration, value *int) {
	if value != nil {
		*field = length(*value)
	}
}

// pageOf makes the body of a list that has one page.
func pageOf[T, B any](all []T, body func(*T) B) httpkit.Page[B] {
	page := httpkit.Page[B]{Items: make([]B, len(all))}
	for i := range all {
		page.Items[i] = body(&all[i])
	}
	return page
}

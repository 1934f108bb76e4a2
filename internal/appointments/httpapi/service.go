package httpapi

import (
	"context"
	"net/http"

	"turnero/internal/appointments"
	"turnero/internal/id"
	"turnero/internal/platform/httpkit"
)

type serviceBody struct {
	ID           string     `json:"id"`
	Name         string     `json:"name"`
	Description  string     `json:"description"`
	Duration     int        `json:"duration" doc:"minutes"`
	BufferBefore int        `json:"bufferBefore" doc:"minutes kept free before the start"`
	BufferAfter  int        `json:"bufferAfter" doc:"minutes kept free after the end"`
	Step         int        `json:"step" doc:"minutes between two starts that are offered, counted from the begin of each shift"`
	Price        *moneyBody `json:"price,omitempty"`
	Active       bool       `json:"active" doc:"can be booked"`
}

func serviceOf(o *appointments.Offering) serviceBody {
	return serviceBody{ID: o.ID.String(), Name: o.Name, Description: o.Description, Duration: minutes(o.Duration), BufferBefore: minutes(o.Before),
		BufferAfter: minutes(o.After), Step: minutes(o.Step), Price: moneyOf(o.Price), Active: o.Active}
}

type serviceOutput struct{ Body serviceBody }

type servicesOutput struct{ Body httpkit.Page[serviceBody] }

type createServiceInput struct {
	KeyInput
	Body struct {
		Name         string     `json:"name" maxLength:"500"`
		Description  string     `json:"description,omitempty" maxLength:"4000"`
		Duration     int        `json:"duration" doc:"minutes, 1 to 1440"`
		BufferBefore int        `json:"bufferBefore,omitempty" doc:"minutes, at most 720"`
		BufferAfter  int        `json:"bufferAfter,omitempty" doc:"minutes, at most 720"`
		Step         *int       `json:"step,omitempty" doc:"minutes, 5 to 1440; when absent 30, or the duration if that is shorter"`
		Price        *moneyBody `json:"price,omitempty"`
		Active       *bool      `json:"active,omitempty" doc:"true when absent"`
	}
}

type updateServiceInput struct {
	IDInput
	Body struct {
		Name         *string    `json:"name,omitempty" maxLength:"500"`
		Description  *string    `json:"description,omitempty" maxLength:"4000"`
		Duration     *int       `json:"duration,omitempty"`
		BufferBefore *int       `json:"bufferBefore,omitempty"`
		BufferAfter  *int       `json:"bufferAfter,omitempty"`
		Step         *int       `json:"step,omitempty"`
		Price        *moneyBody `json:"price,omitempty"`
		Active       *bool      `json:"active,omitempty"`
	}
}

func registerServices(api *httpkit.API, svc *appointments.Service) {
	httpkit.Handle(api, httpkit.Op{ID: "list-services", Method: http.MethodGet, Path: "/api/services", Tag: tag, Roles: people, Scope: readSetup,
		Summary: "List what the business offers"},
		func(ctx context.Context, p id.Principal, _ *struct{}) (*servicesOutput, error) {
			all, err := svc.Offerings(ctx, p.Tenant)
			return &servicesOutput{Body: pageOf(all, serviceOf)}, err
		})
	httpkit.Handle(api, httpkit.Op{ID: "get-service", Method: http.MethodGet, Path: "/api/services/{id}", Tag: tag, Roles: people, Scope: readSetup,
		Summary: "Show a service"},
		func(ctx context.Context, p id.Principal, in *IDInput) (*serviceOutput, error) {
			service, err := inPath(in.ID, "service", id.ParseService)
			if err != nil {
				return nil, err
			}
			o, err := svc.Offering(ctx, p.Tenant, service)
			return &serviceOutput{Body: serviceOf(&o)}, err
		})
	httpkit.Handle(api, httpkit.Op{ID: "create-service", Method: http.MethodPost, Path: "/api/services", Tag: tag, Roles: admins, Scope: writeSetup,
		Status: http.StatusCreated, Summary: "Add a service"},
		func(ctx context.Context, p id.Principal, in *createServiceInput) (*serviceOutput, error) {
			b := &in.Body
			o := appointments.Offering{Name: b.Name, Description: b.Description, Duration: length(b.Duration), Before: length(b.BufferBefore),
				After: length(b.BufferAfter), Price: b.Price.money(), Active: b.Active == nil || *b.Active}
			o.Step = o.DefaultStep()
			setMinutes(&o.Step, b.Step)
			o, err := svc.CreateOffering(ctx, p.Tenant, in.key(in.Body), o)
			return &serviceOutput{Body: serviceOf(&o)}, err
		})
	httpkit.Handle(api, httpkit.Op{ID: "update-service", Method: http.MethodPatch, Path: "/api/services/{id}", Tag: tag, Roles: admins, Scope: writeSetup,
		Summary: "Change a service; what is booked keeps its length and price"},
		func(ctx context.Context, p id.Principal, in *updateServiceInput) (*serviceOutput, error) {
			service, err := inPath(in.ID, "service", id.ParseService)
			if err != nil {
				return nil, err
			}
			o, err := svc.UpdateOffering(ctx, p.Tenant, service, in.change)
			return &serviceOutput{Body: serviceOf(&o)}, err
		})
}

func (in *updateServiceInput) change(o *appointments.Offering) {
	b := &in.Body
	set(&o.Name, b.Name)
	set(&o.Description, b.Description)
	setMinutes(&o.Duration, b.Duration)
	setMinutes(&o.Before, b.BufferBefore)
	setMinutes(&o.After, b.BufferAfter)
	setMinutes(&o.Step, b.Step)
	set(&o.Active, b.Active)
	if b.Price != nil {
		o.Price = b.Price.money()
	}
}

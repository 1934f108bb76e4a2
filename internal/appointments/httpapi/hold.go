package httpapi

import (
	"context"
	"net/http"
	"time"

	"turnero/internal/appointments"
	"turnero/internal/id"
	"turnero/internal/platform/httpkit"
)

type holdBody struct {
	ID        string    `json:"id"`
	Service   string    `json:"service"`
	Location  placeBody `json:"location"`
	Staff     refBody   `json:"staff"`
	Start     string    `json:"start" doc:"with the offset of the location's zone"`
	End       string    `json:"end"`
	ExpiresAt time.Time `json:"expiresAt" doc:"the slot is anybody's again from this instant on"`
}

type holdOutput struct{ Body holdBody }

type holdInput struct {
	KeyInput
	Body struct {
		Service  string `json:"service" maxLength:"100" doc:"ID of the service"`
		Staff    string `json:"staff,omitempty" maxLength:"100" doc:"ID; anybody who is free when absent"`
		Location string `json:"location,omitempty" maxLength:"100"`
		Start    string `json:"start" maxLength:"40"`
		Minutes  *int   `json:"minutes,omitempty" doc:"how long, 1 to 15; 5 when absent"`
	}
}

func registerHolds(api *httpkit.API, svc *appointments.Service) {
	httpkit.Handle(api, httpkit.Op{ID: "create-hold", Method: http.MethodPost, Path: "/api/holds", Tag: tag, Roles: people, Scope: writeAgenda,
		Status: http.StatusCreated, Summary: "Keep a slot for some minutes while a customer decides", Errors: []int{http.StatusNotFound, http.StatusConflict}},
		func(ctx context.Context, p id.Principal, in *holdInput) (*holdOutput, error) {
			cmd := appointments.HoldCommand{Key: in.key(in.Body), Origin: appointments.OriginAPI, By: p.Actor(), For: appointments.DefaultHold}
			b := &in.Body
			setMinutes(&cmd.For, b.Minutes)
			var err error
			if cmd.Service, cmd.Staff, cmd.Location, cmd.Start, err = readWanted(b.Service, b.Staff, b.Location, b.Start); err != nil {
				return nil, err
			}
			h, err := svc.Hold(ctx, p.Tenant, cmd)
			if err != nil {
				return nil, toWire(err)
			}
			return &holdOutput{Body: holdBody{ID: h.ID.String(), Service: h.Service.String(), Location: placeOf(&h.Location),
				Staff: refBody{ID: h.Staff.ID.String(), Name: h.Staff.Name}, Start: instantIn(&h.Location, h.Start), End: instantIn(&h.Location, h.End), ExpiresAt: h.ExpiresAt.UTC()}}, nil
		})
	httpkit.Handle(api, httpkit.Op{ID: "release-hold", Method: http.MethodDelete, Path: "/api/holds/{id}", Tag: tag, Roles: people, Scope: writeAgenda,
		Status: http.StatusNoContent, Summary: "Let a held slot go"},
		func(ctx context.Context, p id.Principal, in *IDInput) (*struct{}, error) {
			hold, err := inPath(in.ID, "hold", id.ParseHold)
			if err != nil {
				return nil, err
			}
			return nil, svc.Release(ctx, p.Tenant, hold)
		})
}

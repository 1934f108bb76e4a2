package httpapi

import (
	"context"
	"net/http"
	"time"

	"turnero/internal/appointments"
	"turnero/internal/id"
	"turnero/internal/platform/httpkit"
)

type customerBody struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Phone     string    `json:"phone,omitempty" doc:"E.164"`
	WhatsApp  string    `json:"whatsapp,omitempty" doc:"WhatsApp ID"`
	Chat      string    `json:"chat,omitempty" doc:"ID of the chat in which the customer writes"`
	CreatedAt time.Time `json:"createdAt"`
}

func customerOf(c *appointments.Customer) customerBody {
	return customerBody{ID: c.ID.String(), Name: c.Name, Phone: c.Phone, WhatsApp: c.WhatsApp, Chat: c.Chat.String(), CreatedAt: c.CreatedAt}
}

type customerOutput struct{ Body customerBody }

type customersOutput struct{ Body httpkit.Page[customerBody] }

type customersInput struct {
	httpkit.PageInput
	Search string `query:"search" maxLength:"100" doc:"part of the name or of the phone number"`
}

func registerCustomers(api *httpkit.API, svc *appointments.Service) {
	httpkit.Handle(api, httpkit.Op{ID: "list-customers", Method: http.MethodGet, Path: "/api/customers", Tag: tag, Roles: people, Scope: readCustomers,
		Summary: "List the customers, the newest first"},
		func(ctx context.Context, p id.Principal, in *customersInput) (*customersOutput, error) {
			q := appointments.CustomerQuery{Search: in.Search, Limit: in.Limit + 1}
			if err := httpkit.DecodeCursor(in.Cursor, &q.After); err != nil {
				return nil, err
			}
			found, err := svc.Customers(ctx, p.Tenant, q)
			if err != nil {
				return nil, err
			}
			out := &customersOutput{Body: pageOf(found[:min(len(found), in.Limit)], customerOf)}
			if len(found) > in.Limit {
				out.Body.NextCursor = httpkit.EncodeCursor(found[in.Limit-1].ID)
			}
			return out, nil
		})
	httpkit.Handle(api, httpkit.Op{ID: "get-customer", Method: http.MethodGet, Path: "/api/customers/{id}", Tag: tag, Roles: people, Scope: readCustomers,
		Summary: "Show a customer"},
		func(ctx context.Context, p id.Principal, in *IDInput) (*customerOutput, error) {
			customer, err := inPath(in.ID, "customer", id.ParseCustomer)
			if err != nil {
				return nil, err
			}
			c, err := svc.Customer(ctx, p.Tenant, customer)
			return &customerOutput{Body: customerOf(&c)}, err
		})
}

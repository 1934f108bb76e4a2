// Package httpapi is the REST side of appointments: the set-up of a business, its customers, what can be booked, and what is.
//
// Each operation decodes, calls one method of the Service and encodes. Instants go out with the offset of the location's
// zone, durations in minutes. IDs in a path that do not parse are not found, as those that nobody has; in a body or a query
// they break a rule of their field. A refused time carries its reason as code and the nearest slots as alternatives.
package httpapi

import (
	"turnero/internal/appointments"
	"turnero/internal/id"
	"turnero/internal/platform/httpkit"
)

const tag = "appointments"

// Who may do what: the set-up is the admin's to change; everybody who works in the business sees it and keeps the agenda.
var (
	admins = []id.Role{id.Admin}
	people = []id.Role{id.Admin, id.Employee}
)

// What an API key must have been given.
const (
	readSetup     = "setup:read"
	writeSetup    = "setup:write"
	readAgenda    = "appointments:read"
	writeAgenda   = "appointments:write"
	readCustomers = "customers:read"
)

// Register adds the operations to the API.
func Register(api *httpkit.API, svc *appointments.Service) {
	registerLocations(api, svc)
	registerServices(api, svc)
	registerStaff(api, svc)
	registerClosures(api, svc)
	registerCustomers(api, svc)
	registerAvailability(api, svc)
	registerAppointments(api, svc)
	registerHolds(api, svc)
}

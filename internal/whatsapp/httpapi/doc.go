// Package httpapi is the REST side of whatsapp: a tenant's lines, its chats and messages, who may see which chat, and whether a number is on
// WhatsApp.
//
// Each operation decodes, calls one method of the Service and encodes. A chat is named in the path by our ID, a WhatsApp ID
// or a phone number; ?session= picks another line than the default one. What an employee was not granted answers as what
// does not exist. Instants are RFC 3339 in UTC.
package httpapi

import (
	"turnero/internal/id"
	"turnero/internal/platform/httpkit"
	"turnero/internal/whatsapp"
)

const tag = "whatsapp"

// Who may do what: lines and permissions are the admin's; employees work in the chats they were granted.
var (
	admins = []id.Role{id.Admin}
	people = []id.Role{id.Admin, id.Employee}
)

// What an API key must have been given.
const (
	readLines  = "whatsapp:read"
	writeLines = "whatsapp:write"
	readChats  = "chats:read"
	writeChats = "chats:write"
	grantChats = "chats:grant"
)

// Register adds the operations to the API.
func Register(api *httpkit.API, svc *whatsapp.Service) {
	registerSessions(api, svc)
	registerLinking(api, svc)
	registerChats(api, svc)
	registerMessages(api, svc)
	registerPermissions(api, svc)
	registerContacts(api, svc)
}

package id

// The kinds of things that have an ID, each with the prefix of its text form.
type (
	tenantKind       struct{}
	userKind         struct{}
	apiKeyKind       struct{}
	loginKind        struct{}
	refreshKind      struct{}
	auditKind        struct{}
	sessionKind      struct{}
	chatKind         struct{}
	messageKind      struct{}
	contactKind      struct{}
	locationKind     struct{}
	serviceKind      struct{}
	staffKind        struct{}
	resourceKind     struct{}
	closureKind      struct{}
	customerKind     struct{}
	appointmentKind  struct{}
	holdKind         struct{}
	conversationKind struct{}
	notificationKind struct{}
	webhookKind      struct{}
	jobKind          struct{}
	eventKind        struct{}
)

func (tenantKind) prefix() string       { return "ten" }
func (userKind) prefix() string         { return "usr" }
func (apiKeyKind) prefix() string       { return "key" }
func (loginKind) prefix() string        { return "lgn" }
func (refreshKind) prefix() string      { return "rft" }
func (auditKind) prefix() string        { return "aud" }
func (sessionKind) prefix() string      { return "ses" }
func (chatKind) prefix() string         { return "chat" }
func (messageKind) prefix() string      { return "msg" }
func (contactKind) prefix() string      { return "con" }
func (locationKind) prefix() string     { return "loc" }
func (serviceKind) prefix() string      { return "svc" }
func (staffKind) prefix() string        { return "stf" }
func (resourceKind) prefix() string     { return "rsc" }
func (closureKind) prefix() string      { return "clo" }
func (customerKind) prefix() string     { return "cus" }
func (appointmentKind) prefix() string  { return "apt" }
func (holdKind) prefix() string         { return "hld" }
func (conversationKind) prefix() string { return "cnv" }
func (notificationKind) prefix() string { return "ntf" }
func (webhookKind) prefix() string      { return "whk" }
func (jobKind) prefix() string          { return "job" }
func (eventKind) prefix() string        { return "evt" }

// All but Tenant and the platform's own (User of a super-admin, Job, Event) are unique within their tenant only by
// convention of the key (tenant_id, id); being UUIDs they never collide in practice.
type (
	// Tenant is one business. Everything that a business owns carries it.
	Tenant = ID[tenantKind]
	// User is a person who logs in: super-admin, admin or employee.
	User = ID[userKind]
	// APIKey is a credential of a tenant's own systems.
	APIKey = ID[apiKeyKind]
	// Login is one log-in of a person on one device, with the chain of refresh tokens that it lives by.
	Login = ID[loginKind]
	// RefreshToken is one link of a chain of rotated refresh tokens.
	RefreshToken = ID[refreshKind]
	// AuditEntry is one line of the audit log.
	AuditEntry = ID[auditKind]
	// Session is one WhatsApp account linked to a tenant.
	Session = ID[sessionKind]
	// Chat is one WhatsApp conversation of a session.
	Chat = ID[chatKind]
	// Message is our ID of one message in a chat.
	Message = ID[messageKind]
	// Contact is one person, known to WhatsApp by number, LID or both.
	Contact = ID[contactKind]
	// Location is one place of business with its zone and address.
	Location = ID[locationKind]
	// Service is one thing that can be booked, with duration and price.
	Service = ID[serviceKind]
	// Staff is one person who performs services.
	Staff = ID[staffKind]
	// Resource is a room or machine that a service needs.
	Resource = ID[resourceKind]
	// Closure is a time in which a location or staff member is not available.
	Closure = ID[closureKind]
	// Customer is a person for whom appointments are made.
	Customer = ID[customerKind]
	// Appointment is one booked time.
	Appointment = ID[appointmentKind]
	// Hold is a short-lived reservation of a slot.
	Hold = ID[holdKind]
	// Conversation is the bot's state in one chat.
	Conversation = ID[conversationKind]
	// Notification is one planned or sent reminder.
	Notification = ID[notificationKind]
	// Webhook is one endpoint of a tenant's own system.
	Webhook = ID[webhookKind]
	// Job is one unit of deferred work.
	Job = ID[jobKind]
	// Event is the stable ID of one integration event.
	Event = ID[eventKind]
)

// The constructors of fresh IDs, one per kind.
func NewTenant() Tenant             { return New[tenantKind]() }
func NewUser() User                 { return New[userKind]() }
func NewAPIKey() APIKey             { return New[apiKeyKind]() }
func NewLogin() Login               { return New[loginKind]() }
func NewRefreshToken() RefreshToken { return New[refreshKind]() }
func NewAuditEntry() AuditEntry     { return New[auditKind]() }
func NewSession() Session           { return New[sessionKind]() }
func NewChat() Chat                 { return New[chatKind]() }
func NewMessage() Message           { return New[messageKind]() }
func NewContact() Contact           { return New[contactKind]() }
func NewLocation() Location         { return New[locationKind]() }
func NewService() Service           { return New[serviceKind]() }
func NewStaff() Staff               { return New[staffKind]() }
func NewResource() Resource         { return New[resourceKind]() }
func NewClosure() Closure           { return New[closureKind]() }
func NewCustomer() Customer         { return New[customerKind]() }
func NewAppointment() Appointment   { return New[appointmentKind]() }
func NewHold() Hold                 { return New[holdKind]() }
func NewConversation() Conversation { return New[conversationKind]() }
func NewNotification() Notification { return New[notificationKind]() }
func NewWebhook() Webhook           { return New[webhookKind]() }
func NewJob() Job                   { return New[jobKind]() }
func NewEvent() Event               { return New[eventKind]() }

// The readers of IDs at the edge, one per kind that comes from outside.
func ParseTenant(s string) (Tenant, error)           { return Parse[tenantKind](s) }
func ParseUser(s string) (User, error)               { return Parse[userKind](s) }
func ParseAPIKey(s string) (APIKey, error)           { return Parse[apiKeyKind](s) }
func ParseLogin(s string) (Login, error)             { return Parse[loginKind](s) }
func ParseSession(s string) (Session, error)         { return Parse[sessionKind](s) }
func ParseChat(s string) (Chat, error)               { return Parse[chatKind](s) }
func ParseMessage(s string) (Message, error)         { return Parse[messageKind](s) }
func ParseLocation(s string) (Location, error)       { return Parse[locationKind](s) }
func ParseService(s string) (Service, error)         { return Parse[serviceKind](s) }
func ParseStaff(s string) (Staff, error)             { return Parse[staffKind](s) }
func ParseClosure(s string) (Closure, error)         { return Parse[closureKind](s) }
func ParseCustomer(s string) (Customer, error)       { return Parse[customerKind](s) }
func ParseAppointment(s string) (Appointment, error) { return Parse[appointmentKind](s) }
func ParseHold(s string) (Hold, error)               { return Parse[holdKind](s) }
func ParseNotification(s string) (Notification, error) {
	return Parse[notificationKind](s)
}
func ParseJob(s string) (Job, error)     { return Parse[jobKind](s) }
func ParseEvent(s string) (Event, error) { return Parse[eventKind](s) }

// FromMessage and its kind give the repeatable ID of a name; see From.
func FromMessage(name string) Message           { return From[messageKind](name) }
func FromSession(name string) Session           { return From[sessionKind](name) }
func FromJob(name string) Job                   { return From[jobKind](name) }
func FromNotification(name string) Notification { return From[notificationKind](name) }
func FromLocation(name string) Location         { return From[locationKind](name) }

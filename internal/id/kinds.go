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
	closureKind      struct{}
	customerKind     struct{}
	appointmentKind  struct{}
	holdKind         struct{}
	notificationKind struct{}
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
func (closureKind) prefix() string      { return "clo" }
func (customerKind) prefix() string     { return "cus" }
func (appointmentKind) prefix() string  { return "apt" }
func (holdKind) prefix() string         { return "hld" }
func (notificationKind) prefix() string { return "ntf" }
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
	// Closure is a time in which a location or staff member is not available.
	Closure = ID[closureKind]
	// Customer is a person for whom appointments are made.
	Customer = ID[customerKind]
	// Appointment is one booked time.
	Appointment = ID[appointmentKind]
	// Hold is a short-lived reservation of a slot.
	Hold = ID[holdKind]
	// Notification is one planned or sent reminder.
	Notification = ID[notificationKind]
	// Job is one unit of deferred work.
	Job = ID[jobKind]
	// Event is the stable ID of one integration event.
	Event = ID[eventKind]
)

// NewTenant makes a fresh ID of a tenant.
func NewTenant() Tenant { return New[tenantKind]() }

// NewUser makes a fresh ID of a user.
func NewUser() User { return New[userKind]() }

// NewAPIKey makes a fresh ID of an API key.
func NewAPIKey() APIKey { return New[apiKeyKind]() }

// NewLogin makes a fresh ID of a login.
func NewLogin() Login { return New[loginKind]() }

// NewRefreshToken makes a fresh ID of a refresh token.
func NewRefreshToken() RefreshToken { return New[refreshKind]() }

// NewAuditEntry makes a fresh ID of an audit entry.
func NewAuditEntry() AuditEntry { return New[auditKind]() }

// NewSession makes a fresh ID of a session.
func NewSession() Session { return New[sessionKind]() }

// NewChat makes a fresh ID of a chat.
func NewChat() Chat { return New[chatKind]() }

// NewMessage makes a fresh ID of a message.
func NewMessage() Message { return New[messageKind]() }

// NewContact makes a fresh ID of a contact.
func NewContact() Contact { return New[contactKind]() }

// NewLocation makes a fresh ID of a location.
func NewLocation() Location { return New[locationKind]() }

// NewService makes a fresh ID of a service.
func NewService() Service { return New[serviceKind]() }

// NewStaff makes a fresh ID of a staff.
func NewStaff() Staff { return New[staffKind]() }

// NewClosure makes a fresh ID of a closure.
func NewClosure() Closure { return New[closureKind]() }

// NewCustomer makes a fresh ID of a customer.
func NewCustomer() Customer { return New[customerKind]() }

// NewAppointment makes a fresh ID of an appointment.
func NewAppointment() Appointment { return New[appointmentKind]() }

// NewHold makes a fresh ID of a hold.
func NewHold() Hold { return New[holdKind]() }

// NewJob makes a fresh ID of a job.
func NewJob() Job { return New[jobKind]() }

// NewEvent makes a fresh ID of an event.
func NewEvent() Event { return New[eventKind]() }

// ParseTenant reads the ID of a tenant at the edge.
func ParseTenant(s string) (Tenant, error) { return Parse[tenantKind](s) }

// ParseUser reads the ID of an user at the edge.
func ParseUser(s string) (User, error) { return Parse[userKind](s) }

// ParseAPIKey reads the ID of an API key at the edge.
func ParseAPIKey(s string) (APIKey, error) { return Parse[apiKeyKind](s) }

// ParseSession reads the ID of a session at the edge.
func ParseSession(s string) (Session, error) { return Parse[sessionKind](s) }

// ParseChat reads the ID of a chat at the edge.
func ParseChat(s string) (Chat, error) { return Parse[chatKind](s) }

// ParseMessage reads the ID of a message at the edge.
func ParseMessage(s string) (Message, error) { return Parse[messageKind](s) }

// ParseLocation reads the ID of a location at the edge.
func ParseLocation(s string) (Location, error) { return Parse[locationKind](s) }

// ParseService reads the ID of a service at the edge.
func ParseService(s string) (Service, error) { return Parse[serviceKind](s) }

// ParseStaff reads the ID of a staff at the edge.
func ParseStaff(s string) (Staff, error) { return Parse[staffKind](s) }

// ParseClosure reads the ID of a closure at the edge.
func ParseClosure(s string) (Closure, error) { return Parse[closureKind](s) }

// ParseCustomer reads the ID of a customer at the edge.
func ParseCustomer(s string) (Customer, error) { return Parse[customerKind](s) }

// ParseAppointment reads the ID of an appointment at the edge.
func ParseAppointment(s string) (Appointment, error) { return Parse[appointmentKind](s) }

// ParseHold reads the ID of a hold at the edge.
func ParseHold(s string) (Hold, error) { return Parse[holdKind](s) }

// ParseJob reads the ID of a job at the edge.
func ParseJob(s string) (Job, error) { return Parse[jobKind](s) }

// ParseEvent reads the ID of an event at the edge.
func ParseEvent(s string) (Event, error) { return Parse[eventKind](s) }

// FromMessage and its kind give the repeatable ID of a name; see From.
func FromMessage(name string) Message { return From[messageKind](name) }

// FromSession gives the repeatable ID of a session; see From.
func FromSession(name string) Session { return From[sessionKind](name) }

// FromNotification gives the repeatable ID of a notification; see From.
func FromNotification(name string) Notification { return From[notificationKind](name) }

// FromLocation gives the repeatable ID of a location; see From.
func FromLocation(name string) Location { return From[locationKind](name) }

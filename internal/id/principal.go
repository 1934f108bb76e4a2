package id

import "slices"

// Role is what a caller may do.
type Role string

// The four roles.
const (
	SuperAdmin Role = "super_admin"  // operates the platform; belongs to no tenant
	Admin      Role = "tenant_admin" // owns a business
	Employee   Role = "tenant_user"  // works in a business; sees the chats granted to them
	EndUser    Role = "end_user"     // the business's customer
)

// Roles lists all roles in falling order of rights.
func Roles() []Role { return []Role{SuperAdmin, Admin, Employee, EndUser} }

// Principal is who a request acts as, as one verified token says. Tenant is zero only for a super-admin.
type Principal struct {
	Tenant Tenant
	User   User   // zero when an API key acts
	APIKey APIKey // zero when a person acts
	Login  Login  // the log-in by which a person acts; zero when an API key acts
	Role   Role
	Scopes []string // of an API key: what it may do of all that its role may
}

// Actor names who acts, for records of who did what: the user's or the API key's ID.
func (p Principal) Actor() string {
	if !p.APIKey.IsZero() {
		return p.APIKey.String()
	}
	return p.User.String()
}

// Has reports whether the principal has one of the roles.
func (p Principal) Has(roles ...Role) bool { return slices.Contains(roles, p.Role) }

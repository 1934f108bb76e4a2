package auth

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"turnero/internal/fault"
	"turnero/internal/id"
)

// maxNameLength is the longest name of a person or key, in characters.
const maxNameLength = 100

// User is a person who logs in.
type User struct {
	Tenant       id.Tenant // zero for a super-admin
	ID           id.User
	Email        Email // unique in the installation
	Name         string
	Role         id.Role
	PasswordHash string // PHC string of argon2id
	Temporary    bool   // the password was made by us and told to somebody; the person should choose another
	Active       bool
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// isAdmin reports whether the person counts as one who can run the business.
func (u User) isAdmin() bool { return u.Active && u.Role == id.Admin }

// NewUser is what a person is made of.
type NewUser struct {
	Email    string
	Name     string
	Role     id.Role
	Password string // "" = one is made up and returned once
	// IdempotencyKey and BodyHash make a repeated request give the person made by the first. The hash must not depend on
	// the password: it is stored, and a plain hash would let a thief of the database try passwords cheaply.
	IdempotencyKey string
	BodyHash       string
}

// CreatedUser is a person just made.
type CreatedUser struct {
	User
	Password string // the password made up for them, shown this once; "" when they brought one or the request was a repetition
}

// UserPatch is what to change of a person; nil leaves as it is.
type UserPatch struct {
	Name   *string
	Role   *id.Role
	Active *bool
}

// staffRoles are the roles of people who work in a business.
var staffRoles = []id.Role{id.Admin, id.Employee}

// check reads the fields, returning the person without ID and password; all broken rules at once.
func (in NewUser) check(roles []id.Role) (User, error) {
	var broken []fault.Field
	email, err := ParseEmail("email", in.Email)
	broken = appendFields(broken, err)
	name, err := cleanName("name", in.Name)
	broken = appendFields(broken, err)
	broken = appendFields(broken, checkRole(in.Role, roles))
	if in.Password != "" {
		broken = appendFields(broken, checkPassword("password", in.Password, email, name))
	}
	if err = fault.BadFields(broken...); err != nil {
		return User{}, err
	}
	return User{Email: email, Name: name, Role: in.Role}, nil
}

func checkRole(role id.Role, allowed []id.Role) error {
	if slices.Contains(allowed, role) {
		return nil
	}
	names := make([]string, len(allowed))
	for i, r := range allowed {
		names[i] = string(r)
	}
	return fault.BadField("role", "must be "+strings.Join(names, " or "))
}

// appendFields collects the broken rules of an error made by fault.BadField.
func appendFields(fields []fault.Field, err error) []fault.Field {
	if f, ok := fault.As(err); ok {
		return append(fields, f.Fields...)
	}
	return fields
}

// cleanName trims a name and refuses one that is empty, too long or holds control characters.
func cleanName(field, name string) (string, error) {
	name = strings.TrimSpace(norm.NFC.String(name))
	switch {
	case name == "":
		return "", fault.BadField(field, "is required")
	case utf8.RuneCountInString(name) > maxNameLength:
		return "", fault.BadField(field, fmt.Sprintf("must have at most %d characters", maxNameLength))
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return "", fault.BadField(field, "must not hold control characters")
	}
	return name, nil
}

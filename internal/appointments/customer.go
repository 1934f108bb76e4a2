package appointments

import (
	"time"

	"turnero/internal/id"
)

// CustomerRef says for whom something is booked: an existing customer's ID, or what tells a person apart. A person is the
// same customer when the WhatsApp ID or the folded phone number is the same.
type CustomerRef struct {
	ID       id.Customer
	Name     string
	Phone    string  // as typed or E.164
	WhatsApp string  // canonical WhatsApp ID
	Chat     id.Chat // the chat in which the person writes
}

// Customer is a person for whom appointments are made.
type Customer struct {
	ID        id.Customer
	Name      string
	Phone     string // E.164, "" when not known
	WhatsApp  string // canonical WhatsApp ID, "" when not known
	Chat      id.Chat
	CreatedAt time.Time
}

// Ref is a thing by ID with the name to show.
type Ref[I any] struct {
	ID   I
	Name string
}
